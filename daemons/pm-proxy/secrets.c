/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-proxy/secrets_parts.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pm/keyex.h>
#include <pm/text.h>

#include "common/log.h"
#include "common/metrics.h"

#define FETCH_PATH	   "/pm/v1/fetch"
#define FETCH_MILLISECONDS 10000

struct secrets_ask {
	struct secrets_ask *next;
	struct secrets *secrets;
	struct loop *loop;
	secrets_done *done;
	void *arg;
	bool cancelled; /* of its loop */
	int error;
	struct secrets_client client;
	char id[KEYS_ID_MAX + 1];
};

/* A secret that is being fetched, for all who want it. */
struct secrets_fetch {
	struct secrets_fetch *next;
	struct secrets *secrets;
	struct secrets_ask *asks;
	struct upstream *request;
	struct event *deadline;
	struct buffer in;
	int status;
	bool is_spoiled;	      /* it ended while it was on its way */
	uint64_t watch;		      /* under which it was asked for */
	struct secrets_client client; /* who asked first */
	char id[KEYS_ID_MAX + 1];
	char body[KEYS_ID_MAX + 32];
};

/* --- answers --------------------------------------------------------------------------------- */

static void deliver(void *arg)
{
	struct secrets_ask *ask = arg;

	atomic_fetch_sub(&ask->secrets->waiting, 1);
	if (!ask->cancelled)
		ask->done(ask->arg, ask->error);
	free(ask);
}

static void answer(struct secrets_ask *ask, int error)
{
	ask->error = error;
	if (loop_post(ask->loop, deliver, ask) < 0)
		log_event(LOG_LEVEL_ERROR, "failed", "what", "out of memory", NULL);
}

static void wipe(struct buffer *buffer)
{
	if (buffer->bytes)
		explicit_bzero(buffer->bytes, buffer->len);
	buffer_free(buffer);
}

static void unlist(struct secrets_fetch *fetch)
{
	struct secrets_fetch **at = &fetch->secrets->fetches;

	while (*at != fetch)
		at = &(*at)->next;
	*at = fetch->next;
	fetch->secrets->fetch_count--;
}

/* The request has gone. */
static void finish(struct secrets_fetch *fetch, int error)
{
	unlist(fetch);
	for (struct secrets_ask *ask = fetch->asks, *next; ask; ask = next) {
		next = ask->next;
		answer(ask, error);
	}
	if (fetch->deadline)
		event_free(fetch->deadline);
	wipe(&fetch->in);
	free(fetch);
}

/* --- what the service says there is not ------------------------------------------------------ */

static void note_missing(struct secrets *s, const char *id)
{
	struct secrets_missing *miss = &s->misses[s->next_miss++ % SECRETS_MISSING_MAX];

	miss->until = loop_now() + SECRETS_MISSING_MS;
	strcpy(miss->id, id);
}

static bool is_missing(const struct secrets *s, const char *id)
{
	int64_t now = loop_now();

	for (size_t i = 0; i < SECRETS_MISSING_MAX; i++)
		if (s->misses[i].until > now && !strcmp(s->misses[i].id, id))
			return true;
	return false;
}

/* --- the service's answer -------------------------------------------------------------------- */

struct found {
	uint8_t secret[PM_KEYEX_SECRET_SIZE];
	int64_t expires;
	char instance[SECRETS_INSTANCE_MAX + 1];
};

/* {"Secret": base64, "Expires": seconds, "Instance": text}; the last may lack. */
static bool read_found(const struct buffer *in, struct found *ret)
{
	json_t *root =
		json_loadb(in->bytes ? in->bytes : "", in->len, JSON_REJECT_DUPLICATES, NULL);
	const char *text = json_string_value(json_object_get(root, "Secret"));
	const json_t *expires = json_object_get(root, "Expires");
	const char *instance = json_string_value(json_object_get(root, "Instance"));
	size_t len = 0;
	bool good = text && json_is_integer(expires) &&
		    json_object_size(root) == (instance ? 3u : 2u) &&
		    pm_text_base64_decode(
			    text, strlen(text), ret->secret, sizeof(ret->secret), &len) == PM_OK &&
		    len == sizeof(ret->secret) &&
		    (!instance || strlen(instance) <= SECRETS_INSTANCE_MAX);

	if (good) {
		ret->expires = json_integer_value(expires);
		strcpy(ret->instance, instance ? instance : "");
	}
	json_decref(root);
	return good;
}

static int take_found(struct secrets_fetch *fetch)
{
	struct secrets *s = fetch->secrets;
	int64_t now = (int64_t)time(NULL);
	struct found found = {0};
	int r = PM_E_FORMAT;

	if (read_found(&fetch->in, &found)) {
		if (found.expires > now + PM_KEYEX_LIFETIME)
			found.expires = now + PM_KEYEX_LIFETIME;
		r = found.expires <= now || fetch->is_spoiled
			    ? PM_E_MISSING
			    : keys_insert_leased(s->keys, fetch->id, found.secret, found.expires,
				      s->started,
				      secrets_watch_lease(s, found.instance, fetch->watch));
	}
	explicit_bzero(&found, sizeof(found));
	return r;
}

static void on_head(void *arg, int status, const char *content_type)
{
	struct secrets_fetch *fetch = arg;

	(void)content_type;
	fetch->status = status;
}

static bool on_body(void *arg, const char *bytes, size_t len)
{
	struct secrets_fetch *fetch = arg;

	return buffer_add(&fetch->in, bytes, len, SECRETS_ANSWER_MAX);
}

static int judge(struct secrets_fetch *fetch, int error)
{
	if (error < 0)
		return PM_E_NET;
	if (fetch->status == 404)
		return PM_E_MISSING;
	if (fetch->status != 200)
		return PM_E_NET;
	return take_found(fetch);
}

static void on_done(void *arg, int error, const char *reason)
{
	struct secrets_fetch *fetch = arg;
	struct secrets *s = fetch->secrets;
	int r = judge(fetch, error);
	char status[16];

	fetch->request = NULL;
	if (r == PM_OK) {
		atomic_fetch_add(&s->fetched, 1);
		limit_give(s->limit, fetch->client.key, fetch->client.len);
	} else if (r == PM_E_MISSING) {
		atomic_fetch_add(&s->missing, 1);
		note_missing(s, fetch->id);
	} else {
		atomic_fetch_add(&s->failed, 1);
		snprintf(status, sizeof(status), "%d", fetch->status);
		log_event(LOG_LEVEL_WARN, "secret not fetched", "status", status, "reason",
			error < 0 ? reason : pm_strerror(r), NULL);
		/* Who does not take our certificate, or shows another: did the manifest change? */
		if (error < 0 || fetch->status == 403)
			mesh_doubt(s->mesh);
	}
	finish(fetch, r == PM_OK || r == PM_E_MISSING ? r : PM_E_NET);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct secrets_fetch *fetch = arg;

	(void)fd;
	(void)what;
	upstream_cancel(fetch->request);
	on_done(fetch, PM_E_NET, "no answer in time");
}

/* --- fetching -------------------------------------------------------------------------------- */

static struct secrets_fetch *find(const struct secrets *s, const char *id)
{
	struct secrets_fetch *fetch = s->fetches;

	while (fetch && strcmp(fetch->id, id) != 0)
		fetch = fetch->next;
	return fetch;
}

static int send_fetch(struct secrets_fetch *fetch)
{
	static const struct upstream_handler handler = {on_head, on_body, on_done};
	struct secrets *s = fetch->secrets;
	struct timeval time = loop_time(FETCH_MILLISECONDS);
	struct upstream_request request = {
		.method = "POST", .target = FETCH_PATH, .content_type = "application/json"};

	request.body = fetch->body;
	request.body_len = (size_t)snprintf(
		fetch->body, sizeof(fetch->body), "{\"Id\":\"" SECRETS_PREFIX "%s\"}", fetch->id);
	fetch->deadline = evtimer_new(s->loop->base, on_deadline, fetch);
	if (!fetch->deadline || evtimer_add(fetch->deadline, &time))
		return PM_E_NOMEM;
	return upstream_start(s->pool, &request, &handler, fetch, &fetch->request);
}

static bool is_same(const struct secrets_client *a, const struct secrets_client *b)
{
	return a->len == b->len && !memcmp(a->key, b->key, a->len);
}

/* None may have more questions under way than what is still free: so there is room for others. */
static bool has_share(const struct secrets *s, const struct secrets_client *client)
{
	size_t own = 0;

	for (const struct secrets_fetch *f = s->fetches; f; f = f->next)
		own += is_same(&f->client, client);
	return own < SECRETS_FETCHES_MAX - s->fetch_count;
}

/* What the service finds is given back: honest clients ask for little else. */
static bool may_ask(struct secrets *s, const struct secrets_client *client)
{
	if (has_share(s, client) && limit_take(s->limit, client->key, client->len, loop_now()))
		return true;
	atomic_fetch_add(&s->refused, 1);
	return false;
}

static void begin(struct secrets *s, struct secrets_ask *ask)
{
	struct secrets_fetch *fetch;

	if (!may_ask(s, &ask->client)) {
		answer(ask, PM_E_LIMIT);
		return;
	}
	fetch = calloc(1, sizeof(*fetch));
	if (!fetch) {
		answer(ask, PM_E_NET);
		return;
	}
	fetch->secrets = s;
	fetch->asks = ask;
	fetch->client = ask->client;
	strcpy(fetch->id, ask->id);
	fetch->watch = secrets_watch_now(s);
	fetch->next = s->fetches;
	s->fetches = fetch;
	s->fetch_count++;
	if (send_fetch(fetch) < 0)
		finish(fetch, PM_E_NET);
}

/* It may have come since it was looked for in another loop. */
static bool has_come(const struct secrets *s, const char *id)
{
	struct key *key = keys_find(s->keys, id, (int64_t)time(NULL));

	key_unref(s->keys, key);
	return key != NULL;
}

/* In the first loop. */
static void take(void *arg)
{
	struct secrets_ask *ask = arg;
	struct secrets *s = ask->secrets;
	struct secrets_fetch *fetch = find(s, ask->id);

	if (fetch) {
		ask->next = fetch->asks;
		fetch->asks = ask;
	} else if (has_come(s, ask->id)) {
		answer(ask, PM_OK);
	} else if (is_missing(s, ask->id)) {
		answer(ask, PM_E_MISSING);
	} else {
		begin(s, ask);
	}
}

/* Base64, as ids of agreed secrets are: the service is asked for nothing else. */
static bool is_id(const char *id)
{
	size_t len = strlen(id);

	return len == PM_KEYEX_ID_SIZE - 1 &&
	       strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") ==
		       len;
}

int secrets_ask(struct secrets *secrets, struct loop *loop, const char *id,
	const struct secrets_client *client, secrets_done *done, void *arg,
	struct secrets_ask **ret_ask)
{
	struct secrets_ask *ask;
	int r = PM_E_LIMIT;

	if (!is_id(id))
		return PM_E_MISSING;
	ask = calloc(1, sizeof(*ask));
	if (!ask)
		return PM_E_NOMEM;
	ask->secrets = secrets;
	ask->loop = loop;
	ask->done = done;
	ask->arg = arg;
	ask->client = *client;
	strcpy(ask->id, id); /* its length was checked */
	if (atomic_fetch_add(&secrets->waiting, 1) < SECRETS_ASKS_MAX)
		r = loop_post(secrets->loop, take, ask);
	if (r < 0) {
		atomic_fetch_sub(&secrets->waiting, 1);
		free(ask);
		return r;
	}
	*ret_ask = ask;
	return PM_OK;
}

/* It is freed when it comes back. */
void secrets_cancel(struct secrets_ask *ask)
{
	ask->cancelled = true;
}

void secrets_ended(struct secrets *secrets, const char *id)
{
	struct secrets_fetch *fetch;

	if (strncmp(id, SECRETS_PREFIX, sizeof(SECRETS_PREFIX) - 1) != 0)
		return;
	id += sizeof(SECRETS_PREFIX) - 1;
	atomic_fetch_add(&secrets->ended, 1);
	keys_remove(secrets->keys, id);
	fetch = find(secrets, id);
	if (fetch)
		fetch->is_spoiled = true;
}

/* --- the whole ------------------------------------------------------------------------------- */

static void on_identity(void *arg, const struct mesh_identity *identity)
{
	struct secrets *s = arg;
	struct upstream_identity papers;

	if (identity)
		papers = (struct upstream_identity){identity->cert, identity->key, identity->ca};
	if (upstream_pool_set_identity(s->pool, identity ? &papers : NULL) < 0)
		return;
	s->has_identity = identity != NULL;
	s->expires = identity ? identity->expires : 0;
	secrets_watch_identity(s);
}

int secrets_new(const char *url, struct mesh *mesh, struct keys *keys, int64_t started,
	const struct limit_rules *misses, struct secrets **ret_secrets)
{
	struct secrets *s = calloc(1, sizeof(*s));

	if (!s)
		return PM_E_NOMEM;
	s->limit = limit_new(misses);
	if (!s->limit) {
		free(s);
		return PM_E_NOMEM;
	}
	s->url = url;
	s->mesh = mesh;
	s->keys = keys;
	s->started = started;
	*ret_secrets = s;
	return PM_OK;
}

int secrets_open(struct secrets *secrets, struct loop *loop)
{
	int r = upstream_pool_new_mesh(loop, secrets->url, PM_MESH_ROLE_SECRETS, &secrets->pool);

	secrets->loop = loop;
	if (r == PM_OK)
		r = mesh_watch(secrets->mesh, loop, on_identity, secrets);
	return r < 0 ? r : secrets_watch_open(secrets);
}

void secrets_close(struct secrets *secrets)
{
	if (!secrets)
		return;
	secrets_watch_close(secrets);
	while (secrets->fetches) {
		struct secrets_fetch *fetch = secrets->fetches;

		if (fetch->request)
			upstream_cancel(fetch->request);
		finish(fetch, PM_E_NET);
	}
	upstream_pool_free(secrets->pool);
	secrets->pool = NULL;
}

void secrets_free(struct secrets *secrets)
{
	if (!secrets)
		return;
	limit_free(secrets->limit);
	free(secrets);
}

void secrets_metrics(struct secrets *secrets, struct evbuffer *out, const char *prefix)
{
	char name[64];

	snprintf(name, sizeof(name), "%s_secret_fetches_total", prefix);
	metrics_begin(out, name, "counter", "Secrets that were asked of the secret service.");
	metrics_sample(out, name, "outcome", "found", (int64_t)atomic_load(&secrets->fetched));
	metrics_sample(out, name, "outcome", "missing", (int64_t)atomic_load(&secrets->missing));
	metrics_sample(out, name, "outcome", "failed", (int64_t)atomic_load(&secrets->failed));
	snprintf(name, sizeof(name), "%s_secret_fetches_refused_total", prefix);
	metrics_single(out, name, "counter",
		"Secrets that were not asked for, as their client asks for too much.",
		(int64_t)atomic_load(&secrets->refused));
	snprintf(name, sizeof(name), "%s_secrets_ended_total", prefix);
	metrics_single(out, name, "counter", "Secrets that the service said had ended.",
		(int64_t)atomic_load(&secrets->ended));
	snprintf(name, sizeof(name), "%s_secrets_watched", prefix);
	metrics_single(out, name, "gauge", "1 while the service tells of ends.",
		atomic_load(&secrets->is_watched));
	snprintf(name, sizeof(name), "%s_secrets_watches_lost_total", prefix);
	metrics_single(out, name, "counter", "How often it ceased to.",
		(int64_t)atomic_load(&secrets->lost));
}
