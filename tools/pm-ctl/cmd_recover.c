/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/checks.h"
#include "common/file.h"
#include "pm-ctl/box_key.h"
#include "pm-ctl/cmd.h"
#include "pm-ctl/manifest.h"
#include "pm-ctl/remote.h"

static const char help[] =
	"Usage: pm-ctl recover URL --share FILE --share-key FILE --key KEY --manifest FILE\n"
	"       --memory FILE [OPTION]...\n"
	"Give a coordinator that was started anew a share of its seed, and an owner's consent. "
	"The\n"
	"coordinator must first prove by its evidence that it is what the manifest says, and show\n"
	"the history that the memory file knows; the share is sealed to that process and no "
	"other.\n"
	"\n"
	"  --share FILE         the box with the share, from manifest set --shares\n"
	"  --share-key FILE     the private X-Wing key that opens it\n"
	"  --key KEY            private key of an owner of the manifest, who consents\n"
	"  --manifest FILE      the manifest that is in force\n"
	"  --manifest-hash HEX  refuse a manifest of another hash\n"
	"  --memory FILE        what was remembered of the history: a sealed coordinator can't "
	"prove\n"
	"                       that it is the newest, so this is needed\n"
	"  --ca FILE            certificate authorities for https (default: the system's)\n"
	"  --json               one JSON object\n"
	"\n"
	"Exit status: 0 the share was taken, 1 rejected, 2 wrong usage, no answer, or not sealed.\n"
	"\n"
	"Example:\n"
	"  pm-ctl recover https://coordinator.example --share bob.share --share-key bob-box.key "
	"\\\n"
	"      --key bob.key --manifest manifest.json --memory seen\n";

static const struct option long_options[] = {
	TOOL_MESH_ROWS,
	{"share", required_argument, NULL, REMOTE_SHARE},
	{"share-key", required_argument, NULL, REMOTE_SHARE_KEY},
	{"key", required_argument, NULL, REMOTE_KEY},
	{"help", no_argument, NULL, 'h'},
	{0},
};

/* --- the share -------------------------------------------------------------------------------- */

static int open_share(const struct remote *remote, const struct pm_deployment *d,
	const struct pm_box_key *key, uint8_t *ret_share)
{
	uint8_t *box = NULL;
	size_t len = 0;
	int r = tool_read_file(remote->share, PM_COORDINATOR_BOX_MAX, &box, &len), error;

	if (r != TOOL_OK)
		return r;
	error = len == PM_SHARE_SIZE + PM_BOX_OVERHEAD
			? pm_box_open(key, PM_COORDINATOR_SHARE_LABEL, pm_deployment_commitment(d),
				  PM_COORDINATOR_COMMITMENT_SIZE, box, len, ret_share)
			: PM_E_FORMAT;
	free(box);
	if (error == PM_E_REJECTED)
		warnx("%s: not a share of this deployment's seed for the key of %s", remote->share,
			remote->share_key);
	else if (error < 0)
		tool_print_error(remote->share, error, NULL);
	return tool_exit_status(error);
}

/* --- giving it -------------------------------------------------------------------------------- */

static int tell(const struct remote *remote, const struct pm_coordinator_status *s)
{
	if (remote->mesh.json)
		return manifest_print_json(json_pack("{s:s, s:I, s:I}", "state",
			pm_coordinator_state_name((int)s->state), "have",
			(json_int_t)s->shares_have, "need", (json_int_t)s->shares_need));
	printf("%s: took the share, has %u of the %u that are needed, and is %s\n",
		remote->mesh.url, s->shares_have, s->shares_need,
		pm_coordinator_state_name((int)s->state));
	return TOOL_OK;
}

static int give(const struct remote *remote, struct tool_mesh_result *result, const uint8_t *share,
	const struct pm_sign_key *owner)
{
	struct pm_coordinator_status status;
	int r;

	pm_report_reset(result->report);
	r = pm_coordinator_recover(
		result->coordinator, result->deployment, share, owner, result->report, &status);
	if (r == PM_OK)
		return tell(remote, &status);
	tool_print_error(remote->mesh.url, r, result->report);
	return tool_exit_status(r);
}

static int attest(const struct remote *remote, struct tool_mesh_result *result)
{
	int r = tool_mesh_attest(&remote->mesh, result);

	if (r == TOOL_OK && pm_deployment_state(result->deployment) == PM_COORDINATOR_SEALED)
		return TOOL_OK;
	if (r == TOOL_OK) {
		warnx("%s: not sealed: it needs no share", remote->mesh.url);
		return TOOL_USAGE;
	}
	warnx("%s: %s: %s", remote->mesh.url, pm_strerror(result->error), tool_mesh_reason(result));
	return r;
}

static int recover(const struct remote *remote, struct tool_mesh_result *result)
{
	uint8_t share[PM_SHARE_SIZE] = {0};
	struct pm_box_key *box_key = NULL;
	struct pm_sign_key *owner = NULL;
	int r = box_key_load_private(remote->share_key, &box_key);

	if (r == TOOL_OK)
		r = manifest_load_key(remote->key, &owner);
	if (r == TOOL_OK)
		r = attest(remote, result);
	if (r == TOOL_OK)
		r = open_share(remote, result->deployment, box_key, share);
	if (r == TOOL_OK)
		r = give(remote, result, share, owner);
	explicit_bzero(share, sizeof(share));
	pm_sign_key_free(owner);
	pm_box_key_free(box_key);
	return r;
}

static bool is_complete(const struct remote *remote)
{
	return remote->share && remote->share_key && remote->key && remote->mesh.manifest &&
	       remote->mesh.options.memory_file;
}

int cmd_recover(int argc, char **argv)
{
	static const struct remote_verb verb = {
		.help = help,
		.letters = "",
		.rows = long_options,
		.words = 1,
		.allow_sealed = true,
		.is_complete = is_complete,
		.needs = "recover needs one URL, --share, --share-key, --key, --manifest and "
			 "--memory",
		.run = recover,
	};

	return remote_run(argc, argv, &verb);
}
