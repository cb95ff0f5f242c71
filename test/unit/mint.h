/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys, signatures, certificates and revocation lists, made by OpenSSL: another pair of eyes than
 * the libraries under test. Views are freed with test_free(), keys with EVP_PKEY_free().
 */
#ifndef PM_TEST_MINT_H
#define PM_TEST_MINT_H

#include <openssl/evp.h>

#include "base/mem.h"

/* "P-256", "P-384", "P-521". */
EVP_PKEY *mint_ec(const char *curve);
EVP_PKEY *mint_rsa(unsigned int bits);

/* SubjectPublicKeyInfo in DER. */
struct pm_view mint_spki(EVP_PKEY *key);

/* One INTEGER in DER, and elements in a row wrapped in a tag: to make what OpenSSL won't. */
struct pm_view mint_integer(struct pm_view number);
struct pm_view mint_wrap(int tag, struct pm_view a, struct pm_view b);

/* SubjectPublicKeyInfo of an RSA key with this modulus and exponent, whatever they are. */
struct pm_view mint_rsa_spki(struct pm_view modulus, struct pm_view exponent);

/* ECDSA with that hash ("SHA384"), as R || S of n bytes each. */
struct pm_view mint_ecdsa(EVP_PKEY *key, const char *hash, struct pm_view message, size_t n);

/* RSASSA-PSS with that hash for message and MGF1, and a salt of that length. */
struct pm_view mint_pss(EVP_PKEY *key, const char *hash, struct pm_view message, int salt);

enum mint_padding { MINT_PSS, MINT_PKCS1 }; /* of an RSA signer */

/* What all certificates and lists have. */
struct mint_signer {
	EVP_PKEY *key;
	const char *name; /* the issuer's common name */
	enum mint_padding padding;
	int salt;	  /* of PSS; 0: as long as the digest */
	const char *hash; /* NULL: SHA384 */
};

/* A further extension, not critical. */
struct mint_extension {
	const char *oid;
	struct pm_view value;
};

struct mint_cert {
	struct mint_signer signer;
	EVP_PKEY *key;	   /* the subject's */
	const char *name;  /* the subject's common name */
	int name_len;	   /* of a name with a NUL in it; 0: up to its end */
	const char *name2; /* a second common name, or NULL */
	long serial;
	struct pm_view serial_bytes; /* a longer one, in its place */
	int64_t not_before, not_after;
	const char *constraints; /* as in OpenSSL's configuration: "critical,CA:TRUE"; or NULL */
	const char *usage;	 /* "critical,keyCertSign"; or NULL */
	const char *oid;	 /* an extension of one's own, or NULL... */
	struct pm_view oid_value;
	int oid_count; /* ...so many times */
	bool oid_critical;
	const struct mint_extension *extensions;
	size_t extension_count;
};

struct pm_view mint_cert(const struct mint_cert *cert);

struct mint_crl {
	struct mint_signer signer;
	int64_t this_update, next_update; /* next_update 0: absent */
	const long *serials;
	size_t count;
	bool delta; /* with the critical extension deltaCRLIndicator */
};

struct pm_view mint_crl(const struct mint_crl *crl);

/* Text of RFC 7468. */
struct pm_view mint_pem(const char *label, struct pm_view der);
struct pm_view mint_join(struct pm_view a, struct pm_view b);

#endif
