/* SPDX-License-Identifier: Apache-2.0 */
#include "common/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/pm.h>

#include "common/checks.h"
#include "common/file.h"

static int check_hash(
	const char *path, const struct pm_manifest *manifest, const uint8_t *hash, bool json)
{
	uint8_t has[PM_MANIFEST_HASH_SIZE];
	char found[2 * sizeof(has) + 1], wanted[sizeof(found)], reason[2 * sizeof(found) + 40];

	pm_manifest_hash(manifest, has);
	if (!memcmp(has, hash, sizeof(has)))
		return TOOL_OK;
	pm_hex_encode(has, sizeof(has), found);
	pm_hex_encode(hash, sizeof(has), wanted);
	snprintf(reason, sizeof(reason), "hash: found %s, expected %s", found, wanted);
	tool_refuse_input(json, path, PM_E_REJECTED, reason);
	return TOOL_REJECTED;
}

static int parse(
	const char *path, const uint8_t *bytes, size_t len, bool json, struct pm_manifest **ret)
{
	struct pm_report *report = pm_report_new();
	int r = pm_manifest_parse(bytes, len, report, ret);

	if (r < 0)
		tool_refuse_input(json, path, r, report ? pm_report_reason(report) : "");
	pm_report_free(report);
	return tool_exit_status(r);
}

int tool_read_manifest(const char *path, const uint8_t *hash, bool json, struct pm_manifest **ret)
{
	struct pm_manifest *manifest = NULL;
	uint8_t *bytes = NULL;
	size_t len;
	int r = tool_read_evidence(path, PM_MANIFEST_SIZE_MAX, json, &bytes, &len);

	if (r == TOOL_OK)
		r = parse(path, bytes, len, json, &manifest);
	free(bytes);
	if (r == TOOL_OK && hash)
		r = check_hash(path, manifest, hash, json);
	if (r == TOOL_OK)
		*ret = manifest;
	else
		pm_manifest_free(manifest);
	return r;
}
