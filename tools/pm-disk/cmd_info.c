/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include <pm/error.h>

#include "common/file.h"
#include "pm-disk/cmd.h"
#include "pm-disk/disk.h"
#include "pm-disk/output.h"

static const char help[] =
	"Usage: pm-disk info IMAGE [OPTION]...\n"
	"Show what a disk says of itself. Nothing of it is verified.\n"
	"\n"
	"  --hash-device FILE     where superblock and tree are (default: in the image)\n"
	"  --hash-offset N        where they begin (default: searched behind the data)\n"
	"  --json                 print JSON\n"
	"\n"
	"Exit status: 0 done, 1 there is no superblock, or the disk is too short for it, 2 wrong\n"
	"usage or input and output.\n"
	"\n"
	"Example:\n"
	"  pm-disk info model.img --json\n";

static int print(const struct disk_options *o, const struct pm_verity_params *p,
	const uint8_t *uuid, const uint8_t *root)
{
	json_t *object;

	if (o->json) {
		object = output_entry(p, root);
		output_add_layout(object, p, uuid);
		return output_json(object);
	}
	output_params(p, uuid);
	output_hash("Stored root hash", root);
	return TOOL_OK;
}

static int info(const struct disk_options *o, struct disk *d)
{
	struct pm_report *report = pm_report_new();
	uint8_t uuid[PM_VERITY_UUID_SIZE], root[PM_VERITY_DIGEST_SIZE];
	struct pm_verity_params p;
	bool found;
	int r = disk_find(o, d, false, &p, uuid, &found);

	if (r == TOOL_OK) {
		r = pm_verity_root(&p, &d->image.io, &d->hash->io, report, root);
		r = r < 0 ? disk_failed(d, r, report) : print(o, &p, uuid, root);
	}
	pm_report_free(report);
	return r;
}

int cmd_info(int argc, char **argv)
{
	struct disk_options o;
	struct disk d;
	int r = disk_options_parse(argc, argv, VERB_INFO, &o);

	if (r != TOOL_OK)
		return r;
	if (o.help) {
		fputs(help, stdout);
		return TOOL_OK;
	}
	r = disk_open(&o, false, &d);
	if (r == TOOL_OK)
		r = info(&o, &d);
	disk_close(&d);
	return r;
}
