/* SPDX-License-Identifier: Apache-2.0 */
/* What is looked at before the kernel gets a disk, and at the table that it then has. */
#include "verity/activate.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verity/mount.h"

/* --- the disk -------------------------------------------------------------------------------- */

static int read_at(void *arg, uint64_t offset, void *ret_bytes, size_t bytes)
{
	const int *fd = arg;
	uint8_t *to = ret_bytes;

	while (bytes) {
		ssize_t n = pread(*fd, to, bytes, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return PM_E_SYS;
		to += n;
		offset += (uint64_t)n;
		bytes -= (size_t)n;
	}
	return PM_OK;
}

static int measure(int fd, struct pm_report *report, uint64_t *ret_size)
{
	struct stat st;
	off_t end;

	if (fstat(fd, &st))
		return pm_fail(report, PM_E_SYS, "device", "", "%s", pm_verity_errno(errno));
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return pm_fail(report, PM_E_ARG, "device", "a block device or an image",
			"another kind of file");
	end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		return pm_fail(report, PM_E_SYS, "device", "", "%s", pm_verity_errno(errno));
	*ret_size = (uint64_t)end;
	return PM_OK;
}

static int check_size(
	const struct pm_verity_layout *layout, uint64_t size, struct pm_report *report)
{
	if (size < layout->end)
		return pm_fail(report, PM_E_REJECTED, "device.size", "what data and tree need",
			"%" PRIu64 " bytes of %" PRIu64, size, layout->end);
	pm_pass(report, "device.size", "%" PRIu64 " bytes", size);
	return PM_OK;
}

/* One device holds both: the tree lies behind the data. */
static int check_order(const struct pm_verity_params *params, const struct pm_verity_layout *layout,
	struct pm_report *report)
{
	if (params->hash_offset < layout->data_size)
		return pm_fail(report, PM_E_FORMAT, "hash_offset", "a place behind the data",
			"%" PRIu64 ", within %" PRIu64 " bytes of data", params->hash_offset,
			layout->data_size);
	return PM_OK;
}

static int check_superblock(
	struct pm_verity_io *io, const struct pm_verity_params *params, struct pm_report *report)
{
	uint8_t bytes[PM_VERITY_SUPERBLOCK_SIZE];
	int r = io->read(io->arg, params->hash_offset, bytes, sizeof(bytes));

	if (r < 0)
		return pm_fail(
			report, r, "superblock", "", "can't be read: %s", pm_verity_errno(errno));
	return pm_verity_superblock_check(params, bytes, sizeof(bytes), report);
}

/* The kernel would tell as well, with the first block that somebody reads, and in fewer words. */
static int check_root(struct pm_verity_io *io, const struct pm_verity_params *params,
	const uint8_t *root_hash, struct pm_report *report)
{
	uint8_t found[PM_VERITY_DIGEST_SIZE];
	int r = pm_verity_root(params, io, io, report, found);

	if (r < 0)
		return r;
	return pm_check_bytes(report, "root_hash", root_hash, found, sizeof(found));
}

int pm_verity_check_disk(int fd, const struct pm_verity_params *params, const uint8_t *root_hash,
	struct pm_report *report)
{
	struct pm_verity_io io = {.arg = &fd, .read = read_at};
	struct pm_verity_layout layout;
	int r = pm_verity_layout_of(params, report, &layout);

	if (r < 0)
		return r;
	r = check_order(params, &layout, report);
	if (r < 0)
		return r;
	r = measure(fd, report, &io.size);
	if (r < 0)
		return r;
	r = check_size(&layout, io.size, report);
	if (r < 0)
		return r;
	r = check_superblock(&io, params, report);
	if (r < 0)
		return r;
	return check_root(&io, params, root_hash, report);
}

/* --- the kernel's table ---------------------------------------------------------------------- */

static int check_number(
	struct pm_report *report, const char *name, uint64_t expected, uint64_t found)
{
	if (expected != found)
		return pm_fail(report, PM_E_REJECTED, name, "what the manifest says",
			"%" PRIu64 " instead of %" PRIu64, found, expected);
	return PM_OK;
}

static int check_numbers(const struct pm_verity_status *status,
	const struct pm_verity_params *params, const struct pm_verity_layout *layout,
	struct pm_report *report)
{
	const struct {
		const char *name;
		uint64_t expected, found;
	} rows[] = {
		{"table.data_blocks", params->data_blocks, status->data_blocks},
		{"table.data_block_size", params->data_block_size, status->data_block_size},
		{"table.hash_block_size", params->hash_block_size, status->hash_block_size},
		{"table.tree_offset", layout->tree_offset, status->tree_offset},
		{"table.salt_size", params->salt_size, status->salt_size},
	};

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		int r = check_number(report, rows[i].name, rows[i].expected, rows[i].found);

		if (r < 0)
			return r;
	}
	return PM_OK;
}

int pm_verity_status_check(const struct pm_verity_status *status,
	const struct pm_verity_params *params, const uint8_t *root_hash, struct pm_report *report)
{
	struct pm_verity_layout layout;
	int r = pm_verity_layout_of(params, report, &layout);

	if (r < 0)
		return r;
	r = check_numbers(status, params, &layout, report);
	if (r < 0)
		return r;
	if (!pm_ct_equal(params->salt, status->salt, params->salt_size))
		return pm_fail(
			report, PM_E_REJECTED, "table.salt", "what the manifest says", "another");
	return pm_check_bytes(
		report, "table.root_hash", root_hash, status->root_hash, PM_VERITY_DIGEST_SIZE);
}
