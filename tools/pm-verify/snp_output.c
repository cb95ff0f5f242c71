/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict, for people and as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/json.h"
#include "pm-verify/snp.h"

static json_t *bits_json(uint64_t bits)
{
	char text[19];

	snprintf(text, sizeof(text), "0x%016" PRIx64, bits);
	return json_string(text);
}

static json_t *tcb_json(int product, const struct pm_snp_tcb *t)
{
	json_t *o = json_pack("{s:i, s:i, s:i, s:i}", "boot_loader", t->boot_loader, "tee", t->tee,
		"snp", t->snp, "microcode", t->microcode);

	if (product == PM_SNP_TURIN)
		json_object_set_new(o, "fmc", json_integer(t->fmc));
	return o;
}

static json_t *firmware_json(const struct pm_snp_firmware *fw)
{
	char text[12];

	snprintf(text, sizeof(text), "%u.%u.%u", fw->major, fw->minor, fw->build);
	return json_string(text);
}

static void set_identity(json_t *o, const struct pm_snp_fields *f)
{
	json_object_set_new(
		o, "report_data", tool_hex_json(f->report_data, sizeof(f->report_data)));
	json_object_set_new(
		o, "measurement", tool_hex_json(f->measurement, sizeof(f->measurement)));
	json_object_set_new(o, "host_data", tool_hex_json(f->host_data, sizeof(f->host_data)));
	json_object_set_new(
		o, "id_key_digest", tool_hex_json(f->id_key_digest, sizeof(f->id_key_digest)));
	json_object_set_new(o, "author_key_en", json_boolean(f->author_key_en));
	json_object_set_new(o, "author_key_digest",
		tool_hex_json(f->author_key_digest, sizeof(f->author_key_digest)));
	json_object_set_new(o, "family_id", tool_hex_json(f->family_id, sizeof(f->family_id)));
	json_object_set_new(o, "image_id", tool_hex_json(f->image_id, sizeof(f->image_id)));
	json_object_set_new(o, "report_id", tool_hex_json(f->report_id, sizeof(f->report_id)));
	json_object_set_new(
		o, "report_id_ma", tool_hex_json(f->report_id_ma, sizeof(f->report_id_ma)));
	json_object_set_new(o, "chip_id", tool_hex_json(f->chip_id, sizeof(f->chip_id)));
}

static void set_platform(json_t *o, const struct pm_snp_facts *facts)
{
	const struct pm_snp_fields *f = &facts->fields;

	json_object_set_new(o, "policy", bits_json(f->policy));
	json_object_set_new(o, "platform_info", bits_json(f->platform_info));
	json_object_set_new(o, "current_tcb", tcb_json(facts->product, &facts->current_tcb));
	json_object_set_new(o, "reported_tcb", tcb_json(facts->product, &facts->reported_tcb));
	json_object_set_new(o, "committed_tcb", tcb_json(facts->product, &facts->committed_tcb));
	json_object_set_new(o, "launch_tcb", tcb_json(facts->product, &facts->launch_tcb));
	json_object_set_new(o, "current_firmware", firmware_json(&f->current_firmware));
	json_object_set_new(o, "committed_firmware", firmware_json(&f->committed_firmware));
	json_object_set_new(o, "launch_mit_vector", bits_json(f->launch_mit_vector));
	json_object_set_new(o, "current_mit_vector", bits_json(f->current_mit_vector));
}

static json_t *facts_json(const struct pm_snp_facts *facts)
{
	const struct pm_snp_fields *f = &facts->fields;
	json_t *o = json_pack("{s:i, s:s, s:s, s:i, s:i, s:b}", "version", (int)f->version,
		"product", pm_snp_product_name(facts->product), "signer",
		facts->signer == PM_SNP_VLEK ? "VLEK" : "VCEK", "vmpl", (int)f->vmpl, "guest_svn",
		0, "crl_checked", facts->crl_checked);

	json_object_set_new(o, "guest_svn", json_integer(f->guest_svn));
	if (facts->csp_id[0])
		json_object_set_new(o, "csp_id", json_string(facts->csp_id));
	json_object_set_new(
		o, "root_sha256", tool_hex_json(facts->root_sha256, sizeof(facts->root_sha256)));
	json_object_set_new(o, "valid_until", tool_time_json(facts->valid_until));
	set_identity(o, f);
	set_platform(o, facts);
	if (facts->runtime_data)
		json_object_set_new(o, "hcl_runtime_data",
			json_stringn((const char *)facts->runtime_data, facts->runtime_data_size));
	return o;
}

static void print_json(const struct snp_options *o, int error, const struct pm_report *report,
	const struct pm_snp_facts *facts)
{
	json_t *json = json_pack("{s:s, s:b}", "verdict", tool_verdict_name(error), "test_root",
		facts && facts->test_root);

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

static void print_human(const struct snp_options *o, int error, const struct pm_report *report,
	const struct pm_snp_facts *facts)
{
	tool_print_checks(report);
	if (!facts) {
		tool_print_refusal(o->report, error, pm_report_reason(report));
		return;
	}
	if (facts->test_root)
		printf("TEST ROOT: accepted under a root that is not AMD's; nothing is proved "
		       "about "
		       "real hardware\n");
	printf("VERIFIED: %s\n", o->report);
}

void snp_print(const struct snp_options *o, int error, const struct pm_report *report,
	const struct pm_snp_facts *facts)
{
	if (o->json)
		print_json(o, error, report, facts);
	else
		print_human(o, error, report, facts);
}
