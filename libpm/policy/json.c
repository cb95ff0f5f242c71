/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/json.h"

#include <stdio.h>
#include <string.h>

#include <pm/text.h>

#define PATH_SIZE  160
#define VALUE_SIZE 80

/* --- places and complaints ------------------------------------------------------------------- */

struct pm_json_at pm_json_root(const char *name, struct pm_report *report)
{
	return (struct pm_json_at){.name = name, .report = report};
}

struct pm_json_at pm_json_below(const struct pm_json_at *at, const char *key)
{
	struct pm_json_at here = *at;

	here.up = at;
	here.key = key;
	here.index = 0;
	return here;
}

struct pm_json_at pm_json_element(const struct pm_json_at *at, size_t index)
{
	struct pm_json_at here = *at;

	here.up = at;
	here.key = NULL;
	here.index = index;
	return here;
}

/* "$.roles.worker.calls[0]"; a path that is too long loses its end. */
static void print_path(const struct pm_json_at *at, char *path)
{
	size_t len;

	if (!at->up) {
		snprintf(path, PATH_SIZE, "$");
		return;
	}
	print_path(at->up, path);
	len = strlen(path);
	if (at->key)
		snprintf(path + len, PATH_SIZE - len, ".%.40s", at->key);
	else
		snprintf(path + len, PATH_SIZE - len, "[%zu]", at->index);
}

static void print_value(const json_t *value, char *ret)
{
	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_OBJECT:
		snprintf(ret, VALUE_SIZE, "an object");
		return;
	case JSON_ARRAY:
		snprintf(ret, VALUE_SIZE, "%s array", json_array_size(value) ? "an" : "an empty");
		return;
	case JSON_STRING:
		snprintf(ret, VALUE_SIZE, "\"%.70s\"", json_string_value(value));
		return;
	case JSON_INTEGER:
		snprintf(ret, VALUE_SIZE, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return;
	case JSON_REAL:
		snprintf(ret, VALUE_SIZE, "a number that is not an integer");
		return;
	case JSON_TRUE:
	case JSON_FALSE:
		snprintf(ret, VALUE_SIZE, "%s", json_is_true(value) ? "true" : "false");
		return;
	case JSON_NULL:
		break;
	}
	snprintf(ret, VALUE_SIZE, "%s", value ? "null" : "nothing");
}

int pm_json_fail(const struct pm_json_at *at, int error, const json_t *value, const char *expected)
{
	char path[PATH_SIZE], found[VALUE_SIZE];

	if (!at->report)
		return error;
	print_path(at, path);
	print_value(value, found);
	return pm_fail(at->report, error, at->name, expected, "%s at %s", found, path);
}

int pm_json_complain(const struct pm_json_at *at, const json_t *value, const char *expected)
{
	return pm_json_fail(at, PM_E_FORMAT, value, expected);
}

/* --- the whole document ---------------------------------------------------------------------- */

/* Before jansson recurses: how deep do brackets outside of strings go? */
static size_t depth_of(struct pm_view text)
{
	size_t depth = 0, deepest = 0;
	bool in_string = false;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];

		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '{' || c == '['))
			depth++;
		else if (!in_string && (c == '}' || c == ']') && depth)
			depth--;
		deepest = depth > deepest ? depth : deepest;
	}
	return deepest;
}

static int check_size(const char *name, struct pm_view bytes, size_t max, struct pm_report *report)
{
	char expected[48];

	snprintf(expected, sizeof(expected), "at most %zu bytes", max);
	if (bytes.len > max)
		return pm_fail(report, PM_E_LIMIT, name, expected, "%zu bytes", bytes.len);
	if (depth_of(bytes) > PM_JSON_DEPTH_MAX)
		return pm_fail(report, PM_E_LIMIT, name, "arrays and objects at most 16 deep",
			"deeper ones");
	return PM_OK;
}

static bool is_plain(const char *text, size_t len, bool has_lines)
{
	for (size_t i = 0; i < len; i++) {
		if (has_lines && text[i] == '\n')
			continue;
		if (text[i] < ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\')
			return false;
	}
	return true;
}

static int check_text(const struct pm_json_at *at, json_t *value);

static int check_members(const struct pm_json_at *at, json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		struct pm_json_at here = pm_json_below(at, key);
		int r;

		if (!is_plain(key, strlen(key), false))
			return pm_json_complain(&here, value,
				"a key of printable ASCII without quote or backslash");
		r = check_text(&here, value);
		if (r < 0)
			return r;
	}
	return PM_OK;
}

static int check_elements(const struct pm_json_at *at, json_t *array)
{
	json_t *value;
	size_t i;

	json_array_foreach(array, i, value)
	{
		struct pm_json_at here = pm_json_element(at, i);
		int r = check_text(&here, value);

		if (r < 0)
			return r;
	}
	return PM_OK;
}

/* Recursion is bounded by depth_of(). */
static int check_text(const struct pm_json_at *at, json_t *value)
{
	if (json_is_object(value))
		return check_members(at, value);
	if (json_is_array(value))
		return check_elements(at, value);
	if (json_is_real(value))
		return pm_json_complain(at, value, "an integer");
	if (json_is_string(value) &&
		!is_plain(json_string_value(value), json_string_length(value), at->has_lines))
		return pm_json_complain(
			at, value, "a string of printable ASCII without quote or backslash");
	return PM_OK;
}

static int load(const char *name, struct pm_view bytes, struct pm_report *report, json_t **ret)
{
	json_error_t error;
	json_t *json =
		json_loadb((const char *)bytes.ptr, bytes.len, JSON_REJECT_DUPLICATES, &error);

	if (json) {
		*ret = json;
		return PM_OK;
	}
	/* jansson says nothing of some failed allocations. */
	if (!error.text[0] || json_error_code(&error) == json_error_out_of_memory)
		return PM_E_NOMEM;
	return pm_fail(report, PM_E_FORMAT, name, "JSON without doubled keys",
		"%.120s at line %d, column %d", error.text, error.line, error.column);
}

static int parse(const struct pm_json_at *root, struct pm_view bytes, size_t max, json_t **ret)
{
	pm_cleanup(json) json_t *json = NULL;
	int r = check_size(root->name, bytes, max, root->report);

	if (r == PM_OK)
		r = load(root->name, bytes, root->report, &json);
	if (r == PM_OK)
		r = check_text(root, json);
	if (r < 0)
		return r;
	if (!json_is_object(json))
		return pm_json_complain(root, json, "an object");
	*ret = pm_steal(json);
	return PM_OK;
}

int pm_json_parse(
	const char *name, struct pm_view bytes, size_t max, struct pm_report *report, json_t **ret)
{
	struct pm_json_at root = pm_json_root(name, report);

	return parse(&root, bytes, max, ret);
}

int pm_json_parse_lines(
	const char *name, struct pm_view bytes, size_t max, struct pm_report *report, json_t **ret)
{
	struct pm_json_at root = pm_json_root(name, report);

	root.has_lines = true;
	return parse(&root, bytes, max, ret);
}

int pm_json_canonical(json_t *json, uint8_t **ret, size_t *ret_len)
{
	const size_t flags = JSON_COMPACT | JSON_SORT_KEYS;
	size_t len = json_dumpb(json, NULL, 0, flags);
	pm_cleanup(free) uint8_t *text = len ? pm_alloc(len + 1) : NULL;

	if (!text || json_dumpb(json, (char *)text, len, flags) != len)
		return PM_E_NOMEM;
	*ret = pm_steal(text);
	*ret_len = len;
	return PM_OK;
}

/* --- objects and arrays ---------------------------------------------------------------------- */

static int check_known(
	const struct pm_json_at *at, json_t *object, const struct pm_json_rule *rules, size_t count)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		struct pm_json_at here = pm_json_below(at, key);
		size_t i = 0;

		while (i < count && strcmp(rules[i].key, key))
			i++;
		if (i == count)
			return pm_json_complain(&here, value, "no such key");
	}
	return PM_OK;
}

int pm_json_object(const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rules,
	size_t count, void *target)
{
	int r;

	if (!json_is_object(value))
		return pm_json_complain(at, value, "an object");
	r = check_known(at, value, rules, count);
	for (size_t i = 0; r == PM_OK && i < count; i++) {
		struct pm_json_at here = pm_json_below(at, rules[i].key);
		json_t *found = json_object_get(value, rules[i].key);

		if (found)
			r = rules[i].read(&here, found, &rules[i], target);
		else if (!rules[i].optional)
			r = pm_json_complain(&here, NULL, "this key, which must be there");
	}
	return r;
}

static bool was_there(const json_t *array, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (json_equal(json_array_get(array, i), json_array_get(array, index)))
			return true;
	}
	return false;
}

int pm_json_array(const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule,
	size_t max, void *target)
{
	char expected[64];
	json_t *item;
	size_t i;

	if (!json_is_array(value) || !json_array_size(value))
		return pm_json_complain(at, value, "an array that is not empty");
	snprintf(expected, sizeof(expected), "at most %zu elements", max);
	if (json_array_size(value) > max)
		return pm_json_fail(at, PM_E_LIMIT, value, expected);
	json_array_foreach(value, i, item)
	{
		struct pm_json_at here = pm_json_element(at, i);
		int r;

		if (was_there(value, i))
			return pm_json_complain(&here, item, "no element twice");
		r = rule->read(&here, item, rule, target);
		if (r < 0)
			return r;
	}
	return PM_OK;
}

/* --- values ---------------------------------------------------------------------------------- */

int pm_json_integer(
	const struct pm_json_at *at, const json_t *value, int64_t min, int64_t max, int64_t *ret)
{
	char expected[64];

	if (!json_is_integer(value) || json_integer_value(value) < min ||
		json_integer_value(value) > max) {
		snprintf(expected, sizeof(expected),
			"an integer from %" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT,
			(json_int_t)min, (json_int_t)max);
		return pm_json_complain(at, value, expected);
	}
	*ret = json_integer_value(value);
	return PM_OK;
}

int pm_json_bool(const struct pm_json_at *at, const json_t *value, bool *ret)
{
	if (!json_is_boolean(value))
		return pm_json_complain(at, value, "true or false");
	*ret = json_is_true(value);
	return PM_OK;
}

int pm_json_hex(const struct pm_json_at *at, const json_t *value, uint8_t *ret, size_t size)
{
	const char *text = json_string_value(value);
	char expected[64];

	if (!text || strlen(text) != strspn(text, "0123456789abcdef") ||
		pm_hex_decode(text, ret, size) < 0) {
		snprintf(expected, sizeof(expected), "%zu lower-case hexadecimal digits", 2 * size);
		return pm_json_complain(at, value, expected);
	}
	return PM_OK;
}

int pm_json_time(const struct pm_json_at *at, const json_t *value, int64_t *ret)
{
	const char *text = json_string_value(value);
	char again[PM_TIME_TEXT_SIZE];
	int64_t time;

	if (!text || pm_time_parse(text, &time) < 0)
		return pm_json_complain(at, value, "a time as 2026-03-01T00:00:00Z");
	pm_time_format(time, again);
	if (strcmp(text, again))
		return pm_json_complain(at, value, "a time as 2026-03-01T00:00:00Z");
	*ret = time;
	return PM_OK;
}

int pm_json_word(const struct pm_json_at *at, const json_t *value, const char *const *words,
	const char *expected, unsigned int *ret)
{
	const char *text = json_string_value(value);

	for (unsigned int i = 0; text && words[i]; i++) {
		if (!strcmp(words[i], text)) {
			*ret = i;
			return PM_OK;
		}
	}
	return pm_json_complain(at, value, expected);
}
