/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/snp_chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/report.h"
#include "evidence/snp_roots.h"
#include "evidence/validity.h"

/* AMD's keys above the VEK. */
#define CA_BITS 4096

static void destroy(struct pm_shared *shared)
{
	struct pm_snp_chain *chain = (struct pm_snp_chain *)shared; /* its first member */

	for (size_t i = 0; i < PM_ARRAY_LEN(chain->owned); i++)
		pm_cert_free(chain->owned[i]);
	pm_pubkey_free(chain->vek_key);
	pm_pubkey_free(chain->root_key);
	free(chain);
}

void pm_snp_chain_unref(struct pm_snp_chain *chain)
{
	if (chain)
		pm_shared_unref(&chain->shared);
}

/* "ARK-" and a product. */
static int product_of_root(const struct pm_cert *root, struct pm_report *report, int *ret)
{
	static const char prefix[] = "ARK-";
	const size_t n = sizeof(prefix) - 1;
	struct pm_view cn = pm_cert_common_name(root);

	*ret = 0;
	if (cn.len > n && pm_view_equal(pm_view(cn.ptr, n), pm_view(prefix, n)))
		*ret = pm_snp_product_by_name(pm_view(cn.ptr + n, cn.len - n));
	if (!*ret)
		return pm_fail(report, PM_E_REJECTED, "root, common name",
			"ARK-Milan, ARK-Genoa or ARK-Turin", "%.*s", (int)cn.len,
			(const char *)cn.ptr);
	return PM_OK;
}

/* "SEV-Milan" for VCEKs, "SEV-VLEK-Milan" for VLEKs: neither may sign the other's. */
static int check_intermediate_name(const struct pm_cert *intermediate, enum pm_snp_signer signer,
	int product, struct pm_report *report)
{
	struct pm_view cn = pm_cert_common_name(intermediate);
	char name[32];

	snprintf(name, sizeof(name), "SEV-%s%s", signer == PM_SNP_VLEK ? "VLEK-" : "",
		pm_snp_product_name(product));
	if (!pm_cert_is_named(intermediate, name))
		return pm_fail(report, PM_E_REJECTED, "intermediate, common name", name, "%.*s",
			(int)cn.len, (const char *)cn.ptr);
	return PM_OK;
}

static int load_ca_key(const struct pm_cert *cert, const char *name, struct pm_report *report,
	struct pm_pubkey **ret)
{
	int r = pm_cert_pubkey(cert, ret);

	if (r == PM_E_NOMEM)
		return r;
	if (r < 0 || pm_pubkey_type(*ret) != PM_KEY_RSA || pm_pubkey_bits(*ret) != CA_BITS)
		return pm_fail(
			report, r < 0 ? r : PM_E_REJECTED, name, "RSA, 4096 bits", "another key");
	return PM_OK;
}

static int check_signature(const struct pm_cert *cert, const struct pm_cert *issuer,
	const struct pm_pubkey *key, int cas_below, const char *name, struct pm_report *report)
{
	int r = PM_E_UNSUPPORTED;

	if (pm_cert_signed_with(cert, PM_SHA384))
		r = pm_cert_check_issuer(cert, issuer, key, cas_below);
	if (r == PM_E_UNSUPPORTED)
		return pm_fail(report, r, name, "RSASSA-PSS with SHA-384", "another algorithm");
	if (r < 0)
		return pm_fail(report, r, name, "issued and signed by the certificate above it",
			"a signature or issuer that is not");
	return PM_OK;
}

/* --- the upper two --------------------------------------------------------------------------- */

void pm_snp_authority_close(struct pm_snp_authority *a)
{
	pm_pubkey_free(a->root_key);
	pm_pubkey_free(a->key);
}

static int check_root(int product, const uint8_t *sha256, const struct pm_snp_policy *policy,
	struct pm_report *report, bool *ret_test_root)
{
	int pinned = pm_snp_root_product(sha256);
	bool test = !pinned && pm_list_has(&policy->test_roots, sha256);

	if ((!pinned && !test) || (pinned && pinned != product))
		return pm_fail(report, PM_E_REJECTED, "root", "an ARK of AMD",
			"SHA-256 %s, not trusted", pm_hex(sha256, PM_SHA256_SIZE).s);
	*ret_test_root = test;
	return PM_OK;
}

/* The root is refused here already when nobody trusts it: no work for strangers' chains. */
static int check_names(struct pm_snp_authority *a, enum pm_snp_signer signer,
	const struct pm_snp_policy *policy, struct pm_report *report)
{
	bool test_root;
	int r = product_of_root(a->root, report, &a->product);

	if (r < 0)
		return r;
	r = pm_hash(PM_SHA256, pm_cert_der(a->root), a->root_sha256);
	if (r < 0)
		return r;
	r = check_root(a->product, a->root_sha256, policy, report, &test_root);
	if (r < 0)
		return r;
	return check_intermediate_name(a->intermediate, signer, a->product, report);
}

int pm_snp_authority_open(const struct pm_snp_links *links, enum pm_snp_signer signer,
	const struct pm_snp_policy *policy, struct pm_report *report, struct pm_snp_authority *ret)
{
	int r;

	*ret = (struct pm_snp_authority){.intermediate = links->intermediate, .root = links->root};
	r = check_names(ret, signer, policy, report);
	if (r < 0)
		return r;
	r = load_ca_key(ret->root, "root, public key", report, &ret->root_key);
	if (r < 0)
		return r;
	r = load_ca_key(ret->intermediate, "intermediate, public key", report, &ret->key);
	if (r < 0)
		return r;
	return check_signature(
		ret->intermediate, ret->root, ret->root_key, 1, "intermediate, signature", report);
}

/* --- the VEK --------------------------------------------------------------------------------- */

static int read_vek(struct pm_snp_chain *c, enum pm_snp_signer signer, struct pm_report *report)
{
	int r = pm_cert_pubkey(c->vek, &c->vek_key);

	if (r == PM_E_NOMEM)
		return r;
	if (r < 0)
		return pm_fail(report, r, "VEK public key", "a point on P-384", "another key");
	return pm_snp_vek_read(c->vek, c->vek_key, signer, c->facts.product, report, &c->facts);
}

static int verify(struct pm_snp_chain *c, const struct pm_snp_authority *a,
	enum pm_snp_signer signer, struct pm_report *report)
{
	int r = check_signature(c->vek, c->intermediate, a->key, 0, "VEK, signature", report);

	if (r < 0)
		return r;
	r = load_ca_key(c->root, "root, public key", report, &c->root_key); /* of its own */
	if (r < 0)
		return r;
	return read_vek(c, signer, report);
}

int pm_snp_chain_build(const struct pm_snp_authority *authority, const struct pm_cert *vek,
	enum pm_snp_signer signer, struct pm_report *report, struct pm_snp_chain **ret)
{
	pm_cleanup(pm_snp_chain) struct pm_snp_chain *chain = pm_alloc(sizeof(*chain));
	int r;

	if (!chain)
		return PM_E_NOMEM;
	pm_shared_init(&chain->shared, destroy);
	chain->vek = vek;
	chain->intermediate = authority->intermediate;
	chain->root = authority->root;
	chain->facts.product = (enum pm_snp_product)authority->product;
	pm_copy(chain->root_sha256, authority->root_sha256, sizeof(chain->root_sha256));
	r = verify(chain, authority, signer, report);
	if (r < 0)
		return r;
	*ret = pm_steal(chain);
	return PM_OK;
}

void pm_snp_chain_keep(struct pm_snp_chain *chain, struct pm_snp_certs *certs)
{
	chain->owned[0] = pm_snp_certs_take(certs, chain->vek);
	chain->owned[1] = pm_snp_certs_take(certs, chain->intermediate);
	chain->owned[2] = pm_snp_certs_take(certs, chain->root);
}

/* --- what is asked at each use --------------------------------------------------------------- */

int pm_snp_chain_check_root(const struct pm_snp_chain *chain, const struct pm_snp_policy *policy,
	struct pm_report *report, bool *ret_test_root)
{
	return check_root(
		(int)chain->facts.product, chain->root_sha256, policy, report, ret_test_root);
}

int pm_snp_chain_check_times(
	const struct pm_snp_chain *chain, int64_t now, struct pm_report *report, int64_t *ret_until)
{
	int64_t until = INT64_MAX;
	int r = pm_check_validity(chain->root, "root, validity", now, report, &until);

	if (r < 0)
		return r;
	r = pm_check_validity(chain->intermediate, "intermediate, validity", now, report, &until);
	if (r < 0)
		return r;
	r = pm_check_validity(chain->vek, "VEK, validity", now, report, &until);
	if (r < 0)
		return r;
	*ret_until = until;
	return PM_OK;
}
