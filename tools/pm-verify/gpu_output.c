/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict about devices, for people and as JSON. */
#include <stdio.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/json.h"
#include "pm-verify/gpu.h"

static const char *arch_name(int arch)
{
	static const char *const names[] = {"unknown", "hopper", "blackwell", "ls10"};

	return names[arch];
}

static const char *kind_name(int kind)
{
	static const char *const names[] = {"none", "driver", "vbios", "switch"};

	return names[kind];
}

static const char *state_name(enum pm_gpu_golden_state state)
{
	static const char *const names[] = {"none", "matched", "skipped", "differs"};

	return names[state];
}

static const char *mode_name(int mode)
{
	static const char *const names[] = {"unknown", "spt", "mpt", "ppcie"};

	return names[mode];
}

/* --- JSON ------------------------------------------------------------------------------------ */

static json_t *golden_json(const struct pm_gpu_golden *golden)
{
	json_t *list = json_array();

	for (int i = 0; i < PM_GPU_MEASUREMENTS_MAX; i++) {
		const struct pm_gpu_golden *g = &golden[i];
		json_t *item;

		if (g->state == PM_GPU_GOLDEN_NONE)
			continue;
		item = json_pack("{s:i, s:s, s:s}", "index", i, "state", state_name(g->state),
			"manifest", kind_name(g->kind));
		if (g->state == PM_GPU_GOLDEN_MATCHED)
			json_object_set_new(
				item, "alternative", json_integer((json_int_t)g->alternative));
		json_array_append_new(list, item);
	}
	return list;
}

static void set_report_facts(json_t *o, const struct pm_gpu_fields *f)
{
	json_object_set_new(o, "nonce", tool_hex_json(f->nonce, sizeof(f->nonce)));
	json_object_set_new(o, "driver", json_string(f->driver));
	json_object_set_new(o, "vbios", json_string(f->vbios));
	json_object_set_new(o, "project", json_string(f->project));
	json_object_set_new(o, "project_sku", json_string(f->project_sku));
	json_object_set_new(o, "chip_sku", json_string(f->chip_sku));
	if (f->has_fwid)
		json_object_set_new(o, "fwid", tool_hex_json(f->fwid, sizeof(f->fwid)));
}

static json_t *facts_json(const struct pm_gpu_facts *facts)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:s}", "arch",
		arch_name((int)facts->arch), "chip", facts->chip, "mode", mode_name(facts->mode),
		"ueid", facts->ueid, "hwmodel", facts->hwmodel, "rim_checked", facts->rim_checked,
		"ocsp_checked", facts->ocsp_checked, "test_root", facts->test_root, "fwid_state",
		facts->fwid == PM_GPU_FWID_MATCHED ? "matched" : "absent");

	set_report_facts(o, &facts->fields);
	if (facts->has_pdi)
		json_object_set_new(o, "pdi", tool_hex_json(facts->pdi, sizeof(facts->pdi)));
	json_object_set_new(o, "device_key_sha256",
		tool_hex_json(facts->device_key_sha256, sizeof(facts->device_key_sha256)));
	json_object_set_new(
		o, "root_sha256", tool_hex_json(facts->root_sha256, sizeof(facts->root_sha256)));
	json_object_set_new(o, "valid_until", tool_time_json(facts->valid_until));
	json_object_set_new(o, "golden_count", json_integer((json_int_t)facts->golden_count));
	json_object_set_new(o, "golden_matched", json_integer((json_int_t)facts->golden_matched));
	return o;
}

static json_t *outcome_json(int error, const struct pm_report *report)
{
	json_t *o = json_pack("{s:s}", "verdict", tool_verdict_name(error));

	if (error < 0)
		tool_set_refusal(o, error, pm_report_reason(report));
	json_object_set_new(o, "checks", tool_checks_json(report));
	return o;
}

static json_t *device_json(const struct gpu_device *dev)
{
	json_t *o = outcome_json(dev->error, dev->report);

	if (dev->ev)
		json_object_set_new(o, "golden", golden_json(pm_gpu_evidence_golden(dev->ev)));
	if (dev->facts)
		json_object_set_new(o, "facts", facts_json(dev->facts));
	return o;
}

static json_t *rims_json(const struct gpu_collateral *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->rim_count; i++) {
		const struct gpu_rim *rim = &c->rims[i];
		json_t *o = outcome_json(rim->error, rim->report);

		json_object_set_new(o, "file", json_string(rim->file));
		if (rim->rim) {
			json_object_set_new(
				o, "kind", json_string(kind_name((int)pm_rim_kind(rim->rim))));
			json_object_set_new(o, "product", json_string(pm_rim_product(rim->rim)));
			json_object_set_new(o, "version", json_string(pm_rim_version(rim->rim)));
		}
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *devices_json(const struct gpu_devices *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->count; i++)
		json_array_append_new(list, device_json(&d->list[i]));
	return list;
}

/* Why not, in short: a file of golden measurements, the first device refused, or all together. */
static void set_reason(
	json_t *json, int error, const struct gpu_collateral *c, const struct gpu_devices *d)
{
	const struct pm_report *report = d->report;

	for (size_t i = d->count; i-- > 0;) {
		if (d->list[i].error < 0)
			report = d->list[i].report;
	}
	for (size_t i = 0; i < c->rim_count; i++) {
		if (c->rims[i].error < 0) {
			report = c->rims[i].report;
			json_object_set_new(json, "file", json_string(c->rims[i].file));
		}
	}
	tool_set_refusal(json, error, report ? pm_report_reason(report) : "");
}

/* One device's members stand in the object itself, those of several in a list. */
static void print_json(const struct gpu_options *o, int error, const struct gpu_collateral *c,
	const struct gpu_devices *d)
{
	json_t *json = d->is_set || !d->count ? json_object() : device_json(&d->list[0]);

	json_object_set_new(json, "verdict", json_string(tool_verdict_name(error)));
	json_object_set_new(json, "time", tool_time_json(o->now));
	if (error < 0)
		set_reason(json, error, c, d);
	json_object_set_new(json, "rims", rims_json(c));
	if (d->is_set) {
		json_object_set_new(json, "devices", devices_json(d));
		json_object_set_new(json, "set", tool_checks_json(d->report));
	}
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(json);
}

/* --- text ------------------------------------------------------------------------------------ */

static void print_rim(const struct gpu_rim *rim)
{
	printf("%s:\n", rim->file);
	tool_print_checks(rim->report);
	if (rim->error < 0)
		tool_print_refusal(rim->file, rim->error, pm_report_reason(rim->report));
}

static void print_accepted(const struct gpu_device *dev)
{
	const struct pm_gpu_facts *f = dev->facts;

	if (f->test_root)
		printf("TEST ROOT: accepted under a root that is not NVIDIA's; nothing is proved "
		       "about real hardware\n");
	printf("VERIFIED: %s: %zu of %zu golden measurements%s%s\n", dev->name, f->golden_matched,
		f->golden_count, f->rim_checked ? "" : "; not all were given",
		f->ocsp_checked ? "" : "; revocation was not checked");
}

static void print_device(const struct gpu_device *dev)
{
	printf("%s:\n", dev->name);
	tool_print_checks(dev->report);
	if (dev->facts)
		print_accepted(dev);
	else if (dev->error == PM_OK) /* something before it failed */
		printf("NOT VERIFIED: %s: not judged\n", dev->name);
	else
		tool_print_refusal(dev->name, dev->error, pm_report_reason(dev->report));
}

static void print_set(const struct gpu_devices *d, int error)
{
	printf("all devices:\n");
	tool_print_checks(d->report);
	if (error < 0)
		tool_print_refusal("all devices", error, pm_report_reason(d->report));
	else
		printf("VERIFIED: %zu devices\n", d->count);
}

static void print_human(int error, const struct gpu_collateral *c, const struct gpu_devices *d)
{
	for (size_t i = 0; i < c->rim_count; i++)
		print_rim(&c->rims[i]);
	for (size_t i = 0; i < d->count; i++)
		print_device(&d->list[i]);
	if (d->is_set)
		print_set(d, error);
}

void gpu_print(const struct gpu_options *o, int error, const struct gpu_collateral *c,
	const struct gpu_devices *d)
{
	if (o->json)
		print_json(o, error, c, d);
	else
		print_human(error, c, d);
}
