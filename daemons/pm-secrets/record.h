/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret as it lies in the store: a head that anyone may read and nobody can change, and the
 * value, sealed. The head is
 *
 *     version 1 (1 byte) || kind (1) || created (8) || expires (8) || owner (32) ||
 *     length of the rule (2) || rule
 *
 * with numbers most significant byte first. The value is sealed by pm_seal() under a key of the
 * epoch, with "libpm secrets record v1", a zero byte, the secret's identifier, a zero byte and the
 * head as its context: so a value is good for its identifier alone, until that time and for those
 * that the head says.
 *
 * A rule narrows the manifest's: count of roles (2), each as length (1) and name, then the same of
 * models; none of a kind stands for all that the manifest allows.
 */
#ifndef SECRETS_RECORD_H
#define SECRETS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <pm/command.h>

#include "pm-secrets/ring.h"

/* Where records lie in the store: behind this their identifier. */
#define RECORD_PREFIX	"secrets/value/"
#define RECORD_KEY_SIZE (sizeof(RECORD_PREFIX) + PM_COMMAND_ID_MAX)

/* Largest value. */
#define RECORD_VALUE_MAX 65536
/* Longest rule. */
#define RECORD_RULE_MAX 2048
/* Who made it, as 32 bytes. */
#define RECORD_OWNER_SIZE 32
/* Longest head: version, kind, two times, owner, length of the rule, rule. */
#define RECORD_HEAD_MAX (1 + 1 + 8 + 8 + RECORD_OWNER_SIZE + 2 + RECORD_RULE_MAX)

enum record_kind {
	RECORD_CLIENT = 1, /* agreed on with a client; owner: SHA-256 of its public key */
	RECORD_OWNERS = 2, /* put by owners; owner: the digest of their statement */
	/* Agreed on with who commands: no worker's, or it could read what owners put. */
	RECORD_OPERATOR = 3,
};

struct record {
	enum record_kind kind;
	int64_t created, expires;
	uint8_t owner[RECORD_OWNER_SIZE];
	size_t rule_len;
	uint8_t rule[RECORD_RULE_MAX];
};

/* A value, to be wiped and freed with record_value_free(). */
struct record_value {
	uint8_t *bytes;
	size_t len;
};

void record_value_free(struct record_value *value);

/* Is it an identifier of a secret? As a manifest has them. */
bool record_is_id(const char *id);

/* The key in the store; id must be one. */
void record_key(const char *id, char ret[RECORD_KEY_SIZE]);

/* A rule that lets in all whom the manifest lets in: two counts of none. */
#define RECORD_NO_RULE 4

/* The rule of a statement. PM_E_LIMIT when it is too long. */
int record_set_rule(struct record *record, const struct pm_command_statement *statement);

/* Does the rule let in who has that role and serves that model (NULL: none)? */
bool record_allows(const struct record *record, const char *role, const char *model);

/* {"roles": [...] or null, "models": [...] or null}; NULL without memory. */
json_t *record_rule_json(const struct record *record);

/*
 * What goes into the store, freed by the caller. 0; PM_E_LIMIT for a value too large; PM_E_NOMEM,
 * PM_E_CRYPTO.
 */
int record_seal(struct ring *ring, const char *id, const struct record *record,
	const struct record_value *value, uint8_t **ret_bytes, size_t *ret_len);

/* The head alone, as it is written; and read, when there is nothing behind it. */
size_t record_write_head(const struct record *record, uint8_t ret[RECORD_HEAD_MAX]);
int record_read_whole_head(const uint8_t *bytes, size_t len, struct record *ret);

/*
 * What came out of it. The head alone is not authentic. PM_E_FORMAT, PM_E_LIMIT;
 * PM_E_UNSUPPORTED for another version.
 */
int record_read_head(const uint8_t *bytes, size_t len, struct record *ret);

/*
 * All of it. PM_E_REJECTED when it was changed, lay elsewhere or is of an epoch that is over; as
 * record_read_head(); PM_E_NOMEM, PM_E_CRYPTO.
 */
int record_open(struct ring *ring, const char *id, const uint8_t *bytes, size_t len,
	struct record *ret, struct record_value *ret_value);

/* The epoch that it is sealed under, not authentic. As record_read_head(). */
int record_epoch(const uint8_t *bytes, size_t len, uint32_t *ret);

#endif
