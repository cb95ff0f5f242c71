/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-verify/snp_policy_file.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/wrong.h"
#include "pm-verify/place.h"

#define POLICY_SIZE_MAX (1u << 20)
#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

struct rule;
typedef int (*rule_fn)(
	struct pm_snp_policy *p, const struct place *at, const struct rule *rule, json_t *value);

/* A key, how it is read, and a number that the reader needs. */
struct rule {
	const char *key;
	rule_fn read;
	unsigned int number;
};

static int check(const struct place *at, int error)
{
	if (!error)
		return TOOL_OK;
	return tool_wrong_file(at->file, "%s: %s", at->path, pm_strerror(error));
}

/* Each key of an object by its rule. */
static int read_object(struct pm_snp_policy *p, const struct place *at, json_t *object,
	const struct rule *rules, size_t count)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return place_complain(at, "an object");
	json_object_foreach(object, key, value)
	{
		struct place here = place_below(at, key);
		size_t i = 0;
		int r;

		while (i < count && strcmp(rules[i].key, key))
			i++;
		if (i == count)
			return place_complain(&here, "no such key");
		r = rules[i].read(p, &here, &rules[i], value);
		if (r)
			return r;
	}
	return TOOL_OK;
}

/* --- readers of keys ------------------------------------------------------------------------- */

static int waive(
	struct pm_snp_policy *p, const struct place *at, const struct rule *rule, json_t *value)
{
	bool yes;
	int r = place_read_bool(at, value, &yes);

	return r || !yes ? r : check(at, pm_snp_policy_waive(p, rule->number));
}

static int permit(
	struct pm_snp_policy *p, const struct place *at, const struct rule *rule, json_t *value)
{
	bool yes;
	int r = place_read_bool(at, value, &yes);

	return r || !yes ? r : check(at, pm_snp_policy_permit(p, rule->number));
}

static int demand(
	struct pm_snp_policy *p, const struct place *at, const struct rule *rule, json_t *value)
{
	bool yes;
	int r = place_read_bool(at, value, &yes);

	return r || !yes ? r : check(at, pm_snp_policy_require(p, rule->number));
}

static int report_data(
	struct pm_snp_policy *p, const struct place *at, const struct rule *rule, json_t *value)
{
	uint8_t bytes[PM_SNP_REPORT_DATA_SIZE];
	int r = place_read_hex(at, value, bytes, sizeof(bytes));

	(void)rule;
	return r ? r : check(at, pm_snp_policy_expect_report_data(p, bytes));
}

static size_t field_size(enum pm_snp_field field)
{
	switch (field) {
	case PM_SNP_MEASUREMENT:
	case PM_SNP_ID_KEY_DIGEST:
	case PM_SNP_AUTHOR_KEY_DIGEST:
		return PM_SNP_DIGEST_SIZE;
	case PM_SNP_HOST_DATA:
	case PM_SNP_REPORT_ID:
	case PM_SNP_REPORT_ID_MA:
		return PM_SNP_HOST_DATA_SIZE;
	case PM_SNP_CHIP_ID:
		return PM_SNP_CHIP_ID_SIZE;
	case PM_SNP_FAMILY_ID:
	case PM_SNP_IMAGE_ID:
		break;
	}
	return PM_SNP_IMAGE_ID_SIZE;
}

static int field(
	struct pm_snp_policy *p, const struct place *at, const struct rule *rule, json_t *value)
{
	enum pm_snp_field f = (enum pm_snp_field)rule->number;
	uint8_t bytes[PM_SNP_CHIP_ID_SIZE];
	int r = place_read_hex(at, value, bytes, field_size(f));

	return r ? r : check(at, pm_snp_policy_allow(p, f, bytes, field_size(f)));
}

static int test_root(
	struct pm_snp_policy *p, const struct place *at, const struct rule *rule, json_t *value)
{
	uint8_t sha256[32];
	int r = place_read_hex(at, value, sha256, sizeof(sha256));

	(void)rule;
	return r ? r : check(at, pm_snp_policy_add_test_root(p, sha256));
}

static int csp_id(
	struct pm_snp_policy *p, const struct place *at, const struct rule *rule, json_t *value)
{
	const char *text = json_string_value(value);

	(void)rule;
	return text ? check(at, pm_snp_policy_allow_csp(p, text)) : place_complain(at, "a string");
}

static int find_product(const char *name)
{
	for (int product = PM_SNP_MILAN; name && product <= PM_SNP_TURIN; product++) {
		if (!strcmp(name, pm_snp_product_name(product)))
			return product;
	}
	return 0;
}

static int product(
	struct pm_snp_policy *p, const struct place *at, const struct rule *rule, json_t *value)
{
	int found = find_product(json_string_value(value));

	(void)rule;
	if (!found)
		return place_complain(at, "\"Milan\", \"Genoa\" or \"Turin\"");
	return check(at, pm_snp_policy_allow_product(p, (enum pm_snp_product)found));
}

static int signer(
	struct pm_snp_policy *p, const struct place *at, const struct rule *rule, json_t *value)
{
	const char *text = json_string_value(value);

	(void)rule;
	if (text && !strcmp(text, "VCEK"))
		return check(at, pm_snp_policy_allow_signer(p, PM_SNP_VCEK));
	if (text && !strcmp(text, "VLEK"))
		return check(at, pm_snp_policy_allow_signer(p, PM_SNP_VLEK));
	return place_complain(at, "\"VCEK\" or \"VLEK\"");
}

static int vmpl(
	struct pm_snp_policy *p, const struct place *at, const struct rule *rule, json_t *value)
{
	json_int_t n;
	int r = place_read_integer(at, value, 3, &n);

	(void)rule;
	return r ? r : check(at, pm_snp_policy_allow_vmpl(p, (uint32_t)n));
}

/* An array whose elements another rule reads; an empty one would demand nothing and is refused. */
static const struct rule elements[] = {
	{"measurements", field, PM_SNP_MEASUREMENT},
	{"host_data", field, PM_SNP_HOST_DATA},
	{"family_ids", field, PM_SNP_FAMILY_ID},
	{"image_ids", field, PM_SNP_IMAGE_ID},
	{"id_key_digests", field, PM_SNP_ID_KEY_DIGEST},
	{"author_key_digests", field, PM_SNP_AUTHOR_KEY_DIGEST},
	{"chip_ids", field, PM_SNP_CHIP_ID},
	{"report_ids", field, PM_SNP_REPORT_ID},
	{"report_ids_ma", field, PM_SNP_REPORT_ID_MA},
	{"test_roots", test_root, 0},
	{"csp_ids", csp_id, 0},
	{"products", product, 0},
	{"signers", signer, 0},
	{"vmpls", vmpl, 0},
};

static int list(
	struct pm_snp_policy *p, const struct place *at, const struct rule *rule, json_t *value)
{
	size_t i = 0, k;
	json_t *item;

	while (strcmp(elements[i].key, rule->key))
		i++;
	if (!json_is_array(value) || !json_array_size(value))
		return place_complain(at, "an array that is not empty");
	json_array_foreach(value, k, item)
	{
		struct place here = place_element(at, k);
		int r = elements[i].read(p, &here, &elements[i], item);

		if (r)
			return r;
	}
	return TOOL_OK;
}

struct tcb_part {
	const char *name;
	uint8_t *part;
};

static int read_tcb_part(const struct place *at, const char *key, json_t *value,
	struct tcb_part *parts, size_t count)
{
	struct place here = place_below(at, key);
	json_int_t n;
	size_t i = 0;
	int r;

	while (i < count && (!parts[i].name || strcmp(parts[i].name, key)))
		i++;
	if (i == count)
		return place_complain(&here, "no such part");
	r = place_read_integer(&here, value, 255, &n);
	if (r)
		return r;
	*parts[i].part = (uint8_t)n;
	parts[i].name = NULL; /* read */
	return TOOL_OK;
}

/* All parts must be given, for a part left out would be a demand left out; fmc is Turin's alone. */
static int read_tcb(const struct place *at, bool turin, json_t *object, struct pm_snp_tcb *ret)
{
	struct tcb_part parts[] = {
		{"boot_loader", &ret->boot_loader},
		{"tee", &ret->tee},
		{"snp", &ret->snp},
		{"microcode", &ret->microcode},
		{"fmc", &ret->fmc},
	};
	size_t count = turin ? 5 : 4;
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return place_complain(at, "an object");
	json_object_foreach(object, key, value)
	{
		int r = read_tcb_part(at, key, value, parts, count);

		if (r)
			return r;
	}
	for (size_t i = 0; i < count; i++) {
		if (parts[i].name) {
			struct place here = place_below(at, parts[i].name);

			return place_complain(&here, "an integer from 0 to 255, but it is missing");
		}
	}
	return TOOL_OK;
}

static int min_tcb(
	struct pm_snp_policy *p, const struct place *at, const struct rule *rule, json_t *value)
{
	const char *name;
	json_t *object;

	if (!json_is_object(value) || !json_object_size(value))
		return place_complain(at, "an object with a product at least");
	json_object_foreach(value, name, object)
	{
		struct place here = place_below(at, name);
		int found = find_product(name), r;
		struct pm_snp_tcb tcb = {0};

		if (!found)
			return place_complain(&here, "\"Milan\", \"Genoa\" or \"Turin\" as key");
		r = read_tcb(&here, found == PM_SNP_TURIN, object, &tcb);
		if (r)
			return r;
		r = check(&here, pm_snp_policy_min_tcb(p, (enum pm_snp_tcb_kind)rule->number,
					 (enum pm_snp_product)found, &tcb));
		if (r)
			return r;
	}
	return TOOL_OK;
}

/* "1.55.29": count numbers of 0 to 255. */
static int min_firmware(
	struct pm_snp_policy *p, const struct place *at, const struct rule *rule, json_t *value)
{
	uint8_t v[3];
	int r = place_read_dotted(at, value, v, 3);

	(void)rule;
	if (r)
		return r;
	return check(
		at, pm_snp_policy_min_firmware(p, &(struct pm_snp_firmware){v[0], v[1], v[2]}));
}

static int min_abi(
	struct pm_snp_policy *p, const struct place *at, const struct rule *rule, json_t *value)
{
	uint8_t v[2];
	int r = place_read_dotted(at, value, v, 2);

	(void)rule;
	return r ? r : check(at, pm_snp_policy_min_abi(p, v[0], v[1]));
}

static int min_guest_svn(
	struct pm_snp_policy *p, const struct place *at, const struct rule *rule, json_t *value)
{
	json_int_t n;
	int r = place_read_integer(at, value, UINT32_MAX, &n);

	(void)rule;
	return r ? r : check(at, pm_snp_policy_min_guest_svn(p, (uint32_t)n));
}

static int min_version(
	struct pm_snp_policy *p, const struct place *at, const struct rule *rule, json_t *value)
{
	json_int_t n;
	int r = place_read_integer(at, value, 5, &n);

	(void)rule;
	return r ? r : check(at, pm_snp_policy_min_version(p, (uint32_t)n));
}

static int max_crl_age(
	struct pm_snp_policy *p, const struct place *at, const struct rule *rule, json_t *value)
{
	json_int_t n;
	int r = place_read_integer(at, value, INT32_MAX, &n);

	(void)rule;
	return r ? r : check(at, pm_snp_policy_max_crl_age(p, n));
}

static int mitigations(
	struct pm_snp_policy *p, const struct place *at, const struct rule *rule, json_t *value)
{
	uint64_t bits;
	int r = place_read_bits(at, value, &bits);

	if (r)
		return r;
	return check(at, rule->number ? pm_snp_policy_require_mitigations(p, 0, bits)
				      : pm_snp_policy_require_mitigations(p, bits, 0));
}

static int bits(
	struct pm_snp_policy *p, const struct place *at, const struct rule *rule, json_t *value)
{
	uint64_t mask;
	int r = place_read_bits(at, value, &mask);

	if (r)
		return r;
	switch (rule->number) {
	case 0:
		return check(at, pm_snp_policy_require_bits(p, mask, 0));
	case 1:
		return check(at, pm_snp_policy_require_bits(p, 0, mask));
	case 2:
		return check(at, pm_snp_policy_require_platform(p, mask, 0));
	default:
		return check(at, pm_snp_policy_require_platform(p, 0, mask));
	}
}

static const struct rule rules[] = {
	{"any_measurement", waive, PM_SNP_WAIVE_MEASUREMENT},
	{"any_report_data", waive, PM_SNP_WAIVE_REPORT_DATA},
	{"any_tcb", waive, PM_SNP_WAIVE_MIN_TCB},
	{"author_key_digests", list, 0},
	{"chip_ids", list, 0},
	{"csp_ids", list, 0},
	{"family_ids", list, 0},
	{"host_data", list, 0},
	{"id_key_digests", list, 0},
	{"image_ids", list, 0},
	{"max_crl_age", max_crl_age, 0},
	{"measurements", list, 0},
	{"min_abi", min_abi, 0},
	{"min_committed_tcb", min_tcb, PM_SNP_TCB_COMMITTED},
	{"min_current_tcb", min_tcb, PM_SNP_TCB_CURRENT},
	{"min_firmware", min_firmware, 0},
	{"min_guest_svn", min_guest_svn, 0},
	{"min_launch_tcb", min_tcb, PM_SNP_TCB_LAUNCH},
	{"min_tcb", min_tcb, PM_SNP_TCB_REPORTED},
	{"min_version", min_version, 0},
	{"permit_cxl", permit, PM_SNP_PERMIT_CXL},
	{"permit_debug", permit, PM_SNP_PERMIT_DEBUG},
	{"permit_masked_chip_id", permit, PM_SNP_PERMIT_MASKED_CHIP_ID},
	{"permit_migrate_ma", permit, PM_SNP_PERMIT_MIGRATE_MA},
	{"platform_info_clear", bits, 3},
	{"platform_info_set", bits, 2},
	{"policy_clear", bits, 1},
	{"policy_set", bits, 0},
	{"products", list, 0},
	{"report_data", report_data, 0},
	{"report_ids", list, 0},
	{"report_ids_ma", list, 0},
	{"require_author_key", demand, PM_SNP_REQUIRE_AUTHOR_KEY},
	{"require_committed", demand, PM_SNP_REQUIRE_COMMITTED},
	{"require_crl", demand, PM_SNP_REQUIRE_CRL},
	{"require_current_mitigations", mitigations, 1},
	{"require_id_block", demand, PM_SNP_REQUIRE_ID_BLOCK},
	{"require_launch_mitigations", mitigations, 0},
	{"signers", list, 0},
	{"test_roots", list, 0},
	{"vmpls", list, 0},
};

int snp_policy_file_load(const char *path, struct pm_snp_policy *policy)
{
	struct place at = {.file = path, .path = "$"};
	uint8_t *text = NULL;
	json_error_t error;
	json_t *json;
	size_t len;
	int r = tool_read_evidence(path, POLICY_SIZE_MAX, tool_wants_json(), &text, &len);

	if (r)
		return TOOL_USAGE;
	json = json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES, &error);
	free(text);
	if (!json) {
		return tool_wrong_file(
			path, "line %d, column %d: %s", error.line, error.column, error.text);
	}
	r = read_object(policy, &at, json, rules, ARRAY_LEN(rules));
	json_decref(json);
	return r;
}

int snp_parse_tcb(const char *text, struct pm_snp_tcb *ret)
{
	uint8_t v[5];
	size_t n = 0;

	for (;;) {
		size_t digits = strspn(text, "0123456789");
		unsigned long value = digits && digits < 4 ? strtoul(text, NULL, 10) : 256;

		if (value > 255 || n == 5)
			return -1;
		v[n++] = (uint8_t)value;
		if (!text[digits])
			break;
		if (text[digits] != ',')
			return -1;
		text += digits + 1;
	}
	if (n < 4)
		return -1;
	*ret = (struct pm_snp_tcb){n == 5 ? v[0] : 0, v[n - 4], v[n - 3], v[n - 2], v[n - 1]};
	return 0;
}
