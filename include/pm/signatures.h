/* SPDX-License-Identifier: Apache-2.0 */
/** @file signatures.h
 * Signatures of owners under a manifest, in a file of its own: a manifest is replaced when enough
 * of the owners of the one before agree, each with a key of his own, on whatever machine.
 *
 * The file is JSON: the manifest's hash, and for each signature the key's identifier, the algorithm
 * and the signature in base64. What is signed is "libpm manifest signature v1", a zero byte and the
 * hash: Ed25519 signs these 60 bytes, P-384 their SHA-384 (the signature is DER). So OpenSSL can
 * make and verify them; pm-manifest(5) shows how.
 */
#ifndef PM_SIGNATURES_H
#define PM_SIGNATURES_H

#include <pm/manifest.h>

PM_BEGIN_DECLS

/** Largest file of signatures that is read. */
#define PM_SIGNATURES_SIZE_MAX 65536

/** Most signatures of a file. */
#define PM_SIGNATURES_MAX 64

/** Most bytes of one signature: of ECDSA over P-384, as DER. */
#define PM_SIGNATURE_SIZE_MAX 104

/** Bytes that an owner signs. */
#define PM_SIGNATURE_MESSAGE_SIZE 60

/** A file of signatures. Nothing in it is trusted until pm_manifest_verify() says so. */
struct pm_signatures;

/** One signature of a file. */
struct pm_signature {
	/** Identifier of the key that is said to have signed. */
	uint8_t key_id[PM_SIGN_ID_SIZE];
	/** The algorithm. */
	enum pm_sign_type type;
	/** The signature. */
	uint8_t bytes[PM_SIGNATURE_SIZE_MAX];
	/** Length of bytes. */
	size_t size;
};

/**
 * pm_signatures_new - an empty file of signatures for a manifest
 * @manifest: the manifest
 * @ret_signatures: receives it, to be freed with pm_signatures_free()
 *
 * Return: 0; PM_E_NOMEM.
 */
PM_API int pm_signatures_new(
	const struct pm_manifest *manifest, struct pm_signatures **ret_signatures) PM_MUST_USE;

/**
 * pm_signatures_parse - read a file of signatures
 * @bytes: JSON
 * @size: how many; more than PM_SIGNATURES_SIZE_MAX are refused unread
 * @report: receives what is wrong and where, or NULL
 * @ret_signatures: receives them, to be freed with pm_signatures_free()
 *
 * Strict as pm_manifest_parse(); two signatures of one key are refused.
 *
 * Return: 0; PM_E_FORMAT; PM_E_LIMIT; PM_E_NOMEM. Thread safe.
 */
PM_API int pm_signatures_parse(const void *bytes, size_t size, struct pm_report *report,
	struct pm_signatures **ret_signatures) PM_MUST_USE;

/**
 * pm_signatures_free - free signatures
 * @signatures: the signatures, or NULL
 */
PM_API void pm_signatures_free(struct pm_signatures *signatures);

/**
 * pm_signatures_manifest - the hash of the manifest that they are for
 * @signatures: the signatures
 *
 * Return: PM_MANIFEST_HASH_SIZE bytes, owned by the signatures.
 */
PM_API const uint8_t *pm_signatures_manifest(const struct pm_signatures *signatures);

/**
 * pm_signatures_at - one signature, in the order of the file
 * @signatures: the signatures
 * @index: from 0
 *
 * Return: it, owned by the signatures; NULL past the end.
 */
PM_API const struct pm_signature *pm_signatures_at(
	const struct pm_signatures *signatures, size_t index);

/**
 * pm_signatures_message - what an owner signs, for keys that live elsewhere
 * @hash: PM_MANIFEST_HASH_SIZE bytes, the manifest's
 * @ret_message: receives PM_SIGNATURE_MESSAGE_SIZE bytes
 */
PM_API void pm_signatures_message(const uint8_t *hash, uint8_t *ret_message);

/**
 * pm_signatures_sign - sign, and add the signature
 * @signatures: the signatures
 * @key: a private key
 *
 * Return: 0; PM_E_STATE when the key has signed already; PM_E_LIMIT; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_signatures_sign(
	struct pm_signatures *signatures, const struct pm_sign_key *key) PM_MUST_USE;

/**
 * pm_signatures_add - add a signature that was made elsewhere
 * @signatures: the signatures
 * @key: the public key
 * @bytes: the signature: 64 bytes of Ed25519, or DER
 * @size: how many
 *
 * Return: 0; PM_E_REJECTED when the key did not sign this manifest so; PM_E_STATE when it has
 * signed already; PM_E_LIMIT; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_signatures_add(struct pm_signatures *signatures, const struct pm_sign_public *key,
	const void *bytes, size_t size) PM_MUST_USE;

/**
 * pm_signatures_text - the file
 * @signatures: the signatures
 * @ret_text: receives JSON and a NUL, at most PM_SIGNATURES_SIZE_MAX bytes
 * @ret_size: receives the length of the text
 *
 * Return: 0; PM_E_NOMEM.
 */
PM_API int pm_signatures_text(
	const struct pm_signatures *signatures, char *ret_text, size_t *ret_size) PM_MUST_USE;

/**
 * pm_manifest_owners_parse - read owners that stand alone, for a first manifest
 * @bytes: JSON, such as the owners of a manifest
 * @size: how many; more than PM_MANIFEST_SIZE_MAX are refused unread
 * @report: receives what is wrong and where, or NULL
 * @ret_owners: receives them, to be freed with pm_manifest_owners_free()
 *
 * Return: 0; PM_E_FORMAT; PM_E_LIMIT; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_manifest_owners_parse(const void *bytes, size_t size, struct pm_report *report,
	struct pm_manifest_owners **ret_owners) PM_MUST_USE;

/**
 * pm_manifest_owners_free - free owners that stand alone
 * @owners: from pm_manifest_owners_parse(), or NULL
 */
PM_API void pm_manifest_owners_free(struct pm_manifest_owners *owners);

/**
 * pm_manifest_verify - did enough owners sign this manifest, and does it hold now?
 * @manifest: the manifest
 * @signatures: the signatures
 * @owners: those whom the caller trusts, which are never the manifest's own: those of the manifest
 * before, or given by hand for the first one
 * @now: the time, seconds since 1970-01-01T00:00:00Z
 * @report: receives each check, or NULL
 *
 * Each owner counts once. A signature of nobody among the owners is passed over, and noted; one in
 * an owner's name that does not verify refuses all.
 *
 * Return: 0; PM_E_REJECTED; PM_E_STALE when it does not hold at that time; PM_E_NOMEM; PM_E_CRYPTO.
 * Thread safe.
 */
PM_API int pm_manifest_verify(const struct pm_manifest *manifest,
	const struct pm_signatures *signatures, const struct pm_manifest_owners *owners,
	int64_t now, struct pm_report *report) PM_MUST_USE;

/**
 * pm_manifest_verify_update - may this manifest replace that one?
 * @manifest: the new manifest
 * @previous: the one that holds; it may have expired
 * @signatures: the signatures under the new one
 * @now: the time, seconds since 1970-01-01T00:00:00Z
 * @report: receives each check, or NULL
 *
 * The new one names the hash of the one before, has the next serial number, holds now, and enough
 * owners of the one before have signed it. So owners change by consent of those that were.
 *
 * Return: 0; as pm_manifest_verify(). Thread safe.
 */
PM_API int pm_manifest_verify_update(const struct pm_manifest *manifest,
	const struct pm_manifest *previous, const struct pm_signatures *signatures, int64_t now,
	struct pm_report *report) PM_MUST_USE;

PM_END_DECLS

#endif
