/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-mount/manifest.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include <pm/manifest.h>

#include "common/checks.h"
#include "common/file.h"

static int parse(const char *path, const uint8_t *bytes, size_t len, struct pm_manifest **ret)
{
	struct pm_report *report = pm_report_new();
	int r = report ? pm_manifest_parse(bytes, len, report, ret) : PM_E_NOMEM;

	if (r < 0)
		tool_print_error(path, r, report);
	pm_report_free(report);
	return tool_exit_status(r);
}

static int find(
	const char *path, const struct pm_manifest *manifest, const char *name, struct entry *ret)
{
	const struct pm_manifest_model *model = pm_manifest_model(manifest, name);

	if (!model) {
		warnx("%s: no model %s", path, name);
		return TOOL_REJECTED;
	}
	ret->params = model->params;
	memcpy(ret->root_hash, model->root_hash, sizeof(ret->root_hash));
	return TOOL_OK;
}

int manifest_read(const char *path, const char *model, struct entry *ret)
{
	struct pm_manifest *manifest = NULL;
	uint8_t *bytes;
	size_t len;
	int r = tool_read_file(path, PM_MANIFEST_SIZE_MAX, &bytes, &len);

	if (r != TOOL_OK)
		return r;
	r = parse(path, bytes, len, &manifest);
	free(bytes);
	if (r == TOOL_OK)
		r = find(path, manifest, model, ret);
	pm_manifest_free(manifest);
	return r;
}
