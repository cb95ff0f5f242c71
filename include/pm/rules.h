/* SPDX-License-Identifier: Apache-2.0 */
/** @file rules.h
 * Small rules that client and worker share with Privatemode (reference: privatemode-public
 * v1.40.0): the shard key by which a load balancer finds a warm cache, the cache salt that keeps
 * users' caches apart, the client's policy for NVIDIA's certificate status, and which media a
 * prompt may point to. No reason that goes to a report repeats what a user wrote.
 */
#ifndef PM_RULES_H
#define PM_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pm/api.h>

PM_BEGIN_DECLS

struct pm_report;

/* --- shard key ------------------------------------------------------------------------------- */

/** Size of the longest shard key, with its final NUL. */
#define PM_SHARD_KEY_SIZE 2613

/** Longest content of a shard key, in bytes: 1,000,000 tokens of 4 bytes. */
#define PM_SHARD_CONTENT_MAX 4000003

/** A shard key in the making. Opaque. */
struct pm_shard;

/**
 * pm_shard_new - begin a shard key
 * @salt: the cache salt
 * @salt_len: its length in bytes
 * @ret_shard: receives the object, to be freed with pm_shard_free()
 *
 * The key is the first 16 hexadecimal digits of SHA-256(salt), then, for content of at least 64
 * bytes, '-' and a character for each further block of the content: blocks of 64, from 4096 bytes
 * on of 512, from 400,384 bytes on of 2048 bytes. Requests that begin alike so have keys that begin
 * alike. The key tells whoever sees it the content's length and whether two requests of one salt
 * begin alike.
 *
 * Return: 0; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_shard_new(const char *salt, size_t salt_len, struct pm_shard **ret_shard) PM_MUST_USE;

/**
 * pm_shard_free - free a shard key in the making; wipes the content that it holds
 * @shard: the object, or NULL
 */
PM_API void pm_shard_free(struct pm_shard *shard);

/**
 * pm_shard_add - add content
 * @shard: the object
 * @content: of a request, in this order, as far as they are there: system, tools, messages, prompt,
 *           suffix; of a string its decoded text, of anything else its JSON text
 * @len: its length in bytes; pieces may be cut anywhere
 *
 * Return: 0; PM_E_LIMIT when all of it is longer than PM_SHARD_CONTENT_MAX; PM_E_CRYPTO.
 */
PM_API int pm_shard_add(struct pm_shard *shard, const void *content, size_t len) PM_MUST_USE;

/**
 * pm_shard_key - the key for all content so far
 * @shard: the object
 *
 * Return: text, owned by the object, until content is added.
 */
PM_API const char *pm_shard_key(const struct pm_shard *shard);

/* --- cache salt ------------------------------------------------------------------------------ */

/** Shortest cache salt, in bytes. */
#define PM_CACHE_SALT_MIN 32

/** Size of the text of pm_cache_salt_new(), with its final NUL. */
#define PM_CACHE_SALT_SIZE 45

/**
 * pm_cache_salt_new - draw a cache salt
 * @ret_salt: receives base64 of 32 random bytes and a NUL: room for PM_CACHE_SALT_SIZE bytes
 *
 * Return: 0; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_cache_salt_new(char *ret_salt) PM_MUST_USE;

/**
 * pm_cache_salt_check - may this be a request's cache salt?
 * @len: length of its text in bytes, 0 when the request has none
 * @report: receives the reason of a failure, or NULL
 *
 * A client gives a request without salt a fresh one; a worker refuses it. Thread safe.
 *
 * Return: 0; PM_E_MISSING for no salt; PM_E_REJECTED when shorter than PM_CACHE_SALT_MIN.
 */
PM_API int pm_cache_salt_check(size_t len, struct pm_report *report) PM_MUST_USE;

/* --- what a request asks for ------------------------------------------------------------------ */

/** Size of the longest name of a model, with its final NUL. */
#define PM_REQUEST_MODEL_SIZE 257

/** What a worker looks at before it passes a request on. Set size, the rest is filled in. */
struct pm_request_facts {
	/** sizeof(struct pm_request_facts) as the caller was compiled. */
	size_t size;
	/** Length of the cache salt in bytes, 0 when there is none: for pm_cache_salt_check(). */
	size_t cache_salt_len;
	/** The model, or "" when none is named. */
	char model[PM_REQUEST_MODEL_SIZE];
};

/**
 * pm_request_read - read a request's model and cache salt
 * @json: the body of a request of OpenAI's or Anthropic's form, decrypted
 * @len: its length in bytes
 * @ret_facts: receives them; its size must be set
 * @report: receives the reason of a failure, without content of the body; or NULL
 *
 * Characters of the salt that are written as escapes count as one byte each. Thread safe.
 *
 * Return: 0; PM_E_FORMAT when the body is not an object of JSON, when one of the two is not a
 * string, or when the model's name is not printable ASCII; PM_E_LIMIT when it is longer than 256;
 * PM_E_NOMEM; PM_E_ARG for another size.
 */
PM_API int pm_request_read(const char *json, size_t len, struct pm_request_facts *ret_facts,
	struct pm_report *report) PM_MUST_USE;

/**
 * pm_request_read_form - read the model of a request that is a form
 * @content_type: value of the Content-Type header, with the boundary
 * @form: the body of a transcription request, decrypted
 * @len: its length in bytes
 * @ret_facts: receives the model, and 0 for the salt, which forms have none of; its size must be
 *             set
 * @report: receives the reason of a failure, without content of the body; or NULL
 *
 * The form is read as pm_body_form() reads it. Thread safe.
 *
 * Return: 0; PM_E_FORMAT for a malformed form, when two fields are the model or it is a file, or
 * when its name is not printable ASCII; PM_E_UNSUPPORTED for another media type or a transfer
 * encoding; PM_E_LIMIT when the name is longer than 256 or a limit of forms is exceeded; PM_E_ARG
 * for another size.
 */
PM_API int pm_request_read_form(const char *content_type, const void *form, size_t len,
	struct pm_request_facts *ret_facts, struct pm_report *report) PM_MUST_USE;

/* --- policy for NVIDIA's certificate status -------------------------------------------------- */

/** Size of the longest header, with its final NUL. */
#define PM_OCSP_HEADER_SIZE 128

/** Size of the text of a MAC, with its final NUL. */
#define PM_OCSP_MAC_SIZE 65

/** Size of the key of a MAC: the shared secret. */
#define PM_OCSP_KEY_SIZE 32

/** What OCSP said of a certificate. */
enum pm_ocsp_value {
	/** Not revoked. */
	PM_OCSP_GOOD = 1,
	/** Revoked, at a time. */
	PM_OCSP_REVOKED = 2,
	/** The responder does not know, or could not be asked. */
	PM_OCSP_UNKNOWN = 3
};

/** The status of one certificate. */
struct pm_ocsp_status {
	/** What OCSP said. */
	enum pm_ocsp_value value;
	/** Of a revoked one, when: seconds since 1970. */
	int64_t revoked_at;
};

/** Which status a client accepts. All zeros accepts nothing. */
struct pm_ocsp_policy {
	/** Accept PM_OCSP_GOOD. */
	bool allow_good;
	/** Accept PM_OCSP_REVOKED, unless revoked before revoked_not_before. */
	bool allow_revoked;
	/** Accept PM_OCSP_UNKNOWN. */
	bool allow_unknown;
	/** Seconds since 1970. */
	int64_t revoked_not_before;
};

/**
 * pm_ocsp_policy_write - the header Privatemode-NVIDIA-OCSP-Policy and its MAC
 * @policy: the policy; it must allow something
 * @secret: the shared secret, PM_OCSP_KEY_SIZE bytes
 * @ret_header: receives "rules=...; revocation-time-not-before=..." and a NUL: room for
 *              PM_OCSP_HEADER_SIZE bytes
 * @ret_mac: receives the header Privatemode-NVIDIA-OCSP-Policy-MAC, HMAC-SHA256 in hexadecimal,
 *           and a NUL: room for PM_OCSP_MAC_SIZE bytes
 *
 * Return: 0; PM_E_ARG when the policy allows nothing; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_ocsp_policy_write(const struct pm_ocsp_policy *policy, const uint8_t *secret,
	char *ret_header, char *ret_mac) PM_MUST_USE;

/**
 * pm_ocsp_policy_read - verify the two headers and read the policy
 * @header: value of the policy's header, or NULL or "" for none
 * @mac: value of the MAC's header, or NULL or "" for none
 * @secret: the shared secret, PM_OCSP_KEY_SIZE bytes
 * @ret_policy: receives the policy; without headers one that accepts PM_OCSP_GOOD alone
 * @report: receives the reason of a failure, never the MAC that would have been right; or NULL
 *
 * The MAC is over the canonical form: rules in the order good, revoked, unknown, in lower case.
 * Stricter than the reference: a rule stands once, the time is a whole decimal number in its
 * shortest form and nothing follows it, the MAC is in lower case. Compared in constant time.
 *
 * Return: 0; PM_E_FORMAT when the header is malformed; PM_E_REJECTED when the MAC is wrong or one
 * of the two is missing; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_ocsp_policy_read(const char *header, const char *mac, const uint8_t *secret,
	struct pm_ocsp_policy *ret_policy, struct pm_report *report) PM_MUST_USE;

/**
 * pm_ocsp_policy_check - do these certificates satisfy the policy?
 * @policy: the policy
 * @status: the status of each certificate
 * @count: how many: none at all is refused
 * @report: receives what was checked, or NULL
 *
 * Return: 0; PM_E_REJECTED. Thread safe.
 */
PM_API int pm_ocsp_policy_check(const struct pm_ocsp_policy *policy,
	const struct pm_ocsp_status *status, size_t count, struct pm_report *report) PM_MUST_USE;

/* --- media ----------------------------------------------------------------------------------- */

/** What a part of a prompt may point to. */
enum pm_media_rule {
	/** Only data that the prompt itself holds ("data:"). The default. */
	PM_MEDIA_DATA_ONLY = 0,
	/** For images also "https:": its server and the network then see the request. */
	PM_MEDIA_HTTPS_IMAGES = 1
};

/** The kind of a part. */
enum pm_media_kind {
	/** image_url of OpenAI's messages, source.url of Anthropic's. */
	PM_MEDIA_IMAGE = 1,
	/** audio_url: never allowed as a URL. */
	PM_MEDIA_AUDIO = 2,
	/** video_url: never allowed as a URL. */
	PM_MEDIA_VIDEO = 3
};

/**
 * pm_media_check - may a part of a prompt point there?
 * @rule: what is allowed
 * @kind: the kind of the part
 * @url: the URL, decoded from its JSON string
 * @len: its length in bytes
 * @report: receives the reason of a failure, without the URL; or NULL
 *
 * The scheme must stand at the very beginning; case does not matter. Thread safe.
 *
 * Return: 0; PM_E_REJECTED; PM_E_ARG for an unknown rule or kind.
 */
PM_API int pm_media_check(enum pm_media_rule rule, enum pm_media_kind kind, const char *url,
	size_t len, struct pm_report *report) PM_MUST_USE;

/**
 * pm_media_check_body - may a whole request point where it does?
 * @rule: what is allowed
 * @json: the body of a request of OpenAI's or Anthropic's form, decrypted
 * @len: its length in bytes
 * @report: receives the reason of a failure, without content of the body; or NULL
 *
 * Checks image_url, audio_url, video_url and source.url of all parts of messages, also within tool
 * results and documents. A body without messages passes. Stricter than the reference: whatever type
 * a part says to be, and duplicate keys are refused at any depth. Thread safe.
 *
 * Return: 0; PM_E_REJECTED; PM_E_FORMAT when the body is not an object of JSON or a part is
 * malformed; PM_E_LIMIT when parts nest too deep; PM_E_NOMEM; PM_E_ARG for an unknown rule.
 */
PM_API int pm_media_check_body(enum pm_media_rule rule, const char *json, size_t len,
	struct pm_report *report) PM_MUST_USE;

PM_END_DECLS

#endif
