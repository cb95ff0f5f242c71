/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of an audit log. */
#ifndef PM_MESH_AUDIT_H
#define PM_MESH_AUDIT_H

#include <pm/audit.h>
#include "crypto/sign.h"
#include "policy/json.h"

PM_OWNER(pm_audit, pm_audit_free);

/* What of an entry decides. */
struct pm_audit_entry {
	char log[PM_AUDIT_NAME_MAX + 1];
	uint64_t sequence;
	int64_t time;
	uint8_t previous[PM_AUDIT_HASH_SIZE];
	uint8_t hash[PM_AUDIT_HASH_SIZE]; /* of the whole, but the signature */
	uint8_t signature[PM_SIGN_SIGNATURE_MAX];
	size_t signature_size;
};

/*
 * One line with its newline, in its one spelling; nothing is verified. name is that of the checks
 * in the report. PM_E_FORMAT, PM_E_UNSUPPORTED, PM_E_LIMIT, PM_E_NOMEM, PM_E_CRYPTO.
 */
int pm_audit_entry_read(const char *name, struct pm_view line, struct pm_report *report,
	struct pm_audit_entry *ret) PM_MUST_USE;

/* Hash of an entry without its signature. PM_E_NOMEM, PM_E_CRYPTO. */
int pm_audit_hash(json_t *unsigned_entry, uint8_t *ret_hash) PM_MUST_USE;

/* What the signature is over. */
#define PM_AUDIT_SIGN_LABEL   "libpm audit entry v1"
#define PM_AUDIT_MESSAGE_SIZE (sizeof(PM_AUDIT_SIGN_LABEL) + PM_AUDIT_HASH_SIZE)

void pm_audit_message(const uint8_t *hash, uint8_t *ret_message);

/* Is it an entry of that log and signed by that key? PM_E_REJECTED, PM_E_NOMEM, PM_E_CRYPTO. */
int pm_audit_entry_check(const char *name, const struct pm_audit_entry *entry, const char *log,
	const struct pm_sign_public *key, struct pm_report *report) PM_MUST_USE;

#endif
