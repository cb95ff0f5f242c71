/* SPDX-License-Identifier: Apache-2.0 */
/* All that can be wrong with what the GPU's side hands out, by the part it is wrong in. */
#include "pm-sim/sim_gpu.h"

#include <stdio.h>
#include <string.h>

static const struct sim_gpu_defects *const groups[] = {&sim_gpu_field_defects,
	&sim_gpu_signed_defects, &sim_gpu_chain_defects, &sim_gpu_rim_defects,
	&sim_gpu_ocsp_defects};

#define GROUPS (sizeof(groups) / sizeof(groups[0]))

static const struct sim_gpu_defect *find(const struct sim_gpu_defects *group, const char *name)
{
	for (size_t i = 0; i < group->count; i++)
		if (strcmp(group->list[i].name, name) == 0)
			return &group->list[i];
	return NULL;
}

bool sim_gpu_defect_known(const char *name)
{
	struct sim_token none = {0};

	for (size_t i = 0; i < GROUPS; i++)
		if (find(groups[i], name))
			return true;
	return sim_token_defect_apply(name, &none);
}

void sim_gpu_defect_list(void)
{
	for (size_t g = 0; g < GROUPS; g++)
		for (size_t i = 0; i < groups[g]->count; i++)
			printf("%-24s %-9s %s%s\n", groups[g]->list[i].name, groups[g]->label,
				groups[g]->list[i].text,
				groups[g]->list[i].harmless ? " (to be accepted)" : "");
	sim_token_defect_list();
}

void sim_gpu_apply(
	const struct sim_gpu_request *request, enum sim_gpu_stage stage, struct sim_gpu_plan *plan)
{
	for (size_t i = 0; i < request->count; i++) {
		const struct sim_gpu_defect *d;

		if (stage == SIM_GPU_TOKEN)
			(void)sim_token_defect_apply(request->defects[i], &plan->token);
		for (size_t g = 0; g < GROUPS; g++) {
			d = groups[g]->stage == stage ? find(groups[g], request->defects[i]) : NULL;
			if (d)
				d->apply(plan, d->arg);
		}
	}
}

/* --- OCSP ------------------------------------------------------------------------------------- */

static void ocsp_status(struct sim_gpu_plan *plan, uint32_t status)
{
	plan->ocsp.status = (int)status;
}

static void ocsp_revoked(struct sim_gpu_plan *plan, uint32_t reason)
{
	plan->ocsp.status = V_OCSP_CERTSTATUS_REVOKED;
	plan->ocsp.reason = (int)reason;
}

static void ocsp_shift(struct sim_gpu_plan *plan, uint32_t future)
{
	int64_t days = future ? 2 * SIM_DAY : -30 * SIM_DAY;

	plan->ocsp.this_update += days;
	plan->ocsp.next_update += days;
}

static void ocsp_backwards(struct sim_gpu_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->ocsp.next_update = plan->ocsp.this_update - SIM_DAY;
}

/* The flags of a plan that a defect sets. */
static void ocsp_flag(struct sim_gpu_plan *plan, uint32_t offset)
{
	*(bool *)(void *)((char *)&plan->ocsp + offset) = true;
}

#define FLAG(member) ocsp_flag, offsetof(struct sim_ocsp, member)

static const struct sim_gpu_defect ocsp_defects[] = {
	{"ocsp-revoked", "revoked, key compromise", ocsp_revoked,
		OCSP_REVOKED_STATUS_KEYCOMPROMISE},
	{"ocsp-hold", "revoked, certificateHold", ocsp_revoked,
		OCSP_REVOKED_STATUS_CERTIFICATEHOLD},
	{"ocsp-unknown", "unknown", ocsp_status, V_OCSP_CERTSTATUS_UNKNOWN},
	{"ocsp-stale", "thirty days old", ocsp_shift, 0},
	{"ocsp-future", "of the day after tomorrow", ocsp_shift, 1},
	{"ocsp-backwards", "nextUpdate before thisUpdate", ocsp_backwards},
	{"ocsp-no-next-update", "never expires", FLAG(no_next_update)},
	{"ocsp-other-serial", "for another certificate", FLAG(other_serial)},
	{"ocsp-other-issuer", "for another issuer's certificate", FLAG(other_issuer)},
	{"ocsp-signature", "the signature does not verify", FLAG(flip_signature)},
	{"ocsp-rogue", "the responder is certified by a stranger", FLAG(rogue)},
	{"ocsp-foreign", "the responder is the issuer's issuer's", FLAG(foreign)},
	{"ocsp-usage", "the responder may not sign responses", FLAG(no_usage)},
	{"ocsp-responder-expired", "the responder's certificate has expired", FLAG(expired)},
	{"ocsp-no-cert", "without the responder's certificate", FLAG(no_cert)},
	{"ocsp-no-nonce", "does not echo the nonce", FLAG(no_nonce)},
	{"ocsp-nonce", "echoes another nonce", FLAG(other_nonce)},
	{"ocsp-try-later", "an error instead of an answer", FLAG(try_later)},
	{"ocsp-truncated", "the last byte is missing", FLAG(truncated)},
};

const struct sim_gpu_defects sim_gpu_ocsp_defects = {
	SIM_GPU_OCSP, "ocsp", ocsp_defects, sizeof(ocsp_defects) / sizeof(ocsp_defects[0])};
