/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <stdlib.h>
#include <time.h>

#include "common/daemon.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/metrics.h"
#include "common/upstream.h"
#include "pm-proxy/direct.h"
#include "pm-proxy/job.h"
#include "pm-proxy/options.h"
#include "pm-proxy/secrets.h"

#define PREFIX "pm_proxy"

/* Between two looks for secrets that have expired. */
#define PURGE_MILLISECONDS 10000

/* --- loops ----------------------------------------------------------------------------------- */

static void on_purge(evutil_socket_t fd, short what, void *arg)
{
	struct proxy_loop *loop = arg;

	(void)fd;
	(void)what;
	keys_purge(loop->proxy->keys, (int64_t)time(NULL));
}

static int start_purge(struct loop *loop, struct proxy_loop *own)
{
	struct timeval period = loop_time(PURGE_MILLISECONDS);

	own->purge = event_new(loop->base, -1, EV_PERSIST, on_purge, own);
	return own->purge && !event_add(own->purge, &period) ? PM_OK : PM_E_NOMEM;
}

static void close_loop(struct loop *loop, void *arg)
{
	struct proxy_loop *own = loop->user;

	(void)arg;
	if (!own)
		return;
	/* What its thread still delivers would come to loops that are gone. */
	direct_end(own->proxy->direct);
	secrets_close(own->proxy->secrets);
	if (own->purge)
		event_free(own->purge);
	upstream_pool_free(own->pool);
	free(own);
	loop->user = NULL;
}

static int open_loop(struct loop *loop, void *arg)
{
	struct proxy *proxy = arg;
	struct proxy_loop *own = calloc(1, sizeof(*own));
	int r;

	if (!own)
		return PM_E_NOMEM;
	own->proxy = proxy;
	loop->user = own;
	r = upstream_pool_new(loop, &proxy->upstream, &own->pool);
	if (r == PM_OK && loop->index == 0)
		r = start_purge(loop, own);
	if (r == PM_OK && loop->index == 0 && proxy->secrets)
		r = secrets_open(proxy->secrets, loop);
	if (r < 0)
		close_loop(loop, arg);
	return r;
}

/* --- files ----------------------------------------------------------------------------------- */

static int read_ocsp(struct proxy *proxy)
{
	struct ocsp_table *table;

	if (!proxy->options->ocsp_file)
		return 0;
	table = calloc(1, sizeof(*table));
	if (!table || ocsp_file_read(proxy->options->ocsp_file, table) != 0) {
		free(table);
		return 2;
	}
	/* The one before may be in use: it stays, and reloads are rare. */
	atomic_store(&proxy->ocsp, table);
	return 0;
}

static void reload(void *arg)
{
	struct proxy *proxy = arg;

	/* What can't be read leaves all as it was, and said why. */
	if (proxy->options->keys_file)
		(void)keys_file_read(proxy->options->keys_file, proxy->keys, (int64_t)time(NULL));
	(void)read_ocsp(proxy);
}

/* --- metrics --------------------------------------------------------------------------------- */

static void write_gpus(struct evbuffer *out, const struct ocsp_table *table)
{
	static const char *const labels[2] = {"gpu", "component"};
	static const char *const components[] = {"driver", "gpu", "vbios"};
	static const char name[] = PREFIX "_ocsp_status";
	char gpu[24];

	metrics_begin(out, name, "gauge", "Certificates' status: 0 good, 1 revoked, -1 unknown.");
	for (size_t i = 0; i < table->count; i++) {
		const char *values[2] = {gpu, components[i % 3]};
		enum pm_ocsp_value value = table->status[i].value;

		snprintf(gpu, sizeof(gpu), "%zu", i / 3);
		metrics_sample2(out, name, labels, values,
			value == PM_OCSP_GOOD	   ? 0
			: value == PM_OCSP_REVOKED ? 1
						   : -1);
	}
}

static void write_metrics(struct evbuffer *out, void *arg)
{
	struct proxy *proxy = arg;
	const struct ocsp_table *table = atomic_load(&proxy->ocsp);
	const struct {
		const char *reason;
		uint64_t count;
	} refused[] = {
		{"not_opened", atomic_load(&proxy->not_opened)},
		{"not_allowed", atomic_load(&proxy->not_allowed)},
		{"not_ready", atomic_load(&proxy->not_ready)},
		{"no_room", atomic_load(&proxy->no_room)},
	};

	metrics_begin(out, PREFIX "_refused_total", "counter", "Requests that we refused.");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		metrics_sample(out, PREFIX "_refused_total", "reason", refused[i].reason,
			(int64_t)refused[i].count);
	metrics_single(out, PREFIX "_upstream_failed_total", "counter",
		"Answers of the inference server that could not be passed on whole.",
		(int64_t)atomic_load(&proxy->upstream_failed));
	metrics_single(out, PREFIX "_buffered_bytes", "gauge",
		"Bodies of requests, and answers of one piece, in memory.",
		(int64_t)atomic_load(&proxy->buffered.used));
	metrics_single(out, PREFIX "_secrets", "gauge", "Inference secrets that are held.",
		(int64_t)keys_count(proxy->keys));
	if (proxy->mesh)
		mesh_metrics(proxy->mesh, out, PREFIX);
	if (proxy->secrets)
		secrets_metrics(proxy->secrets, out, PREFIX);
	usage_write(proxy->usage, out, PREFIX);
	if (table)
		write_gpus(out, table);
}

static bool is_ready(void *arg)
{
	return proxy_is_ready(arg);
}

/* --- the whole ------------------------------------------------------------------------------- */

static int set_up_mesh(struct proxy *proxy)
{
	const struct proxy_options *o = proxy->options;

	if (mesh_new(&o->mesh, &o->evidence, &proxy->mesh) != 0)
		return 2;
	if (!o->secrets || secrets_new(o->secrets, proxy->mesh, proxy->keys, proxy->started,
				   &o->misses, &proxy->secrets) == PM_OK)
		return 0;
	warnx("out of memory");
	return 2;
}

static int begin(struct service *service, void *arg)
{
	struct proxy *proxy = arg;

	return proxy->mesh ? mesh_begin(proxy->mesh, service) : PM_OK;
}

static void end(void *arg)
{
	struct proxy *proxy = arg;

	mesh_end(proxy->mesh);
}

static int set_up(struct proxy *proxy)
{
	const struct proxy_options *o = proxy->options;

	if (address_parse(o->upstream, &proxy->upstream) < 0 ||
		!address_is_local(&proxy->upstream)) {
		warnx("--upstream: '%s' is no address of this machine alone: prompts would cross "
		      "the network in plaintext",
			o->upstream);
		return 2;
	}
	if (keys_new(&o->keys, &proxy->keys) < 0 || usage_new(&proxy->usage) < 0) {
		warnx("out of memory");
		return 2;
	}
	if (o->keys_file && keys_file_read(o->keys_file, proxy->keys, proxy->started) != 0)
		return 2;
	if (o->direct && direct_new(&o->evidence, &proxy->direct) != 0)
		return 2;
	if (o->mesh.coordinator && set_up_mesh(proxy) != 0)
		return 2;
	if (o->direct && o->public_key && direct_write_key(proxy->direct, o->public_key) != 0)
		return 2;
	return read_ocsp(proxy);
}

/*
 * What was issued in the second in which we start, or before, an earlier process may have answered:
 * it is refused. So the first clients are let in when they can't send such a request any more.
 */
static void wait_for_next_second(const struct proxy *proxy)
{
	struct timespec now;

	if (!proxy->options->keys_file && !proxy->secrets)
		return; /* of direct mode: no earlier process had these secrets */
	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec == proxy->started) {
		now = (struct timespec){.tv_nsec = 999999999 - now.tv_nsec};
		while (nanosleep(&now, &now) != 0)
			;
	}
}

static int run(struct proxy *proxy)
{
	struct http_handler handler = job_handler, mesh_handler = job_mesh_handler;
	const struct daemon_program program = {
		.name = "pm-proxy",
		.metrics_prefix = PREFIX,
		.handler = &handler,
		.mesh_handler = proxy->mesh ? &mesh_handler : NULL,
		.open_loop = open_loop,
		.close_loop = close_loop,
		.begin = begin,
		.end = end,
		.is_ready = is_ready,
		.metrics = write_metrics,
		.reload = reload,
		.arg = proxy,
	};

	handler.arg = mesh_handler.arg = proxy;
	return daemon_run(&proxy->options->common, &program);
}

int main(int argc, char **argv)
{
	struct proxy_options options;
	struct proxy proxy = {.options = &options, .started = (int64_t)time(NULL)};
	int r = options_parse(argc, argv, &options);

	if (r != OPTIONS_RUN)
		return r;
	memory_wipe_freed();
	proxy.buffered.most = options.max_buffered;
	r = set_up(&proxy);
	if (r == 0) {
		wait_for_next_second(&proxy);
		r = run(&proxy);
	}
	secrets_free(proxy.secrets);
	mesh_free(proxy.mesh);
	direct_free(proxy.direct);
	keys_free(proxy.keys);
	usage_free(proxy.usage);
	free((void *)(uintptr_t)atomic_load(&proxy.ocsp));
	return r;
}
