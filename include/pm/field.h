/* SPDX-License-Identifier: Apache-2.0 */
/** @file field.h
 * Field messages: one value of a request or response, encrypted as the JSON string
 * "id:nonce:iv:ciphertext" with its two double quotes. The format is Privatemode's
 * (reference: privatemode-public v1.40.0, internal/oss/crypto):
 *
 * - id: names the shared secret; Privatemode uses the base64 of SHA-256(public HPKE key);
 * - nonce: 12 bytes in hexadecimal, drawn by the requester, the same in all messages of one
 *   exchange (a request and its response);
 * - iv: 12 fresh random bytes in hexadecimal;
 * - ciphertext: AES-256-GCM ciphertext and tag in hexadecimal. The key is the shared secret, the
 *   additional data is the nonce and the message's number, 32 bits, least significant byte first.
 *   Requests and responses are numbered apart, each from 0.
 *
 * The reader is stricter than the reference, in what the reference never writes: there must be
 * exactly two quotes, hexadecimal is lower case, the iv has 12 bytes, the id and the nonce must be
 * those of the exchange, the key must have 32 bytes, and the 2^32 numbers of a direction do not
 * wrap. A requester refuses its own messages when they come back as the response, which the
 * ciphertext alone does not rule out.
 *
 * What the format can't offer, and sealed exchanges do: the end of a request or response is not
 * authenticated, so its last messages may be dropped; names of fields and plain fields are not; a
 * request bears no time. A responder refuses one that is replayed when its key remembers them: see
 * pm_field_key_serve().
 */
#ifndef PM_FIELD_H
#define PM_FIELD_H

#include <stddef.h>
#include <stdint.h>
#include <pm/api.h>

PM_BEGIN_DECLS

struct pm_report;

/** Size of a shared secret in bytes. */
#define PM_FIELD_SECRET_SIZE 32

/** Size of an exchange's nonce in bytes. */
#define PM_FIELD_NONCE_SIZE 12

/** Longest id, in characters. */
#define PM_FIELD_ID_MAX 128

/** Longest value, in bytes: 256 MiB. */
#define PM_FIELD_PLAIN_MAX 0x10000000u

/** Most requests that a key may remember. */
#define PM_FIELD_REQUESTS_MAX 16777216

/** A shared secret and its id, made ready for encryption. Opaque. */
struct pm_field_key;

/** One side of one exchange: a request and its response. Opaque. */
struct pm_field_exchange;

/**
 * pm_field_key_new - make a shared secret ready
 * @id: its name: 1 to PM_FIELD_ID_MAX printable characters of ASCII, without space, quote,
 *      backslash and colon
 * @secret: PM_FIELD_SECRET_SIZE bytes; copied into guarded memory
 * @ret_key: receives the key, to be freed with pm_field_key_free()
 *
 * The key may serve any number of exchanges and threads at once.
 *
 * Return: 0; PM_E_ARG for another id; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_field_key_new(
	const char *id, const uint8_t *secret, struct pm_field_key **ret_key) PM_MUST_USE;

/**
 * pm_field_key_serve - let the responders of a key answer each request once
 * @key: the key, of which no exchange has been made yet
 * @requests: how many it will remember, 1 to PM_FIELD_REQUESTS_MAX; 20 bytes each, for those that
 *            came, and up to three times that while the memory grows
 *
 * From then on pm_field_open() remembers the nonce of each request whose first message is
 * authentic, and refuses a request whose nonce it has seen, at any of the key's exchanges. Messages
 * bear no time, so nonces are forgotten with the key, never before: once it remembers so many,
 * further requests are refused, and the requester must get a new key. So requests shall be at least
 * what one key's owner asks in the key's life.
 *
 * A requester that tries again must seal its request anew. The memory is that of this object: where
 * several processes hold one secret, a request can be replayed once to each, and a process that has
 * started again must not use a secret from before.
 *
 * Return: 0; PM_E_ARG for a number out of range; PM_E_STATE when the key remembers already;
 * PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_field_key_serve(struct pm_field_key *key, size_t requests) PM_MUST_USE;

/**
 * pm_field_key_free - give a key up; its memory is wiped when the last exchange that uses it is
 * freed
 * @key: the key, or NULL
 */
PM_API void pm_field_key_free(struct pm_field_key *key);

/**
 * pm_field_key_id - the id that pm_field_key_new() was given
 * @key: the key
 *
 * Return: the id, owned by the key. Thread safe.
 */
PM_API const char *pm_field_key_id(const struct pm_field_key *key);

/**
 * pm_field_message_id - read the id of a message, to find its key
 * @message: the text, quotes included
 * @message_len: its length
 * @ret_id: receives the id and a NUL: room for PM_FIELD_ID_MAX + 1
 *
 * Looks at the id alone: nothing is verified. Thread safe.
 *
 * Return: 0; PM_E_FORMAT when the text does not begin as a message does.
 */
PM_API int pm_field_message_id(const char *message, size_t message_len, char *ret_id) PM_MUST_USE;

/**
 * pm_field_requester_new - begin an exchange as the one who asks
 * @key: the key; the exchange keeps it alive
 * @ret_exchange: receives the exchange, to be freed with pm_field_exchange_free()
 *
 * Draws the nonce. The requester seals the request's values in order, then opens the response's.
 * An exchange belongs to one thread at a time.
 *
 * Return: 0; PM_E_NOMEM.
 */
PM_API int pm_field_requester_new(
	struct pm_field_key *key, struct pm_field_exchange **ret_exchange) PM_MUST_USE;

/**
 * pm_field_responder_new - begin an exchange as the one who answers
 * @key: the key that the request's first message names; the exchange keeps it alive
 * @ret_exchange: receives the exchange, to be freed with pm_field_exchange_free()
 *
 * The nonce comes from the first message that opens. The responder opens the request's values in
 * order, at least one, then seals the response's. An exchange belongs to one thread at a time.
 *
 * Return: 0; PM_E_NOMEM.
 */
PM_API int pm_field_responder_new(
	struct pm_field_key *key, struct pm_field_exchange **ret_exchange) PM_MUST_USE;

/**
 * pm_field_exchange_free - end an exchange
 * @exchange: the exchange, or NULL
 */
PM_API void pm_field_exchange_free(struct pm_field_exchange *exchange);

/**
 * pm_field_exchange_nonce - the nonce of an exchange: to recognise a request that is repeated
 * @exchange: the exchange
 *
 * Return: PM_FIELD_NONCE_SIZE bytes, owned by the exchange; NULL before a responder opened its
 * first message.
 */
PM_API const uint8_t *pm_field_exchange_nonce(const struct pm_field_exchange *exchange);

/**
 * pm_field_sealed_size - length of a message
 * @key: the key that seals it
 * @plain_len: length of the value in bytes, at most PM_FIELD_PLAIN_MAX
 *
 * Return: the exact length, quotes included, without a NUL. Thread safe.
 */
PM_API size_t pm_field_sealed_size(const struct pm_field_key *key, size_t plain_len);

/**
 * pm_field_exchange_sealed_size - pm_field_sealed_size() for the key of an exchange
 * @exchange: the exchange
 * @plain_len: length of the value in bytes, at most PM_FIELD_PLAIN_MAX
 *
 * Return: the exact length, quotes included, without a NUL.
 */
PM_API size_t pm_field_exchange_sealed_size(
	const struct pm_field_exchange *exchange, size_t plain_len);

/**
 * pm_field_open_room - room that opening a message needs
 * @message_len: length of the message, quotes included
 *
 * Return: bytes, somewhat more than the value has. Thread safe.
 */
PM_API size_t pm_field_open_room(size_t message_len);

/**
 * pm_field_seal - encrypt the next value of our direction
 * @exchange: the exchange
 * @plain: the value: for JSON its text as it stands in the document, quotes and all
 * @plain_len: its length in bytes, at most PM_FIELD_PLAIN_MAX
 * @ret_message: receives the message, quotes included, without a NUL; must not overlap plain
 * @cap: room there: pm_field_exchange_sealed_size() bytes
 * @ret_len: receives the message's length
 *
 * Allocates nothing, save that a requester's record of its own messages grows now and then. On
 * failure the number of the next message stays as it is, and ret_message may hold rubbish.
 *
 * Return: 0; PM_E_STATE when a requester has opened a response already, or a responder no request
 * yet; PM_E_LIMIT when cap is too small, the value too long, or 2^32 messages are sealed;
 * PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_field_seal(struct pm_field_exchange *exchange, const uint8_t *plain, size_t plain_len,
	char *ret_message, size_t cap, size_t *ret_len) PM_MUST_USE;

/**
 * pm_field_open - decrypt the next value of the other's direction
 * @exchange: the exchange
 * @message: the text, quotes included, and nothing else
 * @message_len: its length
 * @ret_plain: receives the value; may be the message's own memory, which is then lost also on
 *             failure; no plaintext is left there on failure
 * @cap: room there: pm_field_open_room() bytes
 * @ret_len: receives the value's length
 * @report: receives the reason of a failure, never the value; or NULL
 *
 * Allocates nothing, save that a key's memory of requests (pm_field_key_serve()) grows now and
 * then. On failure the exchange is as before the call.
 *
 * Return: 0; PM_E_FORMAT when the message is malformed; PM_E_REJECTED when it belongs to another
 * key, exchange or position, was altered, is the requester's own, or begins a request that the key
 * remembers; PM_E_STATE when a responder has sealed already, or a requester nothing yet; PM_E_LIMIT
 * when cap is too small, the message too long, 2^32 messages are opened, or the key can't remember
 * another request; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_field_open(struct pm_field_exchange *exchange, const char *message,
	size_t message_len, uint8_t *ret_plain, size_t cap, size_t *ret_len,
	struct pm_report *report) PM_MUST_USE;

/**
 * pm_field_seal_at - encrypt one value at a position of choice, for inspection and tests
 * @key: the key
 * @nonce: the exchange's nonce, PM_FIELD_NONCE_SIZE bytes
 * @seq: number of the message
 * @plain: as for pm_field_seal()
 * @plain_len: likewise
 * @ret_message: likewise
 * @cap: room there: pm_field_sealed_size() bytes
 * @ret_len: receives the message's length
 *
 * Keeps no order and no count: real exchanges use pm_field_seal(). Thread safe.
 *
 * Return: 0; PM_E_LIMIT when cap is too small or the value too long; PM_E_CRYPTO.
 */
PM_API int pm_field_seal_at(struct pm_field_key *key, const uint8_t *nonce, uint32_t seq,
	const uint8_t *plain, size_t plain_len, char *ret_message, size_t cap,
	size_t *ret_len) PM_MUST_USE;

/**
 * pm_field_open_at - decrypt one message at a position of choice, for inspection and tests
 * @key: the key
 * @nonce: the exchange's nonce, PM_FIELD_NONCE_SIZE bytes
 * @seq: number of the message
 * @message: as for pm_field_open()
 * @message_len: likewise
 * @ret_plain: likewise
 * @cap: room there: pm_field_open_room() bytes
 * @ret_len: receives the value's length
 * @report: receives the reason of a failure, or NULL
 *
 * Keeps no order and no count: real exchanges use pm_field_open(). Thread safe.
 *
 * Return: 0; PM_E_FORMAT, PM_E_REJECTED, PM_E_LIMIT, PM_E_CRYPTO as pm_field_open().
 */
PM_API int pm_field_open_at(const struct pm_field_key *key, const uint8_t *nonce, uint32_t seq,
	const char *message, size_t message_len, uint8_t *ret_plain, size_t cap, size_t *ret_len,
	struct pm_report *report) PM_MUST_USE;

PM_END_DECLS

#endif
