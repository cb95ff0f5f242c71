/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The snp object of a role: demands on SEV-SNP evidence, in the words of pm-snp-policy(5). What
 * would loosen a demand, or demand nothing, must stand there by name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/manifest.h"

#define ARGS                                                                                       \
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target

/* What a setter of the policy says, at the place of its value. */
static int checked(const struct pm_json_at *at, const json_t *value, int error)
{
	if (!error || error == PM_E_NOMEM)
		return error;
	return pm_json_fail(at, error == PM_E_LIMIT ? PM_E_LIMIT : PM_E_FORMAT, value,
		"a demand that the others allow");
}

static int is_true(const struct pm_json_at *at, const json_t *value)
{
	if (json_is_true(value))
		return PM_OK;
	return pm_json_complain(at, value, "true, or the key left out");
}

static int permit(ARGS)
{
	int r = is_true(at, value);

	return r ? r : checked(at, value, pm_snp_policy_permit(target, rule->number));
}

static int require(ARGS)
{
	int r = is_true(at, value);

	return r ? r : checked(at, value, pm_snp_policy_require(target, rule->number));
}

/* Must be there, true or false. */
static int require_or_not(ARGS)
{
	bool yes = false;
	int r = pm_json_bool(at, value, &yes);

	if (r < 0 || !yes)
		return r;
	return checked(at, value, pm_snp_policy_require(target, rule->number));
}

static int field(ARGS)
{
	uint8_t bytes[PM_SNP_CHIP_ID_SIZE];
	size_t size = (size_t)rule->max;
	int r = pm_json_hex(at, value, bytes, size);

	if (r < 0)
		return r;
	return checked(at, value,
		pm_snp_policy_allow(target, (enum pm_snp_field)rule->number, bytes, size));
}

static int fields(ARGS)
{
	struct pm_json_rule element = *rule;

	element.read = field;
	return pm_json_array(at, value, &element, PM_SNP_POLICY_LIST_MAX, target);
}

/* null says by name that nothing is demanded. */
static int fields_or_any(ARGS)
{
	if (json_is_null(value))
		return PM_OK;
	if (!json_is_array(value) || !json_array_size(value))
		return pm_json_complain(at, value, "an array that is not empty, or null for any");
	return fields(at, value, rule, target);
}

static int csp_id(ARGS)
{
	const char *text = json_string_value(value);

	(void)rule;
	if (!text)
		return pm_json_complain(at, value, "a string");
	return checked(at, value, pm_snp_policy_allow_csp(target, text));
}

static int csp_ids(ARGS)
{
	static const struct pm_json_rule element = {.read = csp_id};

	(void)rule;
	return pm_json_array(at, value, &element, PM_SNP_POLICY_LIST_MAX, target);
}

static int product(ARGS)
{
	static const char *const words[] = {"Milan", "Genoa", "Turin", NULL};
	unsigned int found = 0;
	int r = pm_json_word(at, value, words, "\"Milan\", \"Genoa\" or \"Turin\"", &found);

	(void)rule;
	if (r < 0)
		return r;
	return checked(at, value,
		pm_snp_policy_allow_product(target, (enum pm_snp_product)(PM_SNP_MILAN + found)));
}

static int products(ARGS)
{
	static const struct pm_json_rule element = {.read = product};

	(void)rule;
	return pm_json_array(at, value, &element, 3, target);
}

static int signer(ARGS)
{
	static const char *const words[] = {"VCEK", "VLEK", NULL};
	unsigned int found = 0;
	int r = pm_json_word(at, value, words, "\"VCEK\" or \"VLEK\"", &found);

	(void)rule;
	if (r < 0)
		return r;
	return checked(at, value,
		pm_snp_policy_allow_signer(target, (enum pm_snp_signer)(PM_SNP_VCEK + found)));
}

static int signers(ARGS)
{
	static const struct pm_json_rule element = {.read = signer};

	(void)rule;
	return pm_json_array(at, value, &element, 2, target);
}

static int vmpl(ARGS)
{
	int64_t n = 0;
	int r = pm_json_integer(at, value, 0, 3, &n);

	(void)rule;
	return r ? r : checked(at, value, pm_snp_policy_allow_vmpl(target, (uint32_t)n));
}

static int vmpls(ARGS)
{
	static const struct pm_json_rule element = {.read = vmpl};

	(void)rule;
	return pm_json_array(at, value, &element, 4, target);
}

/* --- least versions -------------------------------------------------------------------------- */

static int tcb_part(ARGS)
{
	int64_t n = 0;
	int r = pm_json_integer(at, value, 0, UINT8_MAX, &n);

	if (r == PM_OK)
		*PM_JSON_SLOT(uint8_t, target, rule) = (uint8_t)n;
	return r;
}

#define PART(part)                                                                                 \
	{                                                                                          \
		.key = #part, .read = tcb_part, .offset = offsetof(struct pm_snp_tcb, part)        \
	}

/* All parts must be given, for a part left out would be a demand left out; fmc is Turin's alone. */
static const struct pm_json_rule tcb_parts[] = {
	PART(boot_loader),
	PART(tee),
	PART(snp),
	PART(microcode),
	PART(fmc),
};

struct min_tcb {
	struct pm_snp_policy *policy;
	enum pm_snp_tcb_kind kind;
};

static int product_tcb(ARGS)
{
	size_t parts = rule->number == PM_SNP_TURIN ? 5 : 4;
	const struct min_tcb *min = target;
	struct pm_snp_tcb tcb = {0};
	int r = pm_json_object(at, value, tcb_parts, parts, &tcb);

	if (r < 0)
		return r;
	return checked(at, value,
		pm_snp_policy_min_tcb(
			min->policy, min->kind, (enum pm_snp_product)rule->number, &tcb));
}

static const struct pm_json_rule tcb_products[] = {
	{.key = "Milan", .read = product_tcb, .optional = true, .number = PM_SNP_MILAN},
	{.key = "Genoa", .read = product_tcb, .optional = true, .number = PM_SNP_GENOA},
	{.key = "Turin", .read = product_tcb, .optional = true, .number = PM_SNP_TURIN},
};

static int min_tcb(ARGS)
{
	struct min_tcb min = {target, (enum pm_snp_tcb_kind)rule->number};

	if (!json_object_size(value))
		return pm_json_complain(at, value, "an object with a product at least");
	return pm_json_object(at, value, tcb_products, PM_ARRAY_LEN(tcb_products), &min);
}

/* "1.55.29": count numbers of 0 to 255 in their shortest form. */
static bool parse_dotted(const char *text, uint8_t *ret, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t digits = text ? strspn(text, "0123456789") : 0;
		unsigned long n = digits && digits < 4 ? strtoul(text, NULL, 10) : 256;

		if (n > UINT8_MAX || text[digits] != (i + 1 < count ? '.' : '\0'))
			return false;
		if (text[0] == '0' && digits > 1)
			return false;
		ret[i] = (uint8_t)n;
		text += digits + 1;
	}
	return true;
}

static int min_firmware(ARGS)
{
	uint8_t v[3];

	(void)rule;
	if (!parse_dotted(json_string_value(value), v, 3))
		return pm_json_complain(at, value, "a string \"MAJOR.MINOR.BUILD\"");
	return checked(at, value,
		pm_snp_policy_min_firmware(target, &(struct pm_snp_firmware){v[0], v[1], v[2]}));
}

static int min_abi(ARGS)
{
	uint8_t v[2];

	(void)rule;
	if (!parse_dotted(json_string_value(value), v, 2))
		return pm_json_complain(at, value, "a string \"MAJOR.MINOR\"");
	return checked(at, value, pm_snp_policy_min_abi(target, v[0], v[1]));
}

static int min_guest_svn(ARGS)
{
	int64_t n = 0;
	int r = pm_json_integer(at, value, 1, UINT32_MAX, &n);

	(void)rule;
	return r ? r : checked(at, value, pm_snp_policy_min_guest_svn(target, (uint32_t)n));
}

static int min_version(ARGS)
{
	int64_t n = 0;
	int r = pm_json_integer(at, value, 2, 5, &n);

	(void)rule;
	return r ? r : checked(at, value, pm_snp_policy_min_version(target, (uint32_t)n));
}

static int max_crl_age(ARGS)
{
	int64_t n = 0;
	int r = pm_json_integer(at, value, 1, INT32_MAX, &n);

	(void)rule;
	return r ? r : checked(at, value, pm_snp_policy_max_crl_age(target, n));
}

/* --- bits ------------------------------------------------------------------------------------ */

/* "0x3f": 64 bits don't fit a JSON number. In the shortest form, and never zero. */
static int read_bits(const struct pm_json_at *at, const json_t *value, uint64_t *ret)
{
	const char *text = json_string_value(value);
	size_t digits = text ? strspn(text + (strncmp(text, "0x", 2) ? strlen(text) : 2),
				       "0123456789abcdef")
			     : 0;

	if (!digits || digits > 16 || text[2 + digits] || text[2] == '0')
		return pm_json_complain(at, value,
			"a string \"0x...\" of at most 64 bits, lower-case, without leading zeros");
	*ret = strtoull(text, NULL, 16);
	return PM_OK;
}

enum bits { POLICY_SET, POLICY_CLEAR, PLATFORM_SET, PLATFORM_CLEAR, MIT_LAUNCH, MIT_CURRENT };

static int bits(ARGS)
{
	uint64_t b = 0;
	int r = read_bits(at, value, &b);

	if (r < 0)
		return r;
	switch ((enum bits)rule->number) {
	case POLICY_SET:
		return checked(at, value, pm_snp_policy_require_bits(target, b, 0));
	case POLICY_CLEAR:
		return checked(at, value, pm_snp_policy_require_bits(target, 0, b));
	case PLATFORM_SET:
		return checked(at, value, pm_snp_policy_require_platform(target, b, 0));
	case PLATFORM_CLEAR:
		return checked(at, value, pm_snp_policy_require_platform(target, 0, b));
	case MIT_LAUNCH:
		return checked(at, value, pm_snp_policy_require_mitigations(target, b, 0));
	case MIT_CURRENT:
		return checked(at, value, pm_snp_policy_require_mitigations(target, 0, b));
	}
	return PM_E_ARG;
}

#define LIST(name, field, size)                                                                    \
	{                                                                                          \
		.key = name, .read = fields, .optional = true, .number = field, .max = size        \
	}
#define LIST_OR_ANY(name, field, size)                                                             \
	{                                                                                          \
		.key = name, .read = fields_or_any, .number = field, .max = size                   \
	}
#define OPTION(name, fn, n)                                                                        \
	{                                                                                          \
		.key = name, .read = fn, .optional = true, .number = n                             \
	}

static const struct pm_json_rule rules[] = {
	{.key = "measurements",
		.read = fields,
		.number = PM_SNP_MEASUREMENT,
		.max = PM_SNP_DIGEST_SIZE},
	LIST_OR_ANY("host_data", PM_SNP_HOST_DATA, PM_SNP_HOST_DATA_SIZE),
	LIST_OR_ANY("chip_ids", PM_SNP_CHIP_ID, PM_SNP_CHIP_ID_SIZE),
	{.key = "min_tcb", .read = min_tcb, .number = PM_SNP_TCB_REPORTED},
	{.key = "signers", .read = signers},
	{.key = "require_crl", .read = require_or_not, .number = PM_SNP_REQUIRE_CRL},
	LIST("author_key_digests", PM_SNP_AUTHOR_KEY_DIGEST, PM_SNP_DIGEST_SIZE),
	LIST("family_ids", PM_SNP_FAMILY_ID, PM_SNP_IMAGE_ID_SIZE),
	LIST("id_key_digests", PM_SNP_ID_KEY_DIGEST, PM_SNP_DIGEST_SIZE),
	LIST("image_ids", PM_SNP_IMAGE_ID, PM_SNP_IMAGE_ID_SIZE),
	LIST("report_ids", PM_SNP_REPORT_ID, PM_SNP_HOST_DATA_SIZE),
	LIST("report_ids_ma", PM_SNP_REPORT_ID_MA, PM_SNP_HOST_DATA_SIZE),
	OPTION("csp_ids", csp_ids, 0),
	OPTION("max_crl_age", max_crl_age, 0),
	OPTION("min_abi", min_abi, 0),
	OPTION("min_committed_tcb", min_tcb, PM_SNP_TCB_COMMITTED),
	OPTION("min_current_tcb", min_tcb, PM_SNP_TCB_CURRENT),
	OPTION("min_firmware", min_firmware, 0),
	OPTION("min_guest_svn", min_guest_svn, 0),
	OPTION("min_launch_tcb", min_tcb, PM_SNP_TCB_LAUNCH),
	OPTION("min_version", min_version, 0),
	OPTION("permit_cxl", permit, PM_SNP_PERMIT_CXL),
	OPTION("permit_debug", permit, PM_SNP_PERMIT_DEBUG),
	OPTION("permit_masked_chip_id", permit, PM_SNP_PERMIT_MASKED_CHIP_ID),
	OPTION("permit_migrate_ma", permit, PM_SNP_PERMIT_MIGRATE_MA),
	OPTION("platform_info_clear", bits, PLATFORM_CLEAR),
	OPTION("platform_info_set", bits, PLATFORM_SET),
	OPTION("policy_clear", bits, POLICY_CLEAR),
	OPTION("policy_set", bits, POLICY_SET),
	OPTION("products", products, 0),
	OPTION("require_author_key", require, PM_SNP_REQUIRE_AUTHOR_KEY),
	OPTION("require_committed", require, PM_SNP_REQUIRE_COMMITTED),
	OPTION("require_current_mitigations", bits, MIT_CURRENT),
	OPTION("require_id_block", require, PM_SNP_REQUIRE_ID_BLOCK),
	OPTION("require_launch_mitigations", bits, MIT_LAUNCH),
	OPTION("vmpls", vmpls, 0),
};

int pm_manifest_read_snp(ARGS)
{
	(void)rule;
	return pm_json_object(at, value, rules, PM_ARRAY_LEN(rules), target);
}
