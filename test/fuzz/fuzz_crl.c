/* SPDX-License-Identifier: Apache-2.0 */
/* Any revocation list, and a certificate to look up: 16 bits of length, certificate, list. */
#include <string.h>

#include "base/rd.h"
#include "crypto/x509.h"
#include "fuzz.h"

static bool contains(struct pm_view text, struct pm_view part)
{
	return part.len && memmem(text.ptr, text.len, part.ptr, part.len);
}

static void check_lookup(const struct pm_crl *crl, struct pm_view der, const struct pm_cert *cert)
{
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;

	if (pm_crl_lists(crl, cert))
		FUZZ_CHECK(contains(der, pm_cert_serial(cert)));
	/* No seed of the corpus is signed. */
	if (pm_cert_pubkey(cert, &key) == PM_OK)
		FUZZ_CHECK(pm_crl_check_issuer(crl, cert, key) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pm_rd rd = pm_rd(pm_view(data, size));
	struct pm_view first = pm_rd_bytes(&rd, pm_rd_be16(&rd)), der = pm_rd_rest(&rd);
	pm_cleanup(pm_cert) struct pm_cert *cert = NULL;
	pm_cleanup(pm_crl) struct pm_crl *crl = NULL;

	FUZZ_CHECK(pm_crypto_init() == PM_OK);
	if (pm_crl_parse(der, &crl) < 0) {
		FUZZ_CHECK(!crl);
		return 0;
	}
	FUZZ_CHECK(contains(der, pm_crl_issuer(crl)) || !pm_crl_issuer(crl).len);
	fuzz_touch(pm_crl_issuer(crl));
	(void)pm_crl_this_update(crl);
	(void)pm_crl_next_update(crl);
	if (pm_cert_parse(first, &cert) == PM_OK)
		check_lookup(crl, der, cert);
	return 0;
}
