/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-mount/status.h"

#include <err.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <pm/text.h>

#include "common/file.h"

static json_t *hex(const uint8_t *bytes, size_t size)
{
	char text[2 * PM_VERITY_SALT_MAX + 1];

	pm_hex_encode(bytes, size, text);
	return json_string(text);
}

static json_t *describe(const struct options *o, const struct pm_verity_status *s)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:I, s:i, s:i, s:o, s:s}", "model", o->model,
		"device", o->name, "state", s->corrupted ? "corrupted" : "verified", "root_hash",
		hex(s->root_hash, sizeof(s->root_hash)), "data_blocks", (json_int_t)s->data_blocks,
		"data_block_size", (int)s->data_block_size, "hash_block_size",
		(int)s->hash_block_size, "salt", hex(s->salt, s->salt_size), "on_corruption",
		options_on_corruption_name(s->on_corruption));
}

static int write_json(const char *path, const json_t *object)
{
	char *text = json_dumps(object, JSON_INDENT(2));
	size_t len;
	int r;

	if (!text) {
		warnx("out of memory");
		return TOOL_USAGE;
	}
	len = strlen(text);
	text[len] = '\n'; /* in the place of the final NUL */
	r = tool_write_file(path, text, len + 1, 0644);
	free(text);
	return r;
}

int status_write(
	const struct options *o, const struct pm_verity_status *status, const char *filesystem)
{
	json_t *object;
	int r;

	if (!o->status)
		return TOOL_OK;
	object = describe(o, status);
	if (object && filesystem) {
		json_object_set_new(object, "target", json_string(o->target));
		json_object_set_new(object, "filesystem", json_string(filesystem));
	}
	if (!object) {
		warnx("out of memory");
		return TOOL_USAGE;
	}
	r = write_json(o->status, object);
	json_decref(object);
	return r;
}
