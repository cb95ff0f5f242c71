/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <pm/pm.h>

#include "common/file.h"
#include "pm-disk/cmd.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} verbs[] = {
	{"build", cmd_build, "make an image of a folder, with its tree"},
	{"format", cmd_format, "write the tree of an image"},
	{"verify", cmd_verify, "compare each block with the root hash"},
	{"info", cmd_info, "show the superblock"},
	{"manifest-entry", cmd_entry, "print what a manifest says of a disk"},
};

#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

static void print_help(void)
{
	printf("Usage: pm-disk VERB [OPTION]...\n"
	       "Build, verify and describe disks protected by dm-verity.\n\n");
	for (size_t i = 0; i < VERB_COUNT; i++)
		printf("  %-15s %s\n", verbs[i].name, verbs[i].summary);
	printf("\n  --help          this text; pm-disk VERB --help for a verb's\n"
	       "  --version       the version of libpm\n\n"
	       "Exit status: 0 done, 1 data rejected, 2 wrong usage or input and output.\n");
}

int main(int argc, char **argv)
{
	(void)signal(SIGXFSZ, SIG_IGN); /* a file too large is an error like a full disk */
	if (argc < 2) {
		warnx("a verb is missing; try --help");
		return TOOL_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_help();
		return TOOL_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("pm-disk %s\n", pm_version());
		return TOOL_OK;
	}
	for (size_t i = 0; i < VERB_COUNT; i++) {
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	}
	warnx("unknown verb '%s'; try --help", argv[1]);
	return TOOL_USAGE;
}
