/* SPDX-License-Identifier: Apache-2.0 */
/* What was measured, for people and as JSON. */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "common/file.h"
#include "pm-verify/measure.h"

/* Longest of what is printed. */
#define TEXT_SIZE (2 * PM_ID_BLOCK_SIZE + 1)

static void set_hex(json_t *json, const char *name, const uint8_t *bytes, size_t size)
{
	char text[TEXT_SIZE];

	pm_hex_encode(bytes, size, text);
	json_object_set_new(json, name, json_string(text));
}

static void print_json(
	const struct measure_options *o, const struct measure_result *result, bool as_expected)
{
	json_t *json = json_object();

	set_hex(json, o->ovmf_only ? "ovmf_hash" : "measurement", result->digest,
		sizeof(result->digest));
	if (o->has_expect) {
		set_hex(json, "expected", o->expect, sizeof(o->expect));
		json_object_set_new(json, "as_expected", json_boolean(as_expected));
	}
	if (o->id_key)
		set_hex(json, "id_key_digest", result->id_key_digest,
			sizeof(result->id_key_digest));
	if (o->author_key)
		set_hex(json, "author_key_digest", result->author_key_digest,
			sizeof(result->author_key_digest));
	if (o->has_id_fields || o->id_block_file)
		set_hex(json, "id_block", result->id_block, sizeof(result->id_block));
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(json);
}

static void print_hex(const char *label, const uint8_t *bytes, size_t size)
{
	char text[TEXT_SIZE];

	pm_hex_encode(bytes, size, text);
	printf("%s%s\n", label, text);
}

/* The digest comes first and alone on its line, for other programs to read. */
static void print_human(const struct measure_options *o, const struct measure_result *result)
{
	print_hex("", result->digest, sizeof(result->digest));
	if (o->id_key)
		print_hex("id_key_digest: ", result->id_key_digest, sizeof(result->id_key_digest));
	if (o->author_key)
		print_hex("author_key_digest: ", result->author_key_digest,
			sizeof(result->author_key_digest));
	if (o->has_id_fields && !o->id_block_file)
		print_hex("id_block: ", result->id_block, sizeof(result->id_block));
}

static void explain(const struct measure_options *o, const struct measure_result *result)
{
	char found[TEXT_SIZE], expected[TEXT_SIZE];

	pm_hex_encode(result->digest, sizeof(result->digest), found);
	pm_hex_encode(o->expect, sizeof(o->expect), expected);
	warnx("measurement: found %s, expected %s", found, expected);
}

int measure_print(const struct measure_options *o, const struct measure_result *result)
{
	bool as_expected =
		!o->has_expect || !memcmp(o->expect, result->digest, sizeof(result->digest));

	if (o->json)
		print_json(o, result, as_expected);
	else
		print_human(o, result);
	if (fflush(stdout)) {
		warn("standard output");
		return TOOL_USAGE;
	}
	if (!as_expected)
		explain(o, result);
	return as_expected ? TOOL_OK : TOOL_REJECTED;
}
