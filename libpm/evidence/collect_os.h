/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the collector asks of the operating system, as a table of functions: the kernel's interfaces
 * have states and errors that no plain folder shows, so the tests put a model of them behind it.
 */
#ifndef PM_EVIDENCE_COLLECT_OS_H
#define PM_EVIDENCE_COLLECT_OS_H

#include <sys/types.h>

#include <pm/collect.h>
#include "base/mem.h"
#include "base/report.h"

/* Each function returns a negative errno on failure, and gets arg first. */
struct pm_collect_os {
	void *arg;
	/* O_RDONLY, O_WRONLY or O_RDWR; O_CLOEXEC is added. */
	int (*open)(void *arg, const char *path, int flags);
	int (*close)(void *arg, int fd);
	ssize_t (*read)(void *arg, int fd, void *buf, size_t size);
	ssize_t (*write)(void *arg, int fd, const void *buf, size_t size);
	int (*ioctl)(void *arg, int fd, unsigned long request, void *data);
	int (*mkdir)(void *arg, const char *path);
	int (*rmdir)(void *arg, const char *path);
	/* A non-blocking stream connection to a Unix socket. */
	int (*connect)(void *arg, const char *path);
	/* As poll() on one descriptor: above 0 when ready, 0 when timeout_ms have passed. */
	int (*poll)(void *arg, int fd, short events, int timeout_ms);
	/* Without SIGPIPE, and without waiting. */
	ssize_t (*send)(void *arg, int fd, const void *buf, size_t size);
	/* Milliseconds of a clock that only goes forward. */
	int64_t (*now_ms)(void *arg);
	void (*sleep_ms)(void *arg, unsigned int ms);
};

extern const struct pm_collect_os pm_collect_os_real;

/* What one backend gets: options with the defaults filled in. */
struct pm_collect_ask {
	const struct pm_collect_os *os;
	const uint8_t *report_data;
	uint32_t vmpl;
	const char *configfs;
	const char *device;
	const char *socket;
	uint32_t timeout_ms;
};

struct pm_collected {
	uint8_t bytes[PM_SNP_REPORT_SIZE];
	uint8_t *table;
	size_t table_size;
	int source;
};

PM_OWNER(pm_collected, pm_collected_free);

/* Each returns PM_E_MISSING, having noted why, when this machine lacks the source altogether. */
int pm_collect_configfs(const struct pm_collect_ask *ask, struct pm_report *report,
	struct pm_collected *ret) PM_MUST_USE;
int pm_collect_device(const struct pm_collect_ask *ask, struct pm_report *report,
	struct pm_collected *ret) PM_MUST_USE;
int pm_collect_attester(const struct pm_collect_ask *ask, struct pm_report *report,
	struct pm_collected *ret) PM_MUST_USE;

/* pm_collect_snp() over another table. */
int pm_collect_snp_with(const struct pm_collect_os *os, const uint8_t *report_data,
	const struct pm_collect_options *options, struct pm_report *report,
	struct pm_collected **ret_collected) PM_MUST_USE;

/* Copies the report, which must have the right size. PM_E_FORMAT. */
int pm_collected_set_report(
	struct pm_collected *c, struct pm_report *report, struct pm_view bytes) PM_MUST_USE;

/* Copies the table. PM_E_LIMIT, PM_E_NOMEM. */
int pm_collected_set_table(
	struct pm_collected *c, struct pm_report *report, struct pm_view bytes) PM_MUST_USE;

/* "No such file or directory" and the like, for messages; thread safe. */
const char *pm_collect_errno(int negative_errno);

/*
 * Ends the use of a source for a failed call: PM_E_SYS with name, the object and the system's
 * reason; PM_E_MISSING, PM_E_UNSUPPORTED or PM_E_NOMEM where errno says so.
 */
int pm_collect_fail(
	struct pm_report *report, const char *name, const char *path, int negative_errno);

/* A descriptor that closes itself: pm_cleanup(collect_fd) struct pm_collect_fd f = {os, fd}; */
struct pm_collect_fd {
	const struct pm_collect_os *os;
	int fd;
};

void pm_collect_fd_close(struct pm_collect_fd *f);

static inline void pm_cleanup_collect_fd(struct pm_collect_fd *f)
{
	pm_collect_fd_close(f);
}

#endif
