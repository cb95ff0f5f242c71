/* SPDX-License-Identifier: Apache-2.0 */
#include "net/disk_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pm/text.h>

#include "crypto/crypto.h"

#define TEMPORARY_SIZE 40

/* Clean-up keeps errno: it belongs to the call that failed before. */
static inline void pm_cleanup_fd(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	errno = saved;
}

static bool is_name(const char *name)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	size_t len = strlen(name);

	return len > 0 && len <= PM_DISK_CACHE_NAME_MAX && strspn(name, allowed) == len;
}

static int checksum(const char *name, struct pm_view bytes, uint8_t *ret)
{
	const struct pm_view parts[] = {pm_view(name, strlen(name) + 1), bytes};

	return pm_hash_parts(PM_SHA256, parts, PM_ARRAY_LEN(parts), ret);
}

/* --- reading --------------------------------------------------------------------------------- */

static bool read_all(int fd, uint8_t *to, size_t n)
{
	while (n) {
		ssize_t got = read(fd, to, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		to += got;
		n -= (size_t)got;
	}
	return true;
}

/* O_NONBLOCK: whoever puts a named pipe there shall not make us wait. */
static int open_entry(const char *folder, const char *name)
{
	pm_cleanup(fd) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return -1;
	return openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/* Size of the bytes, without the checksum; false for what can't be an entry. */
static bool measure(int fd, size_t max, size_t *ret_len, int64_t *ret_stored)
{
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return false;
	if (st.st_size <= PM_SHA256_SIZE || (uintmax_t)st.st_size - PM_SHA256_SIZE > max)
		return false;
	*ret_len = (size_t)st.st_size - PM_SHA256_SIZE;
	*ret_stored = st.st_mtime;
	return true;
}

int pm_disk_cache_read(const char *folder, const char *name, size_t max, uint8_t **ret,
	size_t *ret_len, int64_t *ret_stored)
{
	pm_cleanup(free) uint8_t *bytes = NULL;
	pm_cleanup(fd) int fd = -1;
	uint8_t sum[PM_SHA256_SIZE];
	int64_t stored;
	size_t len;
	int r;

	if (!is_name(name))
		return PM_E_ARG;
	fd = open_entry(folder, name);
	if (fd < 0 || !measure(fd, max, &len, &stored))
		return PM_E_MISSING;
	bytes = pm_alloc(len + sizeof(sum));
	if (!bytes)
		return PM_E_NOMEM;
	if (!read_all(fd, bytes, len + sizeof(sum)))
		return PM_E_MISSING;
	r = checksum(name, pm_view(bytes, len), sum);
	if (r < 0)
		return r;
	if (!pm_ct_equal(sum, bytes + len, sizeof(sum)))
		return PM_E_MISSING;
	*ret = pm_steal(bytes);
	*ret_len = len;
	*ret_stored = stored;
	return PM_OK;
}

/* --- writing --------------------------------------------------------------------------------- */

static bool write_all(int fd, struct pm_view bytes)
{
	while (bytes.len) {
		ssize_t put = write(fd, bytes.ptr, bytes.len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		bytes = pm_view(bytes.ptr + put, bytes.len - (size_t)put);
	}
	return true;
}

static bool make_folder(const char *path)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST || errno == EISDIR;
}

/* The folder and its missing parents. */
static bool make_folders(const char *path)
{
	pm_cleanup(free) char *copy = strdup(path);

	if (!copy)
		return false;
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		/* A parent that exists may be one in which we can't make folders. */
		if (!make_folder(copy) && access(copy, F_OK))
			return false;
		*slash = '/';
	}
	return make_folder(copy);
}

/* The folder, made where it is missing; or -1. */
static int open_folder(const char *path)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir >= 0 || errno != ENOENT || !path[0] || !make_folders(path))
		return dir;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A new file under a name that nobody else uses; or -1. */
static int make_temporary(int dir, char *ret_name)
{
	uint8_t random[16];
	char hex[2 * sizeof(random) + 1];

	pm_random(random, sizeof(random));
	pm_hex_encode(random, sizeof(random), hex);
	snprintf(ret_name, TEMPORARY_SIZE, ".tmp-%s", hex);
	return openat(dir, ret_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
}

/* On disk before it has its name: after a crash there is the old entry or the new one. */
static bool write_file(int dir, const char *temporary, int fd, const char *name,
	struct pm_view bytes, struct pm_view sum)
{
	return write_all(fd, bytes) && write_all(fd, sum) && fsync(fd) == 0 &&
	       renameat(dir, temporary, dir, name) == 0;
}

int pm_disk_cache_write(const char *folder, const char *name, struct pm_view bytes)
{
	pm_cleanup(fd) int dir = -1, fd = -1;
	uint8_t sum[PM_SHA256_SIZE];
	char temporary[TEMPORARY_SIZE];
	int r, saved;

	if (!is_name(name))
		return PM_E_ARG;
	r = checksum(name, bytes, sum);
	if (r < 0)
		return r;
	dir = open_folder(folder);
	if (dir < 0)
		return PM_E_SYS;
	fd = make_temporary(dir, temporary);
	if (fd < 0)
		return PM_E_SYS;
	if (!write_file(dir, temporary, fd, name, bytes, pm_view(sum, sizeof(sum)))) {
		saved = errno;
		(void)unlinkat(dir, temporary, 0);
		errno = saved;
		return PM_E_SYS;
	}
	(void)fsync(
		dir); /* the name; without it the entry may be missing after a crash, no worse */
	return PM_OK;
}
