/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one record of the store that says which manifest holds: its history, its mesh CA, and what is
 * needed to recover the seed. Who can write to the store can write anything here; what in it is
 * true is decided with the seed (tenure.h).
 */
#ifndef COORDINATOR_HEAD_H
#define COORDINATOR_HEAD_H

#include <jansson.h>

#include <pm/authority.h>
#include <pm/box.h>
#include <pm/history.h>
#include <pm/manifest.h>
#include <pm/shares.h>

#include "common/store.h"
#include "common/tls_digest.h"
#include "pm-coordinator/machine.h"

#define HEAD_KEY      "coordinator/head"
#define HEAD_CERT_MAX 8192
#define HEAD_BOX_SIZE (PM_SHARE_SIZE + PM_BOX_OVERHEAD)

/*
 * Longest record of a manifest that takes force. What is left of the store's room is for other mesh
 * CAs under the same manifest: who is recovered must be able to write one.
 */
#define HEAD_TEXT_MAX (STORE_VALUE_MAX - 16384)

/* A share of the seed that only its owner can read. */
struct head_share {
	char name[PM_MANIFEST_NAME_MAX + 1];
	uint8_t box[HEAD_BOX_SIZE];
};

struct head {
	struct machine_head at;
	uint8_t text[TLS_DIGEST_SIZE]; /* SHA-256 of the record, where it was read or written */
	struct pm_history *history;
	uint8_t manifest[PM_MANIFEST_HASH_SIZE];
	uint8_t commitment[PM_SEED_COMMITMENT_SIZE];
	uint8_t mesh_ca[HEAD_CERT_MAX], root_ca[HEAD_CERT_MAX];
	size_t mesh_ca_len, root_ca_len;
	uint64_t dealt; /* serial of the manifest with which these shares were dealt */
	size_t share_count;
	struct head_share shares[PM_SHARES_MAX];
};

/* The last link of its history, which has one at least. */
const struct pm_history_link *head_link(const struct head *head);

/*
 * Could it have come after that one? It is of the same seed, by what it says, and its history holds
 * the other's last link. Who signed the links, a link's hash does not say: the seed does.
 */
bool head_leads_on(const struct head *head, const struct head *from);

/* Sets what the machine compares: at.serial, at.link, at.mesh. False when that can't be. */
bool head_settle(struct head *head);

/* NULL: it is none, or there is no memory. */
struct head *head_parse(const void *bytes, size_t len, uint64_t revision);

/* JSON, to be freed, or NULL without memory. */
char *head_text(const struct head *head);

/* Is it no longer than that of a manifest that takes force may be? 0; PM_E_LIMIT, PM_E_NOMEM. */
int head_check_room(const struct head *head);

/* [{"Name", "Box"}], or NULL without memory. */
json_t *head_shares(const struct head *head, const char *name_key, const char *box_key);

/* The history as JSON, or NULL. */
json_t *head_history(const struct head *head);

struct head *head_copy(const struct head *head);
void head_free(struct head *head);

#endif
