/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-secrets/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

/* Of one exchange, which has one request: its replay is refused by what the store remembers. */
#define REPLAY_ENTRIES 16
#define REPLAY_WINDOW  300

/* Smallest size that frames are padded to. */
#define BUCKET 256

#define ERROR_SIZE 1024

/* --- answers --------------------------------------------------------------------------------- */

static bool send_frames(struct job *job, int r, const uint8_t *frames, size_t len)
{
	if (r == PM_OK) {
		http_send(job->exchange, frames, len);
		return true;
	}
	log_event(LOG_LEVEL_WARN, "answer not sealed", "reason", pm_strerror(r), NULL);
	job->is_over = true;
	http_abort(job->exchange);
	return false;
}

static bool begin_answer(struct job *job, int status, const char *content_type)
{
	static const struct http_field no_store = {"Cache-Control", "no-store"};
	const struct pm_sealed_response head = {.status = status, .content_type = content_type};
	const uint8_t *frames = NULL;
	size_t len = 0;
	int r = pm_exchange_worker_send_head(job->admin->worker, &head, 0, NULL, &frames, &len);

	http_respond(job->exchange, 200, PM_SEALED_CONTENT_TYPE, &no_store, 1, -1);
	return send_frames(job, r, frames, len);
}

static bool send_piece(struct job *job, const void *bytes, size_t size, int final)
{
	const uint8_t *frames = NULL;
	size_t len = 0;
	int r = pm_exchange_worker_send_body(job->admin->worker, bytes, size, final, &frames, &len);

	return send_frames(job, r, frames, len);
}

bool admin_begin(struct job *job, const char *content_type)
{
	return !job->is_over && begin_answer(job, 200, content_type);
}

bool admin_piece(struct job *job, const void *bytes, size_t len)
{
	return !job->is_over && send_piece(job, bytes, len, 0);
}

void admin_end(struct job *job)
{
	if (job->is_over || !send_piece(job, "", 0, 1))
		return;
	job->is_over = true;
	http_finish(job->exchange);
}

void admin_reply(struct job *job, int status, const char *json, size_t len)
{
	if (job->is_over)
		return;
	if (!begin_answer(job, status, "application/json") || !send_piece(job, json, len, 1))
		return;
	job->is_over = true;
	http_finish(job->exchange);
}

/* The message may be of libpm's report: plain text, without quotes or backslashes after this. */
void admin_fail(struct job *job, int status, const char *code, const char *message)
{
	char json[ERROR_SIZE], safe[ERROR_SIZE / 2];
	size_t len = strnlen(message, sizeof(safe) - 1);
	int n;

	for (size_t i = 0; i < len; i++) {
		char c = message[i];

		safe[i] = c < ' ' || c > '~' || c == '"' || c == '\\' ? '\'' : c;
	}
	safe[len] = '\0';
	if (!job->admin || !job->admin->has_head) {
		job_fail(job, status, code, safe);
		return;
	}
	n = snprintf(json, sizeof(json), "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}\n", code,
		safe);
	admin_reply(job, status, json, (size_t)n);
}

void admin_fail_store(struct job *job, const struct store_result *result)
{
	log_event(LOG_LEVEL_WARN, "store failed", "id", http_id(job->exchange), "reason",
		result ? result->reason : "out of memory", NULL);
	atomic_fetch_add(&job->secrets->counts.unavailable, 1);
	admin_fail(job, 503, "store", "The store does not answer: what was asked may be done.");
}

/* --- the exchange ---------------------------------------------------------------------------- */

static void keep_head(struct admin *a, const struct pm_sealed_request *head)
{
	/* A path that is too long is none of ours, also when its end is cut. */
	snprintf(a->method, sizeof(a->method), "%s", head->method);
	snprintf(a->path, sizeof(a->path), "%s", head->path);
	a->has_head = true;
}

static int take_event(struct admin *a, const struct pm_exchange_event *event)
{
	if (event->type == PM_EXCHANGE_HEAD)
		keep_head(a, event->request);
	if (event->type == PM_EXCHANGE_BODY &&
		!buffer_add(&a->inner, event->body, event->body_len, ADMIN_BODY_MAX))
		return PM_E_LIMIT;
	return PM_OK;
}

static int open_request(struct job *job)
{
	const uint8_t *bytes = (const uint8_t *)job->in.bytes;
	struct admin *a = job->admin;
	size_t left = job->in.len, used;
	struct pm_exchange_event event;
	int r;

	do {
		r = pm_exchange_worker_receive(
			a->worker, bytes, left, job->now, NULL, &used, &event);
		if (r == PM_OK)
			r = take_event(a, &event);
		if (r < 0)
			return r;
		bytes += used;
		left -= used;
	} while (event.type != PM_EXCHANGE_MORE);
	return pm_exchange_worker_end(a->worker, NULL);
}

static int open_exchange(struct job *job, const struct record_value *secret)
{
	struct admin *a = job->admin;
	int r;

	if (secret->len != PM_SEALED_SECRET_SIZE)
		return PM_E_REJECTED;
	r = pm_exchange_key_new(a->exchange, secret->bytes, &a->key);
	if (r == PM_OK)
		r = pm_exchange_key_serve(a->key, REPLAY_ENTRIES, REPLAY_WINDOW, 0);
	if (r == PM_OK)
		r = pm_exchange_worker_new(a->key, "", NULL, BUCKET, &a->worker);
	return r == PM_OK ? open_request(job) : r;
}

#define ID_SIZE (sizeof(PM_COMMAND_OPERATORS) + PM_KEYEX_ID_SIZE)

static void write_id(const struct job *job, char ret[ID_SIZE])
{
	snprintf(ret, ID_SIZE, PM_COMMAND_OPERATORS "%s", job->admin->exchange);
}

/* The secret of the exchange: one that workers don't get, so that none reads what owners say. */
static int use_secret(struct job *job, const struct store_entry *e)
{
	struct record_value secret = {0};
	struct record record;
	char id[ID_SIZE];
	int r;

	write_id(job, id);
	r = record_open(job->ring, id, e->value, e->len, &record, &secret);
	if (r < 0)
		return r;
	if (record.kind != RECORD_OPERATOR || record.expires <= job->now)
		r = PM_E_REJECTED;
	else
		r = open_exchange(job, &secret);
	record_value_free(&secret);
	return r;
}

static void on_secret(void *arg, const struct store_result *result)
{
	struct job *job = arg;
	int r;

	job->op = NULL;
	if (result->error < 0 && result->error != PM_E_MISSING) {
		job_fail_store(job, result);
		return;
	}
	r = result->error == PM_OK ? use_secret(job, &result->entries[0]) : PM_E_MISSING;
	buffer_free(&job->in);
	if (r == PM_OK)
		admin_command(job);
	else if (r == PM_E_NOMEM)
		admin_fail(job, 503, "busy", "Out of memory.");
	else
		job_fail(job, 400, "not_opened", "The request can't be opened.");
}

/* --- the request ----------------------------------------------------------------------------- */

static bool check(struct job *job)
{
	const struct http_request *request = http_request(job->exchange);
	const char *id = http_request_field(request, "pm-secret-id");
	const char *type = http_request_field(request, "content-type");

	if (!job_check_client(job))
		return false;
	job->admin = calloc(1, sizeof(*job->admin));
	if (!job->admin) {
		job_fail(job, 503, "busy", "Out of memory.");
		return false;
	}
	if (!id || strlen(id) != PM_KEYEX_ID_SIZE - 1 || !record_is_id(id) || !type ||
		strcmp(type, PM_SEALED_CONTENT_TYPE) != 0) {
		job_fail(job, 400, "bad_request", "Expected a sealed request.");
		return false;
	}
	strcpy(job->admin->exchange, id); /* its length was checked */
	return true;
}

static atomic_int *count_of(struct secrets *s, enum admin_size size)
{
	return size == ADMIN_LARGE ? &s->large_jobs : &s->medium_jobs;
}

static void uncount(struct job *job)
{
	struct admin *a = job->admin;

	if (a->size != ADMIN_SMALL)
		atomic_fetch_sub(count_of(job->secrets, a->size), 1);
	a->size = ADMIN_SMALL;
}

/* To the next size; one that is of the last is too large. */
static size_t enlarge(struct job *job)
{
	struct admin *a = job->admin;
	enum admin_size size = a->size == ADMIN_SMALL ? ADMIN_MEDIUM : ADMIN_LARGE;
	int most = size == ADMIN_LARGE ? ADMIN_LARGE_MAX : ADMIN_MEDIUM_MAX;

	if (a->size == ADMIN_LARGE)
		return ADMIN_BODY_MAX;
	uncount(job);
	a->size = size;
	if (atomic_fetch_add(count_of(job->secrets, size), 1) < most)
		return size == ADMIN_LARGE ? ADMIN_BODY_MAX : ADMIN_BODY_LARGE;
	job_fail(job, 503, "busy", "There are too many large requests.");
	return 0;
}

static void run(struct job *job)
{
	char id[ID_SIZE], key[RECORD_KEY_SIZE];

	write_id(job, id);
	record_key(id, key);
	job->op = store_get(job->loop->store, key, on_secret, job);
	if (!job->op)
		job_fail_store(job, NULL);
}

static void end(struct job *job)
{
	struct admin *a = job->admin;

	if (!a)
		return;
	uncount(job);
	if (a->timer)
		event_free(a->timer);
	admin_restore_free(a->restore);
	admin_export_free(a->export);
	pm_exchange_worker_free(a->worker);
	pm_exchange_key_free(a->key);
	pm_command_free(a->command);
	record_value_free(&a->value);
	buffer_free(&a->inner);
	buffer_free(&a->out);
	explicit_bzero(a, sizeof(*a));
	free(a);
}

const struct job_kind job_admin = {
	JOB_ADMIN_PATH, ADMIN_BODY_SMALL, check, run, end, enlarge, admin_export_drained};
