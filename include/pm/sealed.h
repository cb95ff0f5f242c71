/* SPDX-License-Identifier: Apache-2.0 */
/** @file sealed.h
 * The format of the sealed exchange: a whole HTTP request and its whole response, each as one
 * authenticated stream. exchange.h makes and reads it; this header says what stands on the wire,
 * and has a scanner that shows the frames of a stream without the key.
 *
 * The outer request is a POST with Content-Type PM_SEALED_CONTENT_TYPE and the fields Pm-Secret-Id,
 * Pm-Model and Pm-Shard-Key, by which load balancers route. The outer response has status 200 and
 * the same content type. Both bodies are
 *
 *     header (32 random bytes), then frames: length (32 bits, big endian) || sealed message
 *
 * Sealed messages are those of OAE: flag (0 more follow, 1 final) || nonce (12) || AES-256-GCM
 * ciphertext || tag (16), with the sequence number (32 bits, big endian, from 0 in each direction)
 * and the flag as additional data. From a secret S and the headers Q of the request and P of the
 * response, all by HKDF with SHA-256:
 *
 *     PRK = Extract(salt Q, S)
 *     request key = Expand(PRK, "privatemode oae request key" || 0x00, 32)
 *     response key = Expand(PRK, "privatemode oae response key" || 0x00 || P, 32)
 *     S = Expand(inference secret, "libpm sealed v1" || 0x00 || context, 32)
 *     context = SHA-256(L(id) || id || L(model) || model || L(shard key) || shard key)
 *
 * where L is the length in bytes as 32 bits, big endian, and an absent shard key is empty. So a
 * changed field of the outer request makes another key. The plaintext of every message is
 *
 *     length of the content (32 bits, big endian) || content || zeros
 *
 * The four bytes are always there. The zeros are there when the sender pads: then the plaintext's
 * size is the next power of two, at least the sender's smallest bucket, so that the size of a frame
 * says only its bucket. The content of the first message is the head, in CBOR with deterministic
 * encoding (RFC 8949, 4.2.1); that of the others is body, of any number of bytes also 0. A response
 * that streams has one message an event. The last message of each direction has flag 1, also when
 * there is no body; after it nothing follows. Heads are
 *
 *     request: {1: method, 2: path, 3: content type, 4: {name: value...}, 5: issued at}
 *     response: {1: status, 2: content type, 3: {name: value...}}
 *
 * Texts are printable ASCII; names are in lower case, each once. A content type may be empty.
 * Fields that belong to one connection or say where a body ends (connection, content-length,
 * keep-alive, te, trailer, transfer-encoding, upgrade, proxy-...) and content-type are not allowed
 * among them. Issued at is in seconds since 1970.
 */
#ifndef PM_SEALED_H
#define PM_SEALED_H

#include <stddef.h>
#include <stdint.h>
#include <pm/error.h>
#include <pm/report.h>

PM_BEGIN_DECLS

/** Content type of the outer request and of the outer response. */
#define PM_SEALED_CONTENT_TYPE "application/vnd.pm.sealed"
/** Field of the outer request: which secret. */
#define PM_SEALED_FIELD_SECRET_ID "Pm-Secret-Id"
/** Field of the outer request: which model. */
#define PM_SEALED_FIELD_MODEL "Pm-Model"
/** Field of the outer request: by which requests with a common beginning find one worker. */
#define PM_SEALED_FIELD_SHARD_KEY "Pm-Shard-Key"

/** Size of an inference secret. */
#define PM_SEALED_SECRET_SIZE 32
/** Size of the random header before the frames. */
#define PM_SEALED_HEADER_SIZE 32
/** Bytes that a frame has more than its plaintext: length, flag, nonce, tag. */
#define PM_SEALED_FRAME_OVERHEAD 33
/** Largest plaintext of a message: length of the content, content and zeros. */
#define PM_SEALED_PLAIN_MAX 65536
/** Largest content of a message. */
#define PM_SEALED_CONTENT_MAX 65532
/** Smallest sealed message: no content. */
#define PM_SEALED_MESSAGE_MIN 33
/** Largest sealed message. */
#define PM_SEALED_MESSAGE_MAX 65565
/** Smallest bucket that a sender may pad to. */
#define PM_SEALED_BUCKET_MIN 16

/** Longest secret id, without its NUL. */
#define PM_SEALED_ID_MAX 128
/** Longest model name, without its NUL. */
#define PM_SEALED_MODEL_MAX 256
/** Longest shard key, without its NUL. */
#define PM_SEALED_SHARD_KEY_MAX 4096
/** Longest method, without its NUL. */
#define PM_SEALED_METHOD_MAX 32
/** Longest path with query, without its NUL. */
#define PM_SEALED_PATH_MAX 8192
/** Longest content type, without its NUL. */
#define PM_SEALED_TYPE_MAX 256
/** Most header fields of a head. */
#define PM_SEALED_FIELDS_MAX 64
/** Longest name of a header field, without its NUL. */
#define PM_SEALED_NAME_MAX 128
/** Longest value of a header field, without its NUL. */
#define PM_SEALED_VALUE_MAX 8192

/** A header field. */
struct pm_sealed_field {
	/** Name in lower case. */
	const char *name;
	/** Value: printable ASCII, no space at either end. */
	const char *value;
};

/** Head of a request. */
struct pm_sealed_request {
	/** Such as "POST". */
	const char *method;
	/** Path and query, such as "/v1/chat/completions". */
	const char *path;
	/** Content type of the body, or "" when there is none. */
	const char *content_type;
	/** Further header fields in any order, each name once; NULL when there are none. */
	const struct pm_sealed_field *fields;
	/** How many. */
	size_t field_count;
	/** When the client made it: seconds since 1970. */
	int64_t issued_at;
};

/** Head of a response. */
struct pm_sealed_response {
	/** HTTP status, 200 to 599. */
	int status;
	/** Zero. */
	int reserved;
	/** Content type of the body, or "" when there is none. */
	const char *content_type;
	/** Further header fields in any order, each name once; NULL when there are none. */
	const struct pm_sealed_field *fields;
	/** How many. */
	size_t field_count;
};

/** One frame as it stands on the wire. Nothing here is authenticated. */
struct pm_sealed_frame {
	/** Place in the stream, from 0; frame 0 carries the head. */
	uint64_t index;
	/** Size of the sealed message, or 0: no whole frame has come yet. */
	uint32_t length;
	/** Nonzero: its flag says that it is the final one. */
	int32_t final;
};

/** Walks over the frames of a stream that comes in pieces. Opaque. */
struct pm_sealed_scan;

/**
 * pm_sealed_scan_new - begin a scan
 * @ret_scan: receives the scan, to be freed with pm_sealed_scan_free()
 *
 * Return: 0; PM_E_NOMEM. Thread safe; one scan serves one thread at a time.
 */
PM_API int pm_sealed_scan_new(struct pm_sealed_scan **ret_scan) PM_MUST_USE;

/**
 * pm_sealed_scan_next - take bytes until a frame is whole
 * @scan: the scan
 * @bytes: the next bytes of the body
 * @len: how many
 * @report: receives the reason of a refusal, or NULL
 * @ret_used: receives how many of them were taken; all of them when there is no frame
 * @ret_frame: receives the frame; its length is 0 when more bytes are needed
 *
 * Return: 0; PM_E_FORMAT for a length below PM_SEALED_MESSAGE_MIN, for a flag that is neither 0 nor
 * 1, and for bytes after the final frame; PM_E_LIMIT for a length above PM_SEALED_MESSAGE_MAX;
 * PM_E_NOMEM. An error stays: each further call returns it.
 */
PM_API int pm_sealed_scan_next(struct pm_sealed_scan *scan, const uint8_t *bytes, size_t len,
	struct pm_report *report, size_t *ret_used, struct pm_sealed_frame *ret_frame) PM_MUST_USE;

/**
 * pm_sealed_scan_end - say that the body has ended
 * @scan: the scan
 * @report: receives the reason of a refusal, or NULL
 *
 * Return: 0 after a final frame; PM_E_MISSING when the body ended before, within a frame or between
 * two; the error of an earlier call.
 */
PM_API int pm_sealed_scan_end(
	const struct pm_sealed_scan *scan, struct pm_report *report) PM_MUST_USE;

/**
 * pm_sealed_scan_free - end a scan
 * @scan: the scan, or NULL
 */
PM_API void pm_sealed_scan_free(struct pm_sealed_scan *scan);

PM_END_DECLS

#endif
