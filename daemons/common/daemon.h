/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a daemon: sockets, loops, signals. SIGTERM and SIGINT: no new connections, what is
 * under way goes on for a while, then the end; a second signal ends at once. SIGHUP: certificates,
 * and what the program wants, are read anew; what can't be read leaves all as it was.
 */
#ifndef COMMON_DAEMON_H
#define COMMON_DAEMON_H

#include <event2/buffer.h>
#include <stdbool.h>

#include "common/options.h"

/* A daemon that runs. */
struct service;

/* What a program brings. */
struct daemon_program {
	const char *name;
	const char *metrics_prefix;
	const struct http_handler *handler;
	/* Of listeners with the certificates of the mesh (--mesh-listen); NULL: there are none. */
	const struct http_handler *mesh_handler;
	/* For each loop, before it runs; may set loop->user. 0 or a negative enum pm_error. */
	int (*open_loop)(struct loop *loop, void *arg);
	/* After it ran, and only then. */
	void (*close_loop)(struct loop *loop, void *arg);
	/*
	 * Once, before the loops run and when privileges are given up: for threads of the
	 * program's own. NULL: nothing. 0 or a negative enum pm_error.
	 */
	int (*begin)(struct service *service, void *arg);
	/*
	 * When begin() was well: no loop runs any more, but they still take loop_post(), and
	 * close_loop() comes after. From the first thread.
	 */
	void (*end)(void *arg);
	/* What /readyz answers; NULL: always. From the first loop. */
	bool (*is_ready)(void *arg);
	/* Adds figures of its own; NULL: none. From the first loop. */
	void (*metrics)(struct evbuffer *out, void *arg);
	/*
	 * The daemon is to end: what goes on without an end of its own ends now, and no more of it
	 * begins. NULL: there is none. From each loop, once.
	 */
	void (*drain)(struct loop *loop, void *arg);
	/* SIGHUP; NULL: nothing. From the first loop. */
	void (*reload)(void *arg);
	void *arg;
};

/* Runs until a signal ends it. The exit status: 0, or 2 when it could not begin. */
int daemon_run(const struct common_options *options, const struct daemon_program *program);

/*
 * For connections to come to the listeners of the mesh; NULL: they are closed as they come, as they
 * are in the beginning. From any thread, from begin() until end() returns. 0; PM_E_NOMEM, when some
 * loop keeps what it had.
 */
int daemon_set_mesh_tls(struct service *service, struct tls_config *tls);

#endif
