/* SPDX-License-Identifier: Apache-2.0 */
#include "common/file.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads fd to its end, into memory that grows with what is there, up to max + 1 bytes. */
static int read_all(int fd, const char *path, size_t max, uint8_t **ret, size_t *ret_len)
{
	size_t len = 0, cap = 0;
	uint8_t *bytes = NULL, *grown;
	ssize_t n;

	do {
		if (len == cap) {
			cap = cap ? 2 * cap : 4096;
			cap = cap > max ? max + 1 : cap;
			grown = realloc(bytes, cap);
			if (!grown) {
				free(bytes);
				warnx("%s: out of memory", path);
				return TOOL_USAGE;
			}
			bytes = grown;
		}
		n = read(fd, bytes + len, cap - len);
		len += n > 0 ? (size_t)n : 0;
	} while ((n > 0 && len <= max) || (n < 0 && errno == EINTR));
	*ret = bytes;
	*ret_len = len;
	if (n < 0)
		warn("%s", path);
	return n < 0 ? TOOL_USAGE : TOOL_OK;
}

static void close_keeping_errno(int fd)
{
	int error = errno;

	close(fd);
	errno = error;
}

int tool_read_file(const char *path, size_t max, uint8_t **ret, size_t *ret_len)
{
	int is_stdin = !strcmp(path, "-"), r;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);

	*ret = NULL;
	if (fd < 0) {
		warn("%s", path);
		return TOOL_USAGE;
	}
	r = read_all(fd, path, max, ret, ret_len);
	if (!is_stdin)
		close_keeping_errno(fd);
	if (r == TOOL_OK && *ret_len > max) {
		warnx("%s: longer than %zu bytes, the most that is read", path, max);
		r = TOOL_REJECTED;
	}
	if (r != TOOL_OK) {
		free(*ret);
		*ret = NULL;
	}
	return r;
}

static int write_all(int fd, const uint8_t *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

/*
 * fsync of the folder, so that the rename survives a crash; best effort, the file itself is
 * whole.
 */
static void sync_folder(const char *path)
{
	char *copy = strdup(path), *slash;
	int fd;

	if (!copy)
		return;
	slash = strrchr(copy, '/');
	if (slash)
		slash[slash == copy] = '\0';
	fd = open(slash ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
	free(copy);
}

static int write_temporary(int fd, const char *temporary, const char *path, const void *bytes,
	size_t len, unsigned int mode)
{
	int failed = fchmod(fd, mode) || write_all(fd, bytes, len) || fsync(fd);

	failed |= close(fd);
	return failed || rename(temporary, path);
}

/* A device or pipe: who is root would replace it by a file. */
static bool is_special(const char *path)
{
	struct stat st;

	return !stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static int write_to(const char *path, int fd, const void *bytes, size_t len)
{
	int failed = fd < 0 || write_all(fd, bytes, len);

	if (failed)
		warn("%s", path);
	if (fd > STDERR_FILENO)
		close(fd);
	return failed ? TOOL_USAGE : TOOL_OK;
}

int tool_write_file(const char *path, const void *bytes, size_t len, unsigned int mode)
{
	char *temporary = NULL;
	int fd, failed;

	if (!strcmp(path, "-"))
		return write_to("standard output", STDOUT_FILENO, bytes, len);
	if (is_special(path))
		return write_to(path, open(path, O_WRONLY | O_CLOEXEC), bytes, len);
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
		warnx("%s: out of memory", path);
		return TOOL_USAGE;
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	failed = fd < 0 || write_temporary(fd, temporary, path, bytes, len, mode);
	if (failed)
		warn("%s", path);
	if (failed && fd >= 0)
		unlink(temporary);
	else if (!failed)
		sync_folder(path);
	free(temporary);
	return failed ? TOOL_USAGE : TOOL_OK;
}
