/* SPDX-License-Identifier: Apache-2.0 */
/* What pm-client verify found, as one object of JSON. */
#include <jansson.h>
#include <stdio.h>

#include <pm/text.h>

#include "pm-client/verify.h"

static json_t *hex(const uint8_t *bytes, size_t len)
{
	char text[2 * PM_CLAIMS_XWING_SIZE + 1];

	pm_hex_encode(bytes, len, text);
	return json_string(text);
}

/* --- the checks ------------------------------------------------------------------------------ */

static const char *outcome_name(enum pm_outcome outcome)
{
	switch (outcome) {
	case PM_PASSED:
		return "passed";
	case PM_FAILED:
		return "failed";
	case PM_NOT_CHECKED:
		break;
	}
	return "not checked";
}

static json_t *node_json(const struct pm_verdict_node *n)
{
	json_t *o = json_pack("{s:s, s:s}", "name", n->name, "outcome", outcome_name(n->outcome));

	if (n->is_group) {
		json_object_set_new(o, "checks", json_array());
		return o;
	}
	json_object_set_new(o, "found", json_string(n->found));
	if (n->outcome == PM_FAILED)
		json_object_set_new(o, "expected", json_string(n->expected));
	return o;
}

static json_t *checks_json(const struct pm_verdict *verdict)
{
	json_t *lists[PM_VERDICT_DEPTH_MAX + 1] = {json_array()};

	for (size_t i = 0; i < pm_verdict_count(verdict); i++) {
		const struct pm_verdict_node *n = pm_verdict_at(verdict, i);
		json_t *o = node_json(n);

		json_array_append_new(lists[n->depth], o);
		if (n->is_group && n->depth < PM_VERDICT_DEPTH_MAX)
			lists[n->depth + 1] = json_object_get(o, "checks");
	}
	return lists[0];
}

/* --- the facts ------------------------------------------------------------------------------- */

static json_t *models_json(const struct pm_claims *claims)
{
	json_t *o = json_object();

	for (size_t i = 0; i < claims->model_count; i++)
		json_object_set_new(o, claims->models[i].name,
			hex(claims->models[i].root_hash, sizeof(claims->models[i].root_hash)));
	return o;
}

static void set_facts(json_t *o, const struct pm_appraised *facts)
{
	char until[PM_TIME_TEXT_SIZE];

	pm_time_format(facts->valid_until, until);
	json_object_set_new(o, "test_root", json_boolean(facts->test_root));
	json_object_set_new(o, "valid_until", json_string(until));
	json_object_set_new(o, "role", json_string(facts->claims.role));
	json_object_set_new(o, "models", models_json(&facts->claims));
	json_object_set_new(o, "gpus", json_integer((json_int_t)facts->gpu_count));
	json_object_set_new(o, "key", hex(facts->claims.key, facts->claims.key_len));
	json_object_set_new(o, "manifest",
		json_pack("{s:I, s:o}", "serial", (json_int_t)facts->manifest_serial, "hash",
			hex(facts->manifest_hash, sizeof(facts->manifest_hash))));
}

void verify_print_json(const char *url, int status, int error, const char *reason,
	const struct pm_verdict *verdict, const struct pm_appraised *facts)
{
	static const char *const verdicts[] = {"accepted", "rejected", "error"};
	json_t *o = json_pack("{s:s, s:s, s:o}", "verdict", verdicts[status], "worker", url,
		"checks", checks_json(verdict));

	if (error < 0) {
		json_object_set_new(o, "error", json_string(pm_strerror(error)));
		json_object_set_new(o, "reason", json_string(reason));
	}
	if (error == PM_OK)
		set_facts(o, facts);
	json_dumpf(o, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(o);
}
