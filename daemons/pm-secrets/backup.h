/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backup: lines of text. The first is
 *
 *     {"backup": 1, "manifest": hexadecimal hash, "time": seconds, "threshold": number,
 *      "shares": [{"name": who holds shares of the seed, "box": base64}...]}
 *
 * in which each box (box.h, label "secrets backup", bound to the manifest's hash) has a share
 * (shares.h) of a key of 32 bytes, drawn for this backup: as many of them are needed as are of the
 * seed's, so that nobody reads alone what he could not recover alone. Each further line is base64
 * of a value that pm_seal() sealed under this key (label "libpm secrets backup v1", epoch 1) with
 * the line's number, from 1 on, in 8 bytes, most significant first, as context. What is sealed is
 * 1, the length of the identifier (1 byte), it, the length of the head (4), it as record.h has it,
 * and the value; of the last line it is 2 alone: so a backup that was cut short is noticed, as is
 * one whose lines were moved.
 */
#ifndef SECRETS_BACKUP_H
#define SECRETS_BACKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pm/manifest.h>
#include <pm/seal.h>

#include "common/buffer.h"
#include "pm-secrets/record.h"

#define BACKUP_KEY_SIZE	 32
#define BACKUP_BOX_LABEL "secrets backup"

/* Longest line: of the largest secret, and of the boxes of all owners. */
#define BACKUP_LINE_MAX 131072

struct backup {
	struct pm_seal_key *key;
	uint64_t line; /* number of the last */
	bool is_whole; /* the last line was read */
};

void backup_free(struct backup *backup);

/*
 * Begins to write: the first line goes to out. 0; PM_E_MISSING when the manifest names nobody who
 * holds shares; PM_E_UNSUPPORTED in a build that can't share; PM_E_LIMIT, PM_E_NOMEM, PM_E_CRYPTO.
 */
int backup_begin(
	struct backup *backup, const struct pm_manifest *manifest, int64_t now, struct buffer *out);
/* One secret. Likewise. */
int backup_add(struct backup *backup, const char *id, const struct record *record,
	const struct record_value *value, struct buffer *out);
/* The last line. Likewise. */
int backup_end(struct backup *backup, struct buffer *out);

/* Begins to read, with the key that shares gave. 0; PM_E_NOMEM, PM_E_CRYPTO. */
int backup_open(struct backup *backup, const uint8_t key[BACKUP_KEY_SIZE]);

/*
 * Reads one line behind the first, without its newline. PM_E_FORMAT, PM_E_REJECTED for one that is
 * not the next line of this backup, or comes behind the last; PM_E_NOMEM, PM_E_CRYPTO. When
 * is_whole is set then, there is no secret in it.
 */
int backup_read(struct backup *backup, const char *line, size_t len,
	char ret_id[PM_COMMAND_ID_MAX + 1], struct record *ret_record,
	struct record_value *ret_value);

#endif
