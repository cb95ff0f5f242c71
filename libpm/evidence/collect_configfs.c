/* SPDX-License-Identifier: Apache-2.0 */
/*
 * configfs-tsm (Linux Documentation/ABI/testing/configfs-tsm-report): a folder made for this one
 * question. The kernel counts writes in "generation": when it moved by more than ours, somebody
 * else wrote into our folder and the answer may be to another question.
 */
#include "evidence/collect_os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "crypto/crypto.h"

/* Tries at all, and the pause before the second one; it doubles each time. */
#define TRIES	 6
#define PAUSE_MS 50

/* Writes that one try makes: privlevel and inblob. */
#define WRITES 2

/* Room for a decimal number or a provider's name. */
#define TEXT_SIZE 64

#define FILE_SIZE (PM_COLLECT_PATH_SIZE + 64)

struct folder {
	const struct pm_collect_ask *ask;
	struct pm_report *report;
	char path[PM_COLLECT_PATH_SIZE + 32];
	/* Why the last try has to be repeated. */
	const char *busy;
};

static bool is_busy(int negative_errno)
{
	return negative_errno == -EBUSY || negative_errno == -EAGAIN ||
	       negative_errno == -ETXTBSY || negative_errno == -EINTR;
}

/* Ends a try that is worth repeating, silently: only the last one counts. */
static int busy(struct folder *f, const char *why)
{
	f->busy = why;
	return PM_E_STATE;
}

static int failed(struct folder *f, const char *file, int negative_errno)
{
	char path[FILE_SIZE];

	if (is_busy(negative_errno))
		return busy(f, "another process writes to it");
	snprintf(path, sizeof(path), "%s/%s", f->path, file);
	return pm_collect_fail(f->report, "collect.configfs", path, negative_errno);
}

static int file_open(struct folder *f, const char *file, int flags)
{
	const struct pm_collect_os *os = f->ask->os;
	char path[FILE_SIZE];

	snprintf(path, sizeof(path), "%s/%s", f->path, file);
	return os->open(os->arg, path, flags);
}

/* Reads up to cap bytes. A negative errno, or the number of bytes. */
static ssize_t file_read(struct folder *f, const char *file, uint8_t *buf, size_t cap)
{
	const struct pm_collect_os *os = f->ask->os;
	pm_cleanup(collect_fd) struct pm_collect_fd fd = {os, file_open(f, file, O_RDONLY)};
	size_t len = 0;
	ssize_t n = 1;

	if (fd.fd < 0)
		return fd.fd;
	while (n > 0 && len < cap) {
		n = os->read(os->arg, fd.fd, buf + len, cap - len);
		if (n < 0)
			return n;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

/* In one write: the kernel counts them. It takes over binary files when they are closed. */
static int file_write(struct folder *f, const char *file, struct pm_view bytes)
{
	const struct pm_collect_os *os = f->ask->os;
	int fd = file_open(f, file, O_WRONLY);
	ssize_t n;
	int r;

	if (fd < 0)
		return fd;
	n = os->write(os->arg, fd, bytes.ptr, bytes.len);
	r = os->close(os->arg, fd);
	if (n < 0)
		return (int)n;
	return (size_t)n == bytes.len ? r : -EIO;
}

/* Text of one line without its end. */
static ssize_t text_read(struct folder *f, const char *file, char *ret)
{
	ssize_t n = file_read(f, file, (uint8_t *)ret, TEXT_SIZE - 1);

	if (n < 0)
		return n;
	ret[n] = '\0';
	if (n && ret[n - 1] == '\n')
		ret[--n] = '\0';
	return n;
}

static int check_provider(struct folder *f)
{
	char name[TEXT_SIZE];
	ssize_t n = text_read(f, "provider", name);

	if (n < 0)
		return failed(f, "provider", (int)n);
	if (!pm_view_equal(pm_view(name, (size_t)n), pm_view("sev_guest", 9)))
		return pm_fail(f->report, PM_E_UNSUPPORTED, "collect.configfs.provider",
			"sev_guest", "%s", name);
	return PM_OK;
}

static int read_generation(struct folder *f, uint64_t *ret)
{
	char text[TEXT_SIZE];
	ssize_t n = text_read(f, "generation", text);
	char *end;

	if (n < 0)
		return failed(f, "generation", (int)n);
	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (errno || end == text || *end)
		return pm_fail(f->report, PM_E_FORMAT, "collect.configfs.generation", "a number",
			"%s", text);
	return PM_OK;
}

/* EINVAL means a level below that of this guest: a paravisor holds the levels above. */
static int refused_level(struct folder *f)
{
	char floor[TEXT_SIZE];

	if (text_read(f, "privlevel_floor", floor) <= 0)
		snprintf(floor, sizeof(floor), "unknown");
	return pm_fail(f->report, PM_E_UNSUPPORTED, "collect.configfs.privlevel",
		"at least privlevel_floor", "level %u, privlevel_floor %s", f->ask->vmpl, floor);
}

static int write_question(struct folder *f)
{
	char level[TEXT_SIZE];
	int n = snprintf(level, sizeof(level), "%u", f->ask->vmpl);
	int r = file_write(f, "privlevel", pm_view(level, (size_t)n));

	if (r == -EINVAL)
		return refused_level(f);
	if (r < 0)
		return failed(f, "privlevel", r);
	r = file_write(f, "inblob", pm_view(f->ask->report_data, PM_SNP_REPORT_DATA_SIZE));
	return r < 0 ? failed(f, "inblob", r) : PM_OK;
}

static int read_outblob(struct folder *f, struct pm_collected *ret)
{
	uint8_t bytes[PM_SNP_REPORT_SIZE + 1]; /* one more, to notice a longer one */
	ssize_t n = file_read(f, "outblob", bytes, sizeof(bytes));

	if (n < 0)
		return failed(f, "outblob", (int)n);
	if (n == 0)
		return busy(f, "outblob is empty");
	return pm_collected_set_report(ret, f->report, pm_view(bytes, (size_t)n));
}

static int read_auxblob(struct folder *f, struct pm_collected *ret)
{
	size_t cap = PM_COLLECT_TABLE_MAX + 1;
	pm_cleanup(free) uint8_t *bytes = pm_alloc(cap);
	ssize_t n;

	if (!bytes)
		return PM_E_NOMEM;
	n = file_read(f, "auxblob", bytes, cap);
	if (n == -ENOENT)
		n = 0;
	if (n < 0)
		return failed(f, "auxblob", (int)n);
	return pm_collected_set_table(ret, f->report, pm_view(bytes, (size_t)n));
}

/* PM_E_STATE when it is worth another try. */
static int try_once(struct folder *f, struct pm_collected *ret)
{
	uint64_t before, after;
	int r = check_provider(f);

	if (r == PM_OK)
		r = read_generation(f, &before);
	if (r == PM_OK)
		r = write_question(f);
	if (r == PM_OK)
		r = read_outblob(f, ret);
	if (r == PM_OK)
		r = read_auxblob(f, ret);
	if (r == PM_OK)
		r = read_generation(f, &after);
	if (r != PM_OK)
		return r;
	if (after - before != WRITES)
		return busy(f, "generation moved: another process writes to it");
	return PM_OK;
}

static int try_often(struct folder *f, struct pm_collected *ret)
{
	const struct pm_collect_os *os = f->ask->os;
	int r = try_once(f, ret);

	for (unsigned int i = 0; r == PM_E_STATE && i < TRIES - 1; i++) {
		os->sleep_ms(os->arg, PAUSE_MS << i);
		r = try_once(f, ret);
	}
	if (r == PM_E_STATE)
		return pm_fail(f->report, PM_E_STATE, "collect.configfs", "an answer", "%s: %s",
			f->path, f->busy);
	return r;
}

/* Of the processes that lack a right, one can still have the device: to them it is not there. */
static int no_folder(struct folder *f, int negative_errno)
{
	int r = pm_collect_fail(f->report, "collect.configfs", f->path, negative_errno);

	return negative_errno == -EACCES || negative_errno == -EPERM || negative_errno == -EROFS
		       ? PM_E_MISSING
		       : r;
}

/* A name that no other process has chosen. */
static int make_folder(struct folder *f)
{
	const struct pm_collect_os *os = f->ask->os;
	uint8_t random[8];
	int r = -EEXIST;

	for (int i = 0; r == -EEXIST && i < TRIES; i++) {
		pm_random(random, sizeof(random));
		snprintf(f->path, sizeof(f->path), "%s/libpm-%s", f->ask->configfs,
			pm_hex(random, sizeof(random)).s);
		r = os->mkdir(os->arg, f->path);
	}
	return r < 0 ? no_folder(f, r) : PM_OK;
}

int pm_collect_configfs(
	const struct pm_collect_ask *ask, struct pm_report *report, struct pm_collected *ret)
{
	struct folder f = {.ask = ask, .report = report};
	int r = make_folder(&f);
	int gone;

	if (r != PM_OK)
		return r;
	r = try_often(&f, ret);
	gone = ask->os->rmdir(ask->os->arg, f.path);
	if (gone < 0)
		pm_skip(report, "collect.configfs.rmdir", "%s: %s", f.path, pm_collect_errno(gone));
	/* Once the folder was made the source is there: what it lacks is a failure, no absence. */
	return r == PM_E_MISSING ? PM_E_SYS : r;
}
