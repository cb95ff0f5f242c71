/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of the coordinator's client where libcurl is missing: the same symbols. */
#include <pm/coordinator.h>
#include <pm/join.h>

#include "base/report.h"

static int refuse(struct pm_report *report)
{
	return pm_fail(
		report, PM_E_UNSUPPORTED, "coordinator", "a library with libcurl", "built without");
}

int pm_coordinator_new(const char *url, const struct pm_coordinator_options *options,
	struct pm_report *report, struct pm_coordinator **ret_coordinator)
{
	(void)url;
	(void)options;
	(void)ret_coordinator;
	return refuse(report);
}

int pm_join(const char *url, const struct pm_join_options *options, struct pm_verdict *verdict,
	struct pm_report *report, struct pm_membership **ret_membership)
{
	(void)url;
	(void)options;
	(void)verdict;
	(void)ret_membership;
	return refuse(report);
}

/* There is no coordinator, so no call below has one. */

void pm_coordinator_free(struct pm_coordinator *coordinator)
{
	(void)coordinator;
}

int pm_coordinator_status(struct pm_coordinator *coordinator, struct pm_report *report,
	struct pm_coordinator_status *ret_status)
{
	(void)coordinator;
	(void)ret_status;
	return refuse(report);
}

int pm_coordinator_attest(struct pm_coordinator *coordinator,
	const struct pm_coordinator_trust *trust, struct pm_verdict *verdict,
	struct pm_report *report, struct pm_deployment **ret_deployment)
{
	(void)coordinator;
	(void)trust;
	(void)verdict;
	(void)ret_deployment;
	return refuse(report);
}

int pm_coordinator_set_manifest(struct pm_coordinator *coordinator, const void *manifest,
	size_t manifest_len, const void *signatures, size_t signatures_len,
	struct pm_report *report, struct pm_coordinator_change *ret_change)
{
	(void)coordinator;
	(void)manifest;
	(void)manifest_len;
	(void)signatures;
	(void)signatures_len;
	(void)ret_change;
	return refuse(report);
}

int pm_coordinator_recover(struct pm_coordinator *coordinator,
	const struct pm_deployment *deployment, const uint8_t *share,
	const struct pm_sign_key *owner, struct pm_report *report,
	struct pm_coordinator_status *ret_status)
{
	(void)coordinator;
	(void)deployment;
	(void)share;
	(void)owner;
	(void)ret_status;
	return refuse(report);
}

int pm_coordinator_workers(struct pm_coordinator *coordinator, struct pm_report *report,
	struct pm_coordinator_workers **ret_workers)
{
	(void)coordinator;
	(void)ret_workers;
	return refuse(report);
}

const struct pm_coordinator_worker *pm_coordinator_worker_at(
	const struct pm_coordinator_workers *workers, size_t index)
{
	(void)workers;
	(void)index;
	return NULL;
}

int pm_coordinator_check_worker(struct pm_coordinator *coordinator,
	const struct pm_deployment *deployment, const struct pm_coordinator_worker *worker,
	struct pm_verdict *verdict, struct pm_report *report,
	const struct pm_appraised **ret_appraised)
{
	(void)coordinator;
	(void)deployment;
	(void)worker;
	(void)verdict;
	(void)ret_appraised;
	return refuse(report);
}

void pm_coordinator_workers_free(struct pm_coordinator_workers *workers)
{
	(void)workers;
}

int pm_coordinator_log(struct pm_coordinator *coordinator, uint64_t after, struct pm_report *report,
	char **ret_text, size_t *ret_len)
{
	(void)coordinator;
	(void)after;
	(void)ret_text;
	(void)ret_len;
	return refuse(report);
}

void pm_coordinator_text_free(char *text)
{
	(void)text;
}
