/* SPDX-License-Identifier: Apache-2.0 */
/* What certificates and revocation lists share: a signed body, and who signed it. */
#ifndef PM_CRYPTO_X509_SIG_H
#define PM_CRYPTO_X509_SIG_H

#include <mbedtls/x509.h>

#include "crypto/crypto.h"
#include "crypto/x509.h"

struct pm_signed {
	struct pm_view body;
	struct pm_view signature;
	mbedtls_md_type_t hash;
	mbedtls_pk_type_t algorithm;
	const mbedtls_pk_rsassa_pss_options *pss;
};

/* Verify the signature with the issuer's key. PM_E_REJECTED, PM_E_UNSUPPORTED, PM_E_CRYPTO. */
int pm_signed_verify(const struct pm_signed *s, const struct pm_pubkey *key) PM_MUST_USE;

/* Is md that hash? */
bool pm_md_is(mbedtls_md_type_t md, enum pm_hash_alg alg);

/* May the certificate's key be used so (MBEDTLS_X509_KU_...)? Also when it does not say. */
bool pm_cert_allows(const struct pm_cert *cert, unsigned int key_usage);

static inline struct pm_view pm_x509_view(const mbedtls_x509_buf *buf)
{
	return pm_view(buf->p, buf->len);
}

/* PM_E_NOMEM or PM_E_FORMAT, by what the parser said. */
int pm_x509_error(int mbedtls_error);

/* INT64_MIN for a day that does not exist, and for no time at all. */
int64_t pm_x509_time(const mbedtls_x509_time *time);

#endif
