/* SPDX-License-Identifier: Apache-2.0 */
/* Are all entries of logs there that somebody saw? */
#ifndef PM_CTL_SECRETS_LOG_SEEN_H
#define PM_CTL_SECRETS_LOG_SEEN_H

#include "pm-ctl/secrets_log_set.h"

/* What may be gone so soon by our clock may be gone already by that of the store. */
#define SECRETS_LOG_SLACK 300

/*
 * What the set's logs say of each other. Each log that lacks something is named once, with the
 * furthest entry that is lacking. TOOL_OK, TOOL_REJECTED.
 */
int secrets_log_check(const struct secrets_log_set *set, int64_t now);

/*
 * Does the set have what an earlier one has, and what had not to be forgotten since? Likewise;
 * TOOL_USAGE without memory.
 */
int secrets_log_check_since(
	const struct secrets_log_set *set, const struct secrets_log_set *earlier, int64_t now);

#endif
