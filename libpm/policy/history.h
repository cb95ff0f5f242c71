/* SPDX-License-Identifier: Apache-2.0 */
/* What a history holds. */
#ifndef PM_POLICY_HISTORY_H
#define PM_POLICY_HISTORY_H

#include <pm/history.h>
#include "policy/manifest.h"

PM_OWNER(pm_history, pm_history_free);

struct pm_history {
	size_t count, room;
	struct pm_history_link *links;
};

/* Room of the bytes that a link signs, and of those that it hashes. */
#define PM_HISTORY_BODY_SIZE 102

/* Those bytes, which begin with a label of 21 characters and a zero byte. */
void pm_history_body(const char *label, const struct pm_history_link *link, uint8_t *ret_body);

#define PM_HISTORY_SIGN_LABEL "libpm history link v1"

/* Fills in the link's hash. PM_E_CRYPTO. */
int pm_history_hash(struct pm_history_link *link) PM_MUST_USE;

/* Adds the link when it follows the last one. PM_E_REJECTED, PM_E_LIMIT, PM_E_NOMEM. */
int pm_history_add(struct pm_history *history, const struct pm_history_link *link,
	struct pm_report *report) PM_MUST_USE;

/* pm_history_verify() without signatures: does it go on from the memory to the manifest? */
int pm_history_compare(const struct pm_history *history, const struct pm_manifest *manifest,
	const struct pm_memory *memory, struct pm_report *report,
	struct pm_memory *ret_memory) PM_MUST_USE;

#endif
