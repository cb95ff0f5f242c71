/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What OCSP said of the GPUs' certificates when the worker was attested, as the attestation agent
 * wrote it: [{"GPU": S, "VBIOS": S, "Driver": S}...] with S = {"Value": "GOOD" | "REVOKED" |
 * "UNKNOWN", "RevokedAt": TIME}.
 */
#include <err.h>
#include <jansson.h>
#include <string.h>

#include <pm/text.h>

#include "pm-proxy/proxy.h"

static int read_value(const char *text, enum pm_ocsp_value *ret)
{
	static const struct {
		const char *name;
		enum pm_ocsp_value value;
	} values[] = {
		{"GOOD", PM_OCSP_GOOD}, {"REVOKED", PM_OCSP_REVOKED}, {"UNKNOWN", PM_OCSP_UNKNOWN}};

	for (size_t i = 0; text && i < 3; i++)
		if (!strcmp(text, values[i].name)) {
			*ret = values[i].value;
			return 0;
		}
	return -1;
}

static int read_status(const json_t *part, struct pm_ocsp_status *ret)
{
	const json_t *time = json_object_get(part, "RevokedAt");
	struct pm_ocsp_status status = {0};

	if (read_value(json_string_value(json_object_get(part, "Value")), &status.value) < 0)
		return -1;
	if (json_is_integer(time))
		status.revoked_at = json_integer_value(time);
	else if (status.value == PM_OCSP_REVOKED &&
		 (!json_is_string(time) ||
			 pm_time_parse(json_string_value(time), &status.revoked_at) < 0))
		return -1;
	*ret = status;
	return 0;
}

/* In the order in which the reference asks. */
static int read_gpu(const json_t *gpu, struct ocsp_table *table)
{
	static const char *const parts[] = {"Driver", "GPU", "VBIOS"};

	for (size_t i = 0; i < 3; i++)
		if (read_status(json_object_get(gpu, parts[i]), &table->status[table->count++]) < 0)
			return -1;
	return 0;
}

int ocsp_file_read(const char *path, struct ocsp_table *ret)
{
	struct ocsp_table table = {0};
	json_error_t error;
	json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	const json_t *gpu;
	size_t i;
	int r = 0;

	if (!root) {
		warnx("%s: line %d: %s", path, error.line, error.text);
		return 2;
	}
	if (!json_array_size(root) || json_array_size(root) > GPUS_MAX)
		r = -1;
	json_array_foreach(root, i, gpu)
	{
		if (r == 0)
			r = read_gpu(gpu, &table);
	}
	json_decref(root);
	if (r < 0) {
		warnx("%s: expected a list of 1 to %d GPUs, each with the status of its Driver, "
		      "GPU and VBIOS",
			path, GPUS_MAX);
		return 2;
	}
	*ret = table;
	return 0;
}
