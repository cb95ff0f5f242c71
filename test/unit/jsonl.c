/* SPDX-License-Identifier: Apache-2.0 */
#include "jsonl.h"

#include <string.h>

void jsonl_each(const char *path, void (*fn)(const json_t *row))
{
	struct pm_view file = test_vector(path);
	struct pm_view rest = file;
	size_t rows = 0;

	while (rest.len) {
		const uint8_t *end = memchr(rest.ptr, '\n', rest.len);
		size_t len = end ? (size_t)(end - rest.ptr) : rest.len;
		json_t *row = json_loadb((const char *)rest.ptr, len, 0, NULL);

		ck_assert_msg(row, "%s: row %zu is not JSON", path, rows);
		fn(row);
		json_decref(row);
		rows++;
		len += end ? 1 : 0;
		rest = pm_view(rest.ptr + len, rest.len - len);
	}
	ck_assert_msg(rows, "%s: no rows", path);
	test_free(file);
}

const char *jsonl_text(const json_t *row, const char *name)
{
	return json_string_value(json_object_get(row, name));
}

struct pm_view jsonl_hex(const json_t *row, const char *name)
{
	const char *text = jsonl_text(row, name);

	ck_assert_msg(text, "no member %s", name);
	return test_hex(text);
}
