/* SPDX-License-Identifier: Apache-2.0 */
#include "common/verbs.h"
#include "pm-ctl/cmd.h"

static const struct tool_verb verbs[] = {
	{"collect", cmd_collect, "get an attestation report of this machine"},
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
