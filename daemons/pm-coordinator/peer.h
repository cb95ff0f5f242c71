/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys from another coordinator: it is attested by the manifest that the store shows, and we
 * prove to it that we are one. A thread does it, as it waits for answers.
 */
#ifndef COORDINATOR_PEER_H
#define COORDINATOR_PEER_H

#include <stddef.h>

#include <pm/join.h>

#include "common/evidence.h"
#include "common/loop.h"

struct peers;

struct peers_options {
	const char *const *urls;
	size_t count;
	const char *ca_file;
	struct evidence *evidence; /* of the thread alone */
};

/* The membership of the first peer that gave one, or NULL; it is the callee's. In the loop. */
typedef void peers_done(void *arg, struct pm_membership *membership);

/* options must outlive it. NULL without memory. */
struct peers *peers_new(struct loop *loop, const struct peers_options *options);
/* Waits for the thread; done is not called any more. */
void peers_free(struct peers *peers);

/* Asks each in turn, pinned to this manifest. False: not begun. One at a time. */
bool peers_ask(struct peers *peers, const void *manifest, size_t len, peers_done *done, void *arg);

#endif
