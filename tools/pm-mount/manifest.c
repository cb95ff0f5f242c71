/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-mount/manifest.h"

#include <err.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <pm/error.h>
#include <pm/text.h>

#include "common/file.h"

#define MANIFEST_SIZE_MAX (4u << 20)

/* Where we are, for messages. */
struct place {
	const char *file;
	const char *model;
};

struct rule {
	const char *key;
	int (*read)(const json_t *value, struct entry *entry, const struct rule *rule);
	size_t offset; /* of a number, in struct entry */
	json_int_t max;
	const char *expected;
};

static int read_u32(const json_t *value, struct entry *entry, const struct rule *rule)
{
	json_int_t number = json_integer_value(value);
	uint32_t stored = (uint32_t)number;

	if (!json_is_integer(value) || number < 0 || number > rule->max)
		return -1;
	memcpy((char *)entry + rule->offset, &stored, sizeof(stored));
	return 0;
}

static int read_u64(const json_t *value, struct entry *entry, const struct rule *rule)
{
	json_int_t number = json_integer_value(value);
	uint64_t stored = (uint64_t)number;

	if (!json_is_integer(value) || number < 0 || number > rule->max)
		return -1;
	memcpy((char *)entry + rule->offset, &stored, sizeof(stored));
	return 0;
}

static int read_root_hash(const json_t *value, struct entry *entry, const struct rule *rule)
{
	const char *text = json_string_value(value);

	(void)rule;
	if (!text || pm_hex_decode(text, entry->root_hash, sizeof(entry->root_hash)) != PM_OK)
		return -1;
	return 0;
}

static int read_salt(const json_t *value, struct entry *entry, const struct rule *rule)
{
	const char *text = json_string_value(value);
	size_t size = text ? strlen(text) / 2 : 0;

	(void)rule;
	if (!text || size > sizeof(entry->params.salt) ||
		pm_hex_decode(text, entry->params.salt, size) != PM_OK)
		return -1;
	entry->params.salt_size = (uint32_t)size;
	return 0;
}

#define FIELD(name) offsetof(struct entry, params.name)
#define INT_MAX_64  INT64_C(0x7fffffffffffffff)

static const struct rule rules[] = {
	{"root_hash", read_root_hash, 0, 0, "64 hexadecimal digits"},
	{"hash_offset", read_u64, FIELD(hash_offset), INT_MAX_64, "a number of bytes"},
	{"data_blocks", read_u64, FIELD(data_blocks), INT_MAX_64, "a number of blocks"},
	{"salt", read_salt, 0, 0, "at most 512 hexadecimal digits"},
	{"data_block_size", read_u32, FIELD(data_block_size), UINT32_MAX, "a number of bytes"},
	{"hash_block_size", read_u32, FIELD(hash_block_size), UINT32_MAX, "a number of bytes"},
};

#define RULE_COUNT (sizeof(rules) / sizeof(rules[0]))

static int reject_unknown(const struct place *at, json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		size_t i = 0;

		while (i < RULE_COUNT && strcmp(rules[i].key, key))
			i++;
		if (i == RULE_COUNT) {
			warnx("%s: model %s: unknown key '%.60s'", at->file, at->model, key);
			return TOOL_REJECTED;
		}
	}
	return TOOL_OK;
}

static int read_entry(const struct place *at, json_t *object, struct entry *ret)
{
	struct entry entry = {.params.size = sizeof(entry.params)};

	if (reject_unknown(at, object) != TOOL_OK)
		return TOOL_REJECTED;
	for (size_t i = 0; i < RULE_COUNT; i++) {
		const json_t *value = json_object_get(object, rules[i].key);

		if (!value || rules[i].read(value, &entry, &rules[i])) {
			warnx("%s: model %s: %s: expected %s%s", at->file, at->model, rules[i].key,
				rules[i].expected, value ? "" : ", found nothing");
			return TOOL_REJECTED;
		}
	}
	*ret = entry;
	return TOOL_OK;
}

static int find_model(const struct place *at, json_t *root, struct entry *ret)
{
	json_t *models = json_object_get(root, "models");
	json_t *model = json_object_get(models, at->model);

	if (!json_is_object(models)) {
		warnx("%s: models: expected an object", at->file);
		return TOOL_REJECTED;
	}
	if (!json_is_object(model)) {
		warnx("%s: models: %s %s", at->file, model ? "expected an object as" : "no model",
			at->model);
		return TOOL_REJECTED;
	}
	return read_entry(at, model, ret);
}

int manifest_read(const char *path, const char *model, struct entry *ret)
{
	const struct place at = {path, model};
	json_error_t error;
	uint8_t *bytes;
	json_t *root;
	size_t len;
	int r = tool_read_file(path, MANIFEST_SIZE_MAX, &bytes, &len);

	if (r != TOOL_OK)
		return r;
	root = json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES, &error);
	free(bytes);
	if (!root) {
		warnx("%s: line %d: %s", path, error.line, error.text);
		return TOOL_REJECTED;
	}
	r = find_model(&at, root, ret);
	json_decref(root);
	return r;
}
