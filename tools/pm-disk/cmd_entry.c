/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include <pm/error.h>

#include "common/file.h"
#include "pm-disk/cmd.h"
#include "pm-disk/disk.h"
#include "pm-disk/output.h"
#include "pm-disk/progress.h"

static const char help[] =
	"Usage: pm-disk manifest-entry IMAGE [OPTION]...\n"
	"Verify a disk whole and print what a manifest says of it, as JSON.\n"
	"\n"
	"  --name NAME            print {NAME: entry}, as in the models of a manifest\n"
	"  --root-hash HEX        refuse a disk of another root hash (default: the stored one)\n"
	"  --hash-device FILE     where superblock and tree are (default: in the image)\n"
	"  --hash-offset N        where they begin (default: searched behind the data)\n"
	"  --threads N            how many hash (default: all processors)\n"
	"  -q, --quiet            no progress bar\n"
	"\n"
	"Exit status: 0 done, 1 the disk is damaged or not the one demanded, 2 wrong usage or "
	"input\n"
	"and output.\n"
	"\n"
	"Example:\n"
	"  pm-disk manifest-entry --name llama model.img\n";

static int print(const struct disk_options *o, const struct pm_verity_params *p)
{
	json_t *entry = output_entry(p, o->root);

	return output_json(o->name ? json_pack("{s:o}", o->name, entry) : entry);
}

static int verify(struct disk_options *o, struct disk *d, const struct pm_verity_params *p,
	struct pm_report *report)
{
	struct progress progress;
	struct pm_verity_options options =
		progress_options(&progress, "verifying", o->threads, o->quiet);
	int r = PM_OK;

	if (!o->has_root)
		r = pm_verity_root(p, &d->image.io, &d->hash->io, report, o->root);
	if (r == PM_OK)
		r = pm_verity_verify(p, o->root, &d->image.io, &d->hash->io, &options, report);
	progress_end(&progress);
	return r < 0 ? disk_failed(d, r, report) : TOOL_OK;
}

static int entry(struct disk_options *o, struct disk *d)
{
	struct pm_report *report = pm_report_new();
	uint8_t uuid[PM_VERITY_UUID_SIZE];
	struct pm_verity_params p;
	bool found;
	int r = disk_find(o, d, false, &p, uuid, &found);

	if (r == TOOL_OK)
		r = verify(o, d, &p, report);
	if (r == TOOL_OK)
		r = print(o, &p);
	pm_report_free(report);
	return r;
}

int cmd_entry(int argc, char **argv)
{
	struct disk_options o;
	struct disk d;
	int r = disk_options_parse(argc, argv, VERB_ENTRY, &o);

	if (r != TOOL_OK)
		return r;
	if (o.help) {
		fputs(help, stdout);
		return TOOL_OK;
	}
	r = disk_open(&o, false, &d);
	if (r == TOOL_OK)
		r = entry(&o, &d);
	disk_close(&d);
	return r;
}
