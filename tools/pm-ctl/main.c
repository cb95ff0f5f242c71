/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include <pm/pm.h>

#include "common/file.h"
#include "pm-ctl/cmd.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} verbs[] = {
	{"collect", cmd_collect, "get an attestation report of this machine"},
};

#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

static void print_help(void)
{
	printf("Usage: pm-ctl VERB [OPTION]...\n"
	       "Operate machines of confidential computing.\n\n");
	for (size_t i = 0; i < VERB_COUNT; i++)
		printf("  %-10s %s\n", verbs[i].name, verbs[i].summary);
	printf("\n  --help     this text; pm-ctl VERB --help for a verb's\n"
	       "  --version  the version of libpm\n\n"
	       "Exit status: 0 done, 1 data rejected, 2 wrong usage or input and output.\n");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		warnx("a verb is missing; try --help");
		return TOOL_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_help();
		return TOOL_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("pm-ctl %s\n", pm_version());
		return TOOL_OK;
	}
	for (size_t i = 0; i < VERB_COUNT; i++) {
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	}
	warnx("unknown verb '%s'; try --help", argv[1]);
	return TOOL_USAGE;
}
