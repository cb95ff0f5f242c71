/* SPDX-License-Identifier: Apache-2.0 */
/** @file verity_mount.h
 * Use a model disk: have the kernel verify it block by block under a root hash (dm-verity), and
 * mount it read-only. The parameters are the caller's, from a manifest that he trusts; the
 * superblock on the disk is nobody's word, and one that says otherwise refuses the disk. From then
 * on the kernel checks each block when it is read: a reader of a damaged one gets an error and
 * never the data.
 *
 * The calls need CAP_SYS_ADMIN, and CAP_MKNOD where no udev makes the device's node. They may not
 * overlap with each other within a process: libdevmapper, on which they stand, keeps global state.
 *
 * Sources: Linux Documentation/admin-guide/device-mapper/verity.rst; cryptsetup's wiki, page
 * DMVerity.
 */
#ifndef PM_VERITY_MOUNT_H
#define PM_VERITY_MOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pm/error.h>
#include <pm/report.h>
#include <pm/verity.h>

PM_BEGIN_DECLS

/** Longest name of an active disk, without its NUL. */
#define PM_VERITY_NAME_MAX 100

/** What happens, beyond the reader's error, when the kernel meets a damaged block. */
enum pm_verity_on_corruption {
	/** The reader fails with EIO; the machine goes on. */
	PM_VERITY_FAIL = 0,
	/** The kernel panics. */
	PM_VERITY_PANIC = 1,
	/** The machine restarts. */
	PM_VERITY_RESTART = 2
};

/** A file system that can be mounted. */
enum pm_filesystem {
	/** EROFS. */
	PM_FILESYSTEM_EROFS = 1,
	/** ext4. */
	PM_FILESYSTEM_EXT4 = 2,
	/** SquashFS. */
	PM_FILESYSTEM_SQUASHFS = 3
};

/** What the kernel says of an active disk: its own table, not what somebody asked for. */
struct pm_verity_status {
	/** Under this hash each block is verified. */
	uint8_t root_hash[PM_VERITY_DIGEST_SIZE];
	/** Number of data blocks. */
	uint64_t data_blocks;
	/** Where the tree begins on the device, in bytes. */
	uint64_t tree_offset;
	/** Bytes of a data block. */
	uint32_t data_block_size;
	/** Bytes of a block of the tree. */
	uint32_t hash_block_size;
	/** Bytes of the salt. */
	uint32_t salt_size;
	/** The salt. */
	uint8_t salt[PM_VERITY_SALT_MAX];
	/** What a damaged block causes, an enum pm_verity_on_corruption. */
	int on_corruption;
	/** Somebody has read a damaged block since the disk was opened. */
	bool corrupted;
};

/**
 * pm_verity_open - have the kernel verify a disk from now on
 * @name: of the disk while it is active: 1 to PM_VERITY_NAME_MAX letters, digits and "._-", the
 *   first no punctuation; the device appears as /dev/mapper/NAME
 * @device: path of the block device (or of an image, which gets a loop device)
 * @params: the layout that the manifest names
 * @root_hash: PM_VERITY_DIGEST_SIZE bytes that the manifest names
 * @on_corruption: what a damaged block shall cause
 * @report: receives what was checked and the reason of a failure, or NULL
 *
 * Checked before: the superblock agrees with @params in every field, the device is as long as data
 * and tree need, the top of the tree has the root hash. Checked after: the kernel's table holds
 * what was asked for, and the first block of data verifies. After a failure nothing is left active.
 *
 * Return: 0; PM_E_ARG for a name or parameters that can't be; PM_E_FORMAT without a superblock;
 * PM_E_REJECTED when a check fails; PM_E_STATE when a disk of that name is active, or the device in
 * use; PM_E_SYS when the system refuses; PM_E_NOMEM; PM_E_CRYPTO; PM_E_UNSUPPORTED in a library
 * that was built without libcryptsetup.
 */
PM_API int pm_verity_open(const char *name, const char *device,
	const struct pm_verity_params *params, const uint8_t *root_hash,
	enum pm_verity_on_corruption on_corruption, struct pm_report *report) PM_MUST_USE;

/**
 * pm_verity_close - let go of an active disk
 * @name: its name
 * @report: receives the reason of a failure, or NULL
 *
 * Return: 0; PM_E_ARG for no name; PM_E_STATE when no such disk is active or it is mounted or open
 * still; PM_E_SYS; PM_E_UNSUPPORTED without libcryptsetup.
 */
PM_API int pm_verity_close(const char *name, struct pm_report *report) PM_MUST_USE;

/**
 * pm_verity_status - ask the kernel about an active disk
 * @name: its name
 * @report: receives the reason of a failure, or NULL
 * @ret_status: receives what the kernel's table says
 *
 * Return: 0, also for a disk that is corrupted; PM_E_ARG for no name; PM_E_STATE when no disk of
 * that name is active; PM_E_UNSUPPORTED when it is another kind of device, verifies with another
 * hash than SHA-256, ignores damage or verifies the first reading only, and without libcryptsetup;
 * PM_E_SYS; PM_E_NOMEM.
 */
PM_API int pm_verity_status(const char *name, struct pm_report *report,
	struct pm_verity_status *ret_status) PM_MUST_USE;

/**
 * pm_verity_status_check - is the active disk the one that the manifest names?
 * @status: what the kernel says
 * @params: the layout that the manifest names
 * @root_hash: PM_VERITY_DIGEST_SIZE bytes that the manifest names
 * @report: receives each check that failed, and the root hash; may be NULL
 *
 * The root hash alone would prove nothing: see pm/verity.h. Neither on_corruption nor corrupted is
 * looked at.
 *
 * Return: 0; PM_E_REJECTED when a value differs; as pm_verity_layout_of() for the parameters.
 * Thread safe.
 */
PM_API int pm_verity_status_check(const struct pm_verity_status *status,
	const struct pm_verity_params *params, const uint8_t *root_hash,
	struct pm_report *report) PM_MUST_USE;

/**
 * pm_verity_mount - mount an active disk: read-only, no devices, no set-id bits, no programs
 * @name: its name
 * @target: an empty folder; a symbolic link is refused
 * @report: receives what was checked and the reason of a failure, or NULL
 * @ret_filesystem: receives what the disk holds
 *
 * Return: 0; PM_E_ARG for no name; PM_E_STATE when the disk is not active or the target not empty;
 * PM_E_REJECTED when a block does not verify; PM_E_FORMAT when the file system is damaged though
 * its blocks verify; PM_E_UNSUPPORTED when the disk holds none that is known, or one with
 * features that the kernel lacks; PM_E_SYS; PM_E_NOMEM.
 */
PM_API int pm_verity_mount(const char *name, const char *target, struct pm_report *report,
	enum pm_filesystem *ret_filesystem) PM_MUST_USE;

/**
 * pm_verity_unmount - undo pm_verity_mount(); the disk stays active
 * @name: name of the disk
 * @target: where it is mounted
 * @report: receives the reason of a failure, or NULL
 *
 * Return: 0; PM_E_ARG for no name; PM_E_STATE when the disk is not active, another file system is
 * there, or this one is in use; PM_E_SYS.
 */
PM_API int pm_verity_unmount(
	const char *name, const char *target, struct pm_report *report) PM_MUST_USE;

/**
 * pm_filesystem_name - name of a file system, as the kernel knows it
 * @filesystem: which
 *
 * Return: static text, never NULL; "unknown" for another number. Thread safe.
 */
PM_API const char *pm_filesystem_name(enum pm_filesystem filesystem);

PM_END_DECLS

#endif
