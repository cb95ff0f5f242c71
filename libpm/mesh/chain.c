/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates as peers show them: one in DER, or PEM with the leaf first. */
#include "base/report.h"
#include "crypto/x509.h"
#include "mesh/mesh.h"

#define NAME "mesh.certificate"

static int take(struct pm_view der, void *arg)
{
	struct pm_mesh_chain *chain = arg;

	if (der.len > PM_MESH_CERT_SIZE_MAX || chain->next)
		return PM_E_LIMIT;
	return pm_cert_parse(der, chain->leaf ? &chain->next : &chain->leaf);
}

static int read_chain(struct pm_view input, struct pm_mesh_chain *ret)
{
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	if (input.len > PM_MESH_CHAIN_SIZE_MAX)
		return PM_E_LIMIT;
	return pm_pem_is(input) ? pm_pem_each(input, "CERTIFICATE", take, ret) : take(input, ret);
}

int pm_mesh_chain_parse(struct pm_view input, struct pm_report *report, struct pm_mesh_chain *ret)
{
	int r = read_chain(input, ret);

	if (r == PM_E_NOMEM || r == PM_E_CRYPTO)
		return r;
	if (r < 0)
		return pm_fail(report, r, NAME, "one or two certificates, PEM or DER", "%s",
			pm_strerror(r));
	return PM_OK;
}

void pm_mesh_chain_free(struct pm_mesh_chain *chain)
{
	pm_cert_free(chain->leaf);
	pm_cert_free(chain->next);
}

int pm_mesh_leaf(const void *chain, size_t len, uint8_t *ret_der, size_t *ret_len)
{
	pm_cleanup(chain) struct pm_mesh_chain certs = {0};
	int r = pm_mesh_chain_parse(pm_view(chain, len), NULL, &certs);
	struct pm_view der;

	if (r < 0)
		return r;
	der = pm_cert_der(certs.leaf);
	pm_copy(ret_der, der.ptr, der.len);
	*ret_len = der.len;
	return PM_OK;
}
