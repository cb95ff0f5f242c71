/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-agent/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/whole_file.h"

static int failed(struct note *note, const char *path)
{
	return note_fail(note, PM_E_SYS, "", "%s: %s", path, strerror(errno));
}

/* --- reading --------------------------------------------------------------------------------- */

int file_read(const char *path, size_t max, struct note *note, uint8_t **ret, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *bytes = NULL;
	int r = fd < 0 ? PM_E_SYS : whole_file_read_fd(fd, max, &bytes, ret_len);

	if (r == PM_E_SYS)
		failed(note, path);
	else if (r == PM_E_LIMIT)
		note_fail(note, r, "", "%s: longer than %zu bytes", path, max);
	else if (r < 0)
		note_fail(note, r, "", "%s: out of memory", path);
	if (fd >= 0)
		close(fd);
	if (r == PM_OK)
		*ret = (uint8_t *)bytes;
	return r;
}

/* --- writing --------------------------------------------------------------------------------- */

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

static int write_temporary(
	int fd, const char *temporary, const char *path, const void *bytes, size_t len)
{
	int error = fchmod(fd, 0644) || write_all(fd, bytes, len) || fsync(fd) ? errno : 0;

	close(fd);
	if (!error && rename(temporary, path))
		error = errno;
	if (error)
		unlink(temporary);
	errno = error;
	return error ? -1 : 0;
}

int file_write(const char *path, const void *bytes, size_t len, struct note *note)
{
	char *temporary;
	int fd, r;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return note_fail(note, PM_E_NOMEM, "", "%s: out of memory", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	r = fd < 0 ? -1 : write_temporary(fd, temporary, path, bytes, len);
	free(temporary);
	return r ? failed(note, path) : PM_OK;
}

/* --- folders --------------------------------------------------------------------------------- */

int folder_begin(const char *path, struct note *note, char **ret_temporary)
{
	char *temporary;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return note_fail(note, PM_E_NOMEM, "", "%s: out of memory", path);
	if (!mkdtemp(temporary) || chmod(temporary, 0755)) {
		int r = failed(note, path);

		free(temporary);
		return r;
	}
	*ret_temporary = temporary;
	return PM_OK;
}

/* Where a folder is in the place already, the two change places, so that there is always one. */
int folder_put(const char *temporary, const char *path, struct note *note)
{
	if (!renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_EXCHANGE)) {
		folder_remove(temporary);
		return PM_OK;
	}
	if (errno == ENOENT && !rename(temporary, path))
		return PM_OK;
	return failed(note, path);
}

static bool is_empty(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	size_t count = 0;

	if (!dir)
		return errno == ENOENT;
	while ((e = readdir(dir)))
		count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(dir);
	return count == 0;
}

bool folder_is_ours(const char *path, const char *marker)
{
	char *file;
	bool has;

	if (asprintf(&file, "%s/%s", path, marker) < 0)
		return false;
	has = access(file, F_OK) == 0;
	free(file);
	return has || is_empty(path);
}

void folder_remove(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	if (!dir)
		return;
	while ((e = readdir(dir))) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			(void)unlinkat(dirfd(dir), e->d_name, 0);
	}
	closedir(dir);
	(void)rmdir(path);
}
