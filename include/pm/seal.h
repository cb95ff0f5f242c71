/* SPDX-License-Identifier: Apache-2.0 */
/** @file seal.h
 * Values for a store that nobody trusts: sealed under a key of the deployment, bound to the place
 * where they lie.
 *
 * Each value has a key of its own, so that any number of them may be sealed and no nonce comes
 * twice: PRK = HKDF-Extract(SHA-256, salt "libpm seal v1", secret); root = HKDF-Expand(PRK, "libpm
 * seal root v1", a zero byte, label, a zero byte, epoch of 4 bytes, most significant first); and of
 * root, as a PRK, HKDF-Expand(root, "libpm seal value v1", a zero byte, salt, SHA-256 of the
 * context) is the key of AES-256-GCM (32 bytes) and its nonce (12). A sealed value is: version 1
 * (1 byte), epoch (4), random salt (32), ciphertext, tag (16); the first 37 bytes are the
 * additional data.
 *
 * What it does not do: an older value of the same context is as good as the newest, so who has the
 * store can put one back. Where that matters, what is inside carries a number that is compared
 * with one that was seen elsewhere.
 *
 * A key may be used by several threads at once.
 */
#ifndef PM_SEAL_H
#define PM_SEAL_H

#include <stddef.h>
#include <stdint.h>
#include <pm/api.h>
#include <pm/error.h>

PM_BEGIN_DECLS

/** Bytes of the secret that a key comes from. */
#define PM_SEAL_SECRET_SIZE 32

/** How much longer than its plaintext a sealed value is. */
#define PM_SEAL_OVERHEAD (1 + 4 + 32 + 16)

/** Longest plaintext. */
#define PM_SEAL_PLAIN_MAX (1u << 20)

/** Longest context. */
#define PM_SEAL_CONTEXT_MAX 4096

/** Longest label, without the final NUL. */
#define PM_SEAL_LABEL_MAX 64

/** A key that seals values. */
struct pm_seal_key;

/**
 * pm_seal_key_new - derive a key
 * @secret: PM_SEAL_SECRET_SIZE bytes, copied
 * @label: what the values are, 1 to PM_SEAL_LABEL_MAX bytes of text: another label, another key
 * @epoch: which one of several keys in turn: another epoch, another key
 * @ret_key: receives the key, to be freed with pm_seal_key_free()
 *
 * Return: 0; PM_E_ARG for such a label; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_seal_key_new(const uint8_t *secret, const char *label, uint32_t epoch,
	struct pm_seal_key **ret_key) PM_MUST_USE;

/**
 * pm_seal_key_free - wipe and free a key
 * @key: the key, or NULL
 */
PM_API void pm_seal_key_free(struct pm_seal_key *key);

/**
 * pm_seal - seal a value
 * @key: the key
 * @context: where the value lies, the key of the store say; or NULL
 * @context_len: how many bytes, at most PM_SEAL_CONTEXT_MAX
 * @plain: the value
 * @len: its length, at most PM_SEAL_PLAIN_MAX
 * @ret_sealed: receives len + PM_SEAL_OVERHEAD bytes; may not overlap plain
 *
 * Return: 0; PM_E_LIMIT; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_seal(const struct pm_seal_key *key, const void *context, size_t context_len,
	const void *plain, size_t len, uint8_t *ret_sealed) PM_MUST_USE;

/**
 * pm_seal_open - open a value
 * @key: the key
 * @context: where the value was found
 * @context_len: how many bytes
 * @sealed: what was found there
 * @sealed_len: its length
 * @ret_plain: receives sealed_len - PM_SEAL_OVERHEAD bytes, which the caller wipes; on failure it
 * holds no plaintext
 *
 * Return: 0; PM_E_FORMAT when it is too short; PM_E_LIMIT when it is too long; PM_E_UNSUPPORTED for
 * another version; PM_E_MISSING for another epoch than the key's: ask pm_seal_epoch();
 * PM_E_REJECTED when it was changed, lay elsewhere or is of another key; PM_E_NOMEM; PM_E_CRYPTO.
 * Thread safe.
 */
PM_API int pm_seal_open(const struct pm_seal_key *key, const void *context, size_t context_len,
	const void *sealed, size_t sealed_len, uint8_t *ret_plain) PM_MUST_USE;

/**
 * pm_seal_epoch - which key a value says that it needs
 * @sealed: a sealed value, which nothing vouches for until it is opened
 * @sealed_len: its length
 * @ret_epoch: receives the epoch
 *
 * Return: 0; PM_E_FORMAT when it is too short; PM_E_UNSUPPORTED for another version. Thread safe.
 */
PM_API int pm_seal_epoch(const void *sealed, size_t sealed_len, uint32_t *ret_epoch) PM_MUST_USE;

PM_END_DECLS

#endif
