/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request of owners: a sealed exchange (exchange.h) under a secret that was agreed a moment
 * before, and in it a command that they signed. What stands in between sees neither.
 */
#ifndef SECRETS_ADMIN_H
#define SECRETS_ADMIN_H

#include <pm/command.h>
#include <pm/exchange.h>
#include <pm/keyex.h>

#include "pm-secrets/job.h"

/* Largest request, with a backup in it. */
#define ADMIN_BODY_MAX (32u << 20)
/*
 * Whoever comes can make us hold a request until it is whole, and opened. So there are few at a
 * time that are longer than one with a short secret needs to be, and fewer that are longer than one
 * with the longest.
 */
#define ADMIN_BODY_SMALL 16384
#define ADMIN_BODY_LARGE 524288
#define ADMIN_MEDIUM_MAX 256
#define ADMIN_LARGE_MAX	 2

enum admin_size { ADMIN_SMALL, ADMIN_MEDIUM, ADMIN_LARGE };

struct restore;
struct export;

/* What is done with the commands of an op. */
struct admin_op {
	enum pm_command_op op;
	const char *method, *path; /* a path that ends with a slash has the identifier behind it */
	bool has_value, has_key;
	/* The command was verified, and its line is in the log. */
	void (*run)(struct job *job);
};

struct admin {
	/* The exchange. */
	char exchange[PM_KEYEX_ID_SIZE];
	struct pm_exchange_key *key;
	struct pm_exchange_worker *worker;
	struct buffer inner, out;
	bool has_head;
	enum admin_size size; /* as it is counted */
	char method[PM_SEALED_METHOD_MAX + 1];
	char path[PM_COMMAND_ID_MAX + 32];

	/* The command. */
	const struct admin_op *op;
	char id[PM_COMMAND_ID_MAX + 1];
	struct pm_command *command;
	uint8_t digest[PM_COMMAND_DIGEST_SIZE]; /* of its statement */
	uint8_t salt[PM_COMMAND_DIGEST_SIZE];
	struct record_value value; /* a secret, or a backup */
	uint8_t backup_key[PM_COMMAND_DIGEST_SIZE];

	/* What goes on over several steps. */
	struct event *timer; /* of a revocation, and when it was */
	int64_t ended;
	bool was_there;
	struct restore *restore;
	struct export *export;
};

/* Answers within the exchange, once the head of the request was opened; else outside. */
void admin_reply(struct job *job, int status, const char *json, size_t len);
void admin_fail(struct job *job, int status, const char *code, const char *message);
void admin_fail_store(struct job *job, const struct store_result *result);

/* The same in pieces. False: the answer was cut off, and nothing is to be done any more. */
bool admin_begin(struct job *job, const char *content_type);
bool admin_piece(struct job *job, const void *bytes, size_t len);
void admin_end(struct job *job);

/* --- command.c: from the request's body to a verified command, which then runs --- */

void admin_command(struct job *job);

/* --- what runs --- */

void admin_put(struct job *job);
void admin_revoke(struct job *job);
void admin_show(struct job *job);
void admin_rotate(struct job *job);
void admin_restore(struct job *job);
void admin_restore_free(struct restore *restore);
/* Both of export.c. */
void admin_backup(struct job *job);
void admin_log(struct job *job);
void admin_export_drained(struct job *job);
void admin_export_free(struct export *export);

#endif
