/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the secret service tells of ends: lines of JSON on a request that stays open. The first says
 * which instance it is; then there are events, and now and then an empty object.
 *
 * A lease is a number. Secrets that the watched instance gave have the one that is held; all others
 * have the next one, and twice in SECRETS_LEASE all numbers so far end but the held. When the watch
 * is lost, what was held ends after one to two such halves.
 */
#include "pm-proxy/secrets_parts.h"

#include <jansson.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "common/log.h"

#define WATCH_PATH "/pm/v1/watch"
/* Between two looks at the time. */
#define TICK_MS 250
#define HALF_MS (SECRETS_LEASE * 1000 / 2)
/* Before a lost watch is begun again: twice as long each time. */
#define RETRY_FIRST 250
#define RETRY_LAST  5000

static void set_leases(struct secrets *s)
{
	keys_set_leases(s->keys, s->watch.floor, s->watch.held);
}

uint64_t secrets_watch_now(const struct secrets *secrets)
{
	return secrets->watch.is_up ? secrets->watch.held : 0;
}

/* What was told between two watches nobody heard: an answer that was under way then is not held. */
uint64_t secrets_watch_lease(const struct secrets *secrets, const char *instance, uint64_t since)
{
	const struct secrets_watch *w = &secrets->watch;

	return w->is_up && w->held == since && !strcmp(instance, w->instance) ? w->held : w->next;
}

static void end_half(struct secrets *s)
{
	struct secrets_watch *w = &s->watch;

	w->half_at = loop_now() + HALF_MS;
	if (w->fading && --w->fading == 0)
		w->held = 0;
	w->floor = w->next - 1;
	w->next++;
	set_leases(s);
}

/* --- lines ----------------------------------------------------------------------------------- */

static void come_up(struct secrets *s, const char *instance)
{
	struct secrets_watch *w = &s->watch;

	strcpy(w->instance, instance);
	w->is_up = true;
	w->fading = 0;
	w->pause = 0;
	w->held = w->next++;
	w->next++;
	set_leases(s);
	atomic_store(&s->is_watched, true);
	log_event(LOG_LEVEL_INFO, "secrets watched", "instance", instance, NULL);
}

/* The first line; a service without instances begins with another, and has the name "". */
static bool take_first(struct secrets *s, const json_t *line)
{
	const json_t *member = json_object_get(line, "Instance");
	const char *instance = json_string_value(member);

	if (!member) {
		come_up(s, "");
		return false;
	}
	if (instance && json_object_size(line) == 1 && strlen(instance) <= SECRETS_INSTANCE_MAX)
		come_up(s, instance);
	return true;
}

static bool take_object(struct secrets *s, const json_t *line)
{
	const char *id = json_string_value(json_object_get(line, "Id"));
	const char *event = json_string_value(json_object_get(line, "Event"));

	if (!s->watch.is_up && take_first(s, line))
		return s->watch.is_up;
	if (json_object_size(line) == 0)
		return true;
	if (!id || !event || json_object_size(line) != 2 ||
		(strcmp(event, "revoked") != 0 && strcmp(event, "expired") != 0))
		return false;
	secrets_ended(s, id);
	return true;
}

static bool take_line(struct secrets *s, const char *text, size_t len)
{
	json_t *line = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	bool good = json_is_object(line) && take_object(s, line);

	json_decref(line);
	return good;
}

/* --- the request ----------------------------------------------------------------------------- */

static void lose(struct secrets *s, const char *reason)
{
	struct secrets_watch *w = &s->watch;
	uint32_t random = 0;

	if (w->is_up) {
		log_event(LOG_LEVEL_WARN, "secrets not watched", "reason", reason, NULL);
		atomic_fetch_add(&s->lost, 1);
		w->fading = 2;
	}
	w->request = NULL;
	w->is_up = false;
	buffer_free(&w->line);
	atomic_store(&s->is_watched, false);
	w->pause = w->pause ? 2 * w->pause : RETRY_FIRST;
	w->pause = w->pause > RETRY_LAST ? RETRY_LAST : w->pause;
	(void)!getrandom(&random, sizeof(random), 0);
	w->try_at = loop_now() + w->pause - (int64_t)(random % (uint32_t)(w->pause / 4));
}

static void on_head(void *arg, int status, const char *content_type)
{
	struct secrets *s = arg;

	(void)content_type;
	s->watch.heard_at = loop_now();
	if (status == 403)
		mesh_doubt(s->mesh);
}

/* Whatever is not a line of a watch, such as the body of an error, ends it. */
static bool on_body(void *arg, const char *bytes, size_t len)
{
	struct secrets *s = arg;
	struct secrets_watch *w = &s->watch;
	bool good = true;

	w->heard_at = loop_now();
	while (good && len) {
		const char *end = memchr(bytes, '\n', len);
		size_t n = end ? (size_t)(end - bytes) : len;

		good = buffer_add(&w->line, bytes, n, SECRETS_ANSWER_MAX);
		if (good && end) {
			good = take_line(s, w->line.bytes ? w->line.bytes : "", w->line.len);
			buffer_free(&w->line);
		}
		n += end != NULL;
		bytes += n;
		len -= n;
	}
	return good;
}

static void on_done(void *arg, int error, const char *reason)
{
	struct secrets *s = arg;

	if (error == PM_E_NET && !s->watch.is_up)
		mesh_doubt(s->mesh);
	lose(s, error < 0 ? reason : "the service ended it");
}

static void begin(struct secrets *s)
{
	static const struct upstream_handler handler = {on_head, on_body, on_done};
	static const struct upstream_request request = {.method = "POST",
		.target = WATCH_PATH,
		.content_type = "application/json",
		.body = "{}",
		.body_len = 2};

	s->watch.heard_at = loop_now();
	s->watch.ends = s->expires;
	if (upstream_start(s->pool, &request, &handler, s, &s->watch.request) < 0)
		lose(s, "it could not begin");
}

static void give_up(struct secrets *s, const char *reason)
{
	if (s->watch.request)
		upstream_cancel(s->watch.request);
	lose(s, reason);
}

/* --- time ------------------------------------------------------------------------------------ */

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct secrets *s = arg;
	struct secrets_watch *w = &s->watch;
	int64_t now = loop_now();

	(void)fd;
	(void)what;
	if (w->request && now - w->heard_at > SECRETS_SILENCE * 1000)
		give_up(s, "the service is silent");
	/* A new one shows whether the service is in the mesh still: its certificate ends too. */
	if (w->request && (int64_t)time(NULL) >= w->ends)
		give_up(s, "the certificate of before has ended");
	if (!w->request && s->has_identity && now >= w->try_at)
		begin(s);
	if (now >= w->half_at)
		end_half(s);
}

void secrets_watch_identity(struct secrets *secrets)
{
	if (!secrets->has_identity && secrets->watch.request)
		give_up(secrets, "out of the mesh");
	secrets->watch.try_at = 0;
	secrets->watch.pause = 0;
}

int secrets_watch_open(struct secrets *secrets)
{
	struct secrets_watch *w = &secrets->watch;
	struct timeval period = loop_time(TICK_MS);

	w->next = 1;
	w->half_at = loop_now() + HALF_MS;
	w->tick = event_new(secrets->loop->base, -1, EV_PERSIST, on_tick, secrets);
	return w->tick && !event_add(w->tick, &period) ? PM_OK : PM_E_NOMEM;
}

void secrets_watch_close(struct secrets *secrets)
{
	struct secrets_watch *w = &secrets->watch;

	if (w->tick)
		event_free(w->tick);
	w->tick = NULL;
	if (w->request)
		upstream_cancel(w->request);
	w->request = NULL;
	buffer_free(&w->line);
}
