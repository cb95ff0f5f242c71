/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-disk/output.h"

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/error.h>
#include <pm/text.h>

#include "common/file.h"

#define ENTRY_MAX 65536

void output_uuid(const uint8_t *uuid, char *ret_text)
{
	char digits[2 * PM_VERITY_UUID_SIZE + 1];

	pm_hex_encode(uuid, PM_VERITY_UUID_SIZE, digits);
	snprintf(ret_text, OUTPUT_UUID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", digits, digits + 8,
		digits + 12, digits + 16, digits + 20);
}

static void salt_text(const struct pm_verity_params *p, char *ret_text)
{
	pm_hex_encode(p->salt, p->salt_size, ret_text);
}

static void row(const char *name, uint64_t value)
{
	printf("%-18s %" PRIu64 "\n", name, value);
}

void output_hash(const char *name, const uint8_t *hash)
{
	char text[2 * PM_VERITY_DIGEST_SIZE + 1];

	pm_hex_encode(hash, PM_VERITY_DIGEST_SIZE, text);
	printf("%-18s %s\n", name, text);
}

void output_params(const struct pm_verity_params *params, const uint8_t *uuid)
{
	char uuid_text[OUTPUT_UUID_SIZE], salt[2 * PM_VERITY_SALT_MAX + 1];
	struct pm_verity_layout layout;

	output_uuid(uuid, uuid_text);
	salt_text(params, salt);
	printf("%-18s %s\n", "UUID", uuid_text);
	row("Data blocks", params->data_blocks);
	row("Data block size", params->data_block_size);
	row("Hash block size", params->hash_block_size);
	row("Hash offset", params->hash_offset);
	if (pm_verity_layout_of(params, NULL, &layout) == PM_OK) {
		row("Tree offset", layout.tree_offset);
		row("Tree blocks", layout.tree_blocks);
		row("Tree levels", layout.levels);
		row("End", layout.end);
	}
	printf("%-18s %s\n", "Salt", salt[0] ? salt : "-");
}

json_t *output_entry(const struct pm_verity_params *params, const uint8_t *root)
{
	char hash[2 * PM_VERITY_DIGEST_SIZE + 1], salt[2 * PM_VERITY_SALT_MAX + 1];

	pm_hex_encode(root, PM_VERITY_DIGEST_SIZE, hash);
	salt_text(params, salt);
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:s}", "root_hash", hash, "hash_offset",
		(json_int_t)params->hash_offset, "data_blocks", (json_int_t)params->data_blocks,
		"data_block_size", (json_int_t)params->data_block_size, "hash_block_size",
		(json_int_t)params->hash_block_size, "salt", salt);
}

static void add_number(json_t *object, const char *name, uint64_t value)
{
	json_object_set_new(object, name, json_integer((json_int_t)value));
}

void output_add_layout(json_t *object, const struct pm_verity_params *params, const uint8_t *uuid)
{
	char text[OUTPUT_UUID_SIZE];
	struct pm_verity_layout layout;

	output_uuid(uuid, text);
	json_object_set_new(object, "uuid", json_string(text));
	if (pm_verity_layout_of(params, NULL, &layout) != PM_OK)
		return;
	add_number(object, "data_size", layout.data_size);
	add_number(object, "tree_offset", layout.tree_offset);
	add_number(object, "tree_blocks", layout.tree_blocks);
	add_number(object, "tree_levels", layout.levels);
	add_number(object, "end", layout.end);
}

int output_json(json_t *object)
{
	char *text = json_dumps(object, JSON_INDENT(2));

	json_decref(object);
	if (!text) {
		warnx("out of memory");
		return TOOL_USAGE;
	}
	puts(text);
	free(text);
	return TOOL_OK;
}

/* The members, in C types; jansson checks that each is there, of its kind, and nothing else. */
struct entry_members {
	const char *root, *salt;
	json_int_t hash_offset, data_blocks, data_block_size, hash_block_size;
};

static const char *convert(
	const struct entry_members *m, struct pm_verity_params *ret_params, uint8_t *ret_root)
{
	size_t salt = strlen(m->salt) / 2;

	if (pm_hex_decode(m->root, ret_root, PM_VERITY_DIGEST_SIZE) != PM_OK)
		return "root_hash: not 32 bytes in hexadecimal";
	if (salt > PM_VERITY_SALT_MAX || pm_hex_decode(m->salt, ret_params->salt, salt) != PM_OK)
		return "salt: not up to 256 bytes in hexadecimal";
	if (m->hash_offset < 0 || m->data_blocks < 0)
		return "hash_offset, data_blocks: below 0";
	if (m->data_block_size < 0 || m->data_block_size > PM_VERITY_BLOCK_MAX)
		return "data_block_size: not from 512 to 4096";
	if (m->hash_block_size < 0 || m->hash_block_size > PM_VERITY_BLOCK_MAX)
		return "hash_block_size: not from 512 to 4096";
	ret_params->salt_size = (uint32_t)salt;
	ret_params->hash_offset = (uint64_t)m->hash_offset;
	ret_params->data_blocks = (uint64_t)m->data_blocks;
	ret_params->data_block_size = (uint32_t)m->data_block_size;
	ret_params->hash_block_size = (uint32_t)m->hash_block_size;
	return NULL;
}

static const char *unpack(
	json_t *object, struct pm_verity_params *ret_params, uint8_t *ret_root, json_error_t *error)
{
	struct entry_members m;

	if (json_unpack_ex(object, error, JSON_STRICT, "{s:s, s:s, s:I, s:I, s:I, s:I}",
		    "root_hash", &m.root, "salt", &m.salt, "hash_offset", &m.hash_offset,
		    "data_blocks", &m.data_blocks, "data_block_size", &m.data_block_size,
		    "hash_block_size", &m.hash_block_size))
		return error->text;
	return convert(&m, ret_params, ret_root);
}

int output_read_entry(const char *path, struct pm_verity_params *ret_params, uint8_t *ret_root)
{
	const char *problem;
	json_error_t error;
	uint8_t *bytes;
	json_t *object;
	size_t len;
	int r = tool_read_file(path, ENTRY_MAX, &bytes, &len);

	if (r != TOOL_OK)
		return r;
	object = json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES, &error);
	free(bytes);
	*ret_params = (struct pm_verity_params){.size = sizeof(*ret_params)};
	problem = object ? unpack(object, ret_params, ret_root, &error) : error.text;
	if (problem)
		warnx("%s: %s", path, problem);
	json_decref(object);
	return problem ? TOOL_REJECTED : TOOL_OK;
}
