/* SPDX-License-Identifier: Apache-2.0 */
#include "common/checks.h"
#include "common/file.h"
#include "pm-ctl/remote.h"

static const char help[] =
	"Usage: pm-ctl history URL --manifest FILE [OPTION]...\n"
	"Fetch the history of a deployment's manifests from its coordinator, which must prove by "
	"its\n"
	"evidence that it is what the manifest says, and print what was proved by what.\n"
	"\n" TOOL_MESH_HELP
	"  -o, --output FILE    keep the history, for manifest check --history\n"
	"  --json               one JSON object\n"
	"\n"
	"Exit status: 0 verified, 1 rejected, 2 wrong usage, no answer, or not ready.\n"
	"\n"
	"Example:\n"
	"  pm-ctl history https://coordinator.example --manifest manifest.json --memory seen\n";

static const struct option long_options[] = {
	TOOL_MESH_ROWS,
	{"output", required_argument, NULL, REMOTE_OUTPUT},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int keep(const char *path, const struct pm_deployment *d)
{
	char *text = NULL;
	size_t len;
	int r = pm_history_text(pm_deployment_history(d), 0, &text, &len), status;

	if (r < 0)
		tool_print_error(path, r, NULL);
	status = r < 0 ? tool_exit_status(r) : tool_write_file(path, text, len, 0644);
	pm_history_text_free(text);
	return status;
}

static int show(const struct remote *remote, struct tool_mesh_result *result)
{
	const struct tool_mesh *mesh = &remote->mesh;
	int r = tool_mesh_attest(mesh, result), printed = TOOL_OK;

	if (mesh->json)
		printed = tool_mesh_print_json(tool_mesh_json(mesh, result));
	else
		tool_mesh_print(mesh, result);
	if (r == TOOL_OK && remote->output)
		r = keep(remote->output, result->deployment);
	return printed == TOOL_OK ? r : printed;
}

int remote_history(int argc, char **argv)
{
	static const struct remote_verb verb = {
		.help = help,
		.letters = "o:",
		.rows = long_options,
		.words = 1,
		.is_complete = remote_has_manifest,
		.needs = "history needs one URL, and --manifest or --manifest-hash",
		.run = show,
	};

	return remote_run(argc, argv, &verb);
}
