/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-coordinator/job.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "pm-coordinator/message.h"

#define SMALL_BODY 8192
/* A bundle and a key in base64, or a manifest and its signatures. */
#define LARGE_BODY (PM_BUNDLE_SIZE_MAX / 3 * 4 + SMALL_BODY)
/* Bodies of all requests together. */
#define BUFFERED_MAX (256u << 20)
#define MESSAGE_SIZE 1024

static const struct http_field no_store = {"Cache-Control", "no-store"};

/* --- answers --------------------------------------------------------------------------------- */

static void reply_text(struct job *job, int status, const char *text)
{
	size_t len = strlen(text);

	job->is_over = true;
	job->flow = NULL;
	http_respond(job->exchange, status, "application/json", &no_store, 1, (int64_t)len);
	http_send(job->exchange, text, len);
	http_finish(job->exchange);
}

void job_reply(struct job *job, int status, json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	if (text)
		reply_text(job, status, text);
	else
		reply_text(
			job, 503, "{\"error\":{\"code\":\"busy\",\"message\":\"out of memory\"}}");
	free(text);
}

void job_fail(struct job *job, int status, const char *code, const char *format, ...)
{
	char message[MESSAGE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	for (char *at = message; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	job_reply(
		job, status, json_pack("{s:{s:s,s:s}}", "error", "code", code, "message", message));
}

/* --- small requests -------------------------------------------------------------------------- */

static json_t *shares_of(const struct coordinator *c)
{
	unsigned int have, need;

	if (!recovery_count(c, &have, &need))
		return json_null();
	return json_pack("{s:i,s:i}", "Have", (int)have, "Need", (int)need);
}

static void status_run(struct job *job)
{
	const struct coordinator *c = job->c;
	const struct tenure *t = coordinator_newest(c);
	const struct head *head = t ? t->head : NULL;

	job_reply(job, 200,
		json_pack("{s:s,s:o,s:o,s:o,s:i,s:o}", "State",
			coordinator_state_name(coordinator_state(c)), "Serial",
			head ? json_integer((json_int_t)head->at.serial) : json_null(), "Manifest",
			head ? message_new_hex(head->manifest, sizeof(head->manifest))
			     : json_null(),
			"MeshCA",
			head ? message_new_hex(head->at.mesh, sizeof(head->at.mesh)) : json_null(),
			"Replicas", (int)c->replicas, "Shares", shares_of(c)));
}

static void challenge_run(struct job *job)
{
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE];
	json_t *root = message_parse(job->in.bytes, job->in.len, NULL, 0);

	json_decref(root);
	if (!root)
		job_fail(job, 400, "bad_request", "expected an empty object");
	else if (visitors_nonce(job->c->visitors, job_address(job), loop_now(), nonce) < 0)
		job_fail(job, 503, "busy", "the system gives no random bytes");
	else
		job_reply(job, 200,
			json_pack("{s:o}", "Nonce", message_new_base64(nonce, sizeof(nonce))));
}

static void on_evidence(void *arg, const struct evidence_answer *answer)
{
	struct job *job = arg;

	job->flow = NULL;
	if (answer->error < 0) {
		job_fail(job, 503, "no_evidence", "the processor gave no evidence: %s",
			pm_strerror(answer->error));
		return;
	}
	job_reply(job, 200,
		json_pack("{s:o,s:o}", "Evidence", message_new_base64(answer->bundle, answer->len),
			"Document", message_new_base64(answer->document, answer->document_len)));
}

static void leave_evidence(void *flow)
{
	evidence_cancel(flow);
}

static void attest_run(struct job *job)
{
	static const char *const names[] = {"Nonce"};
	json_t *root = message_parse(job->in.bytes, job->in.len, names, 1);
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE];
	bool good = root && message_fixed(json_object_get(root, "Nonce"), nonce, sizeof(nonce));

	json_decref(root);
	if (!good) {
		job_fail(job, 400, "bad_request", "expected a Nonce of 32 bytes in base64");
		return;
	}
	if (document_refresh(job->c) == PM_OK)
		job->flow = evidence_ask(
			job->c->evidence, http_loop(job->exchange), nonce, on_evidence, job);
	job->leave = leave_evidence;
	if (!job->flow)
		job_fail(job, 503, "busy", "too many ask for evidence");
}

/* --- the log --------------------------------------------------------------------------------- */

static void on_lines(void *arg, const struct store_result *result)
{
	struct job *job = arg;
	size_t len = 0;

	job->flow = NULL;
	if (result->error != PM_OK) {
		job_fail(job, 503, "no_store", "the store can't be read");
		return;
	}
	for (size_t i = 0; i < result->count; i++)
		len += result->entries[i].len;
	job->is_over = true;
	http_respond(job->exchange, 200, "text/plain", &no_store, 1, (int64_t)len);
	for (size_t i = 0; i < result->count; i++)
		http_send(job->exchange, result->entries[i].value, result->entries[i].len);
	http_finish(job->exchange);
}

static void leave_store(void *flow)
{
	store_cancel(flow);
}

static bool parse_after(const char *target, uint64_t *ret)
{
	const char *query = strchr(target, '?');
	char *end;

	*ret = 0;
	if (!query)
		return true;
	if (strncmp(query, "?after=", 7) != 0 || query[7] < '0' || query[7] > '9' ||
		strlen(query + 7) > 16)
		return false;
	*ret = strtoull(query + 7, &end, 10);
	return !*end;
}

static void log_run(struct job *job)
{
	char key[JOURNAL_KEY_SIZE];
	uint64_t after;

	if (!parse_after(http_request(job->exchange)->target, &after)) {
		job_fail(job, 400, "bad_request", "expected ?after=NUMBER");
		return;
	}
	journal_key_of(after, key);
	job->leave = leave_store;
	job->flow = store_list(job->c->store, JOURNAL_PREFIX, key, 0, on_lines, job);
	if (!job->flow)
		job_fail(job, 503, "busy", "out of memory");
}

/* --- requests -------------------------------------------------------------------------------- */

static const struct route routes[] = {
	{"GET", "/pm/v1/status", 0, false, status_run},
	{"GET", "/pm/v1/workers", 0, false, workers_run},
	{"GET", "/pm/v1/log", 0, true, log_run},
	{"POST", "/pm/v1/attest", SMALL_BODY, false, attest_run},
	{"POST", "/pm/v1/challenge", SMALL_BODY, false, challenge_run},
	{"POST", "/pm/v1/join", LARGE_BODY, false, join_run},
	{"POST", "/pm/v1/recover", SMALL_BODY, false, recover_run},
	{"POST", "/pm/v1/manifest", LARGE_BODY, false, change_run},
};

const struct sockaddr *job_address(const struct job *job)
{
	return (const struct sockaddr *)&job->address;
}

static const struct route *find_route(const struct http_request *request, bool *ret_path)
{
	size_t len = strcspn(request->target, "?");

	*ret_path = false;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		const struct route *r = &routes[i];

		if (strlen(r->path) != len || strncmp(r->path, request->target, len) != 0 ||
			(request->target[len] && !r->has_query))
			continue;
		*ret_path = true;
		if (!strcmp(r->method, request->method))
			return r;
	}
	return NULL;
}

static void enlist(struct job *job)
{
	struct job **end = &job->c->incoming;

	while (*end)
		end = &(*end)->next;
	*end = job;
	job->link = end;
}

static void delist(struct job *job)
{
	if (!job->link)
		return;
	*job->link = job->next;
	if (job->next)
		job->next->link = job->link;
	job->next = NULL;
	job->link = NULL;
}

static void drop_body(struct job *job)
{
	job->c->buffered -= job->in.room;
	buffer_free(&job->in);
}

/* Who sends slowly, or not to the end, makes room for who comes after him. */
static bool make_room(struct job *job, size_t len)
{
	struct coordinator *c = job->c;

	while (c->buffered + len > BUFFERED_MAX && c->incoming && c->incoming != job) {
		struct job *oldest = c->incoming;

		delist(oldest);
		drop_body(oldest);
		job_fail(oldest, 503, "busy", "too many large requests at a time");
	}
	return c->buffered + len <= BUFFERED_MAX;
}

static void begin(struct http_exchange *x, void *arg)
{
	struct job *job = calloc(1, sizeof(*job));
	bool is_path;

	http_set_user(x, job);
	if (!job) {
		http_reply(x, 503, "text/plain", "", 0);
		return;
	}
	job->c = arg;
	job->exchange = x;
	if (!http_remote(x, &job->address))
		job->address.ss_family = AF_UNIX;
	job->route = find_route(http_request(x), &is_path);
	if (!job->route) {
		job_fail(job, is_path ? 405 : 404, is_path ? "method" : "not_found",
			is_path ? "another method is wanted" : "there is no such path");
	} else if (!visitors_admit(job->c->visitors, job_address(job), loop_now())) {
		job->c->limited++;
		job_fail(job, 429, "too_many", "this address asks too often");
	} else {
		enlist(job);
	}
}

static void take_body(struct http_exchange *x, const char *bytes, size_t len)
{
	struct job *job = http_user(x);
	bool has_room, is_taken;
	size_t before;

	if (!job || job->is_over)
		return;
	before = job->in.room;
	has_room = make_room(job, len);
	is_taken = has_room && buffer_add(&job->in, bytes, len, job->route->most);
	job->c->buffered += job->in.room - before;
	if (is_taken)
		return;
	delist(job);
	drop_body(job);
	if (has_room)
		job_fail(job, 413, "too_large", "the request is larger than %zu bytes",
			job->route->most);
	else
		job_fail(job, 503, "busy", "too many large requests at a time");
}

static void take_end(struct http_exchange *x)
{
	struct job *job = http_user(x);

	if (!job || job->is_over)
		return;
	delist(job);
	job->route->run(job);
}

static void drained(struct http_exchange *x)
{
	struct job *job = http_user(x);

	if (job && job->flow && job->drained)
		job->drained(job->flow);
}

static void done(struct http_exchange *x, bool whole)
{
	struct job *job = http_user(x);
	char status[12];

	if (!job)
		return;
	if (job->flow)
		job->leave(job->flow);
	snprintf(status, sizeof(status), "%d", http_status(x));
	log_event(LOG_LEVEL_INFO, "request", "id", http_id(x), "path",
		job->route ? job->route->path : NULL, "status", status, "whole",
		whole ? "yes" : "no", NULL);
	delist(job);
	drop_body(job);
	free(job);
}

const struct http_handler job_handler = {begin, take_body, take_end, drained, done, NULL};
