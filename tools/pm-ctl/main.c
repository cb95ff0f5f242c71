/* SPDX-License-Identifier: Apache-2.0 */
#include "common/verbs.h"
#include "pm-ctl/cmd.h"

static const struct tool_verb verbs[] = {
	{"collect", cmd_collect, "get an attestation report of this machine"},
	{"field", cmd_field, "open or seal one encrypted field of a request or response"},
	{"history", cmd_history, "keep the signed history of manifests"},
	{"key", cmd_key, "make and show keys of owners and coordinators"},
	{"log", cmd_log, "verify an audit log"},
	{"manifest", cmd_manifest, "make, check, sign and compare manifests"},
	{"sealed", cmd_sealed, "show the frames of a sealed request or response"},
	{"shard-key", cmd_shard_key, "print the shard key of a prompt"},
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
