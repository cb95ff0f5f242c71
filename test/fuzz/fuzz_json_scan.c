/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text: our verdict is jansson's, but for what it is known to judge otherwise; and the members
 * found are those that jansson finds.
 */
#include <string.h>

#include <jansson.h>
#include <pm/error.h>

#include "envelope/json_scan.h"
#include "fuzz.h"

static bool contains(struct pm_view text, const char *needle)
{
	return text.ptr && memmem(text.ptr, text.len, needle, strlen(needle));
}

/* It interprets numbers, has no NUL in keys, refuses lone surrogates, and nests deeper. */
static bool judges_otherwise(struct pm_view text, const json_error_t *error)
{
	enum json_error_code code = json_error_code(error);

	return code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
	       code == json_error_stack_overflow || contains(text, "\\ud") ||
	       contains(text, "\\uD");
}

static void check_members(const struct pm_json *json, const json_t *root)
{
	size_t want = json_is_object(root) ? json_object_size(root) : json_array_size(root);

	FUZZ_CHECK(json->count == want);
	for (size_t i = 0; i < json->count; i++) {
		struct pm_view value = json->members[i].value;
		json_t *peer = json_loadb((const char *)value.ptr, value.len,
			JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

		FUZZ_CHECK(peer);
		if (json_is_array(root))
			FUZZ_CHECK(json_equal(peer, json_array_get(root, i)));
		json_decref(peer);
	}
}

static void check_keys(const struct pm_json *json, json_t *root)
{
	const char *key;
	json_t *value;

	json_object_foreach(root, key, value) FUZZ_CHECK(pm_json_find(json, key));
}

static void check_accepted(const struct pm_json *json, struct pm_view text)
{
	json_error_t error;
	json_t *root = json_loadb((const char *)text.ptr, text.len,
		JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

	FUZZ_CHECK(root || judges_otherwise(text, &error));
	if (!root)
		return;
	check_members(json, root);
	if (json_is_object(root))
		check_keys(json, root);
	json_decref(root);
}

static void check_refused(const struct pm_json *json, int r, struct pm_view text)
{
	json_error_t error;
	json_t *root = json_loadb((const char *)text.ptr, text.len,
		JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

	FUZZ_CHECK(r == PM_E_FORMAT || r == PM_E_LIMIT);
	FUZZ_CHECK(json->why && json->offset <= text.len && json->count == 0);
	/* what ends too early would not be refused at its end for another reason */
	FUZZ_CHECK(!json->truncated || json->offset == text.len);
	/* it takes a NUL after the document for the end of the text */
	FUZZ_CHECK(!root || r == PM_E_LIMIT || memchr(text.ptr, 0, text.len));
	json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pm_json json; /* used again, as the library does */
	struct pm_view text = pm_view(data, size);
	int r = pm_json_scan(&json, text);

	for (size_t i = 0; i < json.count; i++) {
		FUZZ_CHECK(fuzz_within(json.members[i].key.raw, text));
		FUZZ_CHECK(fuzz_within(json.members[i].value, text));
		fuzz_touch(json.members[i].value);
	}
	if (r == PM_OK)
		check_accepted(&json, text);
	else
		check_refused(&json, r, text);
	pm_json_free(&json);
	return 0;
}
