/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon with listeners of the mesh, whose certificates come by standard input while it runs:
 *
 *     set CERT KEY CA     from now on these files' contents; clients must have the name "caller"
 *     clear               none
 *     as CERT KEY CA      who it is from now on when it asks others itself
 *     nobody              nobody
 *     get PATH            asks the one of role "secrets" at --ask URL
 *
 * On any listener it answers who asks: the names of the client's certificate, a comma between, and
 * how many requests came on the connection.
 */
#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/error.h>

#include "common/daemon.h"
#include "common/upstream.h"

#define TEXT_MAX 65536

struct state {
	struct service *service;
	struct loop *loop; /* the first */
	const char *url;
	struct upstream_pool *pool;
	struct upstream *request;
	pthread_t thread;
	bool has_thread;
};

struct count {
	unsigned int requests;
};

/* --- certificates ---------------------------------------------------------------------------- */

static char *read_text(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = calloc(1, TEXT_MAX + 1);

	if (!f || !text || !fread(text, 1, TEXT_MAX, f))
		err(1, "%s", path);
	fclose(f);
	return text;
}

static int is_caller(const struct tls_peer *peer, void *arg)
{
	(void)arg;
	for (size_t i = 0; i < peer->name_count; i++)
		if (!strcmp(peer->names[i], "caller"))
			return PM_OK;
	return PM_E_REJECTED;
}

/* So that the test sees that each one's end comes. */
static void tell_release(void *arg)
{
	fprintf(stderr, "released %s\n", (char *)arg);
	free(arg);
}

static void set(struct state *s, const char *cert, const char *key, const char *ca)
{
	struct tls_memory memory = {.check_peer = is_caller, .release = tell_release};
	char *texts[3] = {read_text(cert), read_text(key), read_text(ca)};
	struct tls_config *tls = NULL;
	const char *what = "";

	memory.cert = texts[0];
	memory.key = texts[1];
	memory.ca = texts[2];
	memory.ca_len = strlen(texts[2]) + 1;
	memory.arg = strdup(cert);
	if (tls_config_new_memory(&memory, &tls, &what) < 0)
		printf("refused %s\n", what);
	else
		printf("set %d\n", daemon_set_mesh_tls(s->service, tls));
	tls_config_unref(tls);
	for (int i = 0; i < 3; i++)
		free(texts[i]);
}

/* --- requests of its own, in the first loop -------------------------------------------------- */

struct order {
	struct state *state;
	char words[3][300];
};

static void be(void *arg)
{
	struct order *order = arg;
	struct upstream_identity identity;
	char *texts[3];

	for (int i = 0; i < 3; i++)
		texts[i] = read_text(order->words[i]);
	identity = (struct upstream_identity){texts[0], texts[1], texts[2]};
	printf("is %d\n", upstream_pool_set_identity(order->state->pool, &identity));
	fflush(stdout);
	for (int i = 0; i < 3; i++)
		free(texts[i]);
	free(order);
}

static void be_nobody(void *arg)
{
	struct order *order = arg;

	printf("is %d\n", upstream_pool_set_identity(order->state->pool, NULL));
	fflush(stdout);
	free(order);
}

static void on_head(void *arg, int status, const char *content_type)
{
	(void)arg;
	(void)content_type;
	printf("got %d ", status);
}

static bool on_body(void *arg, const char *bytes, size_t len)
{
	(void)arg;
	printf("%.*s", (int)len, bytes);
	return true;
}

static void on_done(void *arg, int error, const char *reason)
{
	(void)arg;
	printf("%d %s\n", error, error ? reason : "");
	fflush(stdout);
}

static void get(void *arg)
{
	static const struct upstream_handler asker = {on_head, on_body, on_done};
	struct order *order = arg;
	struct state *s = order->state;
	const struct upstream_request request = {.method = "GET", .target = order->words[0]};
	int r = upstream_start(s->pool, &request, &asker, s, &s->request);

	if (r < 0) {
		printf("%d not begun\n", r);
		fflush(stdout);
	}
	free(order);
}

static int open_loop(struct loop *loop, void *arg)
{
	struct state *s = arg;

	if (loop->index || !s->url)
		return PM_OK;
	s->loop = loop;
	return upstream_pool_new_mesh(loop, s->url, "secrets", &s->pool);
}

static void close_loop(struct loop *loop, void *arg)
{
	struct state *s = arg;

	if (loop->index == 0)
		upstream_pool_free(s->pool);
}

static void post(struct state *s, const char *line)
{
	struct order *order = calloc(1, sizeof(*order));
	char *a = order->words[0], *b = order->words[1], *c = order->words[2];

	order->state = s;
	if (sscanf(line, "as %299s %299s %299s", a, b, c) == 3)
		loop_post(s->loop, be, order);
	else if (sscanf(line, "get %299s", a) == 1)
		loop_post(s->loop, get, order);
	else
		loop_post(s->loop, be_nobody, order);
}

/* --- the thread that takes orders ------------------------------------------------------------ */

static void *run(void *arg)
{
	char line[1024], a[300], b[300], c[300];
	struct state *s = arg;

	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "set %299s %299s %299s", a, b, c) == 3)
			set(s, a, b, c);
		else if (strncmp(line, "clear", 5) != 0)
			post(s, line);
		else
			printf("cleared %d\n", daemon_set_mesh_tls(s->service, NULL));
		fflush(stdout);
	}
	return NULL;
}

static int begin_thread(struct service *service, void *arg)
{
	struct state *s = arg;

	s->service = service;
	s->has_thread = pthread_create(&s->thread, NULL, run, s) == 0;
	return s->has_thread ? PM_OK : PM_E_SYS;
}

/* The test closes the input first. */
static void end_thread(void *arg)
{
	struct state *s = arg;

	if (s->has_thread)
		pthread_join(s->thread, NULL);
}

/* --- requests -------------------------------------------------------------------------------- */

static void begin(struct http_exchange *x, void *arg)
{
	struct count *count = http_peer_note(x);

	(void)arg;
	if (!count) {
		count = calloc(1, sizeof(*count));
		http_set_peer_note(x, count, free);
	}
	if (count)
		count->requests++;
}

static void take_body(struct http_exchange *x, const char *bytes, size_t len)
{
	(void)x;
	(void)bytes;
	(void)len;
}

static void end(struct http_exchange *x)
{
	const struct tls_peer *peer = http_peer(x);
	const struct count *count = http_peer_note(x);
	char text[2048] = "nobody";
	size_t len = 0;

	for (size_t i = 0; peer && i < peer->name_count; i++)
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "%s%s", i ? "," : "", peer->names[i]);
	len = strlen(text);
	snprintf(text + len, sizeof(text) - len, " %u", count ? count->requests : 0);
	http_reply(x, 200, "text/plain", text, strlen(text));
}

static void drained(struct http_exchange *x)
{
	(void)x;
}

static void done(struct http_exchange *x, bool whole)
{
	(void)x;
	(void)whole;
}

static const struct http_handler handler = {begin, take_body, end, drained, done, NULL};
static const struct option long_options[] = {
	{"ask", required_argument, NULL, 'a'}, COMMON_OPTION_ROWS, MESH_LISTEN_ROW, {0}};

int main(int argc, char **argv)
{
	struct state state = {0};
	const struct daemon_program program = {
		.name = "mesh-peer",
		.metrics_prefix = "mesh_peer",
		.handler = &handler,
		.mesh_handler = &handler,
		.open_loop = open_loop,
		.close_loop = close_loop,
		.begin = begin_thread,
		.end = end_thread,
		.arg = &state,
	};
	struct common_options options;
	int id;

	common_options_init(&options);
	while ((id = getopt_long(argc, argv, "h", long_options, NULL)) != -1)
		if (id == 'a')
			state.url = optarg;
		else if (id == '?' || common_option(&options, id, optarg) != 0)
			return 2;
	return daemon_run(&options, &program);
}
