/* SPDX-License-Identifier: Apache-2.0 */
/** @file direct.h
 * Direct key exchange: a client and one worker agree on an inference secret without any service in
 * between. The worker makes an X-Wing key pair when it starts, and its evidence (bundle.h) binds
 * the public key; the client verifies the evidence (appraise.h), takes the key from the claims, and
 * encapsulates to it. Whoever answers under the secret then is the worker that was verified: nobody
 * else can know it, so the answer to the exchange itself needs no signature.
 *
 * HPKE (RFC 9180) in base mode with KEM X-Wing (0x647a), HKDF-SHA256 (0x0001) and export-only AEAD
 * (0xffff), info "libpm direct v1":
 *
 * - request, a POST to PM_DIRECT_PATH: {"EncapsulatedKey": base64 of 1120 bytes};
 * - response: {"SecretId": the secret's id};
 * - secret: the HPKE export with an empty context, 32 bytes; its id is the base64 of
 *   SHA-256(encapsulated key).
 *
 * The private key lives as long as the worker's process and is never stored, so what was sent under
 * its secrets can't be read afterwards. The transport is the caller's.
 */
#ifndef PM_DIRECT_H
#define PM_DIRECT_H

#include <stddef.h>
#include <stdint.h>
#include <pm/api.h>

PM_BEGIN_DECLS

struct pm_report;

/** Where a worker takes requests. */
#define PM_DIRECT_PATH "/pm/v1/secret"

/** Size of the worker's public key; PM_CLAIMS_XWING_SIZE of bundle.h. */
#define PM_DIRECT_PUBLIC_SIZE 1216

/** Size of the secret that comes out. */
#define PM_DIRECT_SECRET_SIZE 32

/** Size of the text of a secret's id, with its final NUL. */
#define PM_DIRECT_ID_SIZE 45

/** Size of the text of a request, with its final NUL. */
#define PM_DIRECT_REQUEST_SIZE 1519

/** Longest request that is read. */
#define PM_DIRECT_JSON_MAX 32768

/** A worker's key pair. Opaque. */
struct pm_direct_key;

/**
 * pm_direct_key_new - draw a key pair
 * @ret_key: receives the key, to be freed with pm_direct_key_free()
 *
 * Return: 0; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_direct_key_new(struct pm_direct_key **ret_key) PM_MUST_USE;

/**
 * pm_direct_key_free - give a key pair up; wipes the private key
 * @key: the key, or NULL
 */
PM_API void pm_direct_key_free(struct pm_direct_key *key);

/**
 * pm_direct_key_public - what the evidence shall bind
 * @key: the key
 *
 * Return: PM_DIRECT_PUBLIC_SIZE bytes, owned by the key. Thread safe.
 */
PM_API const uint8_t *pm_direct_key_public(const struct pm_direct_key *key);

/**
 * pm_direct_accept - take a client's request, as the worker
 * @key: the key
 * @json: the request's body
 * @json_len: its length
 * @ret_id: receives the secret's id and a NUL: room for PM_DIRECT_ID_SIZE bytes
 * @ret_secret: receives PM_DIRECT_SECRET_SIZE bytes, which the caller wipes
 * @report: receives the reason of a failure, or NULL
 *
 * A request for another key gives a secret that nobody else has, and no error: the first message
 * under it will not open. Thread safe.
 *
 * Return: 0; PM_E_FORMAT or PM_E_LIMIT for a malformed request; PM_E_REJECTED for an encapsulated
 * key that no client makes; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_direct_accept(const struct pm_direct_key *key, const char *json, size_t json_len,
	char *ret_id, uint8_t *ret_secret, struct pm_report *report) PM_MUST_USE;

/**
 * pm_direct_offer - agree on a secret with the owner of a public key, as a client
 * @public_key: PM_DIRECT_PUBLIC_SIZE bytes: the key of claims that pm_appraise() accepted, and no
 * other
 * @ret_json: receives the request's body and a NUL: room for PM_DIRECT_REQUEST_SIZE bytes
 * @ret_id: receives the secret's id and a NUL: room for PM_DIRECT_ID_SIZE bytes
 * @ret_secret: receives PM_DIRECT_SECRET_SIZE bytes, which the caller wipes
 * @report: receives the reason of a failure, or NULL
 *
 * Return: 0; PM_E_REJECTED for a public key that no private key has; PM_E_NOMEM; PM_E_CRYPTO.
 * Thread safe.
 */
PM_API int pm_direct_offer(const uint8_t *public_key, char *ret_json, char *ret_id,
	uint8_t *ret_secret, struct pm_report *report) PM_MUST_USE;

PM_END_DECLS

#endif
