/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/daemon.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/metrics.h"
#include "common/upstream.h"
#include "pm-client/job.h"
#include "pm-client/keeper.h"
#include "pm-client/options.h"

#define PREFIX "pm_client"

/* --- loops ----------------------------------------------------------------------------------- */

static void on_start(evutil_socket_t fd, short what, void *arg)
{
	struct client_loop *own = arg;

	(void)fd;
	(void)what;
	if (keeper_start(own->client->keeper) < 0)
		log_event(
			LOG_LEVEL_ERROR, "failed", "what", "no thread to verify the worker", NULL);
}

static int plan_start(struct loop *loop, struct client_loop *own)
{
	struct timeval at_once = {0};

	own->start = evtimer_new(loop->base, on_start, own);
	return own->start && !event_add(own->start, &at_once) ? PM_OK : PM_E_NOMEM;
}

static void close_loop(struct loop *loop, void *arg)
{
	struct client_loop *own = loop->user;
	struct client *client = arg;

	/* What its thread still delivers would come to loops that are gone. */
	if (client->keeper && !keeper_end(client->keeper))
		client->keeper = NULL;
	if (!own)
		return;
	if (own->start)
		event_free(own->start);
	upstream_pool_free(own->pool);
	free(own);
	loop->user = NULL;
}

static int open_loop(struct loop *loop, void *arg)
{
	struct client *client = arg;
	struct client_loop *own = calloc(1, sizeof(*own));
	int r;

	if (!own)
		return PM_E_NOMEM;
	own->client = client;
	loop->user = own;
	r = upstream_pool_new_url(
		loop, client->options->worker, client->options->session.ca_file, &own->pool);
	if (r == PM_OK && loop->index == 0)
		r = plan_start(loop, own);
	if (r < 0)
		close_loop(loop, arg);
	return r;
}

/* --- metrics --------------------------------------------------------------------------------- */

static void write_metrics(struct evbuffer *out, void *arg)
{
	struct client *client = arg;
	const struct {
		const char *reason;
		uint64_t count;
	} failed[] = {
		{"in_between", atomic_load(&client->in_between)},
		{"not_whole", atomic_load(&client->not_whole)},
		{"not_allowed", atomic_load(&client->not_allowed)},
	};

	metrics_begin(out, PREFIX "_failed_total", "counter",
		"Requests that the worker did not answer whole.");
	for (size_t i = 0; i < sizeof(failed) / sizeof(failed[0]); i++)
		metrics_sample(out, PREFIX "_failed_total", "reason", failed[i].reason,
			(int64_t)failed[i].count);
	metrics_single(out, PREFIX "_retried_total", "counter",
		"Requests that were sent again under a new secret.",
		(int64_t)atomic_load(&client->retried));
	keeper_metrics(client->keeper, out, PREFIX);
}

static bool is_ready(void *arg)
{
	struct client *client = arg;
	struct pm_session_key *key = client_peek(client);
	bool ready = key != NULL;

	pm_session_key_free(key);
	return ready;
}

/* --- the whole ------------------------------------------------------------------------------- */

static int read_key(struct client *client)
{
	char *key = NULL;
	int r;

	if (!client->options->api_key_file)
		return 0;
	r = read_secret_line(client->options->api_key_file, &key);
	if (r != 0)
		return r;
	if (asprintf(&client->authorization, "Bearer %s", key) < 0)
		client->authorization = NULL;
	explicit_bzero(key, strlen(key));
	free(key);
	return client->authorization ? 0 : 2;
}

/* It goes into JSON as it is. */
static int check_salt(const char *salt, const char *path)
{
	if (strlen(salt) >= PM_CACHE_SALT_MIN && !strpbrk(salt, "\"\\"))
		return 0;
	warnx("%s: a cache salt has at least %d characters, none of them a quote or backslash",
		path, PM_CACHE_SALT_MIN);
	return 2;
}

static int read_salt(struct client *client)
{
	const struct client_options *o = client->options;
	int r;

	if (o->salt_file) {
		r = read_secret_line(o->salt_file, &client->salt);
		return r != 0 ? r : check_salt(client->salt, o->salt_file);
	}
	if (!o->shared_cache)
		return 0;
	client->salt = malloc(PM_CACHE_SALT_SIZE);
	if (client->salt && pm_cache_salt_new(client->salt) == PM_OK)
		return 0;
	warnx("out of memory");
	return 2;
}

/* What is no good leaves all as it was, and said why. */
static void reload(void *arg)
{
	struct client *client = arg;

	if (trust_read(client->options, &client->trust) != 0) {
		log_event(
			LOG_LEVEL_ERROR, "manifest kept", "what", "the new one was refused", NULL);
		return;
	}
	keeper_wake(client->keeper);
}

static int set_up(struct client *client)
{
	int r = trust_read(client->options, &client->trust) ? 2 : 0;

	if (r == 0)
		r = read_key(client);
	if (r == 0)
		r = read_salt(client);
	return r == 0 && keeper_new(&client->trust, &client->keeper) < 0 ? 2 : r;
}

static int run(struct client *client)
{
	struct http_handler handler = job_handler;
	const struct daemon_program program = {
		.name = "pm-client",
		.metrics_prefix = PREFIX,
		.handler = &handler,
		.open_loop = open_loop,
		.close_loop = close_loop,
		.is_ready = is_ready,
		.metrics = write_metrics,
		.reload = reload,
		.arg = client,
	};

	handler.arg = client;
	return daemon_run(&client->options->common, &program);
}

static void free_text(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

int main(int argc, char **argv)
{
	struct client_options options;
	struct client client = {.options = &options};
	int r;

	if (argc > 1 && !strcmp(argv[1], "verify"))
		return cmd_verify(argc - 1, argv + 1);
	r = options_parse(argc, argv, &options);
	if (r != OPTIONS_RUN)
		return r;
	memory_wipe_freed();
	trust_init(&client.trust);
	r = set_up(&client);
	if (r == 0)
		r = run(&client);
	keeper_free(client.keeper);
	trust_done(&client.trust);
	free_text(client.authorization);
	free_text(client.salt);
	return r;
}
