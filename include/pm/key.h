/* SPDX-License-Identifier: Apache-2.0 */
/** @file key.h
 * Keys that sign: those of a manifest's owners, and the coordinator's. Private keys are PKCS#8
 * (RFC 5208), public ones SubjectPublicKeyInfo (RFC 5280), both as OpenSSL reads and writes them.
 * What is signed always begins with a label, so there is no function here that signs any bytes:
 * see signatures.h and history.h.
 *
 * A private key lives in guarded memory and is wiped when it is freed. A key may be used by several
 * threads at once.
 */
#ifndef PM_KEY_H
#define PM_KEY_H

#include <stddef.h>
#include <stdint.h>
#include <pm/api.h>
#include <pm/error.h>
#include <pm/report.h>

PM_BEGIN_DECLS

/** Algorithm of a key that signs. */
enum pm_sign_type {
	/** Ed25519 (RFC 8032). */
	PM_SIGN_ED25519 = 1,
	/** ECDSA over P-384 with SHA-384. */
	PM_SIGN_P384 = 2
};

/** Bytes of a key's identifier: SHA-256 of its SubjectPublicKeyInfo. */
#define PM_SIGN_ID_SIZE 32

/** Most bytes of a SubjectPublicKeyInfo, DER: 44 for Ed25519, 120 for P-384. */
#define PM_SIGN_SPKI_MAX 120

/** Most bytes of a private key as PEM text, with its final NUL. */
#define PM_SIGN_PEM_SIZE 512

/** Largest file of a key that is read. */
#define PM_SIGN_FILE_MAX 16384

/** Bytes of a secret that a key is derived from. */
#define PM_SIGN_SECRET_SIZE 32

/** Longest label of a derived key, without its final NUL. */
#define PM_SIGN_LABEL_MAX 64

/** A private key, with its public one. */
struct pm_sign_key;

/** A public key. */
struct pm_sign_public {
	/** Its algorithm. */
	enum pm_sign_type type;
	/** Its identifier. */
	uint8_t id[PM_SIGN_ID_SIZE];
	/** SubjectPublicKeyInfo, DER. */
	uint8_t spki[PM_SIGN_SPKI_MAX];
	/** Length of spki. */
	size_t spki_size;
};

/**
 * pm_sign_key_new - make a key pair
 * @type: its algorithm
 * @ret_key: receives the key, to be freed with pm_sign_key_free()
 *
 * Return: 0; PM_E_ARG for another algorithm; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_sign_key_new(enum pm_sign_type type, struct pm_sign_key **ret_key) PM_MUST_USE;

/**
 * pm_sign_key_derive - the Ed25519 key that comes from a secret, the same each time
 * @secret: PM_SIGN_SECRET_SIZE random bytes, such as the secret of a role
 * @label: what the key is for, 1 to PM_SIGN_LABEL_MAX bytes of text: another label, another key
 * @ret_key: receives the key, to be freed with pm_sign_key_free()
 *
 * The key's seed is HKDF (RFC 5869) with SHA-256, salt "libpm sign key v1" and the label as info.
 *
 * Return: 0; PM_E_ARG for such a label; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_sign_key_derive(
	const uint8_t *secret, const char *label, struct pm_sign_key **ret_key) PM_MUST_USE;

/**
 * pm_sign_key_parse - read a private key
 * @bytes: PKCS#8 as PEM text ("PRIVATE KEY"), not encrypted; the caller wipes it
 * @size: how many
 * @report: receives the reason of a refusal, never the key; may be NULL
 * @ret_key: receives the key, to be freed with pm_sign_key_free()
 *
 * Return: 0; PM_E_FORMAT; PM_E_UNSUPPORTED for another algorithm; PM_E_LIMIT; PM_E_NOMEM;
 * PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_sign_key_parse(const void *bytes, size_t size, struct pm_report *report,
	struct pm_sign_key **ret_key) PM_MUST_USE;

/**
 * pm_sign_key_pem - write a private key as PKCS#8
 * @key: the key
 * @ret_pem: receives PEM text and a NUL, at most PM_SIGN_PEM_SIZE bytes; the caller wipes it
 *
 * Return: 0; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_sign_key_pem(const struct pm_sign_key *key, char *ret_pem) PM_MUST_USE;

/**
 * pm_sign_key_public - the public half of a key
 * @key: the key
 *
 * Return: it, owned by the key.
 */
PM_API const struct pm_sign_public *pm_sign_key_public(const struct pm_sign_key *key);

/**
 * pm_sign_key_free - wipe and free a key
 * @key: the key, or NULL
 */
PM_API void pm_sign_key_free(struct pm_sign_key *key);

/**
 * pm_sign_public_parse - read a public key
 * @bytes: SubjectPublicKeyInfo, as PEM text ("PUBLIC KEY") or DER
 * @size: how many
 * @report: receives the reason of a refusal; may be NULL
 * @ret_public: receives the key
 *
 * A key has one encoding only, so that an identifier stands for one key. Points that are not on the
 * curve, or of small order, are refused.
 *
 * Return: 0; PM_E_FORMAT; PM_E_UNSUPPORTED for another algorithm; PM_E_LIMIT; PM_E_NOMEM;
 * PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_sign_public_parse(const void *bytes, size_t size, struct pm_report *report,
	struct pm_sign_public *ret_public) PM_MUST_USE;

/**
 * pm_sign_public_pem - write a public key
 * @public_key: the key
 * @ret_pem: receives PEM text and a NUL, at most PM_SIGN_PEM_SIZE bytes
 *
 * Return: 0; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_sign_public_pem(const struct pm_sign_public *public_key, char *ret_pem) PM_MUST_USE;

/**
 * pm_sign_type_name - the name of an algorithm
 * @type: an enum pm_sign_type
 *
 * Return: "ed25519" or "ecdsa-p384-sha384", as signature files have it; "unknown". Static.
 */
PM_API const char *pm_sign_type_name(int type);

PM_END_DECLS

#endif
