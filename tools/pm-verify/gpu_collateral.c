/* SPDX-License-Identifier: Apache-2.0 */
/* Golden measurements and OCSP responses out of files. */
#include <stdlib.h>

#include "common/checks.h"
#include "common/file.h"
#include "pm-verify/gpu.h"

static int add_ocsp(const struct gpu_options *o, const char *path, struct pm_ocsp_set *set)
{
	struct pm_report *report = pm_report_new();
	uint8_t *bytes = NULL;
	size_t len;
	int r, exit_status =
		       tool_read_evidence(path, PM_OCSP_RESPONSE_SIZE_MAX, o->json, &bytes, &len);

	if (exit_status == TOOL_OK) {
		r = pm_ocsp_set_add(set, bytes, len, report);
		if (r < 0)
			tool_refuse_input(o->json, path, r, report ? pm_report_reason(report) : "");
		exit_status = tool_exit_status(r);
	}
	free(bytes);
	pm_report_free(report);
	return exit_status;
}

static int load_ocsp(const struct gpu_options *o, struct gpu_collateral *c)
{
	int r = pm_ocsp_set_new(&c->ocsp);

	if (r < 0) {
		tool_print_error("gpu", r, NULL);
		return TOOL_USAGE;
	}
	for (size_t i = 0; r == TOOL_OK && i < o->ocsp.count; i++)
		r = add_ocsp(o, o->ocsp.names[i], c->ocsp);
	return r;
}

static int verify_rim(const struct gpu_options *o, const struct pm_gpu_policy *policy,
	const struct pm_ocsp_set *ocsp, const uint8_t *bytes, size_t len, struct gpu_rim *rim)
{
	struct pm_rim_document *document = NULL;
	int r = pm_rim_parse(bytes, len, rim->report, &document);

	if (r == PM_OK)
		r = pm_rim_verify(document, policy, ocsp, o->has_rim_now ? o->rim_now : o->now,
			rim->report, &rim->rim);
	pm_rim_document_free(document);
	return r;
}

int gpu_collateral_add_rim(const struct gpu_options *o, const struct pm_gpu_policy *policy,
	const char *name, const uint8_t *bytes, size_t len, struct gpu_collateral *c)
{
	struct gpu_rim *rim = &c->rims[c->rim_count];

	if (c->rim_count == GPU_FILES_MAX)
		return PM_E_LIMIT;
	rim->file = name;
	rim->report = pm_report_new();
	rim->error = verify_rim(o, policy, c->ocsp, bytes, len, rim);
	c->verified[c->rim_count++] = rim->rim;
	return rim->error;
}

static int load_rim(const struct gpu_options *o, const struct pm_gpu_policy *policy,
	const char *path, struct gpu_collateral *c)
{
	uint8_t *bytes = NULL;
	size_t len;
	int exit_status = tool_read_evidence(path, PM_RIM_SIZE_MAX, o->json, &bytes, &len);

	if (exit_status == TOOL_OK)
		exit_status =
			tool_exit_status(gpu_collateral_add_rim(o, policy, path, bytes, len, c));
	free(bytes);
	return exit_status;
}

int gpu_collateral_load(
	const struct gpu_options *o, const struct pm_gpu_policy *policy, struct gpu_collateral *ret)
{
	int r = load_ocsp(o, ret);

	for (size_t i = 0; r == TOOL_OK && i < o->rims.count; i++)
		r = load_rim(o, policy, o->rims.names[i], ret);
	return r;
}

int gpu_collateral_error(const struct gpu_collateral *c)
{
	return c->rim_count ? c->rims[c->rim_count - 1].error : PM_OK;
}

void gpu_collateral_free(struct gpu_collateral *c)
{
	for (size_t i = 0; i < c->rim_count; i++) {
		pm_rim_free(c->rims[i].rim);
		pm_report_free(c->rims[i].report);
	}
	pm_ocsp_set_free(c->ocsp);
}
