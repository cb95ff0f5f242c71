/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <stdio.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/mesh.h"
#include "common/usage.h"
#include "pm-ctl/cmd.h"
#include "pm-ctl/manifest.h"

static const char help[] =
	"Usage: pm-ctl status URL [OPTION]...\n"
	"Ask a coordinator how it is. Nothing proves the answer: see pm-verify coordinator.\n"
	"\n"
	"  --ca FILE            certificate authorities for https (default: the system's)\n"
	"  --json               one JSON object\n"
	"\n"
	"Exit status: 0 it serves, 1 the answer is malformed, 2 wrong usage, no answer, or it "
	"does\n"
	"not serve.\n"
	"\n"
	"Example:\n"
	"  pm-ctl status https://coordinator.example\n";

static const struct option long_options[] = {
	{"ca", required_argument, NULL, TOOL_MESH_CA},
	{"json", no_argument, NULL, TOOL_MESH_JSON},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int parse(int argc, char **argv, struct tool_mesh *mesh)
{
	int id, r = TOOL_OK;

	while (r == TOOL_OK && (id = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		r = tool_mesh_option(mesh, id, optarg);
	if (r != TOOL_OK)
		return r;
	if (optind + 1 != argc) {
		warnx("status needs one URL; try --help");
		return TOOL_USAGE;
	}
	mesh->url = argv[optind];
	return TOOL_OK;
}

static int print_json(const struct pm_coordinator_status *s)
{
	char hash[2 * PM_MANIFEST_HASH_SIZE + 1];
	json_t *o = json_pack("{s:s, s:I}", "state", pm_coordinator_state_name((int)s->state),
		"replicas", (json_int_t)s->replicas);

	pm_hex_encode(s->manifest, sizeof(s->manifest), hash);
	if (s->has_manifest)
		json_object_set_new(o, "manifest",
			json_pack("{s:I, s:s}", "serial", (json_int_t)s->serial, "hash", hash));
	if (s->has_shares)
		json_object_set_new(o, "shares",
			json_pack("{s:I, s:I}", "have", (json_int_t)s->shares_have, "need",
				(json_int_t)s->shares_need));
	return manifest_print_json(o);
}

static int print_text(const struct pm_coordinator_status *s)
{
	char hash[2 * PM_MANIFEST_HASH_SIZE + 1];

	printf("state     %s (as it says: nothing proves this)\n",
		pm_coordinator_state_name((int)s->state));
	pm_hex_encode(s->manifest, sizeof(s->manifest), hash);
	if (s->has_manifest)
		printf("manifest  serial %llu, hash %s\n", (unsigned long long)s->serial, hash);
	else
		printf("manifest  none yet\n");
	printf("replicas  %u\n", s->replicas);
	if (s->has_shares)
		printf("shares    %u of the %u that are needed\n", s->shares_have, s->shares_need);
	return TOOL_OK;
}

static int show(const struct tool_mesh *mesh, struct tool_mesh_result *result)
{
	struct pm_coordinator_status status;
	int r = pm_coordinator_status(result->coordinator, result->report, &status), printed;

	if (r < 0) {
		tool_print_error(mesh->url, r, result->report);
		return tool_exit_status(r);
	}
	printed = mesh->json ? print_json(&status) : print_text(&status);
	if (printed != TOOL_OK)
		return printed;
	return status.state == PM_COORDINATOR_READY ? TOOL_OK : TOOL_USAGE;
}

int cmd_status(int argc, char **argv)
{
	struct tool_mesh_result result;
	struct tool_mesh mesh;
	int r;

	if (tool_asks_for_help(argc, argv)) {
		fputs(help, stdout);
		return TOOL_OK;
	}
	tool_mesh_init(&mesh);
	r = parse(argc, argv, &mesh);
	if (r != TOOL_OK)
		return r;
	r = tool_mesh_open(&mesh, &result);
	if (r == TOOL_OK)
		r = show(&mesh, &result);
	tool_mesh_clear(&result);
	return r;
}
