/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-ctl/box_key.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include <pm/text.h>

#include "common/checks.h"
#include "common/file.h"
#include "pm-ctl/manifest.h"

#define ID_TEXT_SIZE (2 * PM_BOX_ID_SIZE + 1)

static int id_text(const char *path, const uint8_t *public_key, char *ret_text)
{
	uint8_t id[PM_BOX_ID_SIZE];

	if (pm_box_public_id(public_key, id) < 0) {
		warnx("%s: can't hash the key", path);
		return TOOL_USAGE;
	}
	pm_hex_encode(id, sizeof(id), ret_text);
	return TOOL_OK;
}

static int pem_text(const char *path, const uint8_t *public_key, char *ret_pem)
{
	if (pm_box_public_pem(public_key, ret_pem) == PM_OK)
		return TOOL_OK;
	warnx("%s: can't encode the key", path);
	return TOOL_USAGE;
}

/* --- making ---------------------------------------------------------------------------------- */

static int write_private(const char *path, const struct pm_box_key *key)
{
	char pem[PM_BOX_PEM_SIZE];
	int r = pm_box_key_pem(key, pem), status;

	if (r < 0) {
		tool_print_error(path, r, NULL);
		return tool_exit_status(r);
	}
	status = tool_write_file(path, pem, strlen(pem), 0600);
	explicit_bzero(pem, sizeof(pem));
	return status;
}

static int write_public(const char *path, const uint8_t *public_key)
{
	char pem[PM_BOX_PUBLIC_PEM_SIZE];
	int r = pem_text(path, public_key, pem);

	return r == TOOL_OK ? tool_write_file(path, pem, strlen(pem), 0644) : r;
}

int box_key_make(const char *output, const char *public_file)
{
	struct pm_box_key *key = NULL;
	char id[ID_TEXT_SIZE];
	int r = pm_box_key_new(&key), status;

	if (r < 0) {
		tool_print_error("key new", r, NULL);
		return tool_exit_status(r);
	}
	status = write_private(output, key);
	if (status == TOOL_OK && public_file)
		status = write_public(public_file, pm_box_key_public(key));
	if (status == TOOL_OK)
		status = id_text(output, pm_box_key_public(key), id);
	if (status == TOOL_OK)
		fprintf(strcmp(output, "-") ? stdout : stderr, "%s\n", id);
	pm_box_key_free(key);
	return status;
}

/* --- reading --------------------------------------------------------------------------------- */

int box_key_parse(const uint8_t *bytes, size_t len, struct pm_report *report, uint8_t *ret_public)
{
	struct pm_box_key *key = NULL;
	int r;

	if (!manifest_is_private(bytes, len))
		return pm_box_public_parse(bytes, len, report, ret_public);
	r = pm_box_key_parse(bytes, len, report, &key);
	if (r == PM_OK)
		memcpy(ret_public, pm_box_key_public(key), PM_BOX_PUBLIC_SIZE);
	pm_box_key_free(key);
	return r;
}

typedef int parse_fn(const uint8_t *bytes, size_t len, struct pm_report *report, void *ret);

static int parse_public(const uint8_t *bytes, size_t len, struct pm_report *report, void *ret)
{
	return box_key_parse(bytes, len, report, ret);
}

static int parse_private(const uint8_t *bytes, size_t len, struct pm_report *report, void *ret)
{
	return pm_box_key_parse(bytes, len, report, ret);
}

static int load(const char *path, parse_fn *parse, void *ret)
{
	struct pm_report *report = pm_report_new();
	uint8_t *bytes = NULL;
	size_t len = 0;
	int r = tool_read_file(path, PM_BOX_FILE_MAX, &bytes, &len), error = PM_OK;

	if (r == TOOL_OK)
		error = parse(bytes, len, report, ret);
	if (error < 0) {
		tool_print_error(path, error, report);
		r = tool_exit_status(error);
	}
	if (bytes)
		explicit_bzero(bytes, len);
	free(bytes);
	pm_report_free(report);
	return r;
}

int box_key_load(const char *path, uint8_t *ret_public)
{
	return load(path, parse_public, ret_public);
}

int box_key_load_private(const char *path, struct pm_box_key **ret_key)
{
	return load(path, parse_private, ret_key);
}

/* --- printing -------------------------------------------------------------------------------- */

json_t *box_key_owner_json(const char *name, const uint8_t *public_key)
{
	char text[4 * ((PM_BOX_PUBLIC_SIZE + 2) / 3) + 1];

	if (pm_text_base64_encode(public_key, PM_BOX_PUBLIC_SIZE, text, sizeof(text)) < 0)
		return NULL;
	return json_pack("{s:s, s:s}", "name", name, "key", text);
}

int box_key_print(const char *path, const uint8_t *public_key, bool json)
{
	char id[ID_TEXT_SIZE], pem[PM_BOX_PUBLIC_PEM_SIZE];
	int r = id_text(path, public_key, id);

	if (r == TOOL_OK)
		r = pem_text(path, public_key, pem);
	if (r != TOOL_OK)
		return r;
	if (json)
		return manifest_print_json(json_pack(
			"{s:s, s:s, s:s}", "id", id, "algorithm", BOX_KEY_TYPE, "public_key", pem));
	printf("algorithm: %s\nid: %s\n%s", BOX_KEY_TYPE, id, pem);
	return TOOL_OK;
}
