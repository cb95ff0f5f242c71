/* SPDX-License-Identifier: Apache-2.0 */
/* What all requests of the client share. */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <pm/rules.h>
#include <pm/session.h>

#include "common/options.h"
#include "pm-client/trust.h"

/* Where sealed requests go: a worker looks at none of it, load balancers may. */
#define CLIENT_SEALED_PATH "/pm/v1/sealed"
/* Longest API key and longest cache salt of a file. */
#define CLIENT_TEXT_MAX 4096

struct client_options {
	struct common_options common;
	const char *worker;
	const char *manifest;
	const char *owners, *signatures; /* both or none */
	bool has_hash;
	uint8_t hash[PM_MANIFEST_HASH_SIZE];
	bool no_memory;
	struct pm_session_options session;
	bool allow_remote;
	const char *api_key_file;
	bool outer_key;
	const char *salt_file;
	bool shared_cache;
	bool shard_keys;
	uint32_t bucket; /* 0: no padding */
	bool has_ocsp;
	struct pm_ocsp_policy ocsp; /* without the time */
	int64_t ocsp_grace;	    /* seconds */
	const char *dump;
	int64_t stream_time; /* milliseconds; 0: for ever */
	bool json;	     /* of the verb */
};

struct keeper;

struct client {
	const struct client_options *options;
	struct trust_slot trust;
	struct keeper *keeper;
	char *authorization; /* of the file: "Bearer ..."; NULL: that of each request */
	char *salt;	     /* of all requests without one; NULL: fresh ones */
	atomic_uint_fast64_t in_between, not_whole, retried, not_allowed;
};

struct upstream_pool;

/* What one loop has. */
struct client_loop {
	struct client *client;
	struct upstream_pool *pool;
	struct event *start; /* of the first loop: the keeper begins when the loop runs */
};

/* --- send.c --- */

/* A secret to use now, or NULL. */
struct pm_session_key *client_peek(struct client *client);
/* The worker is said not to know it. */
void client_distrust(struct client *client, const struct pm_session_key *key);

/* --- files.c: each says what is wrong, and returns the exit status --- */

/* The manifest of the options; its hash and its signatures must be as they say. */
int read_manifest(const struct client_options *o, struct pm_manifest **ret);
/* A line of a file that nobody but its owner can read. */
int read_secret_line(const char *path, char **ret);

/* --- verify.c --- */

/* The verb: pm-client verify [OPTION]... URL. */
int cmd_verify(int argc, char **argv);

#endif
