/* SPDX-License-Identifier: Apache-2.0 */
/* The measurements of a manifest: root/Payload/Resource. */
#include "evidence/rim_xml.h"

#include <string.h>

#include "base/report.h"

#define ALTERNATIVES PM_RIM_ALTERNATIVES_MAX
#define HASH(n)                                                                                    \
	{                                                                                          \
		{PM_RIM_NS_SHA384, "Hash" #n}, true                                                \
	}

/* The hashes, and behind them the others. */
enum { TYPE = ALTERNATIVES, INDEX, ACTIVE, ALTERNATIVES_COUNT, NAME, SIZE, ATTRIBUTES };

static const struct pm_rim_attribute attributes[ATTRIBUTES] = {
	HASH(0),
	HASH(1),
	HASH(2),
	HASH(3),
	HASH(4),
	HASH(5),
	HASH(6),
	HASH(7),
	[TYPE] = {{NULL, "type"}, false},
	[INDEX] = {{NULL, "index"}, false},
	[ACTIVE] = {{NULL, "active"}, false},
	[ALTERNATIVES_COUNT] = {{NULL, "alternatives"}, false},
	[NAME] = {{NULL, "name"}, false},
	[SIZE] = {{NULL, "size"}, false},
};

/* A number in decimal, in its shortest form. */
static int read_number(const char *text, unsigned int min, unsigned int max, const char *name,
	struct pm_report *report, unsigned int *ret)
{
	size_t len = strlen(text);
	unsigned int value = 0;

	for (size_t i = 0; i < len && i < 4; i++)
		value = value * 10 + (unsigned int)(text[i] - '0');
	if (!len || len > 3 || strspn(text, "0123456789") != len || (len > 1 && text[0] == '0') ||
		value < min || value > max)
		return pm_fail(report, PM_E_FORMAT, name, "a number in its range", "%s", text);
	*ret = value;
	return PM_OK;
}

static int read_active(const char *text, struct pm_report *report, bool *ret)
{
	*ret = !strcmp(text, "True");
	if (!*ret && strcmp(text, "False") != 0)
		return pm_fail(
			report, PM_E_FORMAT, "RIM, Resource, active", "True or False", "%s", text);
	return PM_OK;
}

/* As many hashes as alternatives are told, without a gap. */
static int take_hashes(
	const char *const *values, struct pm_report *report, struct pm_rim_resource *ret)
{
	for (size_t i = 0; i < ALTERNATIVES; i++) {
		if ((i < ret->alternatives) != (values[i] != NULL))
			return pm_fail(report, PM_E_FORMAT, "RIM, Resource, Hash",
				"one for each alternative", "%s Hash%zu, %u alternatives",
				values[i] ? "a" : "no", i, ret->alternatives);
		ret->hashes[i] = values[i];
	}
	return PM_OK;
}

static int read_numbers(
	const char *const *values, struct pm_report *report, struct pm_rim_resource *ret)
{
	unsigned int index, alternatives;
	int r = read_number(
		values[INDEX], 0, PM_RIM_VALUES_MAX - 1, "RIM, Resource, index", report, &index);

	if (r < 0)
		return r;
	r = read_number(values[ALTERNATIVES_COUNT], 1, ALTERNATIVES, "RIM, Resource, alternatives",
		report, &alternatives);
	if (r < 0)
		return r;
	ret->index = (uint8_t)index;
	ret->alternatives = (uint8_t)alternatives;
	return read_number(values[SIZE], 1, 64, "RIM, Resource, size", report, &ret->size);
}

static int read_resource(const xmlNode *node, struct pm_report *report, struct pm_rim_resource *ret)
{
	const char *values[ATTRIBUTES];
	int r = pm_rim_xml_attributes(node, PM_RIM_NOTHING, attributes, ATTRIBUTES, report, values);

	if (r < 0)
		return r;
	if (strcmp(values[TYPE], "Measurement") != 0)
		return pm_fail(report, PM_E_FORMAT, "RIM, Resource, type", "Measurement", "%s",
			values[TYPE]);
	r = pm_rim_xml_children(node, NULL, 0, report, NULL);
	if (r < 0)
		return r;
	r = read_active(values[ACTIVE], report, &ret->active);
	if (r < 0)
		return r;
	r = read_numbers(values, report, ret);
	if (r < 0)
		return r;
	ret->name = values[NAME];
	return take_hashes(values, report, ret);
}

static int check_unique(
	const struct pm_rim_resource *resources, size_t count, struct pm_report *report)
{
	for (size_t i = 0; i + 1 < count; i++) {
		if (resources[i].index == resources[count - 1].index)
			return pm_fail(report, PM_E_FORMAT, "RIM, Resource, index", "each once",
				"%u twice", resources[i].index);
	}
	return PM_OK;
}

int pm_rim_xml_payload(const xmlNode *payload, struct pm_report *report,
	struct pm_rim_resource *ret, size_t *ret_count)
{
	static const struct pm_rim_name name = {PM_RIM_NS_SWID, "Resource"};
	xmlNode *nodes[PM_RIM_VALUES_MAX];
	size_t count = 0;
	int r = pm_rim_xml_attributes(payload, PM_RIM_NAMESPACES, NULL, 0, report, NULL);

	if (r < 0)
		return r;
	r = pm_rim_xml_list(payload, &name, PM_RIM_VALUES_MAX, report, nodes, &count);
	if (r < 0)
		return r;
	if (!count)
		return pm_fail(report, PM_E_FORMAT, "RIM, Payload", "a Resource", "none");
	for (size_t i = 0; i < count; i++) {
		r = read_resource(nodes[i], report, &ret[i]);
		if (r < 0)
			return r;
		r = check_unique(ret, i + 1, report);
		if (r < 0)
			return r;
	}
	*ret_count = count;
	return PM_OK;
}
