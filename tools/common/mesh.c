/* SPDX-License-Identifier: Apache-2.0 */
#include "common/mesh.h"

#include "common/checks.h"
#include "common/file.h"
#include "common/manifest.h"
#include "common/usage.h"
#include "common/wrong.h"

void tool_mesh_init(struct tool_mesh *mesh)
{
	*mesh = (struct tool_mesh){.options = {.size = sizeof(mesh->options)}};
}

int tool_mesh_option(struct tool_mesh *mesh, int id, const char *value)
{
	switch (id) {
	case TOOL_MESH_MANIFEST:
		mesh->manifest = value;
		return TOOL_OK;
	case TOOL_MESH_HASH:
		if (pm_hex_decode(value, mesh->manifest_hash, sizeof(mesh->manifest_hash)) < 0)
			return tool_bad_option("manifest-hash", value, "64 hexadecimal digits");
		mesh->has_manifest_hash = true;
		return TOOL_OK;
	case TOOL_MESH_MEMORY:
		mesh->options.memory_file = value;
		return TOOL_OK;
	case TOOL_MESH_CA:
		mesh->options.ca_file = value;
		return TOOL_OK;
	case TOOL_MESH_JSON:
		mesh->json = true;
		return TOOL_OK;
	default:
		return TOOL_USAGE; /* getopt has said why */
	}
}

/* --- asking ----------------------------------------------------------------------------------- */

int tool_mesh_open(const struct tool_mesh *mesh, struct tool_mesh_result *ret)
{
	int r = TOOL_OK;

	*ret = (struct tool_mesh_result){.report = pm_report_new(), .verdict = pm_verdict_new()};
	if (!ret->report || !ret->verdict) {
		return tool_wrong("%s", pm_strerror(PM_E_NOMEM));
	}
	if (mesh->manifest)
		r = tool_read_manifest(mesh->manifest,
			mesh->has_manifest_hash ? mesh->manifest_hash : NULL, mesh->json,
			&ret->manifest);
	if (r != TOOL_OK)
		return r;
	pm_report_reset(ret->report);
	ret->error = pm_coordinator_new(mesh->url, &mesh->options, ret->report, &ret->coordinator);
	if (ret->error < 0) {
		tool_refuse_input(mesh->json, mesh->url, ret->error, pm_report_reason(ret->report));
		return TOOL_USAGE;
	}
	return TOOL_OK;
}

int tool_mesh_attest(const struct tool_mesh *mesh, struct tool_mesh_result *result)
{
	const struct pm_coordinator_trust trust = {
		.size = sizeof(trust),
		.manifest = result->manifest,
		.manifest_hash = result->manifest ? NULL : mesh->manifest_hash,
		.allow_sealed = mesh->allow_sealed,
	};

	result->error = pm_coordinator_attest(
		result->coordinator, &trust, result->verdict, result->report, &result->deployment);
	return tool_exit_status(result->error);
}

const char *tool_mesh_reason(const struct tool_mesh_result *result)
{
	const char *text = pm_verdict_reason(result->verdict);

	return text[0] ? text : pm_report_reason(result->report);
}

void tool_mesh_clear(struct tool_mesh_result *result)
{
	pm_deployment_free(result->deployment);
	pm_coordinator_free(result->coordinator);
	pm_verdict_free(result->verdict);
	pm_report_free(result->report);
	pm_manifest_free(result->manifest);
}
