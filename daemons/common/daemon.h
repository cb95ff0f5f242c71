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

/* What a program brings. */
struct daemon_program {
	const char *name;
	const char *metrics_prefix;
	const struct http_handler *handler;
	/* For each loop, before it runs; may set loop->user. 0 or a negative enum pm_error. */
	int (*open_loop)(struct loop *loop, void *arg);
	/* After it ran, and only then. */
	void (*close_loop)(struct loop *loop, void *arg);
	/* What /readyz answers; NULL: always. From the first loop. */
	bool (*is_ready)(void *arg);
	/* Adds figures of its own; NULL: none. From the first loop. */
	void (*metrics)(struct evbuffer *out, void *arg);
	/* SIGHUP; NULL: nothing. From the first loop. */
	void (*reload)(void *arg);
	void *arg;
};

/* Runs until a signal ends it. The exit status: 0, or 2 when it could not begin. */
int daemon_run(const struct common_options *options, const struct daemon_program *program);

#endif
