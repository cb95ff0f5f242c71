/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-verify/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/text.h>

#include "common/file.h"
#include "common/wrong.h"

int place_complain(const struct place *at, const char *expected)
{
	return tool_wrong_file(at->file, "%s: expected %s", at->path, expected);
}

struct place place_below(const struct place *at, const char *key)
{
	struct place p = {.file = at->file};

	snprintf(p.path, sizeof(p.path), "%.60s.%.60s", at->path, key);
	return p;
}

struct place place_element(const struct place *at, size_t index)
{
	struct place p = {.file = at->file};

	snprintf(p.path, sizeof(p.path), "%.100s[%zu]", at->path, index);
	return p;
}

int place_read_integer(const struct place *at, json_t *value, json_int_t max, json_int_t *ret)
{
	char expected[64];

	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
		json_integer_value(value) > max) {
		snprintf(expected, sizeof(expected), "an integer from 0 to %" JSON_INTEGER_FORMAT,
			max);
		return place_complain(at, expected);
	}
	*ret = json_integer_value(value);
	return TOOL_OK;
}

/* "0x3f": 64 bits don't fit a JSON number. */
int place_read_bits(const struct place *at, json_t *value, uint64_t *ret)
{
	const char *text = json_string_value(value);
	char *end = NULL;

	if (!text || strncmp(text, "0x", 2) || !text[2] || strlen(text) > 18 ||
		strspn(text + 2, "0123456789abcdefABCDEF") != strlen(text + 2))
		return place_complain(at, "a string \"0x...\" of at most 64 bits");
	*ret = strtoull(text, &end, 16);
	return TOOL_OK;
}

int place_read_hex(const struct place *at, json_t *value, uint8_t *ret, size_t size)
{
	const char *text = json_string_value(value);
	char expected[64];

	if (!text || pm_hex_decode(text, ret, size) < 0) {
		snprintf(expected, sizeof(expected), "%zu hexadecimal digits", 2 * size);
		return place_complain(at, expected);
	}
	return TOOL_OK;
}

int place_read_bool(const struct place *at, json_t *value, bool *ret)
{
	if (!json_is_boolean(value))
		return place_complain(at, "true or false");
	*ret = json_is_true(value);
	return TOOL_OK;
}

int place_read_dotted(const struct place *at, json_t *value, uint8_t *ret, size_t count)
{
	const char *text = json_string_value(value);
	const char *expected =
		count == 3 ? "a string \"MAJOR.MINOR.BUILD\"" : "a string \"MAJOR.MINOR\"";

	for (size_t i = 0; i < count; i++) {
		size_t digits = text ? strspn(text, "0123456789") : 0;
		unsigned long n = digits && digits < 4 ? strtoul(text, NULL, 10) : 256;

		if (n > 255 || text[digits] != (i + 1 < count ? '.' : '\0'))
			return place_complain(at, expected);
		ret[i] = (uint8_t)n;
		text += digits + 1;
	}
	return TOOL_OK;
}
