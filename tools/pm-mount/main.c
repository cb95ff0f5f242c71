/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <pm/pm.h>

#include "common/checks.h"
#include "common/file.h"
#include "pm-mount/capabilities.h"
#include "pm-mount/manifest.h"
#include "pm-mount/options.h"
#include "pm-mount/status.h"

static const char help[] =
	"Usage: pm-mount --manifest FILE --model NAME --device DEV --target DIR [OPTION]...\n"
	"       pm-mount --umount --model NAME [--target DIR] [--status FILE]\n"
	"       pm-mount --check --model NAME [--manifest FILE] [--status FILE]\n"
	"Mount a model disk read-only, with each block verified against the manifest.\n"
	"\n"
	"  --manifest FILE        JSON; its entry of the model has root hash and layout\n"
	"  --model NAME           which model; the disk is then active as pm-NAME\n"
	"  --device DEV           the disk, or an image\n"
	"  --target DIR           an empty folder\n"
	"  --wait SECONDS         how long to wait for the device (default 0)\n"
	"  --status FILE          write what the kernel says of the disk, as JSON; - is standard "
	"output\n"
	"  --on-corruption WHAT   when a damaged block is read: fail the reader (default),\n"
	"                         panic, or restart the machine\n"
	"  --umount               undo a mount, and remove the status; without --target let go of\n"
	"                         a disk that is not mounted\n"
	"  --check                ask the kernel whether a damaged block was met, and with\n"
	"                         --manifest whether the disk is the one named there\n"
	"\n"
	"Exit status: 0 mounted or done, 1 disk or manifest rejected, 2 wrong usage or input and\n"
	"output.\n"
	"\n"
	"Examples:\n"
	"  pm-mount --manifest manifest.json --model llama --device /dev/vdb --target /model \\\n"
	"      --wait 60 --status /run/pm/llama.json\n"
	"  pm-mount --umount --model llama --target /model\n";

static int fail(const struct options *o, int error, const struct pm_report *report)
{
	tool_print_error(o->model, error, report);
	return tool_exit_status(error);
}

/* --- waiting --------------------------------------------------------------------------------- */

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static int is_there(const char *device)
{
	int fd = open(device, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno != ENOENT && errno != ENXIO && errno != ENOMEDIUM;
	close(fd);
	return 1;
}

/* A device may appear late: it is looked for ten times a second. */
static int wait_for(const struct options *o)
{
	const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
	time_t end = now() + (time_t)o->wait;

	while (!is_there(o->device)) {
		if (now() >= end) {
			warnx("%s: %s: no such device%s", o->model, o->device,
				o->wait ? " in time" : "");
			return TOOL_USAGE;
		}
		nanosleep(&pause, NULL);
	}
	return TOOL_OK;
}

/* From here on the disk is opened and mounted, or neither: nobody interrupts us in between. */
static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGPIPE);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* A status of old would tell of a disk that is not there. */
static int forget_status(const struct options *o)
{
	if (!o->status || !strcmp(o->status, "-") || !unlink(o->status) || errno == ENOENT)
		return TOOL_OK;
	warn("%s", o->status);
	return TOOL_USAGE;
}

/* --- actions --------------------------------------------------------------------------------- */

/* The status is the kernel's, asked when all is done. */
static int tell(const struct options *o, enum pm_filesystem filesystem, struct pm_report *report)
{
	struct pm_verity_status status;
	int r = pm_verity_status(o->name, report, &status);

	if (r != PM_OK)
		return fail(o, r, report);
	return status_write(o, &status, pm_filesystem_name(filesystem));
}

static int mount_open(const struct options *o, struct pm_report *report)
{
	enum pm_filesystem filesystem;
	int r = pm_verity_mount(o->name, o->target, report, &filesystem), told;

	if (r != PM_OK)
		return fail(o, r, report);
	told = tell(o, filesystem, report);
	if (told == TOOL_OK)
		return TOOL_OK;
	r = pm_verity_unmount(o->name, o->target, report);
	if (r != PM_OK)
		warnx("%s: stays mounted at %s", o->model, o->target);
	return told;
}

static int mount_disk(const struct options *o, struct pm_report *report)
{
	struct entry entry;
	int r = forget_status(o), done;

	if (r == TOOL_OK)
		r = manifest_read(o->manifest, o->model, &entry);
	if (r == TOOL_OK)
		r = wait_for(o);
	if (r != TOOL_OK)
		return r;
	block_signals();
	r = pm_verity_open(
		o->name, o->device, &entry.params, entry.root_hash, o->on_corruption, report);
	if (r != PM_OK)
		return fail(o, r, report);
	done = mount_open(o, report);
	if (done != TOOL_OK) {
		r = pm_verity_close(o->name, report);
		if (r != PM_OK)
			warnx("%s: stays active as %s", o->model, o->name);
		return done;
	}
	if (!o->status || strcmp(o->status, "-"))
		tool_print_checks(report);
	return TOOL_OK;
}

static int unmount_disk(const struct options *o, struct pm_report *report)
{
	int r = PM_OK;

	block_signals();
	if (o->target)
		r = pm_verity_unmount(o->name, o->target, report);
	if (r == PM_OK)
		r = pm_verity_close(o->name, report);
	return r == PM_OK ? forget_status(o) : fail(o, r, report);
}

static int check_entry(
	const struct options *o, const struct pm_verity_status *status, struct pm_report *report)
{
	struct entry entry;
	int r = manifest_read(o->manifest, o->model, &entry);

	if (r != TOOL_OK)
		return r;
	r = pm_verity_status_check(status, &entry.params, entry.root_hash, report);
	return r == PM_OK ? TOOL_OK : fail(o, r, report);
}

static int check_disk(const struct options *o, struct pm_report *report)
{
	struct pm_verity_status status;
	int r = pm_verity_status(o->name, report, &status);

	if (r != PM_OK)
		return fail(o, r, report);
	r = status_write(o, &status, NULL);
	if (r != TOOL_OK)
		return r;
	if (o->manifest)
		r = check_entry(o, &status, report);
	if (status.corrupted) {
		warnx("%s: the kernel has met a damaged block", o->model);
		return TOOL_REJECTED;
	}
	return r;
}

static int act(const struct options *o)
{
	struct pm_report *report = pm_report_new();
	int r;

	if (!report) {
		warnx("out of memory");
		return TOOL_USAGE;
	}
	if (o->action == ACTION_UMOUNT)
		r = unmount_disk(o, report);
	else if (o->action == ACTION_CHECK)
		r = check_disk(o, report);
	else
		r = mount_disk(o, report);
	pm_report_free(report);
	return r;
}

int main(int argc, char **argv)
{
	struct options o;
	int r = options_parse(argc, argv, &o);

	if (r != TOOL_OK)
		return r;
	if (o.action == ACTION_HELP) {
		fputs(help, stdout);
		return TOOL_OK;
	}
	if (o.action == ACTION_VERSION) {
		printf("pm-mount %s\n", pm_version());
		return TOOL_OK;
	}
	r = capabilities_drop();
	if (r == TOOL_OK)
		r = act(&o);
	return r;
}
