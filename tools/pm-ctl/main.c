/* SPDX-License-Identifier: Apache-2.0 */
#include "common/verbs.h"
#include "pm-ctl/cmd.h"

static const struct tool_verb verbs[] = {
	{"collect", cmd_collect, "get an attestation report of this machine"},
	{"field", cmd_field, "open or seal one encrypted field of a request or response"},
	{"history", cmd_history, "keep or fetch the signed history of manifests"},
	{"key", cmd_key, "make and show keys of owners and coordinators"},
	{"log", cmd_log, "verify an audit log"},
	{"manifest", cmd_manifest, "make, check, sign, compare and set manifests"},
	{"recover", cmd_recover, "give a coordinator that was started anew a share of its seed"},
	{"sealed", cmd_sealed, "show the frames of a sealed request or response"},
	{"secrets", cmd_secrets, "command the secret service"},
	{"shard-key", cmd_shard_key, "print the shard key of a prompt"},
	{"status", cmd_status, "ask a coordinator how it is"},
	{0},
};

static const struct tool_program program = {
	.name = "pm-ctl",
	.summary = "Operate machines of confidential computing.",
	.yes = "done",
	.verbs = verbs,
};

int main(int argc, char **argv)
{
	return tool_run(&program, argc, argv);
}
