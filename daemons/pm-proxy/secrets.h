/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets of clients that agreed with the secret service of the mesh (pm-secrets(8)): one that is
 * asked for and not held is fetched by its id, over mutual TLS as a member of the mesh.
 *
 * It then serves until it expires, or until the service says that it has ended: that is heard on a
 * request that stays open. While it is not open, or of another instance of the service than that
 * which gave the secret, nobody would tell: then a secret serves for SECRETS_LEASE seconds at most
 * before it is fetched again.
 *
 * Whoever makes ids up must not use up what the service does for us: of ids that it does not know,
 * each client has so many a second, and of what is asked of it just now, none may have more than
 * what is still free.
 */
#ifndef PROXY_SECRETS_H
#define PROXY_SECRETS_H

#include <event2/buffer.h>
#include <stdint.h>

#include "common/limit.h"
#include "common/mesh.h"
#include "pm-proxy/keys.h"

/* How long a secret serves that nobody watches, in seconds: half of it at least. */
#define SECRETS_LEASE 10
/* A service that says nothing for so long does not tell of ends either: as if it were gone. */
#define SECRETS_SILENCE 15
/* Askers that may wait at a time, and secrets that are fetched at a time. */
#define SECRETS_ASKS_MAX    8192
#define SECRETS_FETCHES_MAX 256
/* How long the service's answer that there is none is remembered, and how many of them. */
#define SECRETS_MISSING_MS  1000
#define SECRETS_MISSING_MAX 1024

struct secrets;
/* Somebody who waits. */
struct secrets_ask;

/* For whom a secret is asked: see limit_key_of_client(). */
struct secrets_client {
	size_t len;
	uint8_t key[LIMIT_KEY_MAX];
};

/*
 * In the loop of who asked. 0: it is in keys now; PM_E_MISSING: there is none, or it is not for us;
 * PM_E_LIMIT: the client asks for too much; PM_E_NET: nobody knows.
 */
typedef void secrets_done(void *arg, int error);

/*
 * url is the mesh listener of the service, which with mesh and keys outlives it. Secrets answer no
 * sealed request of before started. misses: how often a client may ask for what there is not. 0;
 * PM_E_NOMEM.
 */
int secrets_new(const char *url, struct mesh *mesh, struct keys *keys, int64_t started,
	const struct limit_rules *misses, struct secrets **ret_secrets);
void secrets_free(struct secrets *secrets);

/* For the first loop, which does all the work; before it runs. 0; PM_E_ARG for another address;
 * PM_E_NOMEM, PM_E_LIMIT, PM_E_STATE. */
int secrets_open(struct secrets *secrets, struct loop *loop);
/* While all loops are there, and none runs. More than once is fine. */
void secrets_close(struct secrets *secrets);

/*
 * From any loop. 0; PM_E_MISSING for what is no id of an agreed secret, PM_E_LIMIT when too many
 * wait, PM_E_NOMEM: then done is not called.
 */
int secrets_ask(struct secrets *secrets, struct loop *loop, const char *id,
	const struct secrets_client *client, secrets_done *done, void *arg,
	struct secrets_ask **ret_ask);
/* Nobody waits any more: done is not called. From the loop of who asked. */
void secrets_cancel(struct secrets_ask *ask);

void secrets_metrics(struct secrets *secrets, struct evbuffer *out, const char *prefix);

#endif
