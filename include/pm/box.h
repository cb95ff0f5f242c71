/* SPDX-License-Identifier: Apache-2.0 */
/** @file box.h
 * Boxes: bytes that only the holder of one X-Wing key can read. Shares of a seed go to their owners
 * in them, and what a coordinator tells a worker that it admits.
 *
 * A box is HPKE (RFC 9180) in base mode with KEM X-Wing (0x647a; draft-connolly-cfrg-xwing-kem),
 * HKDF-SHA256 (0x0001) and export-only AEAD (0xffff), info "libpm box v1", a zero byte and the
 * label. Of the context 44 bytes are exported under the exporter context "key and nonce": a key of
 * AES-256-GCM (32), which seals one message, and its nonce (12). The box holds the encapsulated key
 * (1120 bytes), the ciphertext, as long as the plaintext, and the tag (16).
 *
 * A box tells nothing of who made it: whoever has the public key can make one. What must come from
 * somebody is signed besides.
 *
 * Keys are PKCS#8 (RFC 5208) with the 32 bytes of the seed as they are, and SubjectPublicKeyInfo
 * (RFC 5280) with the 1216 bytes of the public key, both under the object identifier
 * 1.3.6.1.4.1.62253.25722 without parameters, as the draft has it. A private key lives in guarded
 * memory and is wiped when it is freed. A key may be used by several threads at once.
 */
#ifndef PM_BOX_H
#define PM_BOX_H

#include <stddef.h>
#include <stdint.h>
#include <pm/api.h>
#include <pm/error.h>
#include <pm/report.h>

PM_BEGIN_DECLS

/** Bytes of a public key. */
#define PM_BOX_PUBLIC_SIZE 1216

/** Bytes of a public key's identifier: SHA-256 of its SubjectPublicKeyInfo. */
#define PM_BOX_ID_SIZE 32

/** How much longer than its plaintext a box is: encapsulated key and tag. */
#define PM_BOX_OVERHEAD (1120 + 16)

/** Longest plaintext. */
#define PM_BOX_PLAIN_MAX (1u << 20)

/** Longest additional data. */
#define PM_BOX_AAD_MAX 65536

/** Longest label, without the final NUL. */
#define PM_BOX_LABEL_MAX 64

/** Most bytes of a private key as PEM text, with its final NUL. */
#define PM_BOX_PEM_SIZE 256

/** Most bytes of a public key as PEM text, with its final NUL. */
#define PM_BOX_PUBLIC_PEM_SIZE 2048

/** Largest file of a key that is read. */
#define PM_BOX_FILE_MAX 16384

/** A private key, with its public one. */
struct pm_box_key;

/**
 * pm_box_key_new - make a key pair
 * @ret_key: receives the key, to be freed with pm_box_key_free()
 *
 * Return: 0; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_box_key_new(struct pm_box_key **ret_key) PM_MUST_USE;

/**
 * pm_box_key_parse - read a private key
 * @bytes: PKCS#8 as PEM text ("PRIVATE KEY"), not encrypted; the caller wipes it
 * @size: how many
 * @report: receives the reason of a refusal, never the key; may be NULL
 * @ret_key: receives the key, to be freed with pm_box_key_free()
 *
 * Return: 0; PM_E_FORMAT; PM_E_UNSUPPORTED for another algorithm; PM_E_LIMIT; PM_E_NOMEM;
 * PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_box_key_parse(const void *bytes, size_t size, struct pm_report *report,
	struct pm_box_key **ret_key) PM_MUST_USE;

/**
 * pm_box_key_pem - write a private key as PKCS#8
 * @key: the key
 * @ret_pem: receives PEM text and a NUL, at most PM_BOX_PEM_SIZE bytes; the caller wipes it
 *
 * Return: 0; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_box_key_pem(const struct pm_box_key *key, char *ret_pem) PM_MUST_USE;

/**
 * pm_box_key_public - the public half of a key
 * @key: the key
 *
 * Return: PM_BOX_PUBLIC_SIZE bytes, owned by the key.
 */
PM_API const uint8_t *pm_box_key_public(const struct pm_box_key *key);

/**
 * pm_box_key_free - wipe and free a key
 * @key: the key, or NULL
 */
PM_API void pm_box_key_free(struct pm_box_key *key);

/**
 * pm_box_public_parse - read a public key
 * @bytes: SubjectPublicKeyInfo, as PEM text ("PUBLIC KEY") or DER; or the bare PM_BOX_PUBLIC_SIZE
 * bytes
 * @size: how many
 * @report: receives the reason of a refusal; may be NULL
 * @ret_public: receives PM_BOX_PUBLIC_SIZE bytes
 *
 * A key that no private key has is refused: a coefficient out of range (FIPS 203, 7.2), a point of
 * small order.
 *
 * Return: 0; PM_E_FORMAT; PM_E_UNSUPPORTED for another algorithm; PM_E_LIMIT; PM_E_NOMEM;
 * PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_box_public_parse(
	const void *bytes, size_t size, struct pm_report *report, uint8_t *ret_public) PM_MUST_USE;

/**
 * pm_box_public_pem - write a public key
 * @public_key: PM_BOX_PUBLIC_SIZE bytes
 * @ret_pem: receives PEM text and a NUL, at most PM_BOX_PUBLIC_PEM_SIZE bytes
 *
 * Return: 0; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_box_public_pem(const uint8_t *public_key, char *ret_pem) PM_MUST_USE;

/**
 * pm_box_public_id - what stands for a public key
 * @public_key: PM_BOX_PUBLIC_SIZE bytes
 * @ret_id: receives PM_BOX_ID_SIZE bytes: SHA-256 of the SubjectPublicKeyInfo
 *
 * Return: 0; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_box_public_id(const uint8_t *public_key, uint8_t *ret_id) PM_MUST_USE;

/**
 * pm_box_seal - make a box
 * @public_key: the reader's key, PM_BOX_PUBLIC_SIZE bytes
 * @label: what the box is for, 1 to PM_BOX_LABEL_MAX bytes of text: one opened under another label
 * is refused
 * @aad: bytes that the box is bound to and that the reader has already, or NULL
 * @aad_len: how many, at most PM_BOX_AAD_MAX
 * @plain: what goes in
 * @len: its length, at most PM_BOX_PLAIN_MAX
 * @ret_box: receives len + PM_BOX_OVERHEAD bytes; may not overlap plain
 *
 * On failure ret_box holds nothing secret.
 *
 * Return: 0; PM_E_ARG for such a label; PM_E_LIMIT; PM_E_REJECTED for a public key that no private
 * key has; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_box_seal(const uint8_t *public_key, const char *label, const void *aad,
	size_t aad_len, const void *plain, size_t len, uint8_t *ret_box) PM_MUST_USE;

/**
 * pm_box_open - read a box
 * @key: the reader's key
 * @label: the label that it was sealed under
 * @aad: the bytes that it was bound to, or NULL
 * @aad_len: how many
 * @box: the box
 * @box_len: its length
 * @ret_plain: receives box_len - PM_BOX_OVERHEAD bytes, which the caller wipes; on failure it holds
 * no plaintext
 *
 * Return: 0; PM_E_ARG for such a label; PM_E_FORMAT for a box that is too short; PM_E_LIMIT for one
 * that is too long; PM_E_REJECTED when it was changed or is for another key, label or aad;
 * PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_box_open(const struct pm_box_key *key, const char *label, const void *aad,
	size_t aad_len, const void *box, size_t box_len, uint8_t *ret_plain) PM_MUST_USE;

PM_END_DECLS

#endif
