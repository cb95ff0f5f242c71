/* SPDX-License-Identifier: Apache-2.0 */
#include "common/usage.h"

#include <pm/error.h>
#include <string.h>

#include "common/file.h"
#include "common/wrong.h"

int tool_bad_option(const char *option, const char *value, const char *expected)
{
	return tool_wrong("--%s: found '%s', expected %s", option, value, expected);
}

int tool_failed(int error)
{
	return error ? tool_wrong("%s", pm_strerror(error)) : TOOL_OK;
}

bool tool_asks_for_help(int argc, char **argv)
{
	return argc == 2 && !strcmp(argv[1], "--help");
}
