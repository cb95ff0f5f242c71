/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts through the file descriptors of fsopen(2) and its family: the target is opened, looked at
 * and mounted upon as one object, so nobody can put another in its place in between, and the kernel
 * says in words why it refuses a file system.
 */
#include "verity/mount.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/rd.h"

#define MESSAGE_SIZE 160

static const struct {
	enum pm_filesystem id;
	const char *name;
} filesystems[] = {
	{PM_FILESYSTEM_EROFS, "erofs"},
	{PM_FILESYSTEM_EXT4, "ext4"},
	{PM_FILESYSTEM_SQUASHFS, "squashfs"},
};

const char *pm_filesystem_name(enum pm_filesystem filesystem)
{
	for (size_t i = 0; i < PM_ARRAY_LEN(filesystems); i++) {
		if (filesystems[i].id == filesystem)
			return filesystems[i].name;
	}
	return "unknown";
}

const char *pm_verity_errno(int error)
{
	const char *text = strerrordesc_np(error);

	return text ? text : "unknown error";
}

int pm_verity_check_name(
	struct pm_report *report, const char *name, struct pm_verity_node *ret_node)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strlen(name);

	if (!len || len > PM_VERITY_NAME_MAX || strspn(name, letters) != len ||
		strchr("._-", name[0]))
		return pm_fail(report, PM_E_ARG, "name",
			"at most 100 letters, digits and ._-, the first no punctuation", "%s",
			name);
	snprintf(ret_node->path, sizeof(ret_node->path), PM_VERITY_NODES "%s", name);
	return PM_OK;
}

/* --- the kind of the file system ------------------------------------------------------------- */

/* Linux Documentation/filesystems: erofs.rst, ext4/super.rst, squashfs.rst. */
enum pm_filesystem pm_filesystem_of(struct pm_view first)
{
	struct pm_rd rd = pm_rd(first);
	uint32_t at_0 = pm_rd_le32(&rd), at_1024;
	uint16_t at_1080;

	pm_rd_skip(&rd, 1020);
	at_1024 = pm_rd_le32(&rd);
	pm_rd_skip(&rd, 52);
	at_1080 = pm_rd_le16(&rd);
	if (!pm_rd_ok(&rd))
		return 0;
	if (at_1024 == 0xe0f5e1e2)
		return PM_FILESYSTEM_EROFS;
	if (at_1080 == 0xef53)
		return PM_FILESYSTEM_EXT4;
	return at_0 == 0x73717368 ? PM_FILESYSTEM_SQUASHFS : 0;
}

static int detect(const char *node, struct pm_report *report, enum pm_filesystem *ret)
{
	pm_cleanup(fd) int fd = open(node, O_RDONLY | O_CLOEXEC);
	uint8_t head[PM_FILESYSTEM_HEAD];
	enum pm_filesystem found;
	ssize_t n;

	if (fd < 0)
		return pm_fail(report, errno == ENOENT ? PM_E_STATE : PM_E_SYS, "device",
			"an active disk", "%s: %s", node, pm_verity_errno(errno));
	n = pread(fd, head, sizeof(head), 0);
	if (n < 0 && errno == EIO)
		return pm_fail(report, PM_E_REJECTED, "filesystem",
			"blocks that verify under the root hash",
			"a damaged block where the file system begins");
	if (n < 0)
		return pm_fail(
			report, PM_E_SYS, "filesystem", "", "%s: %s", node, pm_verity_errno(errno));
	found = pm_filesystem_of(pm_view(head, (size_t)n));
	if (!found)
		return pm_fail(report, PM_E_UNSUPPORTED, "filesystem", "erofs, ext4 or squashfs",
			"none of them");
	pm_pass(report, "filesystem", "%s", pm_filesystem_name(found));
	*ret = found;
	return PM_OK;
}

/* --- target ---------------------------------------------------------------------------------- */

static inline void pm_cleanup_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static int check_empty(int fd, const char *target, struct pm_report *report)
{
	pm_cleanup(dir) DIR *dir = NULL;
	const struct dirent *entry;
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (copy >= 0)
		dir = fdopendir(copy);
	if (!dir) {
		pm_cleanup_fd(&copy);
		return pm_fail(
			report, PM_E_SYS, "target", "", "%s: %s", target, pm_verity_errno(errno));
	}
	for (;;) {
		errno = 0;
		entry = readdir(dir);
		if (!entry && errno)
			return pm_fail(report, PM_E_SYS, "target", "", "%s: %s", target,
				pm_verity_errno(errno));
		if (!entry)
			return PM_OK;
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			return pm_fail(report, PM_E_STATE, "target", "an empty folder",
				"%s holds files", target);
	}
}

/* A link is refused: whoever may write beside the target shall not choose what we mount upon. */
static int open_target(const char *target, struct pm_report *report, int *ret_fd)
{
	int fd = open(target, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return pm_fail(report, PM_E_SYS, "target", "an empty folder", "%s: %s", target,
			pm_verity_errno(errno));
	r = check_empty(fd, target, report);
	if (r < 0) {
		pm_cleanup_fd(&fd);
		return r;
	}
	*ret_fd = fd;
	return PM_OK;
}

/* --- mount ----------------------------------------------------------------------------------- */

/* The kernel's last words about a file system, or the text of errno. */
static void explain(int fs, int error, char *ret_text)
{
	char line[MESSAGE_SIZE];
	ssize_t n;

	snprintf(ret_text, MESSAGE_SIZE, "%s", pm_verity_errno(error));
	for (;;) {
		n = read(fs, line, sizeof(line) - 1);
		if (n <= 0)
			return;
		line[n] = '\0';
		line[strcspn(line, "\n")] = '\0';
		/* "e ": an error; the others are warnings and notes. */
		if (line[0] == 'e' && line[1] == ' ')
			snprintf(ret_text, MESSAGE_SIZE, "%s", line + 2);
	}
}

static int mount_error(int error)
{
	switch (error) {
	case EIO:
	case EBADMSG:
		return PM_E_REJECTED; /* dm-verity gave no block */
	case EINVAL:
	case EUCLEAN:
		return PM_E_FORMAT;
	case ENODEV:
	case EOPNOTSUPP:
		return PM_E_UNSUPPORTED;
	case EBUSY:
		return PM_E_STATE;
	case ENOMEM:
		return PM_E_NOMEM;
	default:
		return PM_E_SYS;
	}
}

/* A mount that stands nowhere yet. */
static int make_mount(const char *type, const char *node, struct pm_report *report, int *ret_fd)
{
	pm_cleanup(fd) int fs = fsopen(type, FSOPEN_CLOEXEC);
	char why[MESSAGE_SIZE];
	int error;

	if (fs < 0)
		return pm_fail(report, PM_E_SYS, "mount", "a kernel with this file system",
			"%s: %s", type, pm_verity_errno(errno));
	if (!fsconfig(fs, FSCONFIG_SET_STRING, "source", node, 0) &&
		!fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) &&
		!fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0)) {
		*ret_fd = fsmount(fs, FSMOUNT_CLOEXEC,
			MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID |
				MOUNT_ATTR_NOEXEC);
		if (*ret_fd >= 0)
			return PM_OK;
	}
	error = errno;
	explain(fs, error, why);
	return pm_fail(report, mount_error(error), "mount", "", "%s: %s", type, why);
}

/* What we asked for is what we have. */
static int check_flags(int mount_fd, struct pm_report *report)
{
	const unsigned long wanted = ST_RDONLY | ST_NODEV | ST_NOSUID | ST_NOEXEC;
	struct statvfs st;

	if (fstatvfs(mount_fd, &st))
		return pm_fail(report, PM_E_SYS, "mount.flags", "", "%s", pm_verity_errno(errno));
	if ((st.f_flag & wanted) != wanted)
		return pm_fail(report, PM_E_SYS, "mount.flags", "ro,nodev,nosuid,noexec", "0x%lx",
			st.f_flag);
	pm_pass(report, "mount.flags", "ro,nodev,nosuid,noexec");
	return PM_OK;
}

static int place(int mount_fd, int target_fd, const char *target, struct pm_report *report)
{
	if (move_mount(
		    mount_fd, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH))
		return pm_fail(
			report, PM_E_SYS, "target", "", "%s: %s", target, pm_verity_errno(errno));
	return PM_OK;
}

int pm_verity_mount(const char *name, const char *target, struct pm_report *report,
	enum pm_filesystem *ret_filesystem)
{
	pm_cleanup(fd) int target_fd = -1, mount_fd = -1;
	enum pm_filesystem filesystem;
	struct pm_verity_node node;
	int r = pm_verity_check_name(report, name, &node);

	if (r < 0)
		return r;
	r = open_target(target, report, &target_fd);
	if (r < 0)
		return r;
	r = detect(node.path, report, &filesystem);
	if (r < 0)
		return r;
	r = make_mount(pm_filesystem_name(filesystem), node.path, report, &mount_fd);
	if (r < 0)
		return r;
	r = check_flags(mount_fd, report);
	if (r < 0)
		return r;
	r = place(mount_fd, target_fd, target, report);
	if (r < 0)
		return r;
	*ret_filesystem = filesystem;
	return PM_OK;
}

/* --- unmount --------------------------------------------------------------------------------- */

/* Is the target the disk's mount? Another one is none of our business. */
static int check_mounted(const char *node, const char *target, struct pm_report *report)
{
	struct stat device, folder;

	if (stat(node, &device))
		return pm_fail(report, errno == ENOENT ? PM_E_STATE : PM_E_SYS, "device",
			"an active disk", "%s: %s", node, pm_verity_errno(errno));
	if (lstat(target, &folder))
		return pm_fail(
			report, PM_E_SYS, "target", "", "%s: %s", target, pm_verity_errno(errno));
	if (!S_ISBLK(device.st_mode) || folder.st_dev != device.st_rdev)
		return pm_fail(report, PM_E_STATE, "target", "the mount of this disk",
			"%s: another file system", target);
	return PM_OK;
}

int pm_verity_unmount(const char *name, const char *target, struct pm_report *report)
{
	struct pm_verity_node node;
	int r = pm_verity_check_name(report, name, &node);

	if (r < 0)
		return r;
	r = check_mounted(node.path, target, report);
	if (r < 0)
		return r;
	if (umount2(target, UMOUNT_NOFOLLOW))
		return pm_fail(report, errno == EBUSY ? PM_E_STATE : PM_E_SYS, "target", "",
			"%s: %s", target, pm_verity_errno(errno));
	return PM_OK;
}
