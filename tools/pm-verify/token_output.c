/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict about a token, for people and as JSON. */
#include <stdio.h>

#include <pm/text.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/json.h"
#include "pm-verify/token.h"

static json_t *device_json(const struct pm_eat_device *d)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", d->name, "kind",
		d->kind == PM_EAT_SWITCH ? "switch" : "gpu", "ueid", d->ueid, "hwmodel", d->hwmodel,
		"vbios", d->vbios);

	if (d->kind == PM_EAT_GPU)
		json_object_set_new(o, "driver", json_string(d->driver));
	return o;
}

static json_t *facts_json(const struct pm_eat_facts *facts)
{
	char nonce[2 * PM_EAT_NONCE_SIZE + 1];
	json_t *o = json_pack("{s:s, s:s, s:i, s:b}", "issuer", facts->issuer, "kid", facts->kid,
		"version", facts->version, "nonce_checked", facts->nonce_checked);
	json_t *devices = json_array();

	pm_hex_encode(facts->nonce, sizeof(facts->nonce), nonce);
	json_object_set_new(o, "nonce", json_string(nonce));
	json_object_set_new(o, "issued_at", tool_time_json(facts->issued_at));
	json_object_set_new(o, "valid_until", tool_time_json(facts->valid_until));
	for (size_t i = 0; i < facts->device_count; i++)
		json_array_append_new(devices, device_json(&facts->devices[i]));
	json_object_set_new(o, "devices", devices);
	return o;
}

static void print_json(const struct token_options *o, int error, const struct pm_report *report,
	const struct pm_eat_facts *facts)
{
	json_t *json = json_pack("{s:s}", "verdict", tool_verdict_name(error));

	json_object_set_new(json, "time", tool_time_json(o->now));
	if (!facts)
		tool_set_refusal(json, error, pm_report_reason(report));
	json_object_set_new(json, "checks", tool_checks_json(report));
	if (facts)
		json_object_set_new(json, "facts", facts_json(facts));
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(json);
}

static void print_human(const struct token_options *o, int error, const struct pm_report *report,
	const struct pm_eat_facts *facts)
{
	tool_print_checks(report);
	if (!facts) {
		tool_print_refusal(o->token, error, pm_report_reason(report));
		return;
	}
	if (!facts->nonce_checked)
		printf("ANY NONCE: the token may be an old one, or another's\n");
	printf("VERIFIED: %s, by the keys of %s\n", o->token, o->jwks);
}

void token_print(const struct token_options *o, int error, const struct pm_report *report,
	const struct pm_eat_facts *facts)
{
	if (o->json)
		print_json(o, error, report, facts);
	else
		print_human(o, error, report, facts);
}
