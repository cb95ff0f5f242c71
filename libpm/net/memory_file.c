/* SPDX-License-Identifier: Apache-2.0 */
#include <pm/memory_file.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/report.h"

#define NAME "memory.file"

struct pm_memory_file {
	int lock;
	bool has_memory;
	struct pm_memory memory;
	char *path;
};

PM_OWNER(pm_memory_file, pm_memory_file_close);

static inline void pm_cleanup_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static int fail_errno(const char *path, struct pm_report *report)
{
	int saved = errno;

	return pm_fail(report, PM_E_SYS, NAME, "", "%s: %s", path, strerrordesc_np(saved));
}

static int out_of_memory(char **ret)
{
	*ret = NULL;
	return PM_E_NOMEM;
}

/* path with something behind it. */
static int beside(const char *path, const char *suffix, char **ret)
{
	return asprintf(ret, "%s%s", path, suffix) < 0 ? out_of_memory(ret) : PM_OK;
}

/* The lock goes with the descriptor, also when the process ends. */
static int lock(const char *path, struct pm_report *report, int *ret_fd)
{
	pm_cleanup(free) char *name = NULL;
	pm_cleanup(fd) int fd = -1;
	int r = beside(path, ".lock", &name);

	if (r < 0)
		return r;
	fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_errno(name, report);
	do
		r = flock(fd, LOCK_EX);
	while (r && errno == EINTR);
	if (r)
		return fail_errno(name, report);
	*ret_fd = fd;
	fd = -1;
	return PM_OK;
}

/* --- reading --------------------------------------------------------------------------------- */

/* One byte more than is allowed, so that a longer file is seen. */
static ssize_t read_all(int fd, uint8_t *bytes, size_t max)
{
	size_t len = 0;
	ssize_t n = 1;

	while (n && len < max) {
		n = read(fd, bytes + len, max - len);
		if (n < 0 && errno != EINTR)
			return -1;
		len += n > 0 ? (size_t)n : 0;
		n = n < 0 ? 1 : n;
	}
	return (ssize_t)len;
}

static int read_memory(struct pm_memory_file *file, struct pm_report *report)
{
	uint8_t bytes[PM_MEMORY_SIZE_MAX + 1];
	pm_cleanup(fd) int fd = open(file->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t n;
	int r;

	if (fd < 0)
		return errno == ENOENT ? PM_OK : fail_errno(file->path, report);
	n = read_all(fd, bytes, sizeof(bytes));
	if (n < 0)
		return fail_errno(file->path, report);
	r = pm_memory_parse(bytes, (size_t)n, report, &file->memory);
	file->has_memory = r == PM_OK;
	return r;
}

int pm_memory_file_open(
	const char *path, struct pm_report *report, struct pm_memory_file **ret_file)
{
	pm_cleanup(pm_memory_file) struct pm_memory_file *file = pm_alloc(sizeof(*file));
	int r;

	if (!file)
		return PM_E_NOMEM;
	file->lock = -1;
	r = beside(path, "", &file->path);
	if (r == PM_OK)
		r = lock(path, report, &file->lock);
	if (r == PM_OK)
		r = read_memory(file, report);
	if (r < 0)
		return r;
	*ret_file = pm_steal(file);
	return PM_OK;
}

const struct pm_memory *pm_memory_file_get(const struct pm_memory_file *file)
{
	return file->has_memory ? &file->memory : NULL;
}

void pm_memory_file_close(struct pm_memory_file *file)
{
	if (!file)
		return;
	if (file->lock >= 0)
		(void)close(file->lock);
	free(file->path);
	free(file);
}

/* --- writing --------------------------------------------------------------------------------- */

static bool write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

/* The name, too, is on the disk before anybody relies on it: else a crash could be a rollback. */
static bool sync_folder(const char *path)
{
	pm_cleanup(free) char *copy = strdup(path);
	pm_cleanup(fd) int fd = -1;

	if (!copy)
		return false;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && fsync(fd) == 0;
}

static bool replace(const char *path, char *temporary, const char *text, size_t len)
{
	pm_cleanup(fd) int fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
	int saved;

	if (fd < 0)
		return false;
	if (write_all(fd, text, len) && fsync(fd) == 0 && rename(temporary, path) == 0)
		return sync_folder(path);
	saved = errno;
	(void)unlink(temporary);
	errno = saved;
	return false;
}

static bool is_same(const struct pm_memory *a, const struct pm_memory *b)
{
	return a->serial == b->serial && a->has_link == b->has_link &&
	       pm_ct_equal(a->manifest, b->manifest, sizeof(a->manifest)) &&
	       (!a->has_link || pm_ct_equal(a->link, b->link, sizeof(a->link)));
}

int pm_memory_file_put(
	struct pm_memory_file *file, const struct pm_memory *memory, struct pm_report *report)
{
	pm_cleanup(free) char *temporary = NULL;
	char text[PM_MEMORY_SIZE_MAX];
	size_t len = 0;
	int r;

	if (file->has_memory && memory->serial < file->memory.serial)
		return PM_E_ARG;
	if (file->has_memory && is_same(&file->memory, memory))
		return PM_OK;
	r = pm_memory_text(memory, text, &len);
	if (r == PM_OK)
		r = beside(file->path, ".XXXXXX", &temporary);
	if (r < 0)
		return r;
	if (!replace(file->path, temporary, text, len))
		return fail_errno(file->path, report);
	file->memory = *memory;
	file->has_memory = true;
	return PM_OK;
}
