/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The logs of the secret service as one fetch gave them, one after the other, and what they say of
 * each other.
 */
#ifndef PM_CTL_SECRETS_LOG_SET_H
#define PM_CTL_SECRETS_LOG_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pm/audit.h>

/* Bytes of a log that are verified at once; it is a line at least. */
#define SECRETS_LOG_PIECE (1u << 20)

/* Longest text. */
#define SECRETS_LOG_MAX (256u << 20)

struct secrets_log_entry {
	uint8_t previous[PM_AUDIT_HASH_SIZE]; /* hash of the entry before */
	int64_t time;
};

struct secrets_log_one {
	char name[PM_AUDIT_NAME_MAX + 1];
	const char *text;
	size_t len;
	uint64_t first; /* number of the first entry: 1, or what came before is gone */
	struct secrets_log_entry *entries;
	size_t count, room;
	struct pm_audit_head head; /* when it is authentic */
	bool is_authentic;
	int64_t days; /* how long it is kept, as its first entry says; 0: it does not */
};

/* Somebody saw an entry of a log. */
struct secrets_log_claim {
	const char *by; /* a log, or a file */
	char seen[PM_AUDIT_NAME_MAX + 1];
	uint64_t entries;
	uint8_t hash[PM_AUDIT_HASH_SIZE];
	int64_t until; /* from then on the store may have forgotten it */
	/* Or saw it no more, though the log had had so many entries; 0: he saw it. */
	uint64_t was;
};

struct secrets_log_claims {
	struct secrets_log_claim *list;
	size_t count, room;
};

/* Begin with zeros. */
struct secrets_log_set {
	const char *source; /* for messages, and the text: they live longer */
	struct pm_sign_public key;
	int64_t days; /* how long lines are kept, as the service said; 0: it did not */
	struct secrets_log_one **logs;
	size_t count, room;
	struct secrets_log_claims claims; /* of authentic logs */
};

/*
 * Reads what the service answered, and verifies each log by itself, from its first line on. Prints
 * what is wrong. TOOL_OK; TOOL_REJECTED: a log is not authentic, or the text is malformed;
 * TOOL_USAGE without memory. The set is to be cleared.
 */
int secrets_log_read(
	const char *source, const char *text, size_t len, struct secrets_log_set *ret_set);
void secrets_log_clear(struct secrets_log_set *set);

/* The log of that name, or NULL. */
const struct secrets_log_one *secrets_log_find(const struct secrets_log_set *set, const char *name);

/* False without memory. */
bool secrets_log_add_claim(
	struct secrets_log_claims *claims, const struct secrets_log_claim *claim);

#endif
