/* SPDX-License-Identifier: Apache-2.0 */
/* What all requests of the proxy share. */
#ifndef PROXY_PROXY_H
#define PROXY_PROXY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <pm/rules.h>

#include "common/address.h"
#include "common/budget.h"
#include "common/options.h"
#include "common/evidence.h"
#include "common/limit.h"
#include "common/mesh.h"
#include "pm-proxy/keys.h"
#include "pm-proxy/usage.h"

/* Groups of endpoints that a worker may serve. */
enum adapter {
	ADAPTER_OPENAI = 1,
	ADAPTER_ANTHROPIC = 2,
	ADAPTER_UNSTRUCTURED = 4,
};

#define TASKS_MAX 8
#define GPUS_MAX  64

struct proxy_options {
	struct common_options common;
	const char *upstream;
	const char *keys_file;
	const char *ready_file;
	bool no_ready_file;
	const char *ocsp_file;
	bool no_ocsp;
	unsigned int adapters; /* of enum adapter */
	enum pm_media_rule media;
	bool no_prompt_cache; /* the server's keeps nobody apart */
	const char *tasks[TASKS_MAX];
	size_t task_count;
	uint32_t bucket;     /* 0: no padding */
	size_t max_buffered; /* bytes of requests and answers */
	struct keys_rules keys;
	bool direct;
	const char *public_key; /* where to write it, for who collects GPU evidence */
	struct evidence_options evidence;
	struct mesh_options mesh;
	const char *secrets;	   /* the secret service */
	struct limit_rules misses; /* ids that it does not know */
	const char *client_field;  /* by which clients are told apart; NULL: by their address */
};

/* Driver, GPU and VBIOS of each GPU. */
struct ocsp_table {
	struct pm_ocsp_status status[3 * GPUS_MAX];
	size_t count;
};

struct direct;
struct secrets;

struct proxy {
	const struct proxy_options *options;
	struct address upstream;
	struct keys *keys;
	struct direct *direct;	 /* NULL: secrets come from elsewhere */
	struct mesh *mesh;	 /* NULL: of none */
	struct secrets *secrets; /* NULL: they are not fetched */
	struct usage_table *usage;
	struct budget buffered; /* bodies of requests, and answers of one piece */
	int64_t started;	/* seconds since 1970 */
	/* Set before the loops begin; a reload makes another, and the old one stays. */
	_Atomic(const struct ocsp_table *) ocsp;
	/* By reason, for metrics. */
	atomic_uint_fast64_t not_opened, not_allowed, upstream_failed, not_ready, no_room;
};

struct upstream_pool;

/* What one loop has. */
struct proxy_loop {
	struct upstream_pool *pool;
	struct event *purge;
	struct proxy *proxy;
};

/* May requests be served: has the attestation passed? */
bool proxy_is_ready(const struct proxy *proxy);

/* --- ocsp_file.c --- */

/* 0, or 2 when it said what is wrong. */
int ocsp_file_read(const char *path, struct ocsp_table *ret);

/* --- keys_file.c --- */

/* 0, or 2 when it said what is wrong. */
int keys_file_read(const char *path, struct keys *keys, int64_t now);

/* --- models.c --- */

/*
 * Sets the tasks of each model of a list, or of a single one, as the reference does. Text to be
 * freed, or NULL when the answer was no such list.
 */
char *models_with_tasks(
	const char *json, size_t len, const char *const *tasks, size_t count, size_t *ret_len);

#endif
