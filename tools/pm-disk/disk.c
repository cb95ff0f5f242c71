/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-disk/disk.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <pm/error.h>

#include "common/checks.h"
#include "common/file.h"

/* Most blocks of one read: Linux takes 1024 (IOV_MAX). */
#define PIECES_MAX 1024

/* --- the functions that libpm calls, from several threads ------------------------------------ */

static int system_error(struct disk_file *f)
{
	int none = 0;

	(void)atomic_compare_exchange_strong(&f->error, &none, errno);
	return PM_E_SYS;
}

static int file_read(void *arg, uint64_t offset, void *ret_bytes, size_t bytes)
{
	struct disk_file *f = arg;
	char *to = ret_bytes;

	while (bytes) {
		ssize_t n = pread(f->fd, to, bytes, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return system_error(f);
		if (n == 0)
			return PM_E_FORMAT; /* it became shorter */
		to += n;
		offset += (uint64_t)n;
		bytes -= (size_t)n;
	}
	return PM_OK;
}

/* A read of all blocks at once; what it leaves to be done is read block by block. */
static int file_read_blocks(
	void *arg, uint64_t offset, size_t block_size, size_t count, size_t stride, void *ret_bytes)
{
	struct disk_file *f = arg;
	struct iovec slots[PIECES_MAX];
	char *to = ret_bytes;
	int r = PM_OK;

	for (size_t i = 0; i < count && i < PIECES_MAX; i++)
		slots[i] = (struct iovec){to + i * stride, block_size};
	if (count <= PIECES_MAX &&
		preadv(f->fd, slots, (int)count, (off_t)offset) == (ssize_t)(count * block_size))
		return PM_OK;
	for (size_t i = 0; r == PM_OK && i < count; i++)
		r = file_read(f, offset + i * block_size, to + i * stride, block_size);
	return r;
}

static int file_write(void *arg, uint64_t offset, const void *from, size_t bytes)
{
	struct disk_file *f = arg;
	const char *at = from;

	while (bytes) {
		ssize_t n = pwrite(f->fd, at, bytes, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return system_error(f);
		at += n;
		offset += (uint64_t)n;
		bytes -= (size_t)n;
	}
	return PM_OK;
}

static int file_next_data(void *arg, uint64_t offset, uint64_t *ret_begin, uint64_t *ret_end)
{
	struct disk_file *f = arg;
	off_t begin = lseek(f->fd, (off_t)offset, SEEK_DATA), end = begin;

	*ret_begin = *ret_end = INT64_MAX;
	if (begin < 0 && errno == ENXIO)
		return PM_OK; /* a hole up to the end */
	if (begin >= 0)
		end = lseek(f->fd, begin, SEEK_HOLE);
	/* A file system that can't tell: all may be data. */
	*ret_begin = begin >= 0 ? (uint64_t)begin : offset;
	*ret_end = begin >= 0 && end > begin ? (uint64_t)end : INT64_MAX;
	return PM_OK;
}

/* --- opening --------------------------------------------------------------------------------- */

static int file_measure(struct disk_file *f)
{
	struct stat st;
	off_t end;

	if (fstat(f->fd, &st)) {
		warn("%s", f->path);
		return TOOL_USAGE;
	}
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		warnx("%s: neither a file nor a block device", f->path);
		return TOOL_USAGE;
	}
	end = lseek(f->fd, 0, SEEK_END);
	if (end < 0) {
		warn("%s", f->path);
		return TOOL_USAGE;
	}
	f->size = (uint64_t)end;
	f->io = (struct pm_verity_io){
		.arg = f,
		.size = f->size,
		.read = file_read,
		.read_blocks = file_read_blocks,
		.write = file_write,
		.next_data = file_next_data,
	};
	return TOOL_OK;
}

static int file_open(struct disk_file *f, const char *path, bool write, bool create)
{
	int flags = (write ? O_RDWR : O_RDONLY) | O_CLOEXEC;

	f->path = path;
	if (create) {
		f->fd = open(path, flags | O_CREAT | O_EXCL, 0644);
		f->created = f->fd >= 0;
	}
	if (f->fd < 0)
		f->fd = open(path, flags);
	if (f->fd < 0) {
		warn("%s", path);
		return TOOL_USAGE;
	}
	return file_measure(f);
}

static bool is_same_file(const struct disk_file *a, const struct disk_file *b)
{
	struct stat x, y;

	return !fstat(a->fd, &x) && !fstat(b->fd, &y) && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

int disk_open(const struct disk_options *o, bool write, struct disk *ret)
{
	int r;

	*ret = (struct disk){.image.fd = -1, .separate.fd = -1};
	ret->hash = &ret->image;
	r = file_open(&ret->image, o->image, write && !o->hash_device, false);
	if (r != TOOL_OK || !o->hash_device)
		return r;
	r = file_open(&ret->separate, o->hash_device, write, write);
	if (r != TOOL_OK)
		return r;
	if (is_same_file(&ret->image, &ret->separate)) {
		warnx("--hash-device: %s is the image; --hash-offset is for a tree inside of it",
			o->hash_device);
		return TOOL_USAGE;
	}
	ret->hash = &ret->separate;
	return TOOL_OK;
}

void disk_close(struct disk *d)
{
	if (d->image.fd >= 0)
		close(d->image.fd);
	if (d->separate.fd >= 0)
		close(d->separate.fd);
	d->image.fd = d->separate.fd = -1;
}

/* --- the superblock -------------------------------------------------------------------------- */

/* Is there a superblock at offset? Its parameters, with that offset. */
static int read_superblock(struct disk_file *f, uint64_t offset, struct pm_report *report,
	struct pm_verity_params *ret_params, uint8_t *ret_uuid)
{
	uint8_t bytes[PM_VERITY_SUPERBLOCK_SIZE];
	int r;

	if (f->size < sizeof(bytes) || offset > f->size - sizeof(bytes))
		return PM_E_FORMAT;
	r = file_read(f, offset, bytes, sizeof(bytes));
	if (r == PM_OK)
		r = pm_verity_superblock_parse(bytes, sizeof(bytes), report, ret_params, ret_uuid);
	if (r == PM_OK)
		ret_params->hash_offset = offset;
	return r;
}

/* Where a disk of so many blocks ends, with the tree behind its data; UINT64_MAX when nowhere. */
static uint64_t end_of(struct pm_verity_params *p, uint64_t blocks)
{
	struct pm_verity_layout layout;

	p->data_blocks = blocks;
	p->hash_offset = blocks * p->data_block_size;
	return pm_verity_layout_of(p, NULL, &layout) == PM_OK ? layout.end : UINT64_MAX;
}

/* The least number of blocks with which data and tree reach the last byte of the file, or 0. */
static uint64_t fitting_blocks(uint64_t size, struct pm_verity_params *p)
{
	uint64_t low = 1, high = size / p->data_block_size;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (end_of(p, middle) < size)
			low = middle + 1;
		else
			high = middle;
	}
	return low == high ? low : 0;
}

/* Is there the superblock of a disk of so many blocks? */
static bool try_blocks(struct disk_file *f, const struct pm_verity_params *p, uint64_t blocks,
	struct pm_verity_params *ret_params, uint8_t *ret_uuid)
{
	return read_superblock(f, blocks * p->data_block_size, NULL, ret_params, ret_uuid) ==
		       PM_OK &&
	       ret_params->data_blocks == blocks &&
	       ret_params->data_block_size == p->data_block_size &&
	       ret_params->hash_block_size == p->hash_block_size;
}

/* The tree begins at one of its own blocks: where they are larger, several disks end alike. */
static bool try_sizes(struct disk_file *f, uint32_t data_block, uint32_t hash_block,
	struct pm_verity_params *ret_params, uint8_t *ret_uuid)
{
	struct pm_verity_params p = {.size = sizeof(p)};
	uint64_t blocks;

	p.data_block_size = data_block;
	p.hash_block_size = hash_block;
	blocks = fitting_blocks(f->size, &p);
	for (; blocks && end_of(&p, blocks) == f->size; blocks++) {
		if (try_blocks(f, &p, blocks, ret_params, ret_uuid))
			return true;
	}
	return false;
}

/* Large blocks first: they are the usual ones. */
static bool search(struct disk_file *f, struct pm_verity_params *ret_params, uint8_t *ret_uuid)
{
	for (uint32_t data = PM_VERITY_BLOCK_MAX; data >= PM_VERITY_BLOCK_MIN; data /= 2) {
		for (uint32_t hash = PM_VERITY_BLOCK_MAX; hash >= PM_VERITY_BLOCK_MIN; hash /= 2) {
			if (try_sizes(f, data, hash, ret_params, ret_uuid))
				return true;
		}
	}
	return false;
}

__attribute__((format(printf, 2, 3))) static int refuse(struct disk *d, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(d->reason, sizeof(d->reason), format, args);
	va_end(args);
	warnx("%s", d->reason);
	return TOOL_REJECTED;
}

static int read_at(struct disk *d, uint64_t offset, bool quiet, struct pm_verity_params *ret_params,
	uint8_t *ret_uuid, bool *ret_found)
{
	struct pm_report *report = pm_report_new();
	int r = read_superblock(d->hash, offset, report, ret_params, ret_uuid);

	*ret_found = r == PM_OK;
	if (r < 0 && !quiet && report && pm_report_reason(report)[0])
		r = disk_failed(d, r, report);
	else if (r < 0 && !quiet)
		r = refuse(d, "%s: no superblock at offset %llu: the file ends before",
			d->hash->path, (unsigned long long)offset);
	pm_report_free(report);
	return quiet ? TOOL_OK : r;
}

int disk_find(const struct disk_options *o, struct disk *d, bool quiet,
	struct pm_verity_params *ret_params, uint8_t *ret_uuid, bool *ret_found)
{
	if (o->has_hash_offset || d->hash == &d->separate)
		return read_at(d, o->params.hash_offset, quiet, ret_params, ret_uuid, ret_found);
	*ret_found = search(d->hash, ret_params, ret_uuid);
	if (*ret_found || quiet)
		return TOOL_OK;
	return refuse(d,
		"%s: does not end with a hash tree; say where one is: --hash-offset, --hash-device",
		d->hash->path);
}

int disk_failed(struct disk *d, int error, const struct pm_report *report)
{
	const char *reason = report ? pm_report_reason(report) : "";
	const struct disk_file *files[] = {&d->image, &d->separate};

	for (size_t i = 0; error == PM_E_SYS && i < 2; i++) {
		if (files[i]->error) {
			(void)refuse(d, "%s: %s", files[i]->path, strerror(files[i]->error));
			return TOOL_USAGE;
		}
	}
	(void)refuse(
		d, "%s: %s%s%s", d->image.path, pm_strerror(error), reason[0] ? ": " : "", reason);
	return tool_exit_status(error);
}
