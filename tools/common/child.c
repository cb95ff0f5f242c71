/* SPDX-License-Identifier: Apache-2.0 */
#include "common/child.h"

#include <err.h>
#include <errno.h>
#include <sys/wait.h>

#include "common/file.h"

int tool_wait_for(pid_t child, const char *program)
{
	int status;

	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR) {
			warn("%s", program);
			return TOOL_USAGE;
		}
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return TOOL_OK;
	warnx("%s failed with status %d", program,
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return TOOL_USAGE;
}
