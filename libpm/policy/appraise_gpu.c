/* SPDX-License-Identifier: Apache-2.0 */
/* The GPUs of a bundle. */
#include "evidence/bundle.h"
#include "policy/appraise.h"

/* Nothing is demanded of GPUs, so none could be trusted. */
static int appraise_none(struct pm_appraise_run *run)
{
	size_t found = run->bundle->content.gpu_count + run->bundle->claims.gpu_count;

	if (found)
		return pm_fail(run->report, PM_E_REJECTED, "GPU count", "0: the role has no GPUs",
			"%zu, and %zu in the claims", run->bundle->content.gpu_count,
			run->bundle->claims.gpu_count);
	pm_pass(run->report, "GPU count", "0: the role has no GPUs");
	return PM_OK;
}

/* What this library can't judge it refuses. */
static int appraise_some(struct pm_appraise_run *run)
{
	return pm_fail(run->report, PM_E_UNSUPPORTED, "GPUs", "a role without GPUs",
		"%zu, which this version does not verify", run->bundle->content.gpu_count);
}

int pm_appraise_gpus(struct pm_appraise_run *run)
{
	int r = pm_manifest_role_gpu(run->role) ? appraise_some(run) : appraise_none(run);

	pm_appraise_note(run, "bundle, key 5; claims, key 4");
	return r;
}
