/* SPDX-License-Identifier: Apache-2.0 */
/* A round as JSON: for the status file, and for the supervisor. */
#include <stdio.h>

#include "pm-agent/round.h"

static json_t *time_json(int64_t time)
{
	char text[PM_TIME_TEXT_SIZE];

	pm_time_format(time, text);
	return json_string(text);
}

static const char *outcome_name(enum pm_outcome outcome)
{
	if (outcome == PM_PASSED)
		return "passed";
	return outcome == PM_FAILED ? "failed" : "not checked";
}

static json_t *checks_json(const struct pm_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; report && i < pm_report_count(report); i++) {
		const struct pm_check *c = pm_report_at(report, i);

		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "name", c->name,
						    "outcome", outcome_name(c->outcome), "found",
						    c->found, "expected", c->expected));
	}
	return list;
}

static const char *arch_name(int arch)
{
	static const char *const names[] = {"unknown", "hopper", "blackwell", "ls10"};

	return names[arch];
}

static json_t *gpu_json(const struct pm_gpu_device *gpu)
{
	char place[32];

	snprintf(place, sizeof(place), "%08x:%02x:%02x.%x", gpu->bus_id.domain, gpu->bus_id.bus,
		gpu->bus_id.device, gpu->bus_id.function);
	return json_pack("{s:i, s:s, s:s, s:s}", "index", (int)gpu->index, "uuid", gpu->uuid,
		"bus_id", place, "arch", arch_name(gpu->arch));
}

static void add_facts(json_t *o, const struct pm_gpu_facts *f)
{
	json_object_set_new(o, "ueid", json_string(f->ueid));
	json_object_set_new(o, "hwmodel", json_string(f->hwmodel));
	json_object_set_new(o, "driver", json_string(f->fields.driver));
	json_object_set_new(o, "vbios", json_string(f->fields.vbios));
	json_object_set_new(o, "golden_matched", json_integer((json_int_t)f->golden_matched));
	json_object_set_new(o, "rim_checked", json_boolean(f->rim_checked));
	json_object_set_new(o, "ocsp_checked", json_boolean(f->ocsp_checked));
	json_object_set_new(o, "test_root", json_boolean(f->test_root));
	json_object_set_new(o, "valid_until", time_json(f->valid_until));
}

/* A device that was not judged, as a step before failed, is not verified either. */
static const char *device_verdict(const struct device *d)
{
	if (d->facts)
		return "verified";
	return d->error ? note_verdict(d->error) : "not judged";
}

static json_t *device_json(const struct device *d)
{
	json_t *o = d->gpu ? gpu_json(d->gpu) : json_object();
	char nonce[2 * PM_GPU_NONCE_SIZE + 1];

	pm_hex_encode(d->nonce, sizeof(d->nonce), nonce);
	json_object_set_new(o, "name", json_string(d->name));
	json_object_set_new(o, "verdict", json_string(device_verdict(d)));
	if (d->error)
		json_object_set_new(o, "reason", json_string(pm_report_reason(d->report)));
	json_object_set_new(o, "nonce", json_string(nonce));
	if (d->facts)
		add_facts(o, d->facts);
	json_object_set_new(o, "checks", checks_json(d->report));
	return o;
}

static json_t *devices_json(const struct round *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->count; i++)
		json_array_append_new(list, device_json(&r->devices[i]));
	return list;
}

static json_t *state_json(const struct pm_gpu_host_state *s)
{
	static const char *const modes[] = {"none", "ppcie", "nvle", "unknown"};

	return json_pack("{s:b, s:b, s:i, s:s, s:s}", "cc", s->cc, "devtools", s->devtools,
		"environment", s->environment, "multi_gpu", modes[s->multi_gpu], "driver",
		s->driver);
}

static json_t *ready_json(int ready)
{
	return ready < 0 ? json_null() : json_boolean(ready);
}

/* Clearing is no round: nothing was verified. */
static const char *verdict(const struct round *r)
{
	return r->cleared ? "cleared" : note_verdict(r->note.error);
}

json_t *round_json(const struct round *r)
{
	json_t *o = json_pack("{s:i, s:s, s:o, s:o, s:b, s:b, s:o, s:o}", "version", 1, "verdict",
		verdict(r), "time", time_json(r->now), "ready", ready_json(r->ready), "test_root",
		r->test_root, "cuda_checked", r->cuda_checked, "devices", devices_json(r), "checks",
		checks_json(r->report));

	if (!o)
		return NULL;
	if (r->note.error) {
		json_object_set_new(o, "reason", json_string(r->note.text));
		json_object_set_new(
			o, "device", r->note.device[0] ? json_string(r->note.device) : json_null());
	} else if (!r->cleared) {
		json_object_set_new(o, "valid_until", time_json(r->valid_until));
	}
	if (r->has_state)
		json_object_set_new(o, "host", state_json(&r->state));
	return o;
}
