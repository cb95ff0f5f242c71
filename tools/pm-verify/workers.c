/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-verify/workers.h"

#include <stdio.h>
#include <string.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/json.h"
#include "common/verdict.h"

/* How many of a list. */
struct tally {
	size_t good, bad;
	int first;    /* error of the first bad one */
	json_t *list; /* or NULL */
};

/* --- one worker ------------------------------------------------------------------------------- */

static bool has_model(const struct pm_coordinator_worker *w, const char *model)
{
	for (size_t i = 0; i < w->model_count; i++)
		if (!strcmp(w->models[i], model))
			return true;
	return false;
}

static bool is_wanted(const struct pm_coordinator_worker *w, const struct workers_wanted *wanted)
{
	if (wanted->role && strcmp(wanted->role, w->role))
		return false;
	return !wanted->model || has_model(w, wanted->model);
}

static json_t *worker_json(const struct pm_coordinator_worker *w, int error, const char *reason,
	const struct pm_verdict *verdict)
{
	json_t *models = json_array(), *o;

	for (size_t i = 0; i < w->model_count; i++)
		json_array_append_new(models, json_string(w->models[i]));
	o = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "verdict", tool_verdict_name(error),
		"role", w->role, "replica", w->replica, "models", models, "joined",
		tool_time_json(w->joined), "expires", tool_time_json(w->expires), "checks",
		tool_verdict_json(verdict));
	if (error < 0)
		tool_set_refusal(o, error, reason);
	return o;
}

static void print_worker(const struct pm_coordinator_worker *w, int error, const char *reason,
	const struct pm_appraised *facts, const struct pm_verdict *verdict)
{
	char name[256];

	snprintf(name, sizeof(name), "%s.%s", w->replica, w->role);
	printf("\n%s, by its own evidence, which the coordinator asked for:\n", name);
	tool_print_verdict(verdict);
	if (error < 0)
		tool_print_refusal(name, error, reason);
	else
		printf("VERIFIED: %s: %zu models, %zu GPUs\n", name, facts->claims.model_count,
			facts->gpu_count);
}

static void judge(
	struct tool_mesh_result *result, const struct pm_coordinator_worker *w, struct tally *tally)
{
	const struct pm_appraised *facts = NULL;
	const char *reason;
	int r;

	pm_report_reset(result->report);
	r = pm_coordinator_check_worker(result->coordinator, result->deployment, w, result->verdict,
		result->report, &facts);
	reason = tool_mesh_reason(result);
	if (tally->list)
		json_array_append_new(tally->list, worker_json(w, r, reason, result->verdict));
	else
		print_worker(w, r, reason, facts, result->verdict);
	pm_appraised_free(facts);
	if (r == PM_OK)
		tally->good++;
	else if (!tally->bad++)
		tally->first = r;
}

/* --- all of them ------------------------------------------------------------------------------ */

static int judge_all(
	struct tool_mesh_result *result, const struct workers_wanted *wanted, struct tally *tally)
{
	struct pm_coordinator_workers *workers = NULL;
	const struct pm_coordinator_worker *w;
	int r;

	pm_report_reset(result->report);
	pm_verdict_reset(result->verdict);
	r = pm_coordinator_workers(result->coordinator, result->report, &workers);
	for (size_t i = 0; r == PM_OK && (w = pm_coordinator_worker_at(workers, i)); i++)
		if (is_wanted(w, wanted))
			judge(result, w, tally);
	pm_coordinator_workers_free(workers);
	return r;
}

/* Nobody there is no yes. */
static int decide(int error, const struct tally *tally)
{
	if (error < 0)
		return tool_exit_status(error);
	if (tally->bad)
		return tool_exit_status(tally->first) == TOOL_OK ? TOOL_REJECTED
								 : tool_exit_status(tally->first);
	return tally->good ? TOOL_OK : TOOL_REJECTED;
}

static void print_end(const struct tool_mesh *mesh, const struct tool_mesh_result *result,
	int error, const struct tally *tally)
{
	printf("\n");
	if (error < 0)
		tool_print_refusal(mesh->url, error, tool_mesh_reason(result));
	else if (tally->bad)
		printf("REJECTED: %s: %zu of %zu workers\n", mesh->url, tally->bad,
			tally->bad + tally->good);
	else if (!tally->good)
		printf("REJECTED: %s: no such worker in the mesh\n", mesh->url);
	else
		printf("VERIFIED: %s: %zu workers; that the list is whole nothing proves\n",
			mesh->url, tally->good);
}

static int verify_json(const struct tool_mesh *mesh, const struct workers_wanted *wanted,
	struct tool_mesh_result *result)
{
	struct tally tally = {.list = json_array()};
	json_t *json = tool_mesh_json(mesh, result);
	int r = judge_all(result, wanted, &tally), status = decide(r, &tally), printed;

	json_object_set_new(json, "workers", tally.list);
	json_object_set_new(json, "verdict",
		json_string(status == TOOL_OK	      ? "accepted"
			    : status == TOOL_REJECTED ? "rejected"
						      : "error"));
	if (r < 0)
		tool_set_refusal(json, r, tool_mesh_reason(result));
	printed = tool_mesh_print_json(json);
	return printed == TOOL_OK ? status : printed;
}

static int verify_text(const struct tool_mesh *mesh, const struct workers_wanted *wanted,
	struct tool_mesh_result *result)
{
	struct tally tally = {0};
	int r;

	tool_mesh_print(mesh, result);
	r = judge_all(result, wanted, &tally);
	print_end(mesh, result, r, &tally);
	return decide(r, &tally);
}

int workers_verify(const struct tool_mesh *mesh, const struct workers_wanted *wanted)
{
	struct tool_mesh_result result;
	int r = tool_mesh_open(mesh, &result);

	if (r == TOOL_OK) {
		r = tool_mesh_attest(mesh, &result);
		if (r != TOOL_OK && mesh->json)
			(void)tool_mesh_print_json(tool_mesh_json(mesh, &result));
		else if (r != TOOL_OK)
			tool_mesh_print(mesh, &result);
		else
			r = mesh->json ? verify_json(mesh, wanted, &result)
				       : verify_text(mesh, wanted, &result);
	}
	tool_mesh_clear(&result);
	return r;
}
