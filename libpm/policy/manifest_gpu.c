/* SPDX-License-Identifier: Apache-2.0 */
/* The gpu object of a role: demands on NVIDIA GPUs and switches. */
#include <string.h>

#include "policy/manifest.h"

#define ARGS                                                                                       \
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target

/* Longest that GPU evidence, and a revocation, may be ago: 30 days. */
#define AGE_MAX (30 * 24 * 3600)

/* What a setter of the policy says, at the place of its value. */
static int checked(
	const struct pm_json_at *at, const json_t *value, int error, const char *expected)
{
	if (!error || error == PM_E_NOMEM)
		return error;
	return pm_json_complain(at, value, expected);
}

static int permit(ARGS)
{
	if (!json_is_true(value))
		return pm_json_complain(at, value, "true, or the key left out");
	return pm_gpu_policy_permit(target, rule->number);
}

static int require(ARGS)
{
	if (!json_is_true(value))
		return pm_json_complain(at, value, "true, or the key left out");
	return pm_gpu_policy_require(target, rule->number);
}

/* Must be there, true or false. */
static int require_or_waive(ARGS)
{
	bool yes = false;
	int r = pm_json_bool(at, value, &yes);

	if (r < 0 || yes)
		return r;
	return pm_gpu_policy_waive(target, rule->number);
}

static int permit_hold(ARGS)
{
	int64_t seconds = 0;
	int r = pm_json_integer(at, value, 1, AGE_MAX, &seconds);

	(void)rule;
	if (r == PM_OK)
		r = pm_gpu_policy_permit(target, PM_GPU_PERMIT_HOLD);
	return r < 0 ? r : pm_gpu_policy_ocsp_grace(target, seconds);
}

/* Those two keys are not of the policy of one GPU: see pm_manifest_read_gpu_set(). */
static int skip(ARGS)
{
	(void)at;
	(void)value;
	(void)rule;
	(void)target;
	return PM_OK;
}

/* --- words ----------------------------------------------------------------------------------- */

static int arch(ARGS)
{
	static const char *const words[] = {"hopper", "blackwell", "ls10", NULL};
	unsigned int found = 0;
	int r = pm_json_word(at, value, words, "\"hopper\", \"blackwell\" or \"ls10\"", &found);

	(void)rule;
	if (r < 0)
		return r;
	return pm_gpu_policy_allow_arch(target, (enum pm_gpu_arch)(PM_GPU_HOPPER + found));
}

static int archs(ARGS)
{
	static const struct pm_json_rule element = {.read = arch};

	(void)rule;
	return pm_json_array(at, value, &element, 3, target);
}

static int mode(ARGS)
{
	static const char *const words[] = {"spt", "mpt", "ppcie", NULL};
	unsigned int found = 0;
	int r = pm_json_word(at, value, words, "\"spt\", \"mpt\" or \"ppcie\"", &found);

	(void)rule;
	if (r < 0)
		return r;
	return pm_gpu_policy_allow_mode(target, (enum pm_gpu_mode)(PM_GPU_MODE_SPT + found));
}

/* null says by name that nothing is demanded. */
static int list_or_any(const struct pm_json_at *at, json_t *value,
	const struct pm_json_rule *element, size_t max, void *target)
{
	if (json_is_null(value))
		return PM_OK;
	if (!json_is_array(value) || !json_array_size(value))
		return pm_json_complain(at, value, "an array that is not empty, or null for any");
	return pm_json_array(at, value, element, max, target);
}

static int modes(ARGS)
{
	static const struct pm_json_rule element = {.read = mode};

	(void)rule;
	return list_or_any(at, value, &element, 3, target);
}

/* --- versions -------------------------------------------------------------------------------- */

#define DRIVER_FORM "a version as \"550.90.07\""
#define VBIOS_FORM  "a version as \"96.00.9F.00.01\", in capitals"

static int driver(ARGS)
{
	const char *text = json_string_value(value);

	(void)rule;
	if (!text)
		return pm_json_complain(at, value, DRIVER_FORM);
	return checked(at, value, pm_gpu_policy_allow_driver(target, text), DRIVER_FORM);
}

/* NVIDIA writes capitals; one spelling is enough. */
static bool is_vbios(const json_t *value)
{
	const char *text = json_string_value(value);

	return text && !strpbrk(text, "abcdef");
}

static int vbios(ARGS)
{
	(void)rule;
	if (!is_vbios(value))
		return pm_json_complain(at, value, VBIOS_FORM);
	return checked(
		at, value, pm_gpu_policy_allow_vbios(target, json_string_value(value)), VBIOS_FORM);
}

static int drivers(ARGS)
{
	static const struct pm_json_rule element = {.read = driver};

	(void)rule;
	return list_or_any(at, value, &element, PM_GPU_POLICY_LIST_MAX, target);
}

static int vbioses(ARGS)
{
	static const struct pm_json_rule element = {.read = vbios};

	(void)rule;
	return list_or_any(at, value, &element, PM_GPU_POLICY_LIST_MAX, target);
}

static int least_driver(ARGS)
{
	const char *text = json_string_value(value);

	if (!text)
		return pm_json_complain(at, value, DRIVER_FORM);
	return checked(
		at, value, pm_gpu_policy_min_driver(target, (int)rule->number, text), DRIVER_FORM);
}

static int least_vbios(ARGS)
{
	enum pm_gpu_arch kind = (enum pm_gpu_arch)rule->number;

	if (!is_vbios(value))
		return pm_json_complain(at, value, VBIOS_FORM);
	return checked(at, value, pm_gpu_policy_min_vbios(target, kind, json_string_value(value)),
		VBIOS_FORM);
}

#define LEAST(name, fn, arch)                                                                      \
	{                                                                                          \
		.key = name, .read = fn, .optional = true, .number = arch                          \
	}

static const struct pm_json_rule min_drivers[] = {
	LEAST("hopper", least_driver, PM_GPU_HOPPER),
	LEAST("blackwell", least_driver, PM_GPU_BLACKWELL),
};

static const struct pm_json_rule min_vbioses[] = {
	LEAST("hopper", least_vbios, PM_GPU_HOPPER),
	LEAST("blackwell", least_vbios, PM_GPU_BLACKWELL),
	LEAST("ls10", least_vbios, PM_GPU_LS10),
};

static int min_driver(ARGS)
{
	(void)rule;
	if (!json_object_size(value))
		return pm_json_complain(at, value, "an object with a kind of GPU at least");
	return pm_json_object(at, value, min_drivers, PM_ARRAY_LEN(min_drivers), target);
}

static int min_vbios(ARGS)
{
	(void)rule;
	if (!json_object_size(value))
		return pm_json_complain(at, value, "an object with a kind of device at least");
	return pm_json_object(at, value, min_vbioses, PM_ARRAY_LEN(min_vbioses), target);
}

/* --- the object ------------------------------------------------------------------------------ */

#define OPTION(name, fn, n)                                                                        \
	{                                                                                          \
		.key = name, .read = fn, .optional = true, .number = n                             \
	}

static const struct pm_json_rule rules[] = {
	{.key = "min_count", .read = skip},
	{.key = "max_age", .read = skip},
	{.key = "archs", .read = archs},
	{.key = "modes", .read = modes},
	{.key = "drivers", .read = drivers},
	{.key = "vbios", .read = vbioses},
	{.key = "require_rim", .read = require_or_waive, .number = PM_GPU_WAIVE_RIM},
	{.key = "require_ocsp", .read = require_or_waive, .number = PM_GPU_WAIVE_OCSP},
	OPTION("min_driver", min_driver, 0),
	OPTION("min_vbios", min_vbios, 0),
	OPTION("permit_hold", permit_hold, 0),
	OPTION("permit_ocsp_unknown", permit, PM_GPU_PERMIT_OCSP_UNKNOWN),
	OPTION("permit_unknown_opaque", permit, PM_GPU_PERMIT_UNKNOWN_OPAQUE),
	OPTION("require_all_golden", require, PM_GPU_REQUIRE_ALL_GOLDEN),
	OPTION("require_fwid", require, PM_GPU_REQUIRE_FWID),
	OPTION("require_switch_lock", require, PM_GPU_REQUIRE_SWITCH_LOCK),
};

int pm_manifest_read_gpu(ARGS)
{
	(void)rule;
	return pm_json_object(at, value, rules, PM_ARRAY_LEN(rules), target);
}

int pm_manifest_read_gpu_set(
	const struct pm_json_at *at, const json_t *value, struct pm_manifest_gpu *ret)
{
	struct pm_json_at count_at = pm_json_below(at, "min_count");
	struct pm_json_at age_at = pm_json_below(at, "max_age");
	int64_t count = 0, age = 0;
	int r = pm_json_integer(&count_at, json_object_get(value, "min_count"), 1, 64, &count);

	if (r == PM_OK)
		r = pm_json_integer(&age_at, json_object_get(value, "max_age"), 1, AGE_MAX, &age);
	if (r < 0)
		return r;
	*ret = (struct pm_manifest_gpu){(uint32_t)count, (uint32_t)age};
	return PM_OK;
}
