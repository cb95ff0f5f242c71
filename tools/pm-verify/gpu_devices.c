/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One report as the driver gives it, or a list of devices as NVIDIA's SDK writes it:
 * [{"arch", "nonce", "evidence": base64 report, "certificate": base64 PEM}...].
 */
#include <err.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/checks.h"
#include "common/file.h"
#include "pm-verify/gpu.h"

#define INPUT_MAX (4u << 20)

static struct gpu_device *add_device(struct gpu_devices *d)
{
	struct gpu_device *dev = &d->list[d->count++];

	dev->report = pm_report_new();
	return dev;
}

static void note(struct gpu_devices *d, struct gpu_device *dev, int error)
{
	dev->error = error;
	if (d->error == PM_OK)
		d->error = error;
}

static int parse(const struct gpu_options *o, struct gpu_device *dev, const uint8_t *report,
	size_t size, const uint8_t *certs, size_t certs_size)
{
	int r = pm_gpu_evidence_parse(report, size, o->parse_flags, dev->report, &dev->ev);

	return r < 0 ? r : pm_gpu_evidence_add_certs(dev->ev, certs, certs_size, dev->report);
}

/* --- one report ------------------------------------------------------------------------------ */

static int load_one(
	const struct gpu_options *o, const uint8_t *report, size_t size, struct gpu_devices *d)
{
	struct gpu_device *dev = add_device(d);
	uint8_t *certs = NULL;
	size_t certs_size;
	int r;

	snprintf(dev->name, sizeof(dev->name), "%s", o->report);
	if (!o->certs) {
		warnx("gpu: the certificates are missing (--certs)");
		return TOOL_USAGE;
	}
	r = tool_read_evidence(o->certs, PM_GPU_CERTS_TEXT_MAX, o->json, &certs, &certs_size);
	if (r == TOOL_OK)
		note(d, dev, parse(o, dev, report, size, certs, certs_size));
	free(certs);
	return r;
}

/* --- a list of devices ----------------------------------------------------------------------- */

static int malformed(const struct gpu_options *o, size_t index, const char *what)
{
	char text[160];

	snprintf(text, sizeof(text), "$[%zu]%s", index, what);
	tool_refuse_input(o->json, o->report, PM_E_FORMAT, text);
	return TOOL_REJECTED;
}

static int no_list(const struct gpu_options *o, const json_t *list, const json_error_t *error)
{
	char text[sizeof(error->text) + 32] = "expected a list of 1 to 64 devices";

	if (!list)
		snprintf(text, sizeof(text), "line %d: %s", error->line, error->text);
	tool_refuse_input(o->json, o->report, PM_E_FORMAT, text);
	return TOOL_REJECTED;
}

/* A member in base64, freed by the caller; NULL when it is not there or not base64. */
static uint8_t *decode_member(const json_t *object, const char *key, size_t *ret_len)
{
	const json_t *text = json_object_get(object, key);
	size_t cap = json_string_length(text);
	uint8_t *bytes = json_is_string(text) ? malloc(cap + 1) : NULL;

	if (bytes &&
		pm_text_base64_decode(json_string_value(text), cap, bytes, cap, ret_len) == PM_OK)
		return bytes;
	free(bytes);
	return NULL;
}

/* No member but the four, so that none is passed over. "nonce" is in the report, signed. */
static bool has_known_members(json_t *object)
{
	static const char *const known[] = {"arch", "nonce", "evidence", "certificate"};
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		size_t i = 0;

		while (i < 4 && strcmp(key, known[i]))
			i++;
		if (i == 4 || !json_is_string(value))
			return false;
	}
	return true;
}

static bool claims(const struct gpu_device *dev, const char *arch)
{
	static const char *const names[] = {"", "HOPPER", "BLACKWELL", "LS10"};
	int found = pm_gpu_evidence_arch(dev->ev);

	return !found || !strcmp(arch, names[found]);
}

static int load_member(
	const struct gpu_options *o, json_t *object, size_t index, struct gpu_devices *d)
{
	const char *arch = json_string_value(json_object_get(object, "arch"));
	struct gpu_device *dev = add_device(d);
	size_t size = 0, certs_size = 0;
	uint8_t *report = decode_member(object, "evidence", &size);
	uint8_t *certs = decode_member(object, "certificate", &certs_size);
	int r = TOOL_OK;

	snprintf(dev->name, sizeof(dev->name), "device %zu", index);
	if (!report || !certs || !has_known_members(object))
		r = malformed(o, index,
			": expected \"evidence\" and \"certificate\" in base64, with \"arch\" and "
			"\"nonce\" at most");
	else
		note(d, dev, parse(o, dev, report, size, certs, certs_size));
	if (r == TOOL_OK && arch && dev->error == PM_OK && !claims(dev, arch))
		r = malformed(o, index, ".arch: not what the report says");
	free(report);
	free(certs);
	return r;
}

static int load_list(
	const struct gpu_options *o, const uint8_t *text, size_t size, struct gpu_devices *d)
{
	json_error_t error;
	json_t *list = json_loadb((const char *)text, size, JSON_REJECT_DUPLICATES, &error);
	size_t count = json_array_size(list);
	int r = TOOL_OK;

	d->is_set = true;
	if (!count || count > PM_GPU_SET_MAX)
		r = no_list(o, list, &error);
	for (size_t i = 0; r == TOOL_OK && i < count; i++)
		r = load_member(o, json_array_get(list, i), i, d);
	json_decref(list);
	return r;
}

/* A report begins with SPDM's version, 0x11, which is no text. */
static bool is_list(const uint8_t *bytes, size_t size)
{
	size_t i = 0;

	while (i < size && strchr(" \t\r\n", bytes[i]) && bytes[i])
		i++;
	return i < size && bytes[i] == '[';
}

int gpu_devices_load(const struct gpu_options *o, struct gpu_devices *ret)
{
	uint8_t *bytes = NULL;
	size_t size;
	int r = tool_read_evidence(o->report, INPUT_MAX, o->json, &bytes, &size);

	ret->report = pm_report_new();
	if (r == TOOL_OK && is_list(bytes, size))
		r = load_list(o, bytes, size, ret);
	else if (r == TOOL_OK)
		r = load_one(o, bytes, size, ret);
	free(bytes);
	return r;
}

void gpu_devices_free(struct gpu_devices *d)
{
	for (size_t i = 0; i < d->count; i++) {
		pm_gpu_evidence_free(d->list[i].ev);
		pm_report_free(d->list[i].report);
	}
	pm_report_free(d->report);
}
