/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-ctl/manifest.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/verbs.h"
#include "pm-ctl/cmd.h"
#include "pm-ctl/remote.h"

/* The exit status of reading a file, r, and then parsing it: says why when that failed. */
static int finish(const char *path, int r, int error, struct pm_report *report)
{
	if (r == TOOL_OK && error < 0) {
		tool_print_error(path, error, report);
		r = tool_exit_status(error);
	}
	pm_report_free(report);
	return r;
}

int manifest_load(const char *path, struct pm_manifest **ret)
{
	struct pm_report *report = pm_report_new();
	uint8_t *bytes = NULL;
	size_t len;
	int r = tool_read_file(path, PM_MANIFEST_SIZE_MAX, &bytes, &len), error = PM_OK;

	if (r == TOOL_OK)
		error = pm_manifest_parse(bytes, len, report, ret);
	free(bytes);
	return finish(path, r, error, report);
}

int manifest_load_signatures(const char *path, struct pm_signatures **ret)
{
	struct pm_report *report = pm_report_new();
	uint8_t *bytes = NULL;
	size_t len;
	int r = tool_read_file(path, PM_SIGNATURES_SIZE_MAX, &bytes, &len), error = PM_OK;

	if (r == TOOL_OK)
		error = pm_signatures_parse(bytes, len, report, ret);
	free(bytes);
	return finish(path, r, error, report);
}

int manifest_load_key(const char *path, struct pm_sign_key **ret)
{
	struct pm_report *report = pm_report_new();
	uint8_t *bytes = NULL;
	size_t len = 0;
	int r = tool_read_file(path, PM_SIGN_FILE_MAX, &bytes, &len), error = PM_OK;

	if (r == TOOL_OK)
		error = pm_sign_key_parse(bytes, len, report, ret);
	if (bytes)
		explicit_bzero(bytes, len);
	free(bytes);
	return finish(path, r, error, report);
}

bool manifest_is_private(const uint8_t *bytes, size_t len)
{
	static const char begin[] = "-----BEGIN PRIVATE KEY-----";

	return memmem(bytes, len, begin, strlen(begin)) != NULL;
}

int manifest_parse_public(
	const uint8_t *bytes, size_t len, struct pm_report *report, struct pm_sign_public *ret)
{
	struct pm_sign_key *key = NULL;
	int r;

	if (!manifest_is_private(bytes, len))
		return pm_sign_public_parse(bytes, len, report, ret);
	r = pm_sign_key_parse(bytes, len, report, &key);
	if (r == PM_OK)
		*ret = *pm_sign_key_public(key);
	pm_sign_key_free(key);
	return r;
}

int manifest_load_public(const char *path, struct pm_sign_public *ret)
{
	struct pm_report *report = pm_report_new();
	uint8_t *bytes = NULL;
	size_t len = 0;
	int r = tool_read_file(path, PM_SIGN_FILE_MAX, &bytes, &len), error = PM_OK;

	if (r == TOOL_OK)
		error = manifest_parse_public(bytes, len, report, ret);
	if (bytes)
		explicit_bzero(bytes, len);
	free(bytes);
	return finish(path, r, error, report);
}

json_t *manifest_json(const struct pm_manifest *manifest)
{
	size_t len;
	const char *text = pm_manifest_canonical(manifest, &len);

	return json_loadb(text, len, 0, NULL);
}

json_t *manifest_owner_json(const char *name, const struct pm_sign_public *public)
{
	char text[4 * ((PM_SIGN_SPKI_MAX + 2) / 3) + 1];

	if (pm_text_base64_encode(public->spki, public->spki_size, text, sizeof(text)) < 0)
		return NULL;
	return json_pack("{s:s, s:s}", "name", name, "key", text);
}

int manifest_print_json(json_t *json)
{
	int failed = !json || json_dumpf(json, stdout, JSON_INDENT(2));

	json_decref(json);
	putchar('\n');
	if (failed || fflush(stdout)) {
		warnx("standard output: can't write");
		return TOOL_USAGE;
	}
	return TOOL_OK;
}

void manifest_hash_text(const struct pm_manifest *manifest, char *ret_text)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE];

	pm_manifest_hash(manifest, hash);
	pm_hex_encode(hash, sizeof(hash), ret_text);
}

static const struct tool_verb verbs[] = {
	{"init", manifest_init, "make a manifest, or the next one"},
	{"check", manifest_check, "is it well formed, in force, and signed by enough owners?"},
	{"hash", manifest_hash, "print its hash"},
	{"sign", manifest_sign, "add an owner's signature"},
	{"set", remote_set, "have a coordinator put one in force"},
	{"diff", manifest_diff, "what does a new one allow that the old one did not?"},
	{"show", manifest_show, "print what it says, for people"},
	{0},
};

static const struct tool_program program = {
	.name = "pm-ctl manifest",
	.summary = "Make, check, sign, compare and set manifests; see pm-manifest(5).",
	.yes = "done, or yes",
	.verbs = verbs,
};

int cmd_manifest(int argc, char **argv)
{
	return tool_run(&program, argc, argv);
}
