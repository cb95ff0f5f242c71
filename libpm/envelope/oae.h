/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OAE: a request and its response as two streams of sealed messages, each with an authenticated
 * end. Wire compatible with Privatemode's. The layout of messages and the derivation of keys stand
 * in pm/sealed.h; mind that sequence numbers are big endian here.
 */
#ifndef PM_ENVELOPE_OAE_H
#define PM_ENVELOPE_OAE_H

#include "crypto/crypto.h"
#include "crypto/nonce.h"

#define PM_OAE_SECRET_SIZE 32
#define PM_OAE_HEADER_SIZE 32
/* Flag and nonce; the ciphertext follows. */
#define PM_OAE_PREFIX_SIZE (1 + PM_AEAD_NONCE_SIZE)
#define PM_OAE_OVERHEAD	   (PM_OAE_PREFIX_SIZE + PM_AEAD_TAG_SIZE)
/* Most messages of a stream. */
#define PM_OAE_MESSAGES_MAX (UINT64_C(1) << 32)

/* The two values of a message's flag. */
#define PM_OAE_MORE  0
#define PM_OAE_FINAL 1

/*
 * One direction. Filled with zeros it has no key and refuses everything with PM_E_STATE. The first
 * error of a stream stays. After the final message the key is wiped.
 */
struct pm_oae_stream {
	struct pm_aead *aead; /* in the exchange's memory */
	uint64_t seq;
	int error;
	bool final;
};

/* All keys of an exchange: one piece of guarded memory, as each takes two pages. */
struct pm_oae_memory {
	struct pm_aead_memory request, response;
	uint8_t prk[PM_SHA256_SIZE], secret[PM_OAE_SECRET_SIZE];
};

/* An exchange: fill with zeros first, pm_oae_end() last. */
struct pm_oae {
	struct pm_secret memory; /* a struct pm_oae_memory */
	uint8_t *prk;		 /* in it; NULL: no more keys come of it */
	struct pm_oae_stream request, response;
};

/*
 * Memory for an exchange whose secret is not known yet: ret_secret receives where its
 * PM_OAE_SECRET_SIZE bytes may lie until pm_oae_request(), which wipes them. PM_E_STATE when it was
 * there before; PM_E_NOMEM, PM_E_CRYPTO.
 */
int pm_oae_begin(struct pm_oae *oae, uint8_t **ret_secret) PM_MUST_USE;

/*
 * The request's stream. The requester draws the header by pm_random(), the responder receives it.
 * PM_E_STATE when it was there before, or failed; PM_E_NOMEM, PM_E_CRYPTO.
 */
int pm_oae_request(
	struct pm_oae *oae, const uint8_t *secret, const uint8_t *request_header) PM_MUST_USE;

/*
 * The response's stream, once in an exchange: a second call, also after one that failed, and one
 * before pm_oae_request(), returns PM_E_STATE. PM_E_NOMEM, PM_E_CRYPTO.
 */
int pm_oae_response(struct pm_oae *oae, const uint8_t *response_header) PM_MUST_USE;

void pm_oae_end(struct pm_oae *oae);

/* pm_cleanup(oae) struct pm_oae x = {0}; */
static inline void pm_cleanup_oae(struct pm_oae *oae)
{
	pm_oae_end(oae);
}

/*
 * ret: plain.len + PM_OAE_OVERHEAD bytes; plain may lie in it at PM_OAE_PREFIX_SIZE, else outside.
 * PM_E_STATE after the final message, PM_E_LIMIT after PM_OAE_MESSAGES_MAX, PM_E_CRYPTO.
 */
int pm_oae_seal(struct pm_oae_stream *stream, struct pm_nonces *nonces, bool final,
	struct pm_view plain, uint8_t *ret) PM_MUST_USE;

/* The same with a nonce given, for the test of vectors: whoever calls it answers for the nonce. */
int pm_oae_seal_with(struct pm_oae_stream *stream, const uint8_t *nonce, bool final,
	struct pm_view plain, uint8_t *ret) PM_MUST_USE;

/*
 * ret: sealed.len - PM_OAE_OVERHEAD bytes; may be sealed's memory at PM_OAE_PREFIX_SIZE, else
 * outside. PM_E_FORMAT for a message too short or with another flag; PM_E_REJECTED for one that was
 * not sealed for this stream and place, and ret then holds no plaintext; PM_E_STATE after the final
 * message; PM_E_LIMIT after PM_OAE_MESSAGES_MAX; PM_E_CRYPTO.
 */
int pm_oae_open(struct pm_oae_stream *stream, struct pm_view sealed, uint8_t *ret,
	bool *ret_final) PM_MUST_USE;

/* The stream was read to its end: PM_E_MISSING when it was cut short; the error that stays. */
int pm_oae_finish(struct pm_oae_stream *stream) PM_MUST_USE;

#endif
