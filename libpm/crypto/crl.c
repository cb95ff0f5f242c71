/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/x509.h"

#include <mbedtls/x509_crl.h>
#include <stdlib.h>

#include "crypto/der.h"
#include "crypto/x509_sig.h"

struct pm_crl {
	mbedtls_x509_crl crl;
};

/*
 * CertificateList names the algorithm twice, signed and not: the same bytes (RFC 5280, 5.1.1.2).
 * mbedTLS compares all but one tag.
 */
static bool names_one_algorithm(struct pm_view der)
{
	struct pm_view list, body, version, within, outside;

	if (!pm_der_only(der, PM_DER_SEQUENCE, &list) || !pm_der_get(&list, PM_DER_SEQUENCE, &body))
		return false;
	/* The version is optional, and a failed read takes nothing. */
	if (!pm_der_get(&body, PM_DER_SEQUENCE, &within) &&
		(!pm_der_get(&body, PM_DER_INTEGER, &version) ||
			!pm_der_get(&body, PM_DER_SEQUENCE, &within)))
		return false;
	return pm_der_get(&list, PM_DER_SEQUENCE, &outside) && pm_view_equal(within, outside);
}

int pm_crl_parse(struct pm_view der, struct pm_crl **ret)
{
	pm_cleanup(pm_crl) struct pm_crl *crl = NULL;
	int r;

	if (der.len > PM_CRL_SIZE_MAX)
		return PM_E_LIMIT;
	crl = pm_alloc(sizeof(*crl));
	if (!crl)
		return PM_E_NOMEM;
	mbedtls_x509_crl_init(&crl->crl);
	r = mbedtls_x509_crl_parse_der(&crl->crl, der.ptr, der.len);
	if (r)
		return pm_x509_error(r);
	if (crl->crl.raw.len != der.len || !names_one_algorithm(der))
		return PM_E_FORMAT;
	*ret = pm_steal(crl);
	return PM_OK;
}

void pm_crl_free(struct pm_crl *crl)
{
	if (!crl)
		return;
	mbedtls_x509_crl_free(&crl->crl);
	free(crl);
}

struct pm_view pm_crl_issuer(const struct pm_crl *crl)
{
	return pm_x509_view(&crl->crl.issuer_raw);
}

int64_t pm_crl_this_update(const struct pm_crl *crl)
{
	/* A day that does not exist must not read as "since ever". */
	int64_t t = pm_x509_time(&crl->crl.this_update);

	return t == INT64_MIN ? INT64_MAX : t;
}

int64_t pm_crl_next_update(const struct pm_crl *crl)
{
	return pm_x509_time(&crl->crl.next_update);
}

bool pm_crl_lists(const struct pm_crl *crl, const struct pm_cert *cert)
{
	struct pm_view serial = pm_cert_serial(cert);

	for (const mbedtls_x509_crl_entry *e = &crl->crl.entry; e; e = e->next) {
		if (e->serial.len && pm_view_equal(pm_x509_view(&e->serial), serial))
			return true;
	}
	return false;
}

bool pm_crl_signed_with(const struct pm_crl *crl, enum pm_hash_alg alg)
{
	return pm_md_is(crl->crl.MBEDTLS_PRIVATE(sig_md), alg);
}

int pm_crl_check_issuer(
	const struct pm_crl *crl, const struct pm_cert *issuer, const struct pm_pubkey *issuer_key)
{
	const mbedtls_x509_crl *c = &crl->crl;
	struct pm_signed s = {
		.body = pm_x509_view(&c->tbs),
		.signature = pm_x509_view(&c->MBEDTLS_PRIVATE(sig)),
		.hash = c->MBEDTLS_PRIVATE(sig_md),
		.algorithm = c->MBEDTLS_PRIVATE(sig_pk),
		.pss = c->MBEDTLS_PRIVATE(sig_opts),
	};

	if (!pm_view_equal(pm_crl_issuer(crl), pm_cert_subject(issuer)))
		return PM_E_REJECTED;
	if (!pm_cert_is_ca(issuer) || !pm_cert_allows(issuer, MBEDTLS_X509_KU_CRL_SIGN))
		return PM_E_REJECTED;
	return pm_signed_verify(&s, issuer_key);
}
