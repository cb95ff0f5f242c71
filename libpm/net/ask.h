/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to one server of ours in JSON, and what is common to the answers: base64, numbers, and
 * the words of a server that refuses.
 */
#ifndef PM_NET_ASK_H
#define PM_NET_ASK_H

#include "base/wr.h"
#include "net/client.h"
#include "net/http.h"
#include "policy/json.h"

#define PM_ASK_JSON "application/json"
#define PM_ASK_TEXT "text/plain"

/* Largest answer with an error whose words are shown. */
#define PM_ASK_ERROR_MAX 4096

/* A server, and how to talk to it. */
struct pm_ask_server {
	const char *url; /* without a slash at the end */
	const char *ca_file;
	int64_t connect_ms, total_ms;
	const char *name; /* of checks in reports */
};

/* What is asked. */
struct pm_ask {
	const char *path;
	struct pm_view json; /* without bytes it is a GET */
	const char *type;    /* of the answer */
	size_t max;	     /* bytes of the answer */
	bool decides; /* a status of 400 to 499 is a no, and not only no answer: PM_E_REJECTED */
};

/*
 * A whole answer with status 200 and the wanted type. PM_E_NET, PM_E_REJECTED, PM_E_LIMIT,
 * PM_E_FORMAT for another type; PM_E_NOMEM.
 */
int pm_ask(const struct pm_ask_server *server, const struct pm_ask *ask, struct pm_report *report,
	struct pm_http_response *response) PM_MUST_USE;

/*
 * An answer with another status than 200: who refused, why, and what would be accepted, in the
 * words of the server where it has any. The error.
 */
int pm_ask_refuse(const struct pm_ask_server *server, int error,
	const struct pm_http_response *response, struct pm_report *report) PM_MUST_USE;

/* A copy of an address of at most max bytes, without a slash at the end. As pm_session_new(). */
int pm_ask_copy_url(const char *url, size_t max, struct pm_report *report, char **ret) PM_MUST_USE;

/* A copy of a text; NULL of NULL. PM_E_NOMEM. */
int pm_ask_copy_text(const char *text, char **ret) PM_MUST_USE;

/* --- writing --------------------------------------------------------------------------------- */

struct pm_ask_member {
	const char *name;
	struct pm_view bytes;
};

/* {"NAME":"base64 of its bytes",...} and a NUL, freed with free(). PM_E_NOMEM. */
int pm_ask_json(
	const struct pm_ask_member *members, size_t count, char **ret, size_t *ret_len) PM_MUST_USE;

/* Text, and base64 of bytes, without a NUL. */
void pm_ask_put_text(struct pm_wr *wr, const char *text);
void pm_ask_put_base64(struct pm_wr *wr, struct pm_view bytes);

/* --- reading: rules of policy/json.h --------------------------------------------------------- */

/* Bytes of one's own. */
struct pm_blob {
	uint8_t *ptr; /* NULL where there was null */
	size_t len;
};

void pm_blob_clear(struct pm_blob *blob);

static inline void pm_cleanup_blob(struct pm_blob *blob)
{
	pm_blob_clear(blob);
}

static inline struct pm_view pm_blob_view(const struct pm_blob *blob)
{
	return pm_view(blob->ptr, blob->len);
}

#define PM_ASK_ARGS                                                                                \
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target

/* Base64 of 1 to rule->max bytes into a struct pm_blob; or null, where that may be. */
int pm_ask_read_blob(PM_ASK_ARGS);
int pm_ask_read_blob_or_null(PM_ASK_ARGS);

/* Base64 of rule->max bytes exactly into an array. */
int pm_ask_read_bytes(PM_ASK_ARGS);

/* Hexadecimal of rule->max bytes into an array. */
int pm_ask_read_hex(PM_ASK_ARGS);

/* 0 to rule->max into an int64_t. */
int pm_ask_read_number(PM_ASK_ARGS);

/* The version, which is 1. */
int pm_ask_read_version(PM_ASK_ARGS);

#endif
