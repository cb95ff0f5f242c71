/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-coordinator/coordinator.h"

#include <string.h>

#include <pm/seal.h>

#include "common/log.h"

const struct tenure *coordinator_newest(const struct coordinator *c)
{
	return c->seen ? c->seen : c->own;
}

enum machine_state coordinator_state(const struct coordinator *c)
{
	enum machine_state state = machine_state(&c->machine, loop_now());
	struct pm_audit_head head;

	/* Where the log ends must be known too: what is not written down is not done. */
	return state == MACHINE_READY && !journal_head(c->journal, &head) ? MACHINE_STALE : state;
}

const char *coordinator_state_name(enum machine_state state)
{
	static const char *const names[] = {
		[MACHINE_EMPTY] = "empty",
		[MACHINE_SEALED] = "sealed",
		[MACHINE_READY] = "ready",
		[MACHINE_STALE] = "stale",
	};

	return names[state];
}

void coordinator_set_seed(struct coordinator *c, struct pm_seed *seed)
{
	if (seed == c->seed)
		return;
	pm_seed_free(c->seed);
	c->seed = seed;
}

/* The same for each tenure of one seed. */
static bool make_state_key(struct coordinator *c, const struct tenure *tenure)
{
	uint8_t secret[PM_AUTHORITY_SECRET_SIZE];
	int r = PM_OK;

	if (c->state_key)
		return true;
	r = pm_authority_state_secret(tenure->authority, secret);
	if (r == PM_OK)
		r = pm_seal_key_new(secret, "coordinator state", 1, &c->state_key);
	explicit_bzero(secret, sizeof(secret));
	return r == PM_OK;
}

bool coordinator_install(struct coordinator *c, struct tenure *tenure)
{
	if (!make_state_key(c, tenure) ||
		!journal_set_key(c->journal, pm_authority_audit_key(tenure->authority))) {
		log_event(LOG_LEVEL_ERROR, "failed", "what", "out of memory", NULL);
		return false;
	}
	tenure_free(c->own);
	tenure_free(c->seen);
	c->own = tenure;
	c->seen = NULL;
	c->renew_at = 0;
	c->is_document_old = true;
	return true;
}
