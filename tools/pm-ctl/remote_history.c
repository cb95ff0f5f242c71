/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/mesh.h"
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
	{"output", required_argument, NULL, 'o'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

bool remote_is_url(const char *text)
{
	return !strncmp(text, "http://", 7) || !strncmp(text, "https://", 8);
}

/* argv[0] is the verb, and getopt moves the address behind the options. */
static int parse(int argc, char **argv, struct tool_mesh *mesh, const char **ret_output)
{
	int id, r = TOOL_OK;

	while (r == TOOL_OK && (id = getopt_long(argc, argv, "o:", long_options, NULL)) != -1) {
		if (id == 'o')
			*ret_output = optarg;
		else if (id == 'h')
			return TOOL_OK;
		else
			r = tool_mesh_option(mesh, id, optarg);
	}
	if (r != TOOL_OK)
		return r;
	if (optind + 1 != argc || (!mesh->manifest && !mesh->has_manifest_hash)) {
		warnx("history needs one URL, and --manifest or --manifest-hash; try --help");
		return TOOL_USAGE;
	}
	mesh->url = argv[optind];
	return TOOL_OK;
}

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

static int show(const struct tool_mesh *mesh, struct tool_mesh_result *result, const char *output)
{
	int r = tool_mesh_attest(mesh, result), printed = TOOL_OK;

	if (mesh->json)
		printed = tool_mesh_print_json(tool_mesh_json(mesh, result));
	else
		tool_mesh_print(mesh, result);
	if (r == TOOL_OK && output)
		r = keep(output, result->deployment);
	return printed == TOOL_OK ? r : printed;
}

int remote_history(int argc, char **argv)
{
	struct tool_mesh_result result;
	const char *output = NULL;
	struct tool_mesh mesh;
	int r;

	tool_mesh_init(&mesh);
	r = parse(argc, argv, &mesh, &output);
	if (r != TOOL_OK)
		return r;
	if (!mesh.url) {
		fputs(help, stdout);
		return TOOL_OK;
	}
	r = tool_mesh_open(&mesh, &result);
	if (r == TOOL_OK)
		r = show(&mesh, &result, output);
	tool_mesh_clear(&result);
	return r;
}
