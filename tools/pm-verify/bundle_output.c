/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict about a bundle, for people and as JSON. */
#include <stdio.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/json.h"
#include "common/verdict.h"
#include "pm-verify/bundle.h"

/* --- JSON ------------------------------------------------------------------------------------- */

/* The tiers of EAR: under a test root nothing is affirmed. */
static const char *ear_status(enum pm_outcome outcome, bool test_root)
{
	switch (outcome) {
	case PM_PASSED:
		return test_root ? "warning" : "affirming";
	case PM_FAILED:
		return "contraindicated";
	case PM_NOT_CHECKED:
		break;
	}
	return "none";
}

static json_t *submods_json(const struct bundle_outcome *outcome)
{
	bool test_root = outcome->facts && outcome->facts->test_root;
	json_t *o = json_object();

	for (size_t i = 0; i < pm_verdict_count(outcome->verdict); i++) {
		const struct pm_verdict_node *n = pm_verdict_at(outcome->verdict, i);

		if (n->is_group && !n->depth)
			json_object_set_new(o, n->name,
				json_pack(
					"{s:s}", "ear.status", ear_status(n->outcome, test_root)));
	}
	return o;
}

static json_t *models_json(const struct pm_claims *c)
{
	json_t *o = json_object();

	for (size_t i = 0; i < c->model_count; i++)
		json_object_set_new(o, c->models[i].name,
			tool_hex_json(c->models[i].root_hash, sizeof(c->models[i].root_hash)));
	return o;
}

static json_t *claims_json(const struct pm_claims *c)
{
	json_t *o = json_object();

	json_object_set_new(o, c->key_kind == PM_CLAIMS_XWING ? "xwing_key" : "mesh_key",
		tool_hex_json(c->key, c->key_len));
	if (c->has_tls)
		json_object_set_new(o, "tls_spki_sha256",
			tool_hex_json(c->tls_spki_sha256, sizeof(c->tls_spki_sha256)));
	json_object_set_new(o, "models", models_json(c));
	json_object_set_new(o, "role", json_string(c->role));
	json_object_set_new(o, "issued_at", tool_time_json(c->issued_at));
	if (c->gpu_count)
		json_object_set_new(o, "gpu_time", tool_time_json(c->gpu_time));
	if (c->has_document)
		json_object_set_new(o, "document_sha256",
			tool_hex_json(c->document_sha256, sizeof(c->document_sha256)));
	return o;
}

static json_t *processor_json(const struct pm_snp_facts *f)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:b, s:b}", "hwmodel",
		pm_snp_product_name((int)f->product), "signing_key",
		f->signer == PM_SNP_VLEK ? "VLEK" : "VCEK", "measurement",
		tool_hex_json(f->fields.measurement, sizeof(f->fields.measurement)), "chip_id",
		tool_hex_json(f->fields.chip_id, sizeof(f->fields.chip_id)), "root_sha256",
		tool_hex_json(f->root_sha256, sizeof(f->root_sha256)), "crl_checked",
		f->crl_checked, "test_root", f->test_root);
}

static json_t *gpus_json(const struct pm_appraised *facts)
{
	json_t *list = json_array();

	for (size_t i = 0; i < facts->gpu_count; i++) {
		const struct pm_gpu_facts *f = facts->gpus[i];

		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:s, s:o, s:b, s:b, s:b}", "ueid", f->ueid,
				      "hwmodel", f->hwmodel, "driver", f->fields.driver, "vbios",
				      f->fields.vbios, "root_sha256",
				      tool_hex_json(f->root_sha256, sizeof(f->root_sha256)),
				      "rim_checked", f->rim_checked, "ocsp_checked",
				      f->ocsp_checked, "test_root", f->test_root));
	}
	return list;
}

static void set_facts(json_t *o, const struct pm_appraised *facts)
{
	json_object_set_new(o, "test_root", json_boolean(facts->test_root));
	json_object_set_new(o, "valid_until", tool_time_json(facts->valid_until));
	json_object_set_new(o, "manifest",
		json_pack("{s:I, s:o}", "serial", (json_int_t)facts->manifest_serial, "hash",
			tool_hex_json(facts->manifest_hash, sizeof(facts->manifest_hash))));
	json_object_set_new(o, "claims", claims_json(&facts->claims));
	json_object_set_new(o, "processor", processor_json(facts->snp));
	json_object_set_new(o, "gpus", gpus_json(facts));
}

/* Whoever refused: the parser, or somebody behind it. */
static const char *reason(const struct bundle_outcome *outcome)
{
	const char *text = pm_report_reason(outcome->report);

	return text[0] ? text : pm_verdict_reason(outcome->verdict);
}

static void print_json(const struct bundle_options *o, const struct bundle_outcome *outcome)
{
	json_t *json = json_pack("{s:s, s:s, s:o, s:I, s:{s:s, s:s}, s:o, s:o}", "verdict",
		tool_verdict_name(outcome->error), "bundle", o->bundle, "time",
		tool_time_json(o->question.now), "iat", (json_int_t)o->question.now,
		"ear.verifier-id", "developer", "libpm", "build", pm_version(), "submods",
		submods_json(outcome), "checks", tool_verdict_json(outcome->verdict));

	if (o->has_nonce)
		json_object_set_new(json, "eat_nonce", tool_hex_json(o->nonce, sizeof(o->nonce)));
	if (outcome->error < 0)
		tool_set_refusal(json, outcome->error, reason(outcome));
	if (outcome->facts)
		set_facts(json, outcome->facts);
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(json);
}

/* --- text ------------------------------------------------------------------------------------- */

static void print_accepted(const struct bundle_options *o, const struct pm_appraised *facts)
{
	char until[PM_TIME_TEXT_SIZE];

	if (facts->test_root)
		printf("TEST ROOT: accepted under a root that is not the maker's; nothing is "
		       "proved "
		       "about real hardware\n");
	pm_time_format(facts->valid_until, until);
	printf("VERIFIED: %s: role %s, %zu models, %zu GPUs; nothing of it expires before %s\n",
		o->bundle, facts->claims.role, facts->claims.model_count, facts->gpu_count, until);
}

static void print_text(const struct bundle_options *o, const struct bundle_outcome *outcome)
{
	tool_print_checks(outcome->report);
	tool_print_verdict(outcome->verdict);
	if (outcome->facts)
		print_accepted(o, outcome->facts);
	else
		tool_print_refusal(o->bundle, outcome->error, reason(outcome));
}

void bundle_print(const struct bundle_options *o, const struct bundle_outcome *outcome)
{
	if (o->json)
		print_json(o, outcome);
	else
		print_text(o, outcome);
}
