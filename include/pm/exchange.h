/* SPDX-License-Identifier: Apache-2.0 */
/** @file exchange.h
 * The two ends of a sealed exchange, for any HTTP stack: bytes in, bytes out, no input or output of
 * its own. The format stands in sealed.h. Who holds no inference secret can neither read nor change
 * the method, path, header fields, body, status or end of either direction, nor take a message from
 * another exchange, direction or place, nor ask the same worker the same thing twice.
 *
 * A client makes a struct pm_exchange_key of each inference secret, and of it a struct
 * pm_exchange_client for each request. It posts what pm_exchange_client_send_head() and
 * pm_exchange_client_send_body() return, tells pm_exchange_client_begin() the outer status and
 * content type, gives each piece of the outer body to pm_exchange_client_receive(), and at the
 * body's end calls pm_exchange_client_end(): only when that returns 0 was the response whole.
 *
 * A worker looks up its key by the field Pm-Secret-Id, makes a struct pm_exchange_worker with the
 * other two fields, gives it the outer body and answers in the same way. The answer may begin as
 * soon as the head of the request is there.
 *
 * Received bytes come in any chunking. The receiving functions return after each event, so they are
 * called until nothing is left:
 *
 *     do {
 *             r = pm_exchange_client_receive(client, p, len, report, &used, &event);
 *             if (r < 0)
 *                     return r;
 *             p += used;
 *             len -= used;
 *             act_on(&event);
 *     } while (event.type != PM_EXCHANGE_MORE);
 *
 * Buffers grow to the largest frame that came, at most PM_SEALED_MESSAGE_MAX, and to the largest
 * piece that was sent; after that a frame allocates nothing. They are wiped when freed.
 *
 * Thread safety: a key may be used by many threads at once, an exchange by one at a time.
 */
#ifndef PM_EXCHANGE_H
#define PM_EXCHANGE_H

#include <stddef.h>
#include <stdint.h>
#include <pm/error.h>
#include <pm/report.h>
#include <pm/sealed.h>

PM_BEGIN_DECLS

/** Most requests that a worker's replay cache may hold. */
#define PM_EXCHANGE_REPLAY_MAX 1048576
/** Longest time, in seconds, that a request may be old. */
#define PM_EXCHANGE_WINDOW_MAX 86400
/** Seconds by which a client's clock may be ahead of the worker's. */
#define PM_EXCHANGE_SKEW 30

/** What a receiving function found. */
enum pm_exchange_type {
	/** All bytes were taken, and nothing is whole yet. */
	PM_EXCHANGE_MORE = 0,
	/** The head. */
	PM_EXCHANGE_HEAD = 1,
	/** A piece of the body, never empty: one message of the sender. */
	PM_EXCHANGE_BODY = 2,
	/** The end: all of it was received, and nothing may follow. */
	PM_EXCHANGE_END = 3
};

/** One event. Pointers belong to the exchange. */
struct pm_exchange_event {
	/** Which. */
	enum pm_exchange_type type;
	/** PM_EXCHANGE_HEAD at a worker, else NULL; lives as long as the exchange. */
	const struct pm_sealed_request *request;
	/** PM_EXCHANGE_HEAD at a client, else NULL; lives as long as the exchange. */
	const struct pm_sealed_response *response;
	/** PM_EXCHANGE_BODY, else NULL; lives until the next call on the exchange. */
	const uint8_t *body;
	/** Bytes of the body. */
	size_t body_len;
};

/** An inference secret with its id and, at a worker, its replay cache. Opaque. */
struct pm_exchange_key;
/** The requesting end of one exchange. Opaque. */
struct pm_exchange_client;
/** The answering end of one exchange. Opaque. */
struct pm_exchange_worker;

/**
 * pm_exchange_key_new - make an inference secret ready
 * @id: the secret's id, 1 to PM_SEALED_ID_MAX bytes
 * @secret: PM_SEALED_SECRET_SIZE bytes; a copy is taken into guarded memory
 * @ret_key: receives the key, to be freed with pm_exchange_key_free()
 *
 * Return: 0; PM_E_ARG for an id that is empty; PM_E_LIMIT for one that is too long; PM_E_NOMEM;
 * PM_E_CRYPTO.
 */
PM_API int pm_exchange_key_new(
	const char *id, const uint8_t *secret, struct pm_exchange_key **ret_key) PM_MUST_USE;

/**
 * pm_exchange_key_serve - give a key the replay cache that a worker needs
 * @key: the key, of which no exchange has been made yet
 * @entries: requests that the cache holds, 1 to PM_EXCHANGE_REPLAY_MAX; 52 bytes each
 * @window: seconds that a request may be old, 1 to PM_EXCHANGE_WINDOW_MAX
 * @now: seconds since 1970: requests issued up to this moment are refused, since the cache of an
 * earlier process may have held them
 *
 * A request is remembered until it is older than the window. A full cache refuses: it never forgets
 * early. So entries shall be at least the requests that one secret's owner makes in a window.
 *
 * The cache is that of this process. Where several workers hold one secret, the same request can be
 * replayed once to each; its response has keys of its own, so nothing can be spliced, but the model
 * runs again.
 *
 * Return: 0; PM_E_ARG for a number out of range; PM_E_STATE when the key has one; PM_E_NOMEM.
 */
PM_API int pm_exchange_key_serve(
	struct pm_exchange_key *key, size_t entries, uint32_t window, int64_t now) PM_MUST_USE;

/**
 * pm_exchange_key_free - give up a key
 * @key: the key, or NULL
 *
 * Exchanges made of it go on; the secret is wiped with the last of them.
 */
PM_API void pm_exchange_key_free(struct pm_exchange_key *key);

/**
 * pm_exchange_client_new - begin an exchange
 * @key: the key
 * @model: what the field Pm-Model will say, at most PM_SEALED_MODEL_MAX bytes
 * @shard_key: what the field Pm-Shard-Key will say, at most PM_SEALED_SHARD_KEY_MAX bytes; NULL or
 * "" when it will not be sent
 * @bucket: smallest plaintext that frames are padded to, a power of two from PM_SEALED_BUCKET_MIN
 * to PM_SEALED_PLAIN_MAX; 0 for no padding
 * @ret_client: receives the exchange, to be freed with pm_exchange_client_free()
 *
 * Return: 0; PM_E_ARG for another bucket; PM_E_LIMIT for a text that is too long; PM_E_NOMEM;
 * PM_E_CRYPTO.
 */
PM_API int pm_exchange_client_new(struct pm_exchange_key *key, const char *model,
	const char *shard_key, uint32_t bucket, struct pm_exchange_client **ret_client) PM_MUST_USE;

/**
 * pm_exchange_client_send_head - seal the head of the request
 * @client: the exchange
 * @head: the head
 * @final: nonzero when no body follows
 * @report: receives the reason of a refusal, or NULL
 * @ret_bytes: receives what to send, which lives until the next sending call
 * @ret_len: receives how many bytes
 *
 * Return: 0; PM_E_STATE when it was sent before; PM_E_FORMAT for a head that sealed.h does not
 * allow; PM_E_LIMIT for one too large; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_exchange_client_send_head(struct pm_exchange_client *client,
	const struct pm_sealed_request *head, int final, struct pm_report *report,
	const uint8_t **ret_bytes, size_t *ret_len) PM_MUST_USE;

/**
 * pm_exchange_client_send_body - seal a piece of the request's body
 * @client: the exchange
 * @body: the piece, outside the exchange's memory; more than PM_SEALED_CONTENT_MAX bytes make
 * several frames
 * @len: how many bytes; 0 makes an empty frame
 * @final: nonzero when this is the last piece
 * @ret_bytes: receives what to send, which lives until the next sending call
 * @ret_len: receives how many bytes
 *
 * Return: 0; PM_E_STATE before the head and after the final piece; PM_E_LIMIT after 2^32 messages;
 * PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_exchange_client_send_body(struct pm_exchange_client *client, const uint8_t *body,
	size_t len, int final, const uint8_t **ret_bytes, size_t *ret_len) PM_MUST_USE;

/**
 * pm_exchange_client_begin - judge the outer response
 * @client: the exchange
 * @status: its status
 * @content_type: its content type, or NULL when it has none
 * @report: receives the reason of a refusal, or NULL
 *
 * Whatever is not a sealed response comes from whoever stands in between: an error that it reports
 * may be shown as that, its body must not be taken for the worker's.
 *
 * Return: 0 for status 200 and PM_SEALED_CONTENT_TYPE; PM_E_NET for another status, 400 or above;
 * PM_E_REJECTED for all else; PM_E_STATE when called before the head was sent, or twice.
 */
PM_API int pm_exchange_client_begin(struct pm_exchange_client *client, int status,
	const char *content_type, struct pm_report *report) PM_MUST_USE;

/**
 * pm_exchange_client_receive - take bytes of the outer response's body
 * @client: the exchange
 * @bytes: the next bytes
 * @len: how many; 0 asks whether an event is left
 * @report: receives the reason of a refusal, or NULL
 * @ret_used: receives how many of them were taken
 * @ret_event: receives what came of it
 *
 * Return: 0; PM_E_STATE before pm_exchange_client_begin(); PM_E_REJECTED for what was not sealed by
 * the worker for this exchange and this place in it; PM_E_FORMAT for what is malformed, and for
 * bytes after the end; PM_E_LIMIT for a frame too large; PM_E_NOMEM; PM_E_CRYPTO. An error stays:
 * each further call returns it.
 */
PM_API int pm_exchange_client_receive(struct pm_exchange_client *client, const uint8_t *bytes,
	size_t len, struct pm_report *report, size_t *ret_used,
	struct pm_exchange_event *ret_event) PM_MUST_USE;

/**
 * pm_exchange_client_end - say that the outer response's body has ended
 * @client: the exchange
 * @report: receives the reason of a refusal, or NULL
 *
 * Return: 0 when the final frame was received; PM_E_MISSING when the response was cut short; the
 * error of an earlier call.
 */
PM_API int pm_exchange_client_end(
	const struct pm_exchange_client *client, struct pm_report *report) PM_MUST_USE;

/**
 * pm_exchange_client_free - end an exchange
 * @client: the exchange, or NULL
 */
PM_API void pm_exchange_client_free(struct pm_exchange_client *client);

/**
 * pm_exchange_worker_new - begin an exchange that a client asked for
 * @key: the key of the field Pm-Secret-Id, with a replay cache
 * @model: what the field Pm-Model says
 * @shard_key: what the field Pm-Shard-Key says, or NULL
 * @bucket: as in pm_exchange_client_new(), for the response
 * @ret_worker: receives the exchange, to be freed with pm_exchange_worker_free()
 *
 * Return: 0; PM_E_ARG for another bucket; PM_E_STATE for a key without pm_exchange_key_serve();
 * PM_E_LIMIT for a text that is too long; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_exchange_worker_new(struct pm_exchange_key *key, const char *model,
	const char *shard_key, uint32_t bucket, struct pm_exchange_worker **ret_worker) PM_MUST_USE;

/**
 * pm_exchange_worker_receive - take bytes of the outer request's body
 * @worker: the exchange
 * @bytes: the next bytes
 * @len: how many; 0 asks whether an event is left
 * @now: seconds since 1970, with which the request's age is judged
 * @report: receives the reason of a refusal, or NULL
 * @ret_used: receives how many of them were taken
 * @ret_event: receives what came of it
 *
 * The head is handed out once it is authentic, young enough and seen for the first time.
 *
 * Return: 0; PM_E_REJECTED for a request that was here before, and for what was not sealed by the
 * client for this exchange, these outer fields and this place; PM_E_STALE for a request issued too
 * long ago or in the future; PM_E_LIMIT when the replay cache is full, or for a frame too large;
 * PM_E_FORMAT for what is malformed, and for bytes after the end; PM_E_NOMEM; PM_E_CRYPTO. An error
 * stays: each further call returns it.
 */
PM_API int pm_exchange_worker_receive(struct pm_exchange_worker *worker, const uint8_t *bytes,
	size_t len, int64_t now, struct pm_report *report, size_t *ret_used,
	struct pm_exchange_event *ret_event) PM_MUST_USE;

/**
 * pm_exchange_worker_end - say that the outer request's body has ended
 * @worker: the exchange
 * @report: receives the reason of a refusal, or NULL
 *
 * Return: as pm_exchange_client_end().
 */
PM_API int pm_exchange_worker_end(
	const struct pm_exchange_worker *worker, struct pm_report *report) PM_MUST_USE;

/**
 * pm_exchange_worker_send_head - seal the head of the response
 * @worker: the exchange, whose request's head was received
 * @head: the head
 * @final: nonzero when no body follows
 * @report: receives the reason of a refusal, or NULL
 * @ret_bytes: receives what to send, which lives until the next sending call
 * @ret_len: receives how many bytes
 *
 * Return: as pm_exchange_client_send_head(); PM_E_STATE also before the request's head came.
 */
PM_API int pm_exchange_worker_send_head(struct pm_exchange_worker *worker,
	const struct pm_sealed_response *head, int final, struct pm_report *report,
	const uint8_t **ret_bytes, size_t *ret_len) PM_MUST_USE;

/**
 * pm_exchange_worker_send_body - seal a piece of the response's body
 * @worker: the exchange
 * @body: the piece, such as one event of a stream
 * @len: how many bytes
 * @final: nonzero when this is the last piece
 * @ret_bytes: receives what to send, which lives until the next sending call
 * @ret_len: receives how many bytes
 *
 * Return: as pm_exchange_client_send_body().
 */
PM_API int pm_exchange_worker_send_body(struct pm_exchange_worker *worker, const uint8_t *body,
	size_t len, int final, const uint8_t **ret_bytes, size_t *ret_len) PM_MUST_USE;

/**
 * pm_exchange_worker_free - end an exchange
 * @worker: the exchange, or NULL
 */
PM_API void pm_exchange_worker_free(struct pm_exchange_worker *worker);

PM_END_DECLS

#endif
