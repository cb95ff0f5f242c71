/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X.509 certificates and revocation lists (RFC 5280). mbedTLS parses; libpm walks the chain,
 * because each chain that it verifies has one known shape, and because time is a parameter
 * here: nothing reads the system's clock. Nothing below trusts a certificate; callers compare
 * roots with their pins.
 */
#ifndef PM_CRYPTO_X509_H
#define PM_CRYPTO_X509_H

#include <pm/report.h>
#include "crypto/crypto.h"

/* Longest certificate and revocation list that are read, as DER. */
#define PM_CERT_SIZE_MAX 16384
#define PM_CRL_SIZE_MAX	 (1u << 20)

/* --- certificates ---------------------------------------------------------------------------- */

struct pm_cert;

/* One DER certificate and no byte more. PM_E_FORMAT, PM_E_LIMIT, PM_E_NOMEM. */
int pm_cert_parse(struct pm_view der, struct pm_cert **ret) PM_MUST_USE;
void pm_cert_free(struct pm_cert *cert);
PM_OWNER(pm_cert, pm_cert_free);

/* Borrowed from the certificate. Names and the serial number are raw DER content. */
struct pm_view pm_cert_der(const struct pm_cert *cert);
struct pm_view pm_cert_tbs(const struct pm_cert *cert); /* what is signed */
struct pm_view pm_cert_subject(const struct pm_cert *cert);
struct pm_view pm_cert_issuer(const struct pm_cert *cert);
struct pm_view pm_cert_serial(const struct pm_cert *cert);

/* First and last second of its validity. */
int64_t pm_cert_not_before(const struct pm_cert *cert);
int64_t pm_cert_not_after(const struct pm_cert *cert);

/* basicConstraints says CA. */
bool pm_cert_is_ca(const struct pm_cert *cert);

/* The subject's one common name, or an empty view when there is none or more than one. */
struct pm_view pm_cert_common_name(const struct pm_cert *cert);

/* Is name the subject's one common name? */
bool pm_cert_is_named(const struct pm_cert *cert, const char *name);

/*
 * The content of the extension with this OID (its content octets, without tag and length).
 * PM_E_MISSING when there is none, PM_E_FORMAT when there are two.
 */
int pm_cert_extension(
	const struct pm_cert *cert, struct pm_view oid, struct pm_view *ret) PM_MUST_USE;

/* The key that it certifies, as SubjectPublicKeyInfo; borrowed. */
struct pm_view pm_cert_spki(const struct pm_cert *cert);

/* The key that it certifies. As pm_pubkey_from_spki(). */
int pm_cert_pubkey(const struct pm_cert *cert, struct pm_pubkey **ret) PM_MUST_USE;

/* The bits of the key that it certifies, without their tag; an empty view when malformed. */
struct pm_view pm_cert_key_bits(const struct pm_cert *cert);

/* It has a keyUsage, and that allows signatures that are not those of certificates. */
bool pm_cert_may_sign(const struct pm_cert *cert);

/*
 * Did issuer, whose key is given, sign cert, and may it? Names match, issuer is a CA that may sign
 * certificates with cas_below further CAs between it and the leaf, and the signature verifies as
 * RSASSA-PSS or ECDSA with the hash that it names (SHA-256 or stronger). Times are not looked at.
 * PM_E_REJECTED, PM_E_UNSUPPORTED for another algorithm, PM_E_CRYPTO.
 */
int pm_cert_check_issuer(const struct pm_cert *cert, const struct pm_cert *issuer,
	const struct pm_pubkey *issuer_key, int cas_below) PM_MUST_USE;

/* Does the signature use that hash? For profiles that allow one only. */
bool pm_cert_signed_with(const struct pm_cert *cert, enum pm_hash_alg alg);

/* PM_E_STALE when now lies outside the validity. */
int pm_cert_check_time(const struct pm_cert *cert, int64_t now) PM_MUST_USE;

/* The same; notes a refusal under name. */
int pm_cert_check_now(const struct pm_cert *cert, const char *name, int64_t now,
	struct pm_report *report) PM_MUST_USE;

/* --- revocation lists ------------------------------------------------------------------------ */

struct pm_crl;

/* One DER list and no byte more; unknown critical extensions are refused. As pm_cert_parse(). */
int pm_crl_parse(struct pm_view der, struct pm_crl **ret) PM_MUST_USE;
void pm_crl_free(struct pm_crl *crl);
PM_OWNER(pm_crl, pm_crl_free);

struct pm_view pm_crl_issuer(const struct pm_crl *crl);
int64_t pm_crl_this_update(const struct pm_crl *crl);

/* INT64_MIN when the list does not say: it is then always stale. */
int64_t pm_crl_next_update(const struct pm_crl *crl);

/* Is the certificate, of the same issuer, on the list? */
bool pm_crl_lists(const struct pm_crl *crl, const struct pm_cert *cert);

bool pm_crl_signed_with(const struct pm_crl *crl, enum pm_hash_alg alg);

/* As pm_cert_check_issuer(), for the key usage cRLSign. */
int pm_crl_check_issuer(const struct pm_crl *crl, const struct pm_cert *issuer,
	const struct pm_pubkey *issuer_key) PM_MUST_USE;

/* --- PEM (RFC 7468) -------------------------------------------------------------------------- */

/* Does the input look like PEM text, and not DER? */
bool pm_pem_is(struct pm_view input);

/* Called for the DER of each block; a negative return ends the walk. */
typedef int (*pm_pem_fn)(struct pm_view der, void *arg);

/*
 * Each block of that label ("CERTIFICATE", "X509 CRL"), in order; text around them is ignored.
 * PM_E_FORMAT when there is none or one is malformed, else what fn returned last.
 */
int pm_pem_each(struct pm_view text, const char *label, pm_pem_fn fn, void *arg) PM_MUST_USE;

/*
 * The first block "PRIVATE KEY", for a text that holds a secret: each copy of it is wiped.
 * PM_E_FORMAT when there is none, PM_E_LIMIT, PM_E_NOMEM; else what fn returned.
 */
int pm_pem_private(struct pm_view text, pm_pem_fn fn, void *arg) PM_MUST_USE;

/* One block of that label and a NUL. PM_E_LIMIT when it does not fit, PM_E_NOMEM, PM_E_CRYPTO. */
int pm_pem_write(struct pm_view der, const char *label, char *ret_pem, size_t room) PM_MUST_USE;

#endif
