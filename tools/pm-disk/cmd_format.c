/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pm/error.h>

#include "common/file.h"
#include "pm-disk/cmd.h"
#include "pm-disk/disk.h"
#include "pm-disk/output.h"
#include "pm-disk/progress.h"
#include "pm-disk/undo.h"

static const char help[] =
	"Usage: pm-disk format IMAGE [OPTION]...\n"
	"Write a dm-verity tree for an image, behind its data or to a file of its own, as\n"
	"veritysetup format does, and print the root hash.\n"
	"\n"
	"  --hash-device FILE     where superblock and tree go; made when it isn't there\n"
	"  --hash-offset N        where they begin (default: behind the data, or 0 in a file of\n"
	"                         their own)\n"
	"  --salt HEX             up to 256 bytes, or - for none (default: 32 at random)\n"
	"  --uuid UUID            for the superblock (default: a random one)\n"
	"  --data-blocks N        cover the first N blocks (default: all of the image)\n"
	"  --data-block-size N    512 to 4096 (default 4096)\n"
	"  --hash-block-size N    512 to 4096 (default 4096)\n"
	"  --threads N            how many hash (default: all processors)\n"
	"  -q, --quiet            no progress bar\n"
	"  --json                 print JSON\n"
	"\n"
	"Exit status: 0 done, 1 the image can't have a tree, 2 wrong usage or input and output.\n"
	"\n"
	"Examples:\n"
	"  pm-disk format model.img\n"
	"  pm-disk format model.img --hash-device model.tree --salt 00\n";

static int random_bytes(void *to, size_t size)
{
	if (getrandom(to, size, 0) == (ssize_t)size)
		return TOOL_OK;
	warn("random bytes");
	return TOOL_USAGE;
}

/* Version 4 of RFC 9562, 5.4. */
static int make_uuid(struct disk_options *o)
{
	if (o->has_uuid)
		return TOOL_OK;
	if (random_bytes(o->uuid, sizeof(o->uuid)) != TOOL_OK)
		return TOOL_USAGE;
	o->uuid[6] = (uint8_t)((o->uuid[6] & 0x0f) | 0x40);
	o->uuid[8] = (uint8_t)((o->uuid[8] & 0x3f) | 0x80);
	return TOOL_OK;
}

static int make_salt(const struct disk_options *o, struct pm_verity_params *p)
{
	p->salt_size = 32;
	return o->has_salt ? TOOL_OK : random_bytes(p->salt, p->salt_size);
}

/* All of the image, or what lies before the tree. A rest would be left without protection. */
static int count_blocks(
	const struct disk_options *o, const struct disk *d, struct pm_verity_params *p)
{
	uint64_t size = d->image.size;

	if (o->has_data_blocks)
		return TOOL_OK;
	if (d->hash == &d->image && o->has_hash_offset && o->params.hash_offset < size)
		size = o->params.hash_offset;
	if (p->data_block_size && size % p->data_block_size) {
		warnx("%s: %llu bytes are not whole blocks of %u: its end would not be protected; "
		      "pad it, or say --data-blocks",
			d->image.path, (unsigned long long)size, p->data_block_size);
		return TOOL_REJECTED;
	}
	p->data_blocks = p->data_block_size ? size / p->data_block_size : 0;
	return TOOL_OK;
}

static int choose(struct disk_options *o, const struct disk *d, struct pm_verity_params *ret)
{
	struct pm_verity_params p = {
		.size = sizeof(p),
		.data_block_size = 4096,
		.hash_block_size = 4096,
	};
	int r = make_salt(o, &p);

	disk_options_apply(o, &p);
	if (r == TOOL_OK)
		r = make_uuid(o);
	if (r == TOOL_OK)
		r = count_blocks(o, d, &p);
	if (!o->has_hash_offset && d->hash == &d->image)
		p.hash_offset = p.data_blocks * p.data_block_size;
	*ret = p;
	return r;
}

/* A second tree behind the first is nobody's wish. */
static int check_unformatted(const struct disk_options *o, struct disk *d)
{
	struct pm_verity_params found;
	uint8_t uuid[PM_VERITY_UUID_SIZE];
	bool any = false;

	if (o->has_hash_offset || o->has_data_blocks || d->hash != &d->image)
		return TOOL_OK;
	if (disk_find(o, d, true, &found, uuid, &any) == TOOL_OK && any) {
		warnx("%s: has a tree already; --hash-offset %llu replaces it", d->image.path,
			(unsigned long long)found.hash_offset);
		return TOOL_USAGE;
	}
	return TOOL_OK;
}

static int write_tree(const struct disk_options *o, struct disk *d,
	const struct pm_verity_params *p, uint8_t *ret_root)
{
	struct pm_report *report = pm_report_new();
	const struct pm_verity_io *data = &d->image.io, *hash = &d->hash->io;
	struct progress progress;
	struct pm_verity_options options =
		progress_options(&progress, "hashing", o->threads, o->quiet);
	int r = pm_verity_format(p, o->uuid, data, hash, &options, report, ret_root);

	progress_end(&progress);
	if (r < 0)
		r = disk_failed(d, r, report);
	else if (fsync(d->hash->fd)) {
		warn("%s", d->hash->path);
		r = TOOL_USAGE;
	}
	pm_report_free(report);
	return r;
}

/* Leaves the file as it was when the tree can't be written to its end. */
static int write_or_undo(const struct disk_options *o, struct disk *d,
	const struct pm_verity_params *p, uint8_t *ret_root)
{
	struct stat st;
	int r;

	if (d->hash->created)
		undo_remove(d->hash->path);
	else if (!fstat(d->hash->fd, &st) && S_ISREG(st.st_mode))
		undo_shrink(d->hash->fd, d->hash->size);
	r = write_tree(o, d, p, ret_root);
	if (r != TOOL_OK)
		undo_run();
	undo_forget();
	return r;
}

static int print(
	const struct disk_options *o, const struct pm_verity_params *p, const uint8_t *root)
{
	json_t *object;

	if (o->json) {
		object = output_entry(p, root);
		output_add_layout(object, p, o->uuid);
		return output_json(object);
	}
	output_params(p, o->uuid);
	output_hash("Root hash", root);
	return TOOL_OK;
}

static int format(struct disk_options *o, struct disk *d)
{
	struct pm_verity_params p;
	uint8_t root[PM_VERITY_DIGEST_SIZE];
	int r = check_unformatted(o, d);

	if (r == TOOL_OK)
		r = choose(o, d, &p);
	if (r == TOOL_OK)
		r = write_or_undo(o, d, &p, root);
	return r == TOOL_OK ? print(o, &p, root) : r;
}

int cmd_format(int argc, char **argv)
{
	struct disk_options o;
	struct disk d;
	int r = disk_options_parse(argc, argv, VERB_FORMAT, &o);

	if (r != TOOL_OK)
		return r;
	if (o.help) {
		fputs(help, stdout);
		return TOOL_OK;
	}
	r = disk_open(&o, true, &d);
	if (r == TOOL_OK)
		r = format(&o, &d);
	disk_close(&d);
	return r;
}
