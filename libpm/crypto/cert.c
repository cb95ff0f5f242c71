/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/x509.h"

#include <mbedtls/oid.h>
#include <mbedtls/x509_crt.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "base/time.h"
#include "crypto/der.h"
#include "crypto/x509_sig.h"

struct pm_cert {
	mbedtls_x509_crt crt;
};

int pm_cert_parse(struct pm_view der, struct pm_cert **ret)
{
	pm_cleanup(pm_cert) struct pm_cert *cert = NULL;
	int r;

	if (der.len > PM_CERT_SIZE_MAX)
		return PM_E_LIMIT;
	cert = pm_alloc(sizeof(*cert));
	if (!cert)
		return PM_E_NOMEM;
	mbedtls_x509_crt_init(&cert->crt);
	r = mbedtls_x509_crt_parse_der(&cert->crt, der.ptr, der.len);
	if (r)
		return pm_x509_error(r);
	if (cert->crt.raw.len != der.len) /* mbedTLS would ignore what follows */
		return PM_E_FORMAT;
	*ret = pm_steal(cert);
	return PM_OK;
}

void pm_cert_free(struct pm_cert *cert)
{
	if (!cert)
		return;
	mbedtls_x509_crt_free(&cert->crt);
	free(cert);
}

struct pm_view pm_cert_der(const struct pm_cert *cert)
{
	return pm_x509_view(&cert->crt.raw);
}

struct pm_view pm_cert_tbs(const struct pm_cert *cert)
{
	return pm_x509_view(&cert->crt.tbs);
}

struct pm_view pm_cert_subject(const struct pm_cert *cert)
{
	return pm_x509_view(&cert->crt.subject_raw);
}

struct pm_view pm_cert_issuer(const struct pm_cert *cert)
{
	return pm_x509_view(&cert->crt.issuer_raw);
}

struct pm_view pm_cert_serial(const struct pm_cert *cert)
{
	return pm_x509_view(&cert->crt.serial);
}

int64_t pm_cert_not_before(const struct pm_cert *cert)
{
	/* A day that does not exist must not read as "since ever". */
	int64_t t = pm_x509_time(&cert->crt.valid_from);

	return t == INT64_MIN ? INT64_MAX : t;
}

int64_t pm_cert_not_after(const struct pm_cert *cert)
{
	return pm_x509_time(&cert->crt.valid_to);
}

bool pm_cert_is_ca(const struct pm_cert *cert)
{
	return mbedtls_x509_crt_get_ca_istrue(&cert->crt) == 1;
}

struct pm_view pm_cert_common_name(const struct pm_cert *cert)
{
	struct pm_view found = {0};
	int count = 0;

	for (const mbedtls_x509_name *n = &cert->crt.subject; n; n = n->next) {
		if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &n->oid))
			continue;
		found = pm_view(n->val.p, n->val.len);
		count++;
	}
	return count == 1 ? found : (struct pm_view){0};
}

bool pm_cert_is_named(const struct pm_cert *cert, const char *name)
{
	return pm_view_equal(pm_cert_common_name(cert), pm_view(name, strlen(name)));
}

/* Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING } */
static bool read_extension(struct pm_view *list, struct pm_view *ret_oid, struct pm_view *ret_value)
{
	struct pm_view ext, ignored;

	if (!pm_der_get(list, PM_DER_SEQUENCE, &ext) || !pm_der_get(&ext, PM_DER_OID, ret_oid))
		return false;
	if (ext.len && ext.ptr[0] == MBEDTLS_ASN1_BOOLEAN &&
		!pm_der_get(&ext, MBEDTLS_ASN1_BOOLEAN, &ignored))
		return false;
	return pm_der_only(ext, PM_DER_OCTET_STRING, ret_value);
}

int pm_cert_extension(const struct pm_cert *cert, struct pm_view oid, struct pm_view *ret)
{
	struct pm_view list, id, value, found = {0};
	int count = 0;

	if (!cert->crt.v3_ext.len)
		return PM_E_MISSING;
	if (!pm_der_only(pm_x509_view(&cert->crt.v3_ext), PM_DER_SEQUENCE, &list))
		return PM_E_FORMAT;
	while (list.len) {
		if (!read_extension(&list, &id, &value))
			return PM_E_FORMAT;
		if (!pm_view_equal(id, oid))
			continue;
		found = value;
		count++;
	}
	if (count > 1)
		return PM_E_FORMAT;
	if (count == 0)
		return PM_E_MISSING;
	*ret = found;
	return PM_OK;
}

struct pm_view pm_cert_spki(const struct pm_cert *cert)
{
	return pm_x509_view(&cert->crt.pk_raw);
}

int pm_cert_pubkey(const struct pm_cert *cert, struct pm_pubkey **ret)
{
	return pm_pubkey_from_spki(pm_x509_view(&cert->crt.pk_raw), ret);
}

struct pm_view pm_cert_key_bits(const struct pm_cert *cert)
{
	struct pm_view spki, alg, bits;

	if (!pm_der_only(pm_x509_view(&cert->crt.pk_raw), PM_DER_SEQUENCE, &spki))
		return (struct pm_view){0};
	if (!pm_der_get(&spki, PM_DER_SEQUENCE, &alg) || !pm_der_bits(spki, &bits))
		return (struct pm_view){0};
	return bits;
}

bool pm_cert_may_sign(const struct pm_cert *cert)
{
	return mbedtls_x509_crt_has_ext_type(&cert->crt, MBEDTLS_X509_EXT_KEY_USAGE) &&
	       pm_cert_allows(cert, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
}

bool pm_cert_allows(const struct pm_cert *cert, unsigned int key_usage)
{
	return mbedtls_x509_crt_check_key_usage(&cert->crt, key_usage) == 0;
}

/* mbedTLS keeps pathLenConstraint + 1, and 0 where there is none. */
static bool allows_cas_below(const struct pm_cert *issuer, int count)
{
	int max = issuer->crt.MBEDTLS_PRIVATE(max_pathlen);

	return max == 0 || count < max;
}

int pm_cert_check_issuer(const struct pm_cert *cert, const struct pm_cert *issuer,
	const struct pm_pubkey *issuer_key, int cas_below)
{
	const mbedtls_x509_crt *crt = &cert->crt;
	struct pm_signed s = {
		.body = pm_x509_view(&crt->tbs),
		.signature = pm_x509_view(&crt->MBEDTLS_PRIVATE(sig)),
		.hash = crt->MBEDTLS_PRIVATE(sig_md),
		.algorithm = crt->MBEDTLS_PRIVATE(sig_pk),
		.pss = crt->MBEDTLS_PRIVATE(sig_opts),
	};

	if (!pm_view_equal(pm_cert_issuer(cert), pm_cert_subject(issuer)))
		return PM_E_REJECTED;
	if (!pm_cert_is_ca(issuer) || !pm_cert_allows(issuer, MBEDTLS_X509_KU_KEY_CERT_SIGN))
		return PM_E_REJECTED;
	if (!allows_cas_below(issuer, cas_below))
		return PM_E_REJECTED;
	return pm_signed_verify(&s, issuer_key);
}

bool pm_cert_signed_with(const struct pm_cert *cert, enum pm_hash_alg alg)
{
	return pm_md_is(cert->crt.MBEDTLS_PRIVATE(sig_md), alg);
}

int pm_cert_check_time(const struct pm_cert *cert, int64_t now)
{
	if (now < pm_cert_not_before(cert) || now > pm_cert_not_after(cert))
		return PM_E_STALE;
	return PM_OK;
}

int pm_cert_check_now(
	const struct pm_cert *cert, const char *name, int64_t now, struct pm_report *report)
{
	int r = pm_cert_check_time(cert, now);

	if (r < 0)
		return pm_fail(report, r, name, pm_time(now).s, "%s to %s",
			pm_time(pm_cert_not_before(cert)).s, pm_time(pm_cert_not_after(cert)).s);
	return PM_OK;
}
