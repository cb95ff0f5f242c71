/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "common/file.h"
#include "common/mesh.h"
#include "common/usage.h"
#include "common/wrong.h"
#include "pm-verify/cmd.h"

static const char help[] =
	"Usage: pm-verify coordinator URL --manifest FILE [OPTION]...\n"
	"Ask a coordinator for evidence with a fresh nonce, and verify it and all that it proves:\n"
	"its document, the signed history of the manifests, and the certificate authorities of\n"
	"the mesh. The address may be plain http: what counts is signed.\n"
	"\n" TOOL_MESH_HELP "  --json               one JSON object\n"
	"  --help               this text\n"
	"\n"
	"Exit status: 0 verified, 1 rejected, 2 wrong usage, no answer, or not ready.\n"
	"\n"
	"Example:\n"
	"  pm-verify coordinator https://coordinator.example --manifest manifest.json --memory "
	"seen\n";

static const struct option long_options[] = {
	TOOL_MESH_ROWS,
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int read_options(int argc, char **argv, struct tool_mesh *mesh)
{
	int opt, r = TOOL_OK;

	optind = 1;
	while (r == TOOL_OK && (opt = tool_getopt(argc, argv, long_options)) != -1)
		r = tool_mesh_option(mesh, opt, optarg);
	if (r)
		return r;
	mesh->url = argv[optind]; /* NULL at the end of argv */
	if (!mesh->url || optind + 1 != argc || (!mesh->manifest && !mesh->has_manifest_hash)) {
		return tool_wrong(
			"coordinator: one URL, and --manifest FILE or --manifest-hash HEX are "
			"needed; try --help");
	}
	return TOOL_OK;
}

int cmd_coordinator(int argc, char **argv)
{
	struct tool_mesh_result result;
	struct tool_mesh mesh;
	int r, printed = TOOL_OK;

	if (tool_asks_for_help(argc, argv)) {
		fputs(help, stdout);
		return TOOL_OK;
	}
	tool_mesh_init(&mesh);
	r = read_options(argc, argv, &mesh);
	if (r)
		return r;
	r = tool_mesh_open(&mesh, &result);
	if (r == TOOL_OK) {
		r = tool_mesh_attest(&mesh, &result);
		if (mesh.json)
			printed = tool_mesh_print_json(tool_mesh_json(&mesh, &result));
		else
			tool_mesh_print(&mesh, &result);
	}
	tool_mesh_clear(&result);
	return printed == TOOL_OK ? r : printed;
}
