/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is checked of a disk before the kernel gets it, and of the kernel's table afterwards. What
 * needs a kernel with dm-verity is tested in test/vm.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <pm/error.h>
#include <pm/verity_mount.h>

#include "base/report.h"
#include "testing.h"
#include "verity/activate.h"
#include "verity/mount.h"

#define BLOCKS 300 /* two levels of tree: three leaves and the top */
#define BLOCK  4096
#define AREA   ((uint64_t)BLOCKS * BLOCK)
#define TREE   (AREA + BLOCK)

/* A disk in memory with what a manifest says of it. */
struct disk {
	int fd;
	struct pm_verity_params params;
	uint8_t root[PM_VERITY_DIGEST_SIZE];
	uint64_t size;
};

static struct disk disk;
static struct pm_report *report;

static int read_at(void *arg, uint64_t offset, void *ret_bytes, size_t bytes)
{
	return pread(*(int *)arg, ret_bytes, bytes, (off_t)offset) == (ssize_t)bytes ? PM_OK
										     : PM_E_SYS;
}

static int write_at(void *arg, uint64_t offset, const void *from, size_t bytes)
{
	return pwrite(*(int *)arg, from, bytes, (off_t)offset) == (ssize_t)bytes ? PM_OK : PM_E_SYS;
}

static void make_disk(uint64_t blocks)
{
	static const uint8_t uuid[PM_VERITY_UUID_SIZE] = {1, 2, 3};
	struct pm_verity_io io = {.arg = &disk.fd, .read = read_at, .write = write_at};
	struct pm_verity_layout layout;

	disk.params = (struct pm_verity_params){.size = sizeof(disk.params),
		.data_blocks = blocks,
		.hash_offset = blocks * BLOCK,
		.data_block_size = BLOCK,
		.hash_block_size = BLOCK,
		.salt_size = 4,
		.salt = {0xa, 0xb, 0xc, 0xd}};
	disk.fd = memfd_create("disk", MFD_CLOEXEC);
	ck_assert_int_ge(disk.fd, 0);
	for (uint64_t i = 0; i < blocks; i++) {
		uint8_t block[BLOCK];

		memset(block, (int)i + 1, sizeof(block));
		ck_pm(write_at(&disk.fd, i * BLOCK, block, sizeof(block)), PM_OK);
	}
	io.size = blocks * BLOCK;
	ck_pm(pm_verity_format(&disk.params, uuid, &io, &io, NULL, NULL, disk.root), PM_OK);
	ck_pm(pm_verity_layout_of(&disk.params, NULL, &layout), PM_OK);
	disk.size = layout.end;
}

static void setup(void)
{
	report = pm_report_new();
	ck_assert_ptr_nonnull(report);
	make_disk(BLOCKS);
}

static void teardown(void)
{
	close(disk.fd);
	pm_report_free(report);
}

static int check_disk(void)
{
	pm_report_reset(report);
	return pm_verity_check_disk(disk.fd, &disk.params, disk.root, report);
}

/* Refused so, and the report's first failure is of that name. */
#define ck_refused(call, want, check_name)                                                         \
	do {                                                                                       \
		ck_pm(call, want);                                                                 \
		ck_assert_ptr_nonnull(pm_report_failure(report));                                  \
		ck_assert_str_eq(pm_report_failure(report)->name, check_name);                     \
	} while (0)

static void flip(uint64_t offset)
{
	uint8_t byte;

	ck_pm(read_at(&disk.fd, offset, &byte, 1), PM_OK);
	byte ^= 1;
	ck_pm(write_at(&disk.fd, offset, &byte, 1), PM_OK);
}

/* --- the disk -------------------------------------------------------------------------------- */

START_TEST(good_disk)
{
	ck_pm(check_disk(), PM_OK);
	ck_assert_ptr_null(pm_report_failure(report));
	ck_pm(pm_verity_check_disk(disk.fd, &disk.params, disk.root, NULL), PM_OK);
}
END_TEST

START_TEST(good_disk_of_one_block)
{
	close(disk.fd);
	make_disk(1);
	ck_pm(check_disk(), PM_OK);
	flip(0);
	ck_refused(check_disk(), PM_E_REJECTED, "root_hash");
}
END_TEST

START_TEST(each_bit_of_the_root_hash_counts)
{
	for (size_t i = 0; i < 8 * sizeof(disk.root); i++) {
		disk.root[i / 8] ^= (uint8_t)(1 << i % 8);
		ck_refused(check_disk(), PM_E_REJECTED, "root_hash");
		disk.root[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	ck_pm(check_disk(), PM_OK);
}
END_TEST

/* All but the UUID, which is nobody's business, and of which the manifest says nothing. */
START_TEST(each_byte_of_the_superblock_counts)
{
	for (uint64_t i = 0; i < PM_VERITY_SUPERBLOCK_SIZE; i++) {
		bool is_uuid = i >= 16 && i < 16 + PM_VERITY_UUID_SIZE;
		int r;

		flip(AREA + i);
		r = check_disk();
		ck_assert_msg((r == PM_OK) == is_uuid, "byte %d: %d", (int)i, r);
		flip(AREA + i);
	}
	ck_pm(check_disk(), PM_OK);
}
END_TEST

START_TEST(no_superblock)
{
	uint8_t zeros[PM_VERITY_SUPERBLOCK_SIZE] = {0};

	ck_pm(write_at(&disk.fd, AREA, zeros, sizeof(zeros)), PM_OK);
	ck_pm(check_disk(), PM_E_FORMAT);
}
END_TEST

START_TEST(parameters_that_the_superblock_lacks)
{
	const struct pm_verity_params good = disk.params;

	disk.params.data_blocks--;
	ck_pm(check_disk(), PM_E_REJECTED);
	disk.params = good;
	disk.params.salt[3] ^= 1;
	ck_pm(check_disk(), PM_E_REJECTED);
	disk.params = good;
	disk.params.salt_size--;
	ck_pm(check_disk(), PM_E_REJECTED);
	disk.params = good;
	disk.params.data_block_size /= 2;
	ck_pm(check_disk(), PM_E_REJECTED);
	disk.params = good;
	disk.params.hash_offset -= BLOCK; /* into the data */
	ck_refused(check_disk(), PM_E_FORMAT, "hash_offset");
	disk.params = good;
	disk.params.hash_offset += BLOCK; /* into the tree */
	ck_pm(check_disk(), PM_E_REJECTED);
}
END_TEST

START_TEST(impossible_parameters)
{
	const struct pm_verity_params good = disk.params;

	disk.params.data_blocks = 0;
	ck_pm(check_disk(), PM_E_FORMAT);
	disk.params = good;
	disk.params.data_blocks = UINT64_MAX;
	ck_pm(check_disk(), PM_E_LIMIT);
	disk.params = good;
	disk.params.hash_block_size = 1000;
	ck_pm(check_disk(), PM_E_FORMAT);
	disk.params = good;
	disk.params.salt_size = PM_VERITY_SALT_MAX + 1;
	ck_pm(check_disk(), PM_E_LIMIT);
	disk.params = good;
	disk.params.size = 1;
	ck_pm(check_disk(), PM_E_ARG);
}
END_TEST

START_TEST(short_disk)
{
	static const uint64_t sizes[] = {0, 1, BLOCK, AREA, AREA + 511, AREA + 512, TREE, TREE + 1};

	for (size_t i = 0; i < PM_ARRAY_LEN(sizes); i++) {
		ck_assert_int_eq(ftruncate(disk.fd, (off_t)sizes[i]), 0);
		ck_refused(check_disk(), PM_E_REJECTED, "device.size");
	}
	ck_assert_int_eq(ftruncate(disk.fd, (off_t)disk.size - 1), 0);
	ck_refused(check_disk(), PM_E_REJECTED, "device.size");
}
END_TEST

START_TEST(top_of_the_tree_counts)
{
	for (uint64_t i = 0; i < BLOCK; i += 31) {
		flip(TREE + i);
		ck_refused(check_disk(), PM_E_REJECTED, "root_hash");
		flip(TREE + i);
	}
	ck_pm(check_disk(), PM_OK);
}
END_TEST

START_TEST(another_kind_of_file)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), pipes[2];

	ck_assert_int_ge(fd, 0);
	ck_refused(pm_verity_check_disk(fd, &disk.params, disk.root, report), PM_E_ARG, "device");
	close(fd);
	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
	pm_report_reset(report);
	ck_refused(pm_verity_check_disk(pipes[0], &disk.params, disk.root, report), PM_E_ARG,
		"device");
	close(pipes[0]);
	close(pipes[1]);
}
END_TEST

/* --- the kernel's table ---------------------------------------------------------------------- */

static struct pm_verity_status good_status(void)
{
	struct pm_verity_status status = {
		.data_blocks = BLOCKS,
		.tree_offset = TREE,
		.data_block_size = BLOCK,
		.hash_block_size = BLOCK,
		.salt_size = 4,
		.salt = {0xa, 0xb, 0xc, 0xd},
	};

	pm_copy(status.root_hash, disk.root, sizeof(status.root_hash));
	return status;
}

static int check_status(const struct pm_verity_status *status)
{
	pm_report_reset(report);
	return pm_verity_status_check(status, &disk.params, disk.root, report);
}

START_TEST(good_table)
{
	struct pm_verity_status status = good_status();

	ck_pm(check_status(&status), PM_OK);
	ck_pm(pm_verity_status_check(&status, &disk.params, disk.root, NULL), PM_OK);
	status.corrupted = true;
	status.on_corruption = PM_VERITY_PANIC;
	ck_pm(check_status(&status), PM_OK);
}
END_TEST

#define ck_table(field, value, check_name)                                                         \
	do {                                                                                       \
		struct pm_verity_status ck_status = good_status();                                 \
		ck_status.field = (value);                                                         \
		ck_refused(check_status(&ck_status), PM_E_REJECTED, check_name);                   \
	} while (0)

START_TEST(table_of_another_disk)
{
	ck_table(data_blocks, BLOCKS - 1, "table.data_blocks");
	ck_table(tree_offset, TREE + BLOCK, "table.tree_offset");
	ck_table(data_block_size, BLOCK / 2, "table.data_block_size");
	ck_table(hash_block_size, BLOCK / 2, "table.hash_block_size");
	ck_table(salt_size, 3, "table.salt_size");
	ck_table(salt[3], 0xe, "table.salt");
	ck_table(root_hash[31], (uint8_t)(disk.root[31] ^ 1), "table.root_hash");
}
END_TEST

/* --- names, file systems --------------------------------------------------------------------- */

START_TEST(names)
{
	static const char *const good[] = {"a", "pm-llama-3.3_70B", "0"};
	static const char *const bad[] = {
		"", ".", "..", "-a", "_a", "a/b", "a b", "a\n", "ä", "a\\"};
	char longest[PM_VERITY_NAME_MAX + 2];
	struct pm_verity_node node;

	for (size_t i = 0; i < PM_ARRAY_LEN(good); i++)
		ck_pm(pm_verity_check_name(report, good[i], &node), PM_OK);
	ck_assert_str_eq(node.path, "/dev/mapper/0");
	for (size_t i = 0; i < PM_ARRAY_LEN(bad); i++)
		ck_refused(pm_verity_check_name(report, bad[i], &node), PM_E_ARG, "name");
	memset(longest, 'a', sizeof(longest));
	longest[PM_VERITY_NAME_MAX + 1] = '\0';
	ck_pm(pm_verity_check_name(report, longest, &node), PM_E_ARG);
	longest[PM_VERITY_NAME_MAX] = '\0';
	ck_pm(pm_verity_check_name(report, longest, &node), PM_OK);
	ck_assert_uint_eq(strlen(node.path), strlen("/dev/mapper/") + PM_VERITY_NAME_MAX);
}
END_TEST

static enum pm_filesystem with(size_t offset, const char *magic)
{
	uint8_t head[PM_FILESYSTEM_HEAD] = {0};

	memcpy(head + offset, magic, strlen(magic));
	return pm_filesystem_of(pm_view(head, sizeof(head)));
}

START_TEST(filesystems)
{
	ck_assert_int_eq(with(1024, "\xe2\xe1\xf5\xe0"), PM_FILESYSTEM_EROFS);
	ck_assert_int_eq(with(1080, "\x53\xef"), PM_FILESYSTEM_EXT4);
	ck_assert_int_eq(with(0, "hsqs"), PM_FILESYSTEM_SQUASHFS);
	ck_assert_int_eq(with(0, ""), 0);
	ck_assert_int_eq(with(1, "hsqs"), 0);
	ck_assert_int_eq(pm_filesystem_of(VIEW("hsqs")), 0); /* shorter than any */
	ck_assert_str_eq(pm_filesystem_name(PM_FILESYSTEM_EROFS), "erofs");
	ck_assert_str_eq(pm_filesystem_name(PM_FILESYSTEM_EXT4), "ext4");
	ck_assert_str_eq(pm_filesystem_name(PM_FILESYSTEM_SQUASHFS), "squashfs");
	ck_assert_str_eq(pm_filesystem_name((enum pm_filesystem)9), "unknown");
}
END_TEST

/* --- calls that end before they need a kernel ------------------------------------------------- */

static int open_disk(const char *name, const char *device, int on_corruption)
{
	pm_report_reset(report);
	return pm_verity_open(name, device, &disk.params, disk.root,
		(enum pm_verity_on_corruption)on_corruption, report);
}

START_TEST(open_refuses)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", disk.fd);
	ck_refused(open_disk("a/b", path, 0), PM_E_ARG, "name");
	ck_refused(open_disk("pm-unit-test", path, 3), PM_E_ARG, "on_corruption");
	ck_refused(open_disk("pm-unit-test", "/nowhere", 0), PM_E_SYS, "device");
	disk.root[0] ^= 1;
	ck_refused(open_disk("pm-unit-test", path, 0), PM_E_REJECTED, "root_hash");
}
END_TEST

START_TEST(nothing_is_active)
{
	enum pm_filesystem filesystem = 0;
	char folder[] = "/tmp/pm-unit-XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_refused(
		pm_verity_mount("pm-unit-test", folder, report, &filesystem), PM_E_STATE, "device");
	pm_report_reset(report);
	ck_refused(pm_verity_unmount("pm-unit-test", folder, report), PM_E_STATE, "device");
	pm_report_reset(report);
	ck_refused(pm_verity_mount("pm-unit-test", "/proc", report, &filesystem), PM_E_STATE,
		"target");
	pm_report_reset(report);
	ck_refused(pm_verity_mount("pm-unit-test", "/nowhere", report, &filesystem), PM_E_SYS,
		"target");
	ck_pm(pm_verity_mount("-", folder, report, &filesystem), PM_E_ARG);
	ck_pm(pm_verity_unmount("-", folder, report), PM_E_ARG);
	ck_assert_int_eq(filesystem, 0);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("verity_mount");
	TCase *tcase = tcase_create("mount");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, good_disk);
	tcase_add_test(tcase, good_disk_of_one_block);
	tcase_add_test(tcase, each_bit_of_the_root_hash_counts);
	tcase_add_test(tcase, each_byte_of_the_superblock_counts);
	tcase_add_test(tcase, no_superblock);
	tcase_add_test(tcase, parameters_that_the_superblock_lacks);
	tcase_add_test(tcase, impossible_parameters);
	tcase_add_test(tcase, short_disk);
	tcase_add_test(tcase, top_of_the_tree_counts);
	tcase_add_test(tcase, another_kind_of_file);
	tcase_add_test(tcase, good_table);
	tcase_add_test(tcase, table_of_another_disk);
	tcase_add_test(tcase, names);
	tcase_add_test(tcase, filesystems);
	tcase_add_test(tcase, open_refuses);
	tcase_add_test(tcase, nothing_is_active);
	suite_add_tcase(suite, tcase);
	return test_main(suite);
}
