/* SPDX-License-Identifier: Apache-2.0 */
/** @file keyex.h
 * Key exchange: a client and the secret service agree on a shared secret (Privatemode's
 * POST /privatemode/v1/secret; reference: privatemode-public v1.40.0). HPKE (RFC 9180) in base mode
 * with KEM X-Wing (0x647a), HKDF-SHA256 (0x0001) and export-only AEAD (0xffff), info empty:
 *
 * - request: {"PublicKey": base64 of the client's 1216 bytes};
 * - response: {"EncapsulatedKey": base64 of 1120 bytes, "Signature": base64, "MeshCert": base64}.
 *   The signature is ECDSA over SHA-256(public key || encapsulated key) in the form of RFC 3279,
 *   the certificate one DER leaf that the mesh CA signed directly;
 * - secret: the HPKE export with an empty context, 32 bytes; its id is the base64 of
 *   SHA-256(public key).
 *
 * Beside the secrets of clients there are those that both sides name a purpose for, which is the
 * context of their export: of another purpose comes another secret, of which the first says
 * nothing. So a secret that was meant for the service alone is none of those that it releases to
 * workers, whoever in between sends the request elsewhere.
 *
 * The readers are stricter than the reference: names of members are exact, each stands once, there
 * are no others, texts have no escapes, and the certificate's role is always asked for.
 *
 * The transport is the caller's.
 */
#ifndef PM_KEYEX_H
#define PM_KEYEX_H

#include <stddef.h>
#include <stdint.h>
#include <pm/api.h>

PM_BEGIN_DECLS

struct pm_report;

/** Size of the shared secret. */
#define PM_KEYEX_SECRET_SIZE 32

/** Size of the text of a secret's id, with its final NUL. */
#define PM_KEYEX_ID_SIZE 45

/** Size of the text of a request, with its final NUL. */
#define PM_KEYEX_REQUEST_SIZE 1641

/** Longest request or response that is read. */
#define PM_KEYEX_JSON_MAX 32768

/** Longest signature, in bytes. */
#define PM_KEYEX_SIGNATURE_MAX 144

/** Longest purpose of a secret, in bytes without the final NUL. */
#define PM_KEYEX_PURPOSE_MAX 64

/** How many seconds the service keeps a secret. */
#define PM_KEYEX_LIFETIME 3600

/** After how many seconds a client agrees on a new one. */
#define PM_KEYEX_RENEW 2700

/** The client's side of one exchange: an ephemeral key pair. Opaque. */
struct pm_keyex_client;

/** Whose signature a client accepts. Fill with zeros, set size, then all the rest. */
struct pm_keyex_trust {
	/** sizeof(struct pm_keyex_trust) as the caller was compiled. */
	size_t size;
	/** The attested mesh CA's certificate, DER. */
	const uint8_t *ca;
	/** Its length. */
	size_t ca_len;
	/** The time, seconds since 1970: both certificates must be valid then. */
	int64_t now;
	/**
	 * Is the holder of this leaf certificate (DER), which the CA did sign, the secret service?
	 * Returns 0 for yes, a negative enum pm_error for no. Never NULL: without it any workload
	 * of the mesh could answer.
	 */
	int (*check_role)(const uint8_t *cert, size_t cert_len, void *arg);
	/** Passed to check_role. */
	void *arg;
	/** What the secret is for, at most PM_KEYEX_PURPOSE_MAX bytes; NULL: a client's. */
	const char *purpose;
};

/** How a service signs: its certificate and a way to its key. */
struct pm_keyex_signer {
	/** sizeof(struct pm_keyex_signer) as the caller was compiled. */
	size_t size;
	/** The leaf certificate, DER. */
	const uint8_t *cert;
	/** Its length, at most 16384. */
	size_t cert_len;
	/**
	 * Signs a digest of 32 bytes with ECDSA, in the form of RFC 3279, 2.2.3: at most
	 * PM_KEYEX_SIGNATURE_MAX bytes. Returns 0 or a negative enum pm_error.
	 */
	int (*sign)(const uint8_t *digest, uint8_t *ret_signature, size_t *ret_len, void *arg);
	/** Passed to sign. */
	void *arg;
	/** What the secret is for, at most PM_KEYEX_PURPOSE_MAX bytes; NULL: a client's. */
	const char *purpose;
};

/**
 * pm_keyex_client_new - begin an exchange: draw a key pair
 * @ret_client: receives the client, to be freed with pm_keyex_client_free()
 *
 * Return: 0; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_keyex_client_new(struct pm_keyex_client **ret_client) PM_MUST_USE;

/**
 * pm_keyex_client_free - end an exchange; wipes the private key
 * @client: the client, or NULL
 */
PM_API void pm_keyex_client_free(struct pm_keyex_client *client);

/**
 * pm_keyex_client_id - id of the secret that comes out
 * @client: the client
 *
 * Return: text of PM_KEYEX_ID_SIZE bytes with its NUL, owned by the client. Thread safe.
 */
PM_API const char *pm_keyex_client_id(const struct pm_keyex_client *client);

/**
 * pm_keyex_client_request - the body of the request
 * @client: the client
 * @ret_json: receives the text and a NUL: room for PM_KEYEX_REQUEST_SIZE bytes
 *
 * Thread safe.
 */
PM_API void pm_keyex_client_request(const struct pm_keyex_client *client, char *ret_json);

/**
 * pm_keyex_client_finish - verify the response and take the secret
 * @client: the client; may be asked again after a failure
 * @json: the response's body
 * @json_len: its length
 * @trust: whose signature is accepted
 * @ret_secret: receives PM_KEYEX_SECRET_SIZE bytes, which the caller wipes
 * @report: receives what was checked, or NULL
 *
 * Checks the certificate's validity, that the CA signed it, and that it may serve (RFC 5280,
 * 4.2.1.12: serverAuth, where the certificate names purposes at all), then its role, then the
 * signature; only then is the key opened.
 *
 * Return: 0; PM_E_ARG when trust is incomplete, or its purpose too long; PM_E_FORMAT or PM_E_LIMIT
 * for a malformed response or certificate; PM_E_STALE for an expired certificate; PM_E_REJECTED
 * when the answer is no; PM_E_UNSUPPORTED for an algorithm that we don't know; what check_role
 * returned; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_keyex_client_finish(const struct pm_keyex_client *client, const char *json,
	size_t json_len, const struct pm_keyex_trust *trust, uint8_t *ret_secret,
	struct pm_report *report) PM_MUST_USE;

/**
 * pm_keyex_response_room - room that a response needs
 * @cert_len: length of the signer's certificate
 *
 * Return: bytes, with the final NUL; somewhat more than the response has. Thread safe.
 */
PM_API size_t pm_keyex_response_room(size_t cert_len);

/**
 * pm_keyex_respond - answer a request, as the secret service
 * @json: the request's body
 * @json_len: its length
 * @signer: certificate and key of the service
 * @ret_json: receives the response's body and a NUL: room for pm_keyex_response_room() bytes
 * @ret_id: receives the secret's id and a NUL: room for PM_KEYEX_ID_SIZE bytes
 * @ret_secret: receives PM_KEYEX_SECRET_SIZE bytes, which the caller wipes
 * @report: receives the reason of a failure, or NULL
 *
 * The caller stores the secret under its id, and refuses when that id exists, before it sends the
 * response. Thread safe when sign() is.
 *
 * Return: 0; PM_E_ARG when signer is incomplete, or its purpose too long; PM_E_FORMAT or PM_E_LIMIT
 * for a malformed request; PM_E_REJECTED for a public key that no private key has; what sign()
 * returned; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_keyex_respond(const char *json, size_t json_len, const struct pm_keyex_signer *signer,
	char *ret_json, char *ret_id, uint8_t *ret_secret, struct pm_report *report) PM_MUST_USE;

PM_END_DECLS

#endif
