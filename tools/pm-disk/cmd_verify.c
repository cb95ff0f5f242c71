/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include <pm/error.h>

#include "common/checks.h"
#include "common/file.h"
#include "pm-disk/cmd.h"
#include "pm-disk/disk.h"
#include "pm-disk/output.h"
#include "pm-disk/progress.h"

static const char help[] =
	"Usage: pm-disk verify IMAGE --entry FILE | --root-hash HEX [OPTION]...\n"
	"Compare each block of an image with its root hash.\n"
	"\n"
	"  --entry FILE           what to demand, as pm-disk manifest-entry prints it\n"
	"  --root-hash HEX        the root hash, 32 bytes\n"
	"  --data-blocks N        with --root-hash: how many data blocks there must be\n"
	"  --data-block-size N    likewise, their size\n"
	"  --hash-block-size N    likewise, the size of the blocks of the tree\n"
	"  --salt HEX             likewise, the salt; - for none\n"
	"  --hash-device FILE     where superblock and tree are (default: in the image)\n"
	"  --hash-offset N        where they begin (default: searched behind the data)\n"
	"  --threads N            how many hash (default: all processors)\n"
	"  -q, --quiet            no progress bar\n"
	"  --json                 print JSON\n"
	"\n"
	"What is not demanded is taken from the superblock and listed as not checked. Without the\n"
	"number of blocks a root hash alone proves little: demand it, or use --entry.\n"
	"\n"
	"Exit status: 0 verified, 1 a block is not the right one or the disk is malformed, 2 "
	"wrong\n"
	"usage or input and output.\n"
	"\n"
	"Example:\n"
	"  pm-disk verify model.img --root-hash $HASH --data-blocks 262144 --salt 00\n";

/* Parameters that nobody demanded, as one line. */
static void list_untrusted(const struct disk_options *o, char *ret_text, size_t size)
{
	const struct {
		const char *name;
		bool given;
	} rows[] = {
		{"data_blocks", o->has_data_blocks},
		{"data_block_size", o->has_data_block_size},
		{"hash_block_size", o->has_hash_block_size},
		{"salt", o->has_salt},
	};
	size_t used = 0;

	ret_text[0] = '\0';
	for (size_t i = 0; !o->entry && i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!rows[i].given)
			used += (size_t)snprintf(ret_text + used, size - used, "%s%s",
				used ? ", " : "", rows[i].name);
	}
}

/* From the entry, or from the command line and for the rest from the superblock. */
static int choose(struct disk_options *o, struct disk *d, struct pm_verity_params *ret)
{
	uint8_t uuid[PM_VERITY_UUID_SIZE];
	bool found;
	int r;

	if (o->entry)
		return output_read_entry(o->entry, ret, o->root);
	r = disk_find(o, d, false, ret, uuid, &found);
	if (r == TOOL_OK)
		disk_options_apply(o, ret);
	return r;
}

static int print_json(
	const struct disk_options *o, int r, const struct pm_report *report, const char *untrusted)
{
	json_t *object = json_pack("{s:s, s:b, s:o}", "image", o->image, "verified", r == PM_OK,
		"checks", tool_checks_json(report));

	if (object && untrusted[0])
		json_object_set_new(object, "not_demanded", json_string(untrusted));
	return output_json(object);
}

static int print_text(
	const struct disk_options *o, int r, const struct pm_report *report, const char *untrusted)
{
	tool_print_checks(report);
	if (untrusted[0])
		printf("– %-31s %s\n", "taken from the disk itself", untrusted);
	if (r < 0)
		printf("%s: NOT VERIFIED\n", o->image);
	else
		printf("%s: verified%s\n", o->image,
			untrusted[0] ? ", with parameters of its own" : "");
	return TOOL_OK;
}

/* There was nothing to check yet, or it can't be read: standard error has said so already. */
static int refuse(const struct disk_options *o, const struct disk *d, int status)
{
	json_t *object;

	if (!o->json)
		return status;
	object = json_pack("{s:s, s:b, s:[], s:s}", "image", o->image, "verified", 0, "checks",
		"reason",
		d->reason[0] ? d->reason : "not to be read, or malformed: see standard error");
	return output_json(object) == TOOL_OK ? status : TOOL_USAGE;
}

static int verify_with(const struct disk_options *o, struct disk *d,
	const struct pm_verity_params *p, struct pm_report *report)
{
	char untrusted[128];
	struct progress progress;
	struct pm_verity_options options =
		progress_options(&progress, "verifying", o->threads, o->quiet);
	int printed, r = pm_verity_verify(p, o->root, &d->image.io, &d->hash->io, &options, report);

	progress_end(&progress);
	if (tool_exit_status(r) == TOOL_USAGE)
		return refuse(o, d, disk_failed(d, r, report));
	list_untrusted(o, untrusted, sizeof(untrusted));
	printed =
		o->json ? print_json(o, r, report, untrusted) : print_text(o, r, report, untrusted);
	return printed == TOOL_OK ? tool_exit_status(r) : printed;
}

static int verify(struct disk_options *o, struct disk *d)
{
	struct pm_report *report = pm_report_new();
	struct pm_verity_params p;
	int r;

	if (!report) {
		warnx("out of memory");
		return TOOL_USAGE;
	}
	r = choose(o, d, &p);
	r = r == TOOL_OK ? verify_with(o, d, &p, report) : refuse(o, d, r);
	pm_report_free(report);
	return r;
}

static int check_usage(const struct disk_options *o)
{
	bool given = o->has_root || o->has_data_blocks || o->has_data_block_size ||
		     o->has_hash_block_size || o->has_salt || o->has_hash_offset;

	if (o->entry ? !given : o->has_root)
		return TOOL_OK;
	warnx(o->entry ? "--entry says all; no other parameter goes with it"
		       : "verify needs --entry FILE or --root-hash HEX; try --help");
	return TOOL_USAGE;
}

int cmd_verify(int argc, char **argv)
{
	struct disk_options o;
	struct disk d;
	int r = disk_options_parse(argc, argv, VERB_VERIFY, &o);

	if (r != TOOL_OK)
		return r;
	if (o.help) {
		fputs(help, stdout);
		return TOOL_OK;
	}
	r = check_usage(&o);
	if (r != TOOL_OK)
		return r;
	r = disk_open(&o, false, &d);
	r = r == TOOL_OK ? verify(&o, &d) : refuse(&o, &d, r);
	disk_close(&d);
	return r;
}
