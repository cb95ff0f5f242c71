/* SPDX-License-Identifier: Apache-2.0 */
/* What owners do with the secret service: verbs that attest, agree, sign and ask. */
#ifndef PM_CTL_SECRETS_H
#define PM_CTL_SECRETS_H

#include "common/mesh.h"

/* Keys that sign one command. */
#define SECRETS_KEYS_MAX PM_MANIFEST_OWNERS_MAX

struct secrets_names {
	const char *list[PM_MANIFEST_MODELS_MAX];
	size_t count;
};

/* The options of all verbs, and what comes of them. */
struct secrets_call {
	struct tool_mesh mesh;
	const char *service; /* its URL */
	const char *keys[SECRETS_KEYS_MAX];
	size_t key_count;
	const char *signers[SECRETS_KEYS_MAX]; /* programs */
	size_t signer_count;
	bool help;
	/* Of some. */
	int64_t ttl; /* seconds */
	struct secrets_names roles, models;
	const char *output, *since;
	const char *share_keys[PM_SHARES_MAX];
	size_t share_key_count;
	const char *words[2]; /* what stands behind the options */
	size_t word_count;

	struct tool_mesh_result result;
	struct pm_operator *op;
};

/* What a verb is. */
struct secrets_verb {
	const char *name, *help;
	const char *words; /* "ID FILE": those that are needed */
	size_t word_count;
	bool has_output; /* --output is needed */
	/* The service was attested, and a secret agreed on. An exit status. */
	int (*run)(struct secrets_call *call);
};

/* Options, the coordinator's evidence, the exchange; then the verb. */
int secrets_run(const struct secrets_verb *verb, int argc, char **argv);

/* A command out of a file or program; says what is wrong with it. An exit status. */
int secrets_parse_command(
	const char *name, const void *bytes, size_t len, struct pm_command **ret_command);

/* Signs with keys in files. An exit status. */
int secrets_sign_by(const char *const *keys, size_t count, struct pm_command *command);

/* Has a program sign: takes over the signatures that it gives back. An exit status. */
int secrets_ask_signer(const char *program, struct pm_command *command);

/* A command of this op, signed by all, as base64 in JSON; NULL when it said why not. */
json_t *secrets_command(struct secrets_call *call, const struct pm_command_statement *what);

/*
 * Asks, and prints what was refused. Takes the reference to body. The answer is the caller's when
 * this is TOOL_OK.
 */
int secrets_ask(struct secrets_call *call, const char *method, const char *path, json_t *body,
	struct pm_operator_answer *ret);

/* Base64; NULL without memory. */
json_t *secrets_base64(const void *bytes, size_t len);

int secrets_put(int argc, char **argv);
int secrets_revoke(int argc, char **argv);
int secrets_show(int argc, char **argv);
int secrets_sign(int argc, char **argv);
int secrets_rotate(int argc, char **argv);
int secrets_backup(int argc, char **argv);
int secrets_restore(int argc, char **argv);
int secrets_log(int argc, char **argv);

#endif
