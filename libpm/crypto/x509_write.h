/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates of our own making (RFC 5280): version 3, signed with ECDSA over P-384 and SHA-384.
 * What is written of a form is always the same bytes, so that a verifier can write what it expects
 * and compare.
 */
#ifndef PM_CRYPTO_X509_WRITE_H
#define PM_CRYPTO_X509_WRITE_H

#include "base/wr.h"
#include "crypto/sign.h"
#include "crypto/x509.h"

#define PM_CERT_SERIAL_SIZE 16
#define PM_CERT_KEY_ID_SIZE 20

/* All that a certificate says. */
struct pm_cert_form {
	struct pm_view serial;	   /* an INTEGER's content */
	struct pm_view issuer;	   /* Name, DER */
	struct pm_view subject;	   /* Name, DER */
	int64_t not_before;	   /* first and last second */
	int64_t not_after;	   /* of its validity */
	struct pm_view spki;	   /* SubjectPublicKeyInfo, DER */
	struct pm_view extensions; /* in a row, DER */
};

/*
 * Does the certificate say that and nothing else? Who signed it is not looked at. PM_E_REJECTED;
 * PM_E_NOMEM.
 */
int pm_cert_check_form(const struct pm_cert *cert, const struct pm_cert_form *form) PM_MUST_USE;

/* Writes and signs a certificate; the same bytes each time. PM_E_LIMIT, PM_E_NOMEM, PM_E_CRYPTO. */
int pm_cert_write(const struct pm_cert_form *form, const struct pm_sign_key *issuer, uint8_t *ret,
	size_t cap, size_t *ret_len) PM_MUST_USE;

/* The serial number of those bytes, PM_CERT_SERIAL_SIZE: positive and never shorter. */
void pm_cert_serial_from(uint8_t *serial);
bool pm_cert_serial_is_ours(struct pm_view serial);

/*
 * What names a key (RFC 7093, section 2, method 1): of a SubjectPublicKeyInfo that is good.
 * ret: PM_CERT_KEY_ID_SIZE bytes. PM_E_FORMAT, PM_E_CRYPTO.
 */
int pm_cert_key_id(struct pm_view spki, uint8_t *ret) PM_MUST_USE;

/* Name with one attribute each: a common name, and where serial is not NULL a serialNumber. */
void pm_cert_put_name(struct pm_wr *wr, const char *common_name, const char *serial);

/* An extension. The value is what its OCTET STRING holds. */
void pm_cert_put_extension(
	struct pm_wr *wr, struct pm_view oid, bool critical, struct pm_view value);

/* subjectKeyIdentifier, and authorityKeyIdentifier with the key's identifier alone. */
void pm_cert_put_subject_key(struct pm_wr *wr, const uint8_t *key_id);
void pm_cert_put_authority_key(struct pm_wr *wr, const uint8_t *key_id);

/* keyUsage digitalSignature, or that of a CA with basicConstraints, both critical. */
void pm_cert_put_usage_signature(struct pm_wr *wr);
void pm_cert_put_ca(struct pm_wr *wr, uint8_t cas_below);

/* extKeyUsage serverAuth and clientAuth. */
void pm_cert_put_usage_tls(struct pm_wr *wr);

/* subjectAltName with DNS names. */
void pm_cert_put_dns_names(struct pm_wr *wr, const char *const *names, size_t count);

/* The key identifier of an authorityKeyIdentifier that holds nothing else; false otherwise. */
bool pm_cert_authority_key(const struct pm_cert *cert, struct pm_view *ret_key_id)
	__attribute__((warn_unused_result));

#endif
