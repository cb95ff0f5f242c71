/* SPDX-License-Identifier: Apache-2.0 */
/* What the texts of a manifest mean. */
#include <string.h>

#include <pm/text.h>
#include "base/report.h"
#include "evidence/rim_document.h"

#define DIGITS "0123456789"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define NAMES  DIGITS UPPER LOWER "_.-"
#define VBIOS  DIGITS "ABCDEFabcdef."

int pm_rim_copy_text(char *ret, size_t size, const char *text, const char *charset,
	const char *name, struct pm_report *report)
{
	size_t len = strlen(text);

	if (!len || len >= size || (charset && strspn(text, charset) != len))
		return pm_fail(
			report, PM_E_FORMAT, name, "a short text of plain characters", "%s", text);
	pm_copy(ret, text, len + 1);
	return PM_OK;
}

/* "96.00.9F.00.01": five bytes in hexadecimal. */
static bool is_vbios(const char *version)
{
	if (strlen(version) != 14 || strspn(version, VBIOS) != 14)
		return false;
	for (size_t i = 0; i < 14; i++) {
		if ((version[i] == '.') != (i % 3 == 2))
			return false;
	}
	return true;
}

/* "550.90.07", "545.00": two or three numbers in decimal, the first one of three digits. */
static bool is_driver(const char *version)
{
	const char *at = version;
	size_t parts = 0;

	for (;;) {
		size_t n = strspn(at, DIGITS);

		if (!n || n > 4 || (parts == 0 && n != 3))
			return false;
		parts++;
		at += n;
		if (*at != '.')
			break;
		at++;
	}
	return !*at && (parts == 2 || parts == 3);
}

/*
 * No field says whether a manifest of a GPU is for the driver or the VBIOS. Their versions differ
 * in form, and no text has both: the one has two dots at most, the other four.
 */
static int decide_kind(const char *edition, const char *version, enum pm_rim_kind *ret)
{
	if (!strcmp(edition, "SWITCH") && is_vbios(version))
		*ret = PM_RIM_SWITCH;
	else if (!strcmp(edition, "GPU") && is_vbios(version))
		*ret = PM_RIM_VBIOS;
	else if (!strcmp(edition, "GPU") && is_driver(version))
		*ret = PM_RIM_DRIVER;
	else
		return PM_E_UNSUPPORTED;
	return PM_OK;
}

int pm_rim_facts_set(struct pm_rim_facts *facts, const char *edition, const char *product,
	const char *version, struct pm_report *report)
{
	int r = decide_kind(edition, version, &facts->kind);

	if (r < 0)
		return pm_fail(report, r, "RIM, edition and version",
			"GPU or SWITCH, and a version of a driver or VBIOS", "%s, %s", edition,
			version);
	r = pm_rim_copy_text(
		facts->version, sizeof(facts->version), version, VBIOS, "RIM, version", report);
	if (r < 0)
		return r;
	return pm_rim_copy_text(facts->product, sizeof(facts->product), product, DIGITS UPPER,
		"RIM, product", report);
}

int pm_rim_value_set(struct pm_rim_value *value, const struct pm_rim_resource *resource,
	struct pm_report *report)
{
	struct pm_rim_value v = {
		.index = resource->index,
		.active = resource->active,
		.alternatives = resource->alternatives,
	};
	int r;

	if (resource->size != PM_RIM_DIGEST_SIZE)
		return pm_fail(report, PM_E_UNSUPPORTED, "RIM, Resource, size", "48", "%u",
			resource->size);
	for (size_t i = 0; i < v.alternatives; i++) {
		if (pm_hex_decode(resource->hashes[i], v.digests[i], PM_RIM_DIGEST_SIZE) < 0)
			return pm_fail(report, PM_E_FORMAT, "RIM, Resource, Hash",
				"48 bytes in hexadecimal", "%s", resource->hashes[i]);
	}
	r = pm_rim_copy_text(
		v.name, sizeof(v.name), resource->name, NAMES, "RIM, Resource, name", report);
	if (r < 0)
		return r;
	*value = v;
	return PM_OK;
}
