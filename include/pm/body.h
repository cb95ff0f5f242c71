/* SPDX-License-Identifier: Apache-2.0 */
/** @file body.h
 * Bodies of inference requests and responses, encrypted and decrypted field by field on their raw
 * bytes: JSON, event streams, multipart forms, and bodies without structure. What is not replaced
 * stays to the byte: spacing, order of keys, spelling of numbers, unknown fields.
 *
 * Each endpoint has a short list of fields that stay plain, because the server that routes the
 * request reads them (the model, say). Any other field is encrypted. The messages are numbered in
 * the order of the reference (Privatemode, privatemode-public v1.40.0, internal/oss/forwarder), so
 * the wire is the same. Where the reference leaves a value in plaintext by accident, this library
 * does not:
 *
 * - keys that hold '|', '\\', '#', '{', or begin with '@', ':' or '!', and the empty key, are
 *   encrypted like any other;
 * - two keys of one object that mean the same are refused, at any depth: readers disagree which one
 *   counts;
 * - a plain field whose key is spelled with escapes ("\\u006dodel") is refused: it is a plain field
 *   to who decodes it and none to who does not;
 * - invalid UTF-8, and text that is not JSON (RFC 8259), are refused;
 * - a decrypted value must be one JSON value: it can't add fields beside its own;
 * - comments of event streams are not sent on, for they can't be encrypted; event names are short
 *   words; other fields of the stream but data are dropped;
 * - forms keep all values of a repeated name, and all files; the names and types of files are not
 *   sent on: they are plaintext (but see pm_body_keep_files()).
 *
 * No error text holds a value or a key of the body.
 */
#ifndef PM_BODY_H
#define PM_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pm/api.h>
#include <pm/field.h>
#include <pm/report.h>

PM_BEGIN_DECLS

/** Longest body that is worked on as a whole, in bytes: 256 MiB. */
#define PM_BODY_MAX 0x10000000u

/** Longest line of an event stream that is sealed, in bytes. */
#define PM_SSE_LINE_MAX 0x100000u

/** Longest line of an event stream that is opened, in bytes; also of one that sealing makes. */
#define PM_SSE_SEALED_LINE_MAX 0x400000u

/** Longest name of an event, in characters. */
#define PM_SSE_EVENT_NAME_MAX 64

/** Most parts of a form. */
#define PM_FORM_PARTS_MAX 1024

/** Longest header of one part of a form, in bytes, with all its lines. */
#define PM_FORM_HEADER_MAX 8192

/** Longest name of a form's field, in bytes. */
#define PM_FORM_NAME_MAX 256

/** Room for a Content-Type that pm_body_form() makes, with its final NUL. */
#define PM_FORM_CONTENT_TYPE_SIZE 96

/** What a request asks for. */
enum pm_endpoint {
	/** POST /v1/chat/completions */
	PM_ENDPOINT_CHAT = 1,
	/** POST /v1/completions */
	PM_ENDPOINT_COMPLETIONS = 2,
	/** POST /v1/embeddings */
	PM_ENDPOINT_EMBEDDINGS = 3,
	/** POST /v1/audio/transcriptions: a form */
	PM_ENDPOINT_TRANSCRIPTIONS = 4,
	/** POST /v1/messages */
	PM_ENDPOINT_MESSAGES = 5,
	/** POST /v1/messages/count_tokens */
	PM_ENDPOINT_COUNT_TOKENS = 6,
	/** Any path under /unstructured/: the request's body is one message */
	PM_ENDPOINT_UNSTRUCTURED = 7,
	/** GET /v1/models and what is below: nothing is encrypted */
	PM_ENDPOINT_MODELS = 8,
	/** GET /unstructured/healthcheck: nothing is encrypted */
	PM_ENDPOINT_HEALTH = 9
};

/** Which body of an exchange. */
enum pm_body_side {
	/** From the one who asks. */
	PM_BODY_REQUEST = 1,
	/** From the one who answers. */
	PM_BODY_RESPONSE = 2
};

/** What is done to it. */
enum pm_body_way {
	/** Plain in, encrypted out. */
	PM_BODY_SEAL = 1,
	/** Encrypted in, plain out. */
	PM_BODY_OPEN = 2
};

/** How a body is built. */
enum pm_body_kind {
	/** For pm_body_json(). */
	PM_BODY_JSON = 1,
	/** For pm_body_sse() and pm_body_sse_end(). */
	PM_BODY_SSE = 2,
	/** For pm_body_form(). */
	PM_BODY_FORM = 3,
	/** For pm_body_raw(). */
	PM_BODY_RAW = 4,
	/** Not encrypted: passed on as it is. */
	PM_BODY_PLAIN = 5
};

/** What encrypts or decrypts one value. The values come one at a time, in the order of messages. */
struct pm_body_cipher {
	/** Handed to the functions. */
	void *arg;
	/**
	 * Room that the result needs for in_len bytes: when sealing its exact length, when
	 * opening at least its length.
	 */
	size_t (*room)(void *arg, size_t in_len);
	/**
	 * Turns in_len bytes into at most cap bytes, which do not overlap. A sealed value is a JSON
	 * string, with its quotes. 0 or a negative enum pm_error, which the body's function
	 * returns.
	 */
	int (*apply)(void *arg, const uint8_t *in, size_t in_len, uint8_t *ret_out, size_t cap,
		size_t *ret_len, struct pm_report *report);
};

/** What a response cost, as its plain usage says. What is not there is 0. */
struct pm_usage {
	/** Tokens of the prompt that were computed, without those below. */
	uint64_t prompt_tokens;
	/** Tokens of the prompt that came from a cache. */
	uint64_t cached_tokens;
	/** Tokens of the prompt that were computed and written to a cache (Anthropic). */
	uint64_t cache_written_tokens;
	/** Tokens of the answer. */
	uint64_t completion_tokens;
	/** Length of the audio, in whole seconds, rounded up. */
	uint64_t audio_seconds;
	/** A usage was found. */
	bool found;
};

/**
 * Works on one body after another, for one thread at a time. Opaque. Its memory serves again: an
 * event of a stream costs no allocation once the first ones went through.
 */
struct pm_body;

/**
 * pm_endpoint_find - the endpoint of a request
 * @method: "POST", "GET"
 * @path: the path; a query ("?...") is not looked at
 * @ret_endpoint: receives the endpoint
 *
 * Return: 0; PM_E_UNSUPPORTED for any other method or path. Thread safe.
 */
PM_API int pm_endpoint_find(
	const char *method, const char *path, enum pm_endpoint *ret_endpoint) PM_MUST_USE;

/**
 * pm_endpoint_plain_fields - the fields that stay plain
 * @endpoint: the endpoint
 * @side: request or response
 *
 * Return: names, ended by NULL; static. Thread safe. Source: privatemode-public v1.40.0,
 * internal/oss/openai/vllm.go, internal/oss/anthropic/anthropic.go; count_tokens, which the
 * reference does not know, has the model alone.
 */
PM_API const char *const *pm_endpoint_plain_fields(
	enum pm_endpoint endpoint, enum pm_body_side side);

/**
 * pm_endpoint_body_kind - how a body is built
 * @endpoint: the endpoint
 * @side: request or response
 * @content_type: value of the Content-Type header, or NULL when there is none
 * @ret_kind: receives the kind
 *
 * Return: 0; PM_E_UNSUPPORTED for a transcription request that is not a form. Thread safe.
 */
PM_API int pm_endpoint_body_kind(enum pm_endpoint endpoint, enum pm_body_side side,
	const char *content_type, enum pm_body_kind *ret_kind) PM_MUST_USE;

/**
 * pm_body_new - make a transformer
 * @endpoint: the endpoint
 * @side: request or response
 * @way: seal or open
 * @cipher: what encrypts or decrypts; copied, its arg must outlive the body or the next reset
 * @ret_body: receives the transformer, to be freed with pm_body_free()
 *
 * Return: 0; PM_E_ARG for an unknown endpoint, side or way, or a cipher without functions;
 * PM_E_NOMEM.
 */
PM_API int pm_body_new(enum pm_endpoint endpoint, enum pm_body_side side, enum pm_body_way way,
	const struct pm_body_cipher *cipher, struct pm_body **ret_body) PM_MUST_USE;

/**
 * pm_body_free - wipe and free a transformer
 * @body: the transformer, or NULL
 */
PM_API void pm_body_free(struct pm_body *body);

/**
 * pm_body_reset - begin another body; wipes what the last one left
 * @body: the transformer
 * @cipher: as for pm_body_new()
 *
 * Return: 0; PM_E_ARG for a cipher without functions.
 */
PM_API int pm_body_reset(struct pm_body *body, const struct pm_body_cipher *cipher) PM_MUST_USE;

/**
 * pm_body_ask_usage - make requests that are opened ask for usage, as metering needs
 * @body: a transformer that opens requests
 *
 * Where a request streams (its plain field stream is true), pm_body_json() sets include_usage and
 * continuous_usage_stats of stream_options to true, and pm_body_form() sets the fields
 * stream_include_usage and stream_continuous_usage_stats; other fields stay to the byte. Holds for
 * chat, completions and transcriptions; the others send usage anyway. Survives pm_body_reset().
 */
PM_API void pm_body_ask_usage(struct pm_body *body);

/**
 * pm_body_forbid_cache - make requests that are opened forbid a cache of prompts that all share
 * @body: a transformer that opens requests
 *
 * pm_body_json() sets the field cache_prompt to false, whatever it was; other fields stay to the
 * byte. For llama.cpp's server, whose cache does not know cache_salt: an answer tells how much of
 * its prompt was the same as in the last one, of whoever that was. Holds for chat, completions and
 * messages. Survives pm_body_reset(). Source: llama.cpp, tools/server/README.md.
 */
PM_API void pm_body_forbid_cache(struct pm_body *body);

/**
 * pm_body_keep_files - send the names and types of a form's files on
 * @body: a transformer that opens requests
 *
 * For forms that came in a sealed exchange: there they were encrypted with everything else, and
 * servers tell by them what a file is. Not for forms of field messages, where anybody in between
 * may have written them. A name that readers understand in different ways becomes the field's name,
 * such a type application/octet-stream, as without. Survives pm_body_reset().
 */
PM_API void pm_body_keep_files(struct pm_body *body);

/**
 * pm_body_json - seal or open a whole JSON body
 * @body: the transformer
 * @in: the body: an object, an array or nothing
 * @in_len: its length, at most PM_BODY_MAX
 * @report: receives the reason of a failure, without any value; or NULL
 * @ret_out: receives the result, owned by the transformer, until its next call
 * @ret_len: receives its length
 *
 * An object's fields that are not plain, or an array's elements, become one message each. An empty
 * body stays empty, without any message. After a failure the exchange can't go on: some messages
 * may have been counted. It is reset or freed.
 *
 * Return: 0; PM_E_FORMAT for what is refused, see the top; PM_E_LIMIT when it is too long, too deep
 * (512) or has too many members (262144); PM_E_STATE after a failure; PM_E_NOMEM; what the cipher
 * returns.
 */
PM_API int pm_body_json(struct pm_body *body, const void *in, size_t in_len,
	struct pm_report *report, const uint8_t **ret_out, size_t *ret_len) PM_MUST_USE;

/**
 * pm_body_raw - seal or open a whole body without structure: it is one message
 * @body: the transformer
 * @in: the body
 * @in_len: its length, at most PM_BODY_MAX
 * @report: receives the reason of a failure; or NULL
 * @ret_out: receives the result, owned by the transformer, until its next call
 * @ret_len: receives its length
 *
 * Return: 0; PM_E_LIMIT when it is too long; PM_E_STATE after a failure; PM_E_NOMEM; what the
 * cipher returns.
 */
PM_API int pm_body_raw(struct pm_body *body, const void *in, size_t in_len,
	struct pm_report *report, const uint8_t **ret_out, size_t *ret_len) PM_MUST_USE;

/**
 * pm_body_form - seal or open a whole form (multipart/form-data or multipart/mixed)
 * @body: the transformer
 * @content_type: value of the Content-Type header, with the boundary
 * @in: the body
 * @in_len: its length, at most PM_BODY_MAX
 * @report: receives the reason of a failure; or NULL
 * @ret_out: receives the result, owned by the transformer, until its next call
 * @ret_len: receives its length
 * @ret_content_type: receives PM_FORM_CONTENT_TYPE_SIZE bytes: the Content-Type that goes with it
 *
 * Each value that is not plain becomes a message, then each file, sorted by name; those of one name
 * keep their order. Parts keep their places. The result has a fresh random boundary. A file's name
 * becomes that of its field and its type application/octet-stream (as in the reference); a part's
 * other headers are dropped.
 *
 * Return: 0; PM_E_FORMAT for a malformed form, a field without name or with a name that can't be
 * quoted; PM_E_UNSUPPORTED for another media type or a transfer encoding; PM_E_LIMIT;
 * PM_E_STATE after a failure; PM_E_NOMEM; what the cipher returns. Source: RFC 7578, RFC 2046.
 */
PM_API int pm_body_form(struct pm_body *body, const char *content_type, const void *in,
	size_t in_len, struct pm_report *report, const uint8_t **ret_out, size_t *ret_len,
	char *ret_content_type) PM_MUST_USE;

/**
 * pm_body_sse - seal or open the next bytes of an event stream, cut anywhere
 * @body: the transformer
 * @in: the bytes
 * @in_len: how many
 * @report: receives the reason of a failure; or NULL
 * @ret_out: receives what can be sent on now, owned by the transformer, until its next call
 * @ret_len: receives its length, which may be 0
 *
 * Each data line that is complete goes out at once, as "data: " and the document, with an empty
 * line; an event line as "event: " and the name; [DONE] in any case of letters and empty data as
 * they are. A document may be spread over several data lines, up to an empty line, and goes out as
 * one. Lines end with LF or CRLF. Comments are dropped when sealing and become ":" when opening, so
 * that they keep the connection alive; id, retry and unknown fields are dropped.
 *
 * Return: 0; PM_E_FORMAT when a line is not of an event stream or its data not a JSON object or
 * array; PM_E_LIMIT for a line that is too long; PM_E_STATE after a failure; PM_E_NOMEM; what the
 * cipher returns. Source: WHATWG HTML, server-sent events.
 */
PM_API int pm_body_sse(struct pm_body *body, const void *in, size_t in_len,
	struct pm_report *report, const uint8_t **ret_out, size_t *ret_len) PM_MUST_USE;

/**
 * pm_body_sse_end - the stream ended
 * @body: the transformer
 * @report: receives the reason of a failure; or NULL
 * @ret_out: receives what the last line yields, when it had no end; until the next call
 * @ret_len: receives its length
 *
 * The format does not authenticate the end of a stream: see pm_body_sse_is_done().
 *
 * Return: as pm_body_sse(); PM_E_FORMAT when a document is cut.
 */
PM_API int pm_body_sse_end(struct pm_body *body, struct pm_report *report, const uint8_t **ret_out,
	size_t *ret_len) PM_MUST_USE;

/**
 * pm_body_sse_is_done - did the stream say that it is complete?
 * @body: the transformer
 *
 * Return: true after data: [DONE], or after the event message_stop. A stream that ended without it
 * was cut; who can alter the stream can also forge it.
 */
PM_API bool pm_body_sse_is_done(const struct pm_body *body);

/**
 * pm_body_usage - the usage that went through since the last reset
 * @body: a transformer of responses
 * @ret_usage: receives it; found is false when there was none
 *
 * In a stream the last usage counts; of an Anthropic stream each figure's last.
 */
PM_API void pm_body_usage(const struct pm_body *body, struct pm_usage *ret_usage);

/**
 * pm_body_field_cipher - the cipher of field messages (field.h)
 * @exchange: the exchange, which must outlive the body
 * @way: seal or open, as the body's
 * @ret_cipher: receives the cipher
 */
PM_API void pm_body_field_cipher(struct pm_field_exchange *exchange, enum pm_body_way way,
	struct pm_body_cipher *ret_cipher);

PM_END_DECLS

#endif
