/* SPDX-License-Identifier: Apache-2.0 */
#include "common/wrong.h"

#include <err.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <pm/error.h>

#include "common/checks.h"
#include "common/file.h"

/* Longest message; a longer one is cut. */
#define TEXT_SIZE 512

/* What the command line is, for as long as the program runs. */
static bool wants_json;

/* "--json", or as much of it as getopt_long() takes for it; never what follows "--". */
void tool_wrong_json(int argc, char **argv)
{
	wants_json = false;
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		size_t n = strlen(argv[i]);

		wants_json |= n > 2 && n <= 6 && !strncmp(argv[i], "--json", n);
	}
}

bool tool_wants_json(void)
{
	return wants_json;
}

static int say(const char *file, const char *format, va_list args)
{
	char text[TEXT_SIZE];

	vsnprintf(text, sizeof(text), format, args);
	warnx("%s%s%s", file ? file : "", file ? ": " : "", text);
	if (wants_json)
		tool_print_object(file, PM_E_ARG, text);
	return TOOL_USAGE;
}

int tool_wrong(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(NULL, format, args);
	va_end(args);
	return TOOL_USAGE;
}

int tool_wrong_file(const char *file, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(file, format, args);
	va_end(args);
	return TOOL_USAGE;
}

int tool_getopt(int argc, char **argv, const struct option *options)
{
	int opt;

	opterr = 0;
	opt = getopt_long(argc, argv, ":", options, NULL);
	if (opt == ':')
		tool_wrong("option '%s' requires an argument", argv[optind - 1]);
	else if (opt == '?' && optopt > UCHAR_MAX) /* the number of one that it knows */
		tool_wrong("option '%.*s' allows no argument", (int)strcspn(argv[optind - 1], "="),
			argv[optind - 1]);
	else if (opt == '?' && optopt)
		tool_wrong("unrecognized option '-%c'", optopt);
	else if (opt == '?')
		tool_wrong("unrecognized or ambiguous option '%s'", argv[optind - 1]);
	return opt == ':' ? '?' : opt;
}
