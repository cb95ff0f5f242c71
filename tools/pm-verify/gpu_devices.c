/* SPDX-License-Identifier: Apache-2.0 */
/* One report as the driver gives it, or a list of devices as NVIDIA's SDK writes it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/wrong.h"
#include "pm-verify/gpu.h"

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

/* The list itself, and no device of it. */
static int refuse(const struct gpu_options *o, int error, const struct gpu_devices *d)
{
	tool_refuse_input(o->json, o->report, error, d->report ? pm_report_reason(d->report) : "");
	return tool_exit_status(error);
}

static int load_member(const struct gpu_options *o, const struct pm_gpu_list *list, size_t index,
	struct gpu_devices *d)
{
	struct gpu_device *dev = add_device(d);
	size_t size, certs_size;
	const uint8_t *report = pm_gpu_list_report(list, index, &size);
	const uint8_t *certs = pm_gpu_list_certs(list, index, &certs_size);
	int r;

	snprintf(dev->name, sizeof(dev->name), "device %zu", index);
	note(d, dev, parse(o, dev, report, size, certs, certs_size));
	if (dev->error < 0)
		return TOOL_OK;
	r = pm_gpu_list_check(list, index, dev->ev, d->report);
	return r < 0 ? refuse(o, r, d) : TOOL_OK;
}

static int load_list(
	const struct gpu_options *o, const uint8_t *text, size_t size, struct gpu_devices *d)
{
	struct pm_gpu_list *list = NULL;
	int r = pm_gpu_list_parse(text, size, d->report, &list);

	d->is_set = true;
	if (r < 0)
		return refuse(o, r, d);
	r = TOOL_OK;
	for (size_t i = 0; r == TOOL_OK && i < pm_gpu_list_count(list); i++)
		r = load_member(o, list, i, d);
	pm_gpu_list_free(list);
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
	int r = tool_read_evidence(o->report, PM_GPU_LIST_SIZE_MAX, o->json, &bytes, &size);

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
