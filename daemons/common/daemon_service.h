/* SPDX-License-Identifier: Apache-2.0 */
/* All there is of one daemon. For daemon.c and its sockets. */
#ifndef COMMON_DAEMON_SERVICE_H
#define COMMON_DAEMON_SERVICE_H

#include <pthread.h>

#include "common/daemon.h"

struct worker {
	struct service *service;
	struct loop *loop;
	struct http_server *server;
	struct http_server *mesh; /* NULL: the program has no such listeners */
	int servers_left;	  /* while it drains */
	struct event *deadline;
	pthread_t thread;
	bool is_open, has_thread;
};

struct service {
	const struct common_options *options;
	const struct daemon_program *program;
	struct http_counts counts;
	struct tls_config *tls;
	struct worker *workers;
	unsigned int worker_count;
	unsigned int workers_left; /* of the first loop */
	bool draining;		   /* of the first loop */
	bool has_begun;		   /* the program's begin() was called */

	struct http_handler admin;
	struct http_limits admin_limits;
	struct http_server *admin_server;
	struct event *signals[3];
};

/* Tells why, and returns r. */
int service_failed(const char *what, const char *which, int r);

/* All sockets of the options. 0, or a negative enum pm_error that was told. */
int service_open_sockets(struct service *service);

#endif
