/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "common/verbs.h"
#include "pm-disk/cmd.h"

static const struct tool_verb verbs[] = {
	{"build", cmd_build, "make an image of a folder, with its tree"},
	{"format", cmd_format, "write the tree of an image"},
	{"verify", cmd_verify, "compare each block with the root hash"},
	{"info", cmd_info, "show the superblock"},
	{"manifest-entry", cmd_entry, "print what a manifest says of a disk"},
	{0},
};

static const struct tool_program program = {
	.name = "pm-disk",
	.summary = "Build, verify and describe disks protected by dm-verity.",
	.yes = "done",
	.verbs = verbs,
};

int main(int argc, char **argv)
{
	(void)signal(SIGXFSZ, SIG_IGN); /* a file too large is an error like a full disk */
	return tool_run(&program, argc, argv);
}
