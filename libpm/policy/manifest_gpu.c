/* SPDX-License-Identifier: Apache-2.0 */
/* The gpu object of a role: demands on NVIDIA GPUs, or null for a role that has none. */
#include <string.h>

#include "policy/manifest.h"

#define ARGS                                                                                       \
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target

/* Longest version of a driver or VBIOS, and most of them. */
#define VERSION_MAX 32
#define LIST_MAX    256

/* Longest that GPU evidence, and a revocation, may be ago: 30 days. */
#define AGE_MAX (30 * 24 * 3600)

static int is_true(ARGS)
{
	(void)rule;
	(void)target;
	if (json_is_true(value))
		return PM_OK;
	return pm_json_complain(at, value, "true, or the key left out");
}

static int is_bool(ARGS)
{
	bool yes;

	(void)rule;
	(void)target;
	return pm_json_bool(at, value, &yes);
}

static int number(ARGS)
{
	int64_t n = 0;
	int r = pm_json_integer(at, value, 1, rule->max, &n);

	if (r == PM_OK)
		*PM_JSON_SLOT(uint32_t, target, rule) = (uint32_t)n;
	return r;
}

static int seconds(ARGS)
{
	int64_t n;

	(void)rule;
	(void)target;
	return pm_json_integer(at, value, 1, AGE_MAX, &n);
}

/* --- words ----------------------------------------------------------------------------------- */

static int arch(ARGS)
{
	static const char *const words[] = {"hopper", "blackwell", "ls10", NULL};
	unsigned int found;

	(void)rule;
	(void)target;
	return pm_json_word(at, value, words, "\"hopper\", \"blackwell\" or \"ls10\"", &found);
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
	unsigned int found;

	(void)rule;
	(void)target;
	return pm_json_word(at, value, words, "\"spt\", \"mpt\" or \"ppcie\"", &found);
}

static int modes(ARGS)
{
	static const struct pm_json_rule element = {.read = mode};

	(void)rule;
	if (json_is_null(value))
		return PM_OK;
	return pm_json_array(at, value, &element, 3, target);
}

/* --- versions -------------------------------------------------------------------------------- */

/* Numbers of these digits with dots between them. */
static bool is_dotted(const char *text, const char *digits)
{
	size_t len = text ? strlen(text) : 0, n;

	if (!len || len > VERSION_MAX)
		return false;
	do {
		n = strspn(text, digits);
		text += n;
	} while (n && *text++ == '.');
	return n && !text[-1];
}

static int driver(ARGS)
{
	(void)rule;
	(void)target;
	if (!is_dotted(json_string_value(value), "0123456789"))
		return pm_json_complain(at, value, "a version as \"550.90.07\"");
	return PM_OK;
}

/* NVIDIA writes capitals; one spelling is enough. */
static int vbios(ARGS)
{
	(void)rule;
	(void)target;
	if (!is_dotted(json_string_value(value), "0123456789ABCDEF"))
		return pm_json_complain(at, value, "a version as \"96.00.9F.00.01\"");
	return PM_OK;
}

static int versions_or_any(const struct pm_json_at *at, json_t *value,
	const struct pm_json_rule *element, void *target)
{
	if (json_is_null(value))
		return PM_OK;
	if (!json_is_array(value) || !json_array_size(value))
		return pm_json_complain(at, value, "an array that is not empty, or null for any");
	return pm_json_array(at, value, element, LIST_MAX, target);
}

static int drivers(ARGS)
{
	static const struct pm_json_rule element = {.read = driver};

	(void)rule;
	return versions_or_any(at, value, &element, target);
}

static int vbioses(ARGS)
{
	static const struct pm_json_rule element = {.read = vbios};

	(void)rule;
	return versions_or_any(at, value, &element, target);
}

static const struct pm_json_rule min_drivers[] = {
	{.key = "hopper", .read = driver, .optional = true},
	{.key = "blackwell", .read = driver, .optional = true},
};

static const struct pm_json_rule min_vbioses[] = {
	{.key = "hopper", .read = vbios, .optional = true},
	{.key = "blackwell", .read = vbios, .optional = true},
	{.key = "ls10", .read = vbios, .optional = true},
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

#define OPTION(name, fn)                                                                           \
	{                                                                                          \
		.key = name, .read = fn, .optional = true                                          \
	}
#define GPU(field) offsetof(struct pm_manifest_role, gpu_set.field)

static const struct pm_json_rule rules[] = {
	{.key = "min_count", .read = number, .max = 64, .offset = GPU(min_count)},
	{.key = "max_age", .read = number, .max = AGE_MAX, .offset = GPU(max_age)},
	{.key = "archs", .read = archs},
	{.key = "modes", .read = modes},
	{.key = "drivers", .read = drivers},
	{.key = "vbios", .read = vbioses},
	{.key = "require_rim", .read = is_bool},
	{.key = "require_ocsp", .read = is_bool},
	OPTION("min_driver", min_driver),
	OPTION("min_vbios", min_vbios),
	OPTION("permit_hold", seconds),
	OPTION("permit_no_fwid", is_true),
	OPTION("permit_ocsp_unknown", is_true),
	OPTION("permit_unknown_opaque", is_true),
	OPTION("permit_unmeasured", is_true),
	OPTION("require_switch_lock", is_true),
};

int pm_manifest_read_gpu(ARGS)
{
	struct pm_manifest_role *role = target;

	(void)rule;
	if (json_is_null(value))
		return PM_OK;
	role->has_gpu = true;
	return pm_json_object(at, value, rules, PM_ARRAY_LEN(rules), role);
}
