/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owners on machines of their own: a program gets the command on its standard input, and gives it
 * back signed. It may be anything; what is taken over are signatures under the very same statement.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/checks.h"
#include "common/child.h"
#include "common/file.h"
#include "pm-ctl/secrets.h"

extern char **environ;

/* A file in memory that is read from its beginning; -1 with errno. */
static int file_of(const char *text, size_t len)
{
	int fd = memfd_create("command", MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	if (write(fd, text, len) == (ssize_t)len && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	close(fd);
	return -1;
}

static int spawn(const char *program, int in, int out, pid_t *ret_child)
{
	char *words[] = {(char *)"sh", (char *)"-c", (char *)(uintptr_t)program, NULL};
	posix_spawn_file_actions_t actions;
	int error = posix_spawn_file_actions_init(&actions);

	if (error)
		return error;
	error = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (!error)
		error = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (!error)
		error = posix_spawn(ret_child, "/bin/sh", &actions, NULL, words, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return error;
}

/* All that it prints, of which no more than a command is kept. */
static size_t read_all(int fd, char *ret)
{
	size_t used = 0;
	ssize_t n;

	while ((n = read(fd, ret + used, PM_COMMAND_SIZE_MAX - used)) > 0 ||
		(n < 0 && errno == EINTR))
		used += n > 0 ? (size_t)n : 0;
	return used;
}

/* text has room for a command, and holds one: then what came back. */
static int run(const char *program, char *text, size_t *len)
{
	int in = file_of(text, *len), ends[2] = {-1, -1}, error = 0;
	pid_t child = -1;

	if (in < 0 || pipe2(ends, O_CLOEXEC))
		error = errno;
	if (!error)
		error = spawn(program, in, ends[1], &child);
	close(in);
	close(ends[1]);
	*len = error ? 0 : read_all(ends[0], text);
	close(ends[0]);
	if (!error)
		return tool_wait_for(child, program);
	warnx("%s: %s", program, strerror(error));
	return TOOL_USAGE;
}

static int take_over(const char *program, const char *text, size_t len, struct pm_command *command)
{
	struct pm_command *answer = NULL;
	int r = secrets_parse_command(program, text, len, &answer), error;

	if (r != TOOL_OK)
		return r;
	error = pm_command_merge(command, answer);
	if (error == PM_E_REJECTED)
		warnx("%s: it gave back another command", program);
	else if (error < 0)
		tool_print_error(program, error, NULL);
	pm_command_free(answer);
	return tool_exit_status(error);
}

int secrets_ask_signer(const char *program, struct pm_command *command)
{
	char *text = malloc(PM_COMMAND_SIZE_MAX);
	size_t len = 0;
	int error = text ? pm_command_text(command, text, &len) : PM_E_NOMEM, r = TOOL_USAGE;

	if (error < 0)
		tool_print_error(program, error, NULL);
	else
		r = run(program, text, &len);
	if (r == TOOL_OK)
		r = take_over(program, text, len, command);
	free(text);
	return r;
}
