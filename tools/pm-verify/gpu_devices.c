/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One report as the driver gives it, or a list of devices as NVIDIA's SDK writes it, bare or as its
 * program prints it: [{"version": "1.0", "arch", "nonce", "driver_version", "vbios_version",
 * "evidence": base64 report, "certificate": base64 PEM}...], {"evidences": that, "result_code": 0,
 * "result_message"}.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/wrong.h"
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

/* A file that holds no chain is its own fault, not the report's. */
static int add_certs(
	const struct gpu_options *o, struct gpu_device *dev, const uint8_t *certs, size_t size)
{
	int r = pm_gpu_evidence_add_certs(dev->ev, certs, size, dev->report);
	const uint8_t *der;
	char text[96];
	size_t count = 0, len;

	while (r == PM_OK && pm_gpu_evidence_cert(dev->ev, count, &der, &len) == PM_OK)
		count++;
	snprintf(text, sizeof(text),
		"certificates: found %zu, expected %d: the device's first, "
		"the root last",
		count, PM_GPU_CERTS);
	if (r < 0)
		tool_refuse_input(
			o->json, o->certs, r, dev->report ? pm_report_reason(dev->report) : "");
	else if (count != PM_GPU_CERTS)
		tool_refuse_input(o->json, o->certs, r = PM_E_MISSING, text);
	return tool_exit_status(r);
}

static int load_one(
	const struct gpu_options *o, const uint8_t *report, size_t size, struct gpu_devices *d)
{
	struct gpu_device *dev = add_device(d);
	uint8_t *certs = NULL;
	size_t certs_size;
	int r;

	snprintf(dev->name, sizeof(dev->name), "%s", o->report);
	if (!o->certs) {
		return tool_wrong("gpu: the certificates are missing (--certs)");
	}
	r = tool_read_evidence(o->certs, PM_GPU_CERTS_TEXT_MAX, o->json, &certs, &certs_size);
	if (r == TOOL_OK)
		note(d, dev,
			pm_gpu_evidence_parse(report, size, o->parse_flags, dev->report, &dev->ev));
	if (r == TOOL_OK && dev->error == PM_OK)
		r = add_certs(o, dev, certs, certs_size);
	free(certs);
	return r;
}

/* --- a list of devices ----------------------------------------------------------------------- */

static int malformed(const struct gpu_options *o, size_t index, const char *what)
{
	char text[320];

	snprintf(text, sizeof(text), "$[%zu]%s", index, what);
	tool_refuse_input(o->json, o->report, PM_E_FORMAT, text);
	return TOOL_REJECTED;
}

static int no_list(const struct gpu_options *o, const json_t *json, const json_error_t *error)
{
	char text[sizeof(error->text) + 64] =
		"expected a list of 1 to 64 devices, or that as \"evidences\" with result_code 0";

	if (!json)
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

/* No member but those that the SDK writes, so that none is passed over. */
static bool has_known_members(json_t *object)
{
	static const char *const known[] = {"version", "arch", "nonce", "driver_version",
		"vbios_version", "evidence", "certificate"};
	const size_t count = sizeof(known) / sizeof(known[0]);
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		size_t i = 0;

		while (i < count && strcmp(key, known[i]))
			i++;
		if (i == count || !json_is_string(value))
			return false;
	}
	return true;
}

/* What stands beside a report is signed by nobody: it must be what the report says, or absent. */
static int check_told(const struct gpu_options *o, const json_t *object, size_t index,
	const struct gpu_device *dev)
{
	static const char *const archs[] = {"", "HOPPER", "BLACKWELL", "LS10"};
	const struct pm_gpu_fields *f = pm_gpu_evidence_untrusted(dev->ev);
	char nonce[2 * PM_GPU_NONCE_SIZE + 1], text[256];
	const struct {
		const char *member, *report; /* "": the report does not tell */
	} rows[] = {
		{"version", "1.0"},
		{"arch", archs[pm_gpu_evidence_arch(dev->ev)]},
		{"nonce", nonce},
		{"driver_version", f->driver},
		{"vbios_version", f->vbios},
	};

	pm_hex_encode(f->nonce, sizeof(f->nonce), nonce);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *told = json_string_value(json_object_get(object, rows[i].member));

		if (!told || !rows[i].report[0] || !strcasecmp(told, rows[i].report))
			continue;
		snprintf(text, sizeof(text), ".%s: found %.80s, expected %s", rows[i].member, told,
			rows[i].report);
		return malformed(o, index, text);
	}
	return TOOL_OK;
}

static int load_member(
	const struct gpu_options *o, json_t *object, size_t index, struct gpu_devices *d)
{
	struct gpu_device *dev = add_device(d);
	size_t size = 0, certs_size = 0;
	uint8_t *report = decode_member(object, "evidence", &size);
	uint8_t *certs = decode_member(object, "certificate", &certs_size);
	int r = TOOL_OK;

	snprintf(dev->name, sizeof(dev->name), "device %zu", index);
	if (!report || !certs || !has_known_members(object))
		r = malformed(o, index,
			": expected \"evidence\" and \"certificate\" in base64, and at most "
			"\"version\", \"arch\", \"nonce\", \"driver_version\", \"vbios_version\"");
	else
		note(d, dev, parse(o, dev, report, size, certs, certs_size));
	if (r == TOOL_OK && dev->error == PM_OK)
		r = check_told(o, object, index, dev);
	free(report);
	free(certs);
	return r;
}

/* The list in what the SDK's program prints, when that says that it is whole. */
static json_t *unwrap(json_t *printed)
{
	const char *message;
	json_t *list;
	int code;

	if (!json_is_object(printed))
		return printed;
	if (json_unpack(printed, "{s:o, s:i, s:s!}", "evidences", &list, "result_code", &code,
		    "result_message", &message) ||
		code)
		return NULL;
	return list;
}

static int load_list(
	const struct gpu_options *o, const uint8_t *text, size_t size, struct gpu_devices *d)
{
	json_error_t error;
	json_t *json = json_loadb((const char *)text, size, JSON_REJECT_DUPLICATES, &error);
	json_t *list = unwrap(json);
	size_t count = json_array_size(list);
	int r = TOOL_OK;

	d->is_set = true;
	if (!count || count > PM_GPU_SET_MAX)
		r = no_list(o, json, &error);
	for (size_t i = 0; r == TOOL_OK && i < count; i++)
		r = load_member(o, json_array_get(list, i), i, d);
	json_decref(json);
	return r;
}

/* A report begins with SPDM's version, 0x11, which is no text. */
static bool is_list(const uint8_t *bytes, size_t size)
{
	size_t i = 0;

	while (i < size && strchr(" \t\r\n", bytes[i]) && bytes[i])
		i++;
	return i < size && (bytes[i] == '[' || bytes[i] == '{');
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
