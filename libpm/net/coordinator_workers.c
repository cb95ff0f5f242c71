/* SPDX-License-Identifier: Apache-2.0 */
/* The workers of a mesh, for a client that checks them itself. */
#include <stdlib.h>
#include <string.h>

#include <pm/mesh.h>

#include "base/report.h"
#include "base/time.h"
#include "evidence/bundle.h"
#include "net/coordinator.h"
#include "policy/verdict.h"

#define NAME "workers"

/* A worker and what it points to. */
struct item {
	struct pm_coordinator_worker worker;
	struct pm_blob bundle;
};

struct pm_coordinator_workers {
	json_t *json; /* whose texts the workers borrow */
	size_t count;
	struct item *items;
};

/* --- reading --------------------------------------------------------------------------------- */

static int read_text(PM_ASK_ARGS)
{
	const char *text = json_string_value(value);

	if (!text || !text[0] || strlen(text) > (size_t)rule->max)
		return pm_json_complain(at, value, "a name");
	*PM_JSON_SLOT(const char *, target, rule) = text;
	return PM_OK;
}

static int add_model(PM_ASK_ARGS)
{
	struct pm_coordinator_worker *worker = target;
	const char *text = json_string_value(value);

	(void)rule;
	if (!text || strlen(text) > PM_CLAIMS_MODEL_NAME_MAX)
		return pm_json_complain(at, value, "the name of a model");
	((const char **)worker->models)[worker->model_count++] = text;
	return PM_OK;
}

static int read_models(PM_ASK_ARGS)
{
	static const struct pm_json_rule model_rule = {.read = add_model};
	struct pm_coordinator_worker *worker = target;

	(void)rule;
	if (json_is_array(value) && !json_array_size(value))
		return PM_OK;
	worker->models = pm_alloc(PM_CLAIMS_MODELS_MAX * sizeof(*worker->models));
	if (!worker->models)
		return PM_E_NOMEM;
	return pm_json_array(at, value, &model_rule, PM_CLAIMS_MODELS_MAX, target);
}

#define AT(member) .offset = offsetof(struct item, member)

static const struct pm_json_rule worker_rules[] = {
	{.key = "Role", .read = read_text, .max = PM_CLAIMS_ROLE_MAX, AT(worker.role)},
	{.key = "Replica", .read = read_text, .max = PM_MESH_REPLICA_MAX, AT(worker.replica)},
	{.key = "Models", .read = read_models},
	{.key = "Joined", .read = pm_ask_read_number, .max = PM_JSON_INT_MAX, AT(worker.joined)},
	{.key = "Expires", .read = pm_ask_read_number, .max = PM_JSON_INT_MAX, AT(worker.expires)},
	{.key = "Nonce", .read = pm_ask_read_bytes, .max = PM_BUNDLE_NONCE_SIZE, AT(worker.nonce)},
	{.key = "Evidence", .read = pm_ask_read_blob, .max = PM_BUNDLE_SIZE_MAX, AT(bundle)},
};

_Static_assert(offsetof(struct item, worker) == 0, "read_models() takes an item for its worker");

static int add_worker(PM_ASK_ARGS)
{
	struct pm_coordinator_workers *workers = target;
	struct item *item = &workers->items[workers->count++];
	int r = pm_json_object(at, value, worker_rules, PM_ARRAY_LEN(worker_rules), item);

	(void)rule;
	item->worker.bundle = item->bundle.ptr;
	item->worker.bundle_len = item->bundle.len;
	return r;
}

static int read_workers(PM_ASK_ARGS)
{
	static const struct pm_json_rule rule_of_one = {.read = add_worker};
	struct pm_coordinator_workers *workers = target;

	(void)rule;
	if (!json_is_array(value))
		return pm_json_complain(at, value, "an array");
	if (!json_array_size(value))
		return PM_OK;
	if (json_array_size(value) > PM_COORDINATOR_WORKERS_MAX)
		return pm_json_fail(at, PM_E_LIMIT, value, "at most 1024 workers");
	workers->items = pm_alloc(json_array_size(value) * sizeof(*workers->items));
	if (!workers->items)
		return PM_E_NOMEM;
	return pm_json_array(at, value, &rule_of_one, PM_COORDINATOR_WORKERS_MAX, target);
}

static int read_answer(const struct pm_http_response *response, struct pm_report *report,
	struct pm_coordinator_workers *workers)
{
	static const struct pm_json_rule rules[] = {{.key = "Workers", .read = read_workers}};
	struct pm_json_at root = pm_json_root(NAME, report);
	int r = pm_json_parse(NAME, pm_view(response->body, response->len),
		PM_COORDINATOR_WORKERS_SIZE_MAX, report, &workers->json);

	return r < 0 ? r
		     : pm_json_object(&root, workers->json, rules, PM_ARRAY_LEN(rules), workers);
}

int pm_coordinator_workers(struct pm_coordinator *coordinator, struct pm_report *report,
	struct pm_coordinator_workers **ret_workers)
{
	pm_cleanup(pm_coordinator_workers) struct pm_coordinator_workers *workers =
		pm_alloc(sizeof(*workers));
	pm_cleanup(http_response) struct pm_http_response response = {0};
	const struct pm_ask ask = {.path = PM_COORDINATOR_WORKERS_PATH,
		.type = PM_ASK_JSON,
		.max = PM_COORDINATOR_WORKERS_SIZE_MAX};
	int r = workers ? pm_ask(&coordinator->server, &ask, report, &response) : PM_E_NOMEM;

	if (r == PM_OK)
		r = read_answer(&response, report, workers);
	if (r == PM_OK)
		*ret_workers = pm_steal(workers);
	return r;
}

const struct pm_coordinator_worker *pm_coordinator_worker_at(
	const struct pm_coordinator_workers *workers, size_t index)
{
	return index < workers->count ? &workers->items[index].worker : NULL;
}

void pm_coordinator_workers_free(struct pm_coordinator_workers *workers)
{
	if (!workers)
		return;
	for (size_t i = 0; i < workers->count; i++) {
		free((void *)workers->items[i].worker.models);
		pm_blob_clear(&workers->items[i].bundle);
	}
	free(workers->items);
	json_decref(workers->json);
	free(workers);
}

/* --- a worker -------------------------------------------------------------------------------- */

static int check_models(const struct pm_coordinator_worker *worker, const struct pm_claims *claims,
	struct pm_report *report)
{
	if (worker->model_count != claims->model_count)
		return pm_fail(report, PM_E_REJECTED, "models", "those of the claims",
			"%zu in the list, %zu in the claims", worker->model_count,
			claims->model_count);
	for (size_t i = 0; i < claims->model_count; i++)
		if (strcmp(worker->models[i], claims->models[i].name))
			return pm_fail(report, PM_E_REJECTED, "models", claims->models[i].name,
				"%s", worker->models[i]);
	pm_pass(report, "models", "as the claims have them");
	return PM_OK;
}

static int check_listed(const struct pm_coordinator_worker *worker, const struct pm_claims *claims,
	int64_t now, struct pm_report *report)
{
	if (worker->expires < now)
		return pm_fail(report, PM_E_STALE, "certificate", "one that has not ended",
			"ended %s", pm_time(worker->expires).s);
	pm_pass(report, "certificate", "until %s", pm_time(worker->expires).s);
	return check_models(worker, claims, report);
}

static int finish(const struct pm_coordinator_worker *worker, const struct pm_claims *claims,
	int64_t now, struct pm_verdict *verdict)
{
	pm_cleanup(pm_report) struct pm_report *report = verdict ? pm_report_new() : NULL;
	int r;

	if (verdict && !report)
		return PM_E_NOMEM;
	pm_verdict_go_on(verdict);
	pm_verdict_begin(verdict, "list of workers", "");
	r = check_listed(worker, claims, now, report);
	pm_verdict_take(verdict, report, "what the coordinator says of it");
	pm_verdict_end(verdict);
	if (r < 0)
		return r;
	pm_verdict_accept(verdict);
	return PM_OK;
}

int pm_coordinator_check_worker(struct pm_coordinator *coordinator,
	const struct pm_deployment *deployment, const struct pm_coordinator_worker *worker,
	struct pm_verdict *verdict, struct pm_report *report,
	const struct pm_appraised **ret_appraised)
{
	const struct pm_appraisal question = {
		.manifest = deployment->document.manifest,
		.nonce = worker->nonce,
		.role = worker->role,
		.now = coordinator->clock.wall(coordinator->clock.arg),
		.max_age = coordinator->max_age,
		.snp_cache = coordinator->snp_cache,
		.gpu_cache = coordinator->gpu_cache,
	};
	pm_cleanup(pm_bundle) struct pm_bundle *bundle = NULL;
	const struct pm_appraised *appraised = NULL;
	int r;

	if (verdict)
		pm_verdict_reset(verdict);
	r = pm_bundle_parse(worker->bundle, worker->bundle_len, report, &bundle);
	if (r == PM_OK)
		r = pm_appraise(bundle, &question, verdict, &appraised);
	if (r < 0)
		return r;
	r = finish(worker, &appraised->claims, question.now, verdict);
	if (r < 0)
		pm_appraised_free(appraised);
	else
		*ret_appraised = appraised;
	return r;
}
