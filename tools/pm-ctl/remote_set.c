/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/checks.h"
#include "common/file.h"
#include "pm-ctl/remote.h"

static const char help[] =
	"Usage: pm-ctl manifest set URL MANIFEST --signatures FILE [OPTION]...\n"
	"Have a coordinator put a manifest in force, and then prove by its evidence that it did. "
	"The\n"
	"first manifest brings the shares of the seed, each in a box that only the owner of its "
	"key\n"
	"can open: keep them, for without enough of them nobody can start the coordinator anew. "
	"So\n"
	"does a later one with other seed share owners, or another threshold, than the one "
	"before.\n"
	"\n"
	"  --signatures FILE    its owners' signatures, from manifest sign\n"
	"  --shares DIR         where the boxes go, as NAME.share; needed where the manifest "
	"brings\n"
	"                       them, and files that exist are never replaced\n"
	"  --memory FILE        remember the history here, and refuse an older or another one\n"
	"  --ca FILE            certificate authorities for https (default: the system's)\n"
	"  --json               one JSON object of what was proved\n"
	"\n"
	"Exit status: 0 done and proved, 1 refused, or not proved, 2 wrong usage, no answer (then "
	"ask\n"
	"status whether it is in force), or input and output.\n"
	"\n"
	"Example:\n"
	"  pm-ctl manifest set https://coordinator.example manifest.json \\\n"
	"      --signatures manifest.sig --shares shares --memory seen\n";

static const struct option long_options[] = {
	{"signatures", required_argument, NULL, REMOTE_SIGNATURES},
	{"shares", required_argument, NULL, REMOTE_SHARES},
	{"memory", required_argument, NULL, TOOL_MESH_MEMORY},
	{"ca", required_argument, NULL, TOOL_MESH_CA},
	{"json", no_argument, NULL, TOOL_MESH_JSON},
	{"help", no_argument, NULL, 'h'},
	{0},
};

/* --- shares ----------------------------------------------------------------------------------- */

static char *path_of(const struct remote *remote, const char *name)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s.share", remote->shares, name) < 0)
		err(TOOL_USAGE, "%s", remote->shares);
	return path;
}

static int must_be_new(const struct remote *remote, const char *name)
{
	char *path = path_of(remote, name);
	int r = TOOL_OK;

	if (!access(path, F_OK)) {
		warnx("%s: exists already", path);
		r = TOOL_USAGE;
	}
	free(path);
	return r;
}

/* Before anything is sent: a share that finds no place would be lost. */
static int check_place(const struct remote *remote, const struct pm_manifest *manifest)
{
	const struct pm_manifest_share_owners *owners = pm_manifest_seed_share_owners(manifest);
	const struct pm_manifest_share_owner *owner;
	int r = TOOL_OK;

	if (!owners || pm_manifest_serial(manifest) != 1)
		return TOOL_OK;
	if (!remote->shares) {
		warnx("%s: the first manifest brings shares of the seed: --shares DIR is needed",
			remote->mesh.manifest);
		return TOOL_USAGE;
	}
	if (access(remote->shares, W_OK | X_OK)) {
		warn("%s", remote->shares);
		return TOOL_USAGE;
	}
	for (size_t i = 0; r == TOOL_OK && (owner = pm_manifest_share_owner_at(owners, i)); i++)
		r = must_be_new(remote, owner->name);
	return r;
}

/* Where there is no place after all, the box goes to standard output. */
static void rescue(const struct pm_coordinator_share *share)
{
	char text[PM_COORDINATOR_BOX_MAX * 2];

	if (pm_text_base64_encode(share->box, share->box_len, text, sizeof(text)) == PM_OK)
		printf("share of %s, base64: %s\n", share->name, text);
}

static int write_share(const struct remote *remote, const struct pm_coordinator_share *share)
{
	char *path = path_of(remote, share->name);
	int r = tool_write_file(path, share->box, share->box_len, 0600);

	if (r == TOOL_OK)
		fprintf(stderr, "%s: the share of %s\n", path, share->name);
	else
		rescue(share);
	free(path);
	return r;
}

static int write_shares(const struct remote *remote, const struct pm_coordinator_change *change)
{
	int first = TOOL_OK;

	if (change->share_count && !remote->shares) {
		warnx("%s: holds, and brings new shares of the seed: set it once more, with "
		      "--shares DIR",
			remote->mesh.manifest);
		return TOOL_USAGE;
	}
	for (size_t i = 0; i < change->share_count; i++) {
		int r = write_share(remote, &change->shares[i]);

		first = first == TOOL_OK ? r : first;
	}
	return first;
}

/* --- setting ---------------------------------------------------------------------------------- */

static int set(const struct remote *remote, struct tool_mesh_result *result,
	const uint8_t *manifest, size_t manifest_len)
{
	struct pm_coordinator_change *change = calloc(1, sizeof(*change));
	uint8_t *signatures = NULL;
	size_t len = 0;
	int r = tool_read_file(remote->signatures, PM_SIGNATURES_SIZE_MAX, &signatures, &len),
	    error;

	if (r == TOOL_OK && change) {
		error = pm_coordinator_set_manifest(result->coordinator, manifest, manifest_len,
			signatures, len, result->report, change);
		if (error < 0)
			tool_print_error(remote->mesh.url, error, result->report);
		r = error < 0 ? tool_exit_status(error) : write_shares(remote, change);
	}
	free(signatures);
	free(change);
	return r;
}

static int send_file(const struct remote *remote, struct tool_mesh_result *result)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	int r = tool_read_file(remote->mesh.manifest, PM_MANIFEST_SIZE_MAX, &bytes, &len);

	if (r == TOOL_OK)
		r = set(remote, result, bytes, len);
	free(bytes);
	return r;
}

/* Who answered nothing proved: now the coordinator has to. */
static int prove(const struct remote *remote, struct tool_mesh_result *result)
{
	int r, printed = TOOL_OK;

	pm_report_reset(result->report);
	r = tool_mesh_attest(&remote->mesh, result);
	if (remote->mesh.json)
		printed = tool_mesh_print_json(tool_mesh_json(&remote->mesh, result));
	else
		tool_mesh_print(&remote->mesh, result);
	if (r != TOOL_OK)
		warnx("%s: was told of the manifest, and does not prove it", remote->mesh.url);
	return printed == TOOL_OK ? r : printed;
}

static int set_and_prove(const struct remote *remote, struct tool_mesh_result *result)
{
	int r = check_place(remote, result->manifest);

	if (r == TOOL_OK)
		r = send_file(remote, result);
	return r == TOOL_OK ? prove(remote, result) : r;
}

static bool is_complete(const struct remote *remote)
{
	return remote->signatures != NULL;
}

int remote_set(int argc, char **argv)
{
	static const struct remote_verb verb = {
		.help = help,
		.letters = "",
		.rows = long_options,
		.words = 2,
		.is_complete = is_complete,
		.needs = "manifest set needs one URL, one MANIFEST and --signatures",
		.run = set_and_prove,
	};

	return remote_run(argc, argv, &verb);
}
