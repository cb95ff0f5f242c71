/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/collect_os.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int or_errno(int r)
{
	return r < 0 ? -errno : r;
}

static int os_open(void *arg, const char *path, int flags)
{
	(void)arg;
	return or_errno(open(path, flags | O_CLOEXEC | O_NOCTTY));
}

static int os_close(void *arg, int fd)
{
	(void)arg;
	return or_errno(close(fd));
}

static ssize_t os_read(void *arg, int fd, void *buf, size_t size)
{
	ssize_t n;

	(void)arg;
	do {
		n = read(fd, buf, size);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static ssize_t os_write(void *arg, int fd, const void *buf, size_t size)
{
	ssize_t n;

	(void)arg;
	do {
		n = write(fd, buf, size);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int os_ioctl(void *arg, int fd, unsigned long request, void *data)
{
	(void)arg;
	return or_errno(ioctl(fd, request, data));
}

static int os_mkdir(void *arg, const char *path)
{
	(void)arg;
	return or_errno(mkdir(path, 0700));
}

static int os_rmdir(void *arg, const char *path)
{
	(void)arg;
	return or_errno(rmdir(path));
}

static int os_connect(void *arg, const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	size_t n = strlen(path);
	int fd, r;

	(void)arg;
	if (n >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	pm_copy(addr.sun_path, path, n);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = or_errno(connect(fd, (const struct sockaddr *)&addr, sizeof(addr)));
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

static int os_poll(void *arg, int fd, short events, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = events};

	(void)arg;
	return or_errno(poll(&p, 1, timeout_ms));
}

static ssize_t os_send(void *arg, int fd, const void *buf, size_t size)
{
	ssize_t n;

	(void)arg;
	do {
		n = send(fd, buf, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int64_t os_now_ms(void *arg)
{
	struct timespec t;

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void os_sleep_ms(void *arg, unsigned int ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	(void)arg;
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR)
		;
}

const struct pm_collect_os pm_collect_os_real = {
	.open = os_open,
	.close = os_close,
	.read = os_read,
	.write = os_write,
	.ioctl = os_ioctl,
	.mkdir = os_mkdir,
	.rmdir = os_rmdir,
	.connect = os_connect,
	.poll = os_poll,
	.send = os_send,
	.now_ms = os_now_ms,
	.sleep_ms = os_sleep_ms,
};

void pm_collect_fd_close(struct pm_collect_fd *f)
{
	if (f->fd >= 0)
		(void)f->os->close(f->os->arg, f->fd);
	f->fd = -1;
}

const char *pm_collect_errno(int negative_errno)
{
	const char *text = strerrordesc_np(-negative_errno);

	return text ? text : "unknown error of the system";
}

/* The errors by which Linux says that a facility is not there at all. */
static bool is_absent(int negative_errno)
{
	return negative_errno == -ENOENT || negative_errno == -ENOTDIR ||
	       negative_errno == -ENXIO || negative_errno == -ENODEV;
}

int pm_collect_fail(
	struct pm_report *report, const char *name, const char *path, int negative_errno)
{
	int error = PM_E_SYS;

	if (is_absent(negative_errno))
		error = PM_E_MISSING;
	if (negative_errno == -ENOMEM)
		error = PM_E_NOMEM;
	return pm_fail(report, error, name, "", "%s: %s", path, pm_collect_errno(negative_errno));
}
