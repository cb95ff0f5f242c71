/* SPDX-License-Identifier: Apache-2.0 */
#include "common/usage.h"

#include <err.h>
#include <pm/error.h>
#include <string.h>

#include "common/file.h"

int tool_bad_option(const char *option, const char *value, const char *expected)
{
	warnx("--%s: found '%s', expected %s", option, value, expected);
	return TOOL_USAGE;
}

int tool_failed(int error)
{
	if (error)
		warnx("%s", pm_strerror(error));
	return error ? TOOL_USAGE : TOOL_OK;
}

bool tool_asks_for_help(int argc, char **argv)
{
	return argc == 2 && !strcmp(argv[1], "--help");
}
