/* SPDX-License-Identifier: Apache-2.0 */
#include "asking.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "policy/verdict.h"
#include "testing.h"

struct mesh_world world;
struct pm_coordinator *coordinator;
struct pm_coordinator_options options;
struct pm_coordinator_trust trust;
struct pm_verdict *verdict;
struct pm_report *report;
struct pm_deployment *deployment;
char memory[96];
static char folder[64];

void new_coordinator(void)
{
	const struct pm_net_clock clock = world_clock(&world);

	pm_coordinator_free(coordinator);
	coordinator = NULL;
	ck_pm(pm_coordinator_new(peer_server_url(world.server), &options, report, &coordinator),
		PM_OK);
	pm_coordinator_set_clock(coordinator, &clock);
}

void asking_set_up(void)
{
	world_init(&world);
	snprintf(folder, sizeof(folder), "/tmp/pm-test-deployment-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(memory, sizeof(memory), "%s/memory", folder);
	options = (struct pm_coordinator_options){.size = sizeof(options)};
	trust = (struct pm_coordinator_trust){.size = sizeof(trust), .manifest = world.manifest};
	verdict = pm_verdict_new();
	report = pm_report_new();
	deployment = NULL;
	new_coordinator();
}

void asking_tear_down(void)
{
	char lock[128];

	pm_deployment_free(deployment);
	pm_coordinator_free(coordinator);
	coordinator = NULL;
	pm_verdict_free(verdict);
	pm_report_free(report);
	world_free(&world);
	snprintf(lock, sizeof(lock), "%s.lock", memory);
	unlink(memory);
	unlink(lock);
	rmdir(folder);
}

int attest(void)
{
	pm_deployment_free(deployment);
	deployment = NULL;
	pm_report_reset(report);
	return pm_coordinator_attest(coordinator, &trust, verdict, report, &deployment);
}

const char *reason(void)
{
	const char *text = pm_verdict_reason(verdict);

	return text[0] ? text : pm_report_reason(report);
}

void refused(int error, const char *part)
{
	ck_pm(attest(), error);
	ck_assert_ptr_null(deployment);
	ck_assert(!pm_verdict_is_accepted(verdict));
	ck_assert_msg(strstr(reason(), part) != NULL, "'%s' lacks '%s'", reason(), part);
}
