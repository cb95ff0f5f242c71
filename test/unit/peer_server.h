/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server on 127.0.0.1 in a thread of the test, which answers by a function: one connection after
 * the other, and one request of each.
 */
#ifndef PM_TEST_PEER_SERVER_H
#define PM_TEST_PEER_SERVER_H

#include "base/mem.h"

/* What is answered. */
struct peer_reply {
	int status;
	const char *type;    /* of the body; NULL for no field */
	const char *header;  /* whole lines, or NULL */
	struct pm_view body; /* freed with test_free() when it was sent */
};

/* request: "POST /path HTTP/1.1"; a reply without status hangs up. Runs in the server's thread. */
typedef struct peer_reply (*peer_fn)(void *arg, const char *request, struct pm_view body);

struct peer_server;

struct peer_server *peer_server_start(peer_fn answer, void *arg);

/* "http://127.0.0.1:PORT"; lives as long as the server. */
const char *peer_server_url(const struct peer_server *server);

void peer_server_stop(struct peer_server *server);

#endif
