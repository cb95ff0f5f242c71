/* SPDX-License-Identifier: Apache-2.0 */
#include "common/mesh_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pm/error.h>

#define PREFIX	   "set-"
#define LINK	   "current"
#define LINK_NEW   "current.new"
#define PATH_SIZE  4096
#define FILES	   4
#define FILE_RIGHT 0600

static const char *const names[FILES] = {"cert.pem", "key.pem", "both.pem", "ca.pem"};

static int write_all(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR)
			return -1;
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* second: "" for none. On the disk before it is named: after a crash it is whole or gone. */
static int write_file(int folder, const char *name, const char *first, const char *second)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_RIGHT);
	int r;

	if (fd < 0)
		return -1;
	r = write_all(fd, first);
	if (r == 0)
		r = write_all(fd, second);
	if (r == 0)
		r = fsync(fd);
	return close(fd) == 0 ? r : -1;
}

static int write_set(const char *path, const struct mesh_identity *id)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -1;
	r = write_file(fd, names[0], id->cert, "");
	if (r == 0)
		r = write_file(fd, names[1], id->key, "");
	if (r == 0)
		r = write_file(fd, names[2], id->cert, id->key);
	if (r == 0)
		r = write_file(fd, names[3], id->ca, "");
	close(fd);
	return r;
}

static void remove_set(int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	for (size_t i = 0; fd >= 0 && i < FILES; i++)
		(void)unlinkat(fd, names[i], 0);
	if (fd >= 0)
		close(fd);
	(void)unlinkat(folder, name, AT_REMOVEDIR);
}

/* Also those of a process that died before it could. */
static void remove_others(int folder, const char *kept)
{
	DIR *dir = fdopendir(dup(folder));
	const struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (!strncmp(e->d_name, PREFIX, strlen(PREFIX)) && strcmp(e->d_name, kept) != 0)
			remove_set(folder, e->d_name);
	if (dir)
		closedir(dir);
}

static int put_link(int folder, const char *name)
{
	(void)unlinkat(folder, LINK_NEW, 0);
	if (symlinkat(name, folder, LINK_NEW) < 0 || renameat(folder, LINK_NEW, folder, LINK) < 0)
		return -1;
	return fsync(folder);
}

int mesh_files_write(const char *folder, const struct mesh_identity *identity)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char path[PATH_SIZE];
	const char *name;
	int r;

	if (fd < 0)
		return PM_E_SYS;
	r = snprintf(path, sizeof(path), "%s/" PREFIX "XXXXXX", folder);
	if (r >= PATH_SIZE || !mkdtemp(path)) {
		close(fd);
		return PM_E_SYS;
	}
	name = strrchr(path, '/') + 1;
	r = write_set(path, identity);
	if (r == 0)
		r = put_link(fd, name);
	if (r == 0)
		remove_others(fd, name);
	else
		remove_set(fd, name);
	close(fd);
	return r == 0 ? PM_OK : PM_E_SYS;
}
