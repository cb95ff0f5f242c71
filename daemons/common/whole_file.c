/* SPDX-License-Identifier: Apache-2.0 */
#include "common/whole_file.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pm/error.h>

/* Reads to the end, or until size bytes are there. Bytes read, or -1. */
static ssize_t read_all(int fd, char *to, size_t size, size_t *ret_len)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, to + len, size - len);
		len += n > 0 ? (size_t)n : 0;
	} while ((n > 0 && len < size) || (n < 0 && errno == EINTR));
	*ret_len = len;
	return n;
}

int whole_file_read_fd(int fd, size_t max, char **ret, size_t *ret_len)
{
	char *bytes = malloc(max + 2); /* one byte more tells that it is longer; then a NUL */
	size_t len;
	ssize_t n;

	if (!bytes)
		return PM_E_NOMEM;
	n = read_all(fd, bytes, max + 1, &len);
	if (n >= 0 && len <= max) {
		bytes[len] = '\0';
		*ret = bytes;
		*ret_len = len;
		return PM_OK;
	}
	explicit_bzero(bytes, len); /* it may have begun as a secret */
	free(bytes);
	return n < 0 ? PM_E_SYS : PM_E_LIMIT;
}

static int say(const char *path, int error, size_t max)
{
	if (error == PM_E_LIMIT)
		warnx("%s: longer than %zu bytes", path, max);
	else if (error == PM_E_SYS)
		warn("%s", path);
	else
		warnx("%s: %s", path, error == PM_E_NOMEM ? "out of memory" : "empty");
	return 2;
}

int whole_file_read(const char *path, size_t max, char **ret, size_t *ret_len)
{
	char *bytes = NULL;
	size_t len = 0;
	int fd, r;

	if (!path)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	r = fd < 0 ? PM_E_SYS : whole_file_read_fd(fd, max, &bytes, &len);
	if (r == PM_OK && !len)
		r = PM_E_FORMAT;
	if (r < 0)
		say(path, r, max); /* before close(), which may change errno */
	if (fd >= 0)
		close(fd);
	if (r == PM_OK) {
		*ret = bytes;
		*ret_len = len;
		return 0;
	}
	free(bytes);
	return 2;
}
