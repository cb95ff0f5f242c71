/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one door to cryptography. Only the files of this folder include mbedTLS, libsodium's
 * primitives or nettle; everything else of libpm sees these functions and those of x509.h.
 * All functions are thread safe on objects that are not shared for writing.
 */
#ifndef PM_CRYPTO_CRYPTO_H
#define PM_CRYPTO_CRYPTO_H

#include <pm/error.h>
#include "base/mem.h"
#include "base/secret.h"

/* Readies the libraries, once; each public function that needs them calls it first. PM_E_CRYPTO. */
int pm_crypto_init(void) PM_MUST_USE;

/* n bytes from the system's generator; can't fail. */
void pm_random(void *ret, size_t n);

/* --- hash ------------------------------------------------------------------------------------ */

enum pm_hash_alg { PM_SHA256, PM_SHA384, PM_SHA512 };

#define PM_SHA256_SIZE	 32
#define PM_SHA384_SIZE	 48
#define PM_SHA512_SIZE	 64
#define PM_HASH_SIZE_MAX 64

size_t pm_hash_size(enum pm_hash_alg alg);

/* Digest of bytes; ret has room for pm_hash_size(alg). PM_E_CRYPTO. */
int pm_hash(enum pm_hash_alg alg, struct pm_view bytes, uint8_t *ret) PM_MUST_USE;

/* Digest of several pieces, one after the other. PM_E_CRYPTO. */
int pm_hash_parts(
	enum pm_hash_alg alg, const struct pm_view *parts, size_t count, uint8_t *ret) PM_MUST_USE;

/*
 * SHA-1 of a public key, as OCSP names a responder (RFC 6960, 4.2.1, KeyHash), or of an issuer's
 * key or name (CertID). It finds one among those at hand, no more: nothing may be trusted for it.
 * There is no other way to SHA-1 here.
 */
#define PM_KEY_IDENTIFIER_SIZE 20
int pm_key_identifier(struct pm_view key_bits, uint8_t *ret) PM_MUST_USE;

/* --- key derivation: HKDF (RFC 5869) --------------------------------------------------------- */

/* prk: pm_hash_size(alg) bytes, allocated here. PM_E_CRYPTO, PM_E_NOMEM. */
int pm_hkdf_extract(enum pm_hash_alg alg, struct pm_view salt, struct pm_view ikm,
	struct pm_secret *ret_prk) PM_MUST_USE;

/* len bytes, at most 255 digests, allocated here. PM_E_LIMIT, PM_E_CRYPTO, PM_E_NOMEM. */
int pm_hkdf_expand(enum pm_hash_alg alg, struct pm_view prk, struct pm_view info, size_t len,
	struct pm_secret *ret) PM_MUST_USE;

/* The same into memory of the caller, which is guarded where the result is secret. PM_E_CRYPTO. */
int pm_hkdf_extract_to(enum pm_hash_alg alg, struct pm_view salt, struct pm_view ikm,
	uint8_t *ret_prk) PM_MUST_USE;

/* PM_E_LIMIT, PM_E_CRYPTO. */
int pm_hkdf_expand_to(enum pm_hash_alg alg, struct pm_view prk, struct pm_view info, uint8_t *ret,
	size_t len) PM_MUST_USE;

/* --- authenticated encryption: AES-256-GCM (NIST SP 800-38D) --------------------------------- */

#define PM_AEAD_KEY_SIZE   32
#define PM_AEAD_NONCE_SIZE 12
#define PM_AEAD_TAG_SIZE   16

/* A key made ready. The caller never uses one nonce twice. */
struct pm_aead;

/* key: PM_AEAD_KEY_SIZE bytes, else PM_E_ARG. PM_E_NOMEM, PM_E_CRYPTO. */
int pm_aead_new(struct pm_view key, struct pm_aead **ret) PM_MUST_USE;
void pm_aead_free(struct pm_aead *aead);
PM_OWNER(pm_aead, pm_aead_free);

/*
 * The same in memory of the caller: a piece of guarded memory that has more keys in it, as each of
 * its own costs two pages and ten system calls, or the stack for the length of one call.
 * pm_aead_clear() wipes it. Errors as above but PM_E_NOMEM.
 */
struct pm_aead_memory {
	_Alignas(16) uint8_t bytes[528];
};
int pm_aead_init(
	struct pm_aead_memory *memory, struct pm_view key, struct pm_aead **ret) PM_MUST_USE;
void pm_aead_clear(struct pm_aead *aead);

/* ret: plain.len + PM_AEAD_TAG_SIZE bytes, may be plain's memory. PM_E_CRYPTO. */
int pm_aead_seal(const struct pm_aead *aead, const uint8_t *nonce, struct pm_view aad,
	struct pm_view plain, uint8_t *ret) PM_MUST_USE;

/*
 * ret: sealed.len - PM_AEAD_TAG_SIZE bytes, may be sealed's memory. PM_E_REJECTED for a wrong tag,
 * and ret then holds no plaintext; PM_E_FORMAT when too short for a tag.
 */
int pm_aead_open(const struct pm_aead *aead, const uint8_t *nonce, struct pm_view aad,
	struct pm_view sealed, uint8_t *ret) PM_MUST_USE;

/* --- signatures over public data: verification only ------------------------------------------ */

enum pm_key_type { PM_KEY_P256, PM_KEY_P384, PM_KEY_RSA };

/* RSA keys below and above these are refused. */
#define PM_RSA_BITS_MIN 2048
#define PM_RSA_BITS_MAX 4096

/* A public key made ready. */
struct pm_pubkey;

struct pm_sig_backend;

/* From a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7). PM_E_FORMAT, PM_E_UNSUPPORTED, PM_E_NOMEM. */
int pm_pubkey_from_spki(struct pm_view spki, struct pm_pubkey **ret) PM_MUST_USE;

/* The same, with a verifier chosen by hand: for tests and benchmarks. */
int pm_pubkey_from_spki_with(const struct pm_sig_backend *backend, struct pm_view spki,
	struct pm_pubkey **ret) PM_MUST_USE;

void pm_pubkey_free(struct pm_pubkey *key);
PM_OWNER(pm_pubkey, pm_pubkey_free);

enum pm_key_type pm_pubkey_type(const struct pm_pubkey *key);

/* Size of the field or modulus. */
size_t pm_pubkey_bits(const struct pm_pubkey *key);

/*
 * ECDSA (FIPS 186-5, 6.4): signature is R || S, each as long as the curve's order, most significant
 * byte first. PM_E_REJECTED when it does not verify or has another size; PM_E_ARG for an RSA key.
 */
int pm_ecdsa_verify(const struct pm_pubkey *key, enum pm_hash_alg alg, struct pm_view message,
	struct pm_view signature) PM_MUST_USE;

/* The same for a signature in the form of RFC 3279, 2.2.3. PM_E_REJECTED also when malformed. */
int pm_ecdsa_verify_der(const struct pm_pubkey *key, enum pm_hash_alg alg, struct pm_view message,
	struct pm_view signature) PM_MUST_USE;

/* RSASSA-PSS (RFC 8017, 8.1.2), MGF1 with the same hash, salt as long as the digest. Likewise. */
int pm_rsa_pss_verify(const struct pm_pubkey *key, enum pm_hash_alg alg, struct pm_view message,
	struct pm_view signature) PM_MUST_USE;

/* The verifiers of this build, the preferred one first, NULL at the end. */
extern const struct pm_sig_backend *const pm_sig_backends[];
const char *pm_sig_backend_name(const struct pm_sig_backend *backend);

#endif
