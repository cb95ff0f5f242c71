/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/checks.h"
#include "common/file.h"
#include "pm-ctl/remote.h"

static const char help[] =
	"Usage: pm-ctl log fetch URL --manifest FILE -o FILE [OPTION]...\n"
	"Fetch the log of a coordinator, which must prove by its evidence that it is what the "
	"manifest\n"
	"says. The log must be signed by the key that was proved, without a gap from the first "
	"entry\n"
	"to the one that was proved to be the last, and is written only then.\n"
	"\n" TOOL_MESH_HELP "  -o, --output FILE    where the log goes; \"-\" is standard output\n"
	"\n"
	"Exit status: 0 done, 1 rejected, 2 wrong usage, no answer, or not ready.\n"
	"\n"
	"Example:\n"
	"  pm-ctl log fetch https://coordinator.example --manifest manifest.json -o audit.log\n";

static const struct option long_options[] = {
	TOOL_MESH_ROWS,
	{"output", required_argument, NULL, REMOTE_OUTPUT},
	{"help", no_argument, NULL, 'h'},
	{0},
};

/* What was fetched so far. */
struct lines {
	char *text;
	size_t len;
	uint64_t count;
};

/* --- fetching --------------------------------------------------------------------------------- */

static int add(struct lines *lines, const char *text, size_t len)
{
	char *grown;

	if (len > PM_AUDIT_SIZE_MAX - lines->len)
		return PM_E_LIMIT;
	grown = realloc(lines->text, lines->len + len + 1);
	if (!grown)
		return PM_E_NOMEM;
	memcpy(grown + lines->len, text, len + 1);
	lines->text = grown;
	lines->len += len;
	for (size_t i = 0; i < len; i++)
		lines->count += text[i] == '\n';
	return PM_OK;
}

/* To the end, but never less than what was proved: each answer brings a line, or is the last. */
static int fetch(struct tool_mesh_result *result, struct lines *lines)
{
	size_t len = 1;
	int r = PM_OK;

	while (r == PM_OK && len) {
		char *text = NULL;

		r = pm_coordinator_log(
			result->coordinator, lines->count, result->report, &text, &len);
		if (r == PM_OK)
			r = add(lines, text, len);
		pm_coordinator_text_free(text);
	}
	return r;
}

static int check(struct tool_mesh_result *result, const struct lines *lines)
{
	const struct pm_sign_public *key = pm_deployment_audit_key(result->deployment);
	struct pm_audit_head seen = {0}, head;
	const uint8_t *hash = pm_deployment_log(result->deployment, &seen.entries);

	if (!key) {
		warnx("the coordinator does not prove which key signs its log");
		return PM_E_MISSING;
	}
	memcpy(seen.hash, hash, sizeof(seen.hash));
	return pm_audit_verify(lines->text, lines->len, key, "coordinator",
		seen.entries ? &seen : NULL, result->report, &head);
}

static int fetch_and_check(const struct remote *remote, struct tool_mesh_result *result)
{
	struct lines lines = {0};
	int r = fetch(result, &lines), status;

	if (r == PM_OK)
		r = check(result, &lines);
	if (r < 0)
		tool_print_error(remote->mesh.url, r, result->report);
	status = r < 0 ? tool_exit_status(r)
		       : tool_write_file(remote->output, lines.text, lines.len, 0644);
	if (status == TOOL_OK)
		fprintf(stderr, "%llu entries\n", (unsigned long long)lines.count);
	free(lines.text);
	return status;
}

static int run(const struct remote *remote, struct tool_mesh_result *result)
{
	int r = tool_mesh_attest(&remote->mesh, result);

	if (r == TOOL_OK)
		return fetch_and_check(remote, result);
	warnx("%s: %s: %s", remote->mesh.url, pm_strerror(result->error), tool_mesh_reason(result));
	return r;
}

static bool is_complete(const struct remote *remote)
{
	return remote->output && remote_has_manifest(remote);
}

int remote_log(int argc, char **argv)
{
	static const struct remote_verb verb = {
		.help = help,
		.letters = "o:",
		.rows = long_options,
		.words = 1,
		.is_complete = is_complete,
		.needs = "log fetch needs one URL, -o, and --manifest or --manifest-hash",
		.run = run,
	};

	return remote_run(argc, argv, &verb);
}
