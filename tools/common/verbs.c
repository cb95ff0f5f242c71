/* SPDX-License-Identifier: Apache-2.0 */
#include "common/verbs.h"

#include <stdio.h>
#include <string.h>

#include <pm/api.h>

#include "common/file.h"
#include "common/wrong.h"

static void print_help(const struct tool_program *p)
{
	printf("Usage: %s VERB [OPTION]...\n%s\n\n", p->name, p->summary);
	for (const struct tool_verb *v = p->verbs; v->name; v++)
		printf("  %-15s %s\n", v->name, v->summary);
	printf("\n  --help          this text; %s VERB --help for a verb's\n"
	       "  --version       the version of libpm\n\n"
	       "Exit status: 0 %s, 1 rejected, 2 wrong usage or input and output.\n",
		p->name, p->yes);
}

int tool_run(const struct tool_program *program, int argc, char **argv)
{
	if (argc < 2)
		return tool_wrong("a verb is missing; try --help");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_help(program);
		return TOOL_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("%s %s\n", program->name, pm_version());
		return TOOL_OK;
	}
	for (const struct tool_verb *v = program->verbs; v->name; v++) {
		if (!strcmp(argv[1], v->name))
			return v->run(argc - 1, argv + 1);
	}
	return tool_wrong("unknown verb '%s'; try --help", argv[1]);
}
