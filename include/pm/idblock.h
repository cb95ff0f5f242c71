/* SPDX-License-Identifier: Apache-2.0 */
/** @file idblock.h
 * ID blocks of SEV-SNP guests: the owner of a guest signs which launch digest it must have, and the
 * security processor starts no other. The digests of the signing keys then stand in each
 * attestation report, as ID_KEY_DIGEST and AUTHOR_KEY_DIGEST.
 *
 * Source: SEV-SNP Firmware ABI, publication 56860: SNP_LAUNCH_FINISH (ID block, ID authentication
 * information) and the formats of public keys and of signatures. All functions are thread safe.
 */
#ifndef PM_IDBLOCK_H
#define PM_IDBLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <pm/api.h>
#include <pm/report.h>

PM_BEGIN_DECLS

/** Bytes of an ID block. */
#define PM_ID_BLOCK_SIZE 96

/** Bytes of the ID authentication information that goes with it. */
#define PM_ID_AUTH_SIZE 4096

/** Bytes of the digest of a key: SHA-384. */
#define PM_ID_KEY_DIGEST_SIZE 48

/** Longest public key that is read, as PEM or DER. */
#define PM_ID_KEY_MAX 4096u

/** An ID block in pieces. Its version is always 1. */
struct pm_id_block {
	/** Launch digest that the guest must have. */
	uint8_t launch_digest[48];
	/** FAMILY_ID of the report: chosen by the owner. */
	uint8_t family_id[16];
	/** IMAGE_ID of the report: chosen by the owner. */
	uint8_t image_id[16];
	/** GUEST_SVN of the report: chosen by the owner. */
	uint32_t guest_svn;
	/** POLICY that the guest must be launched with. */
	uint64_t policy;
};

/**
 * pm_id_block_encode - write an ID block
 * @block: its pieces
 * @ret_bytes: receives PM_ID_BLOCK_SIZE bytes, which are what the ID key signs
 */
PM_API void pm_id_block_encode(const struct pm_id_block *block, uint8_t *ret_bytes);

/**
 * pm_id_block_decode - read an ID block, without trusting it
 * @bytes: the bytes
 * @size: how many; PM_ID_BLOCK_SIZE
 * @report: receives the reason of a failure; may be NULL
 * @ret_block: receives its pieces
 *
 * Return: 0; PM_E_FORMAT for another size; PM_E_UNSUPPORTED for another version than 1.
 */
PM_API int pm_id_block_decode(const uint8_t *bytes, size_t size, struct pm_report *report,
	struct pm_id_block *ret_block) PM_MUST_USE;

/**
 * pm_id_key_digest - the digest by which a report names an ID key or an author key
 * @key: a public key on the curve P-384, as PEM ("PUBLIC KEY") or as DER SubjectPublicKeyInfo
 * @size: how many bytes, at most PM_ID_KEY_MAX
 * @report: receives the reason of a failure; may be NULL
 * @ret_digest: receives PM_ID_KEY_DIGEST_SIZE bytes: SHA-384 of the key in AMD's format
 *
 * Return: 0; PM_E_LIMIT; PM_E_FORMAT when it is no public key, also for a private one;
 * PM_E_UNSUPPORTED for another curve or kind of key; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_id_key_digest(
	const uint8_t *key, size_t size, struct pm_report *report, uint8_t *ret_digest) PM_MUST_USE;

/** What pm_id_block_verify() found. */
struct pm_id_signers {
	/** ID_KEY_DIGEST that a report of the guest carries. */
	uint8_t id_key_digest[48];
	/** AUTHOR_KEY_DIGEST that it carries; zeros when has_author is 0. */
	uint8_t author_key_digest[48];
	/** 1 when an author key certifies the ID key, else 0. */
	int has_author;
};

/**
 * pm_id_block_verify - check the signatures over an ID block
 * @block: the ID block
 * @block_size: PM_ID_BLOCK_SIZE
 * @auth: the ID authentication information
 * @auth_size: PM_ID_AUTH_SIZE
 * @report: receives the checks; may be NULL
 * @ret_signers: receives the digests of the keys
 *
 * The ID key must have signed the block and, when there is an author key, the author key must have
 * signed the ID key. All-zero author fields mean that there is none. This proves that whoever holds
 * the keys agreed, not who that is: compare the digests with those that you expect.
 *
 * Return: 0; PM_E_FORMAT for a wrong size, a reserved byte that is not zero or a point that is not
 * on the curve; PM_E_UNSUPPORTED for another version, algorithm or curve; PM_E_REJECTED when a
 * signature does not verify; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_id_block_verify(const uint8_t *block, size_t block_size, const uint8_t *auth,
	size_t auth_size, struct pm_report *report, struct pm_id_signers *ret_signers) PM_MUST_USE;

PM_END_DECLS

#endif
