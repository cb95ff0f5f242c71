/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pm/pm.h>

#include "common/file.h"
#include "pm-disk/cmd.h"
#include "pm-disk/disk.h"
#include "pm-disk/erofs.h"
#include "pm-disk/output.h"
#include "pm-disk/progress.h"
#include "pm-disk/undo.h"
#include "pm-disk/walk.h"

static const char help[] =
	"Usage: pm-disk build FOLDER -o IMAGE [OPTION]...\n"
	"Make a read-only disk of a folder: an erofs file system with its dm-verity tree. The "
	"same\n"
	"files give the same bytes, whenever and wherever it is made with one version of\n"
	"mkfs.erofs.\n"
	"\n"
	"  -o, --output IMAGE     the image; replaced as a whole or not at all\n"
	"  --metadata FILE        where its description goes (default: IMAGE.json)\n"
	"  --exclude GLOB         leave out; with a slash it is for the path from the folder on,\n"
	"                         without one for names at any depth; may be repeated\n"
	"  --include GLOB         take only files that match; may be repeated\n"
	"  --keep-modes           take files of any mode: permissions are part of the image\n"
	"  --salt HEX             up to 256 bytes, or - for none (default 00)\n"
	"  --uuid UUID            of the tree's superblock (default: the nil UUID)\n"
	"  --mkfs PROGRAM         instead of mkfs.erofs\n"
	"  --threads N            how many hash (default: all processors)\n"
	"  -q, --quiet            no progress bar\n"
	"  --json                 print the description\n"
	"\n"
	"Refused: symbolic links out of the folder, devices, pipes, sockets, hard links, and what\n"
	"changes while it is read.\n"
	"\n"
	"Exit status: 0 done, 1 the folder can't be made an image, 2 wrong usage or input and "
	"output.\n"
	"\n"
	"Example:\n"
	"  pm-disk build model -o model.img --exclude .git --exclude '*.bin'\n";

struct build {
	struct disk_options *options;
	struct walk before;
	char *temporary;
	char version[EROFS_VERSION_SIZE];
	struct pm_verity_params params;
	uint8_t root[PM_VERITY_DIGEST_SIZE];
};

static int make_file_system(struct build *b)
{
	struct walk after;
	int r = walk_folder(b->options, &b->before);

	if (r == TOOL_OK)
		r = erofs_make(&b->before, b->temporary, b->version);
	if (r != TOOL_OK)
		return r;
	r = walk_folder(b->options, &after);
	if (r == TOOL_OK)
		r = walk_compare(&b->before, &after);
	walk_free(&after);
	return r;
}

static void choose(struct build *b, const struct disk *d)
{
	b->params = (struct pm_verity_params){
		.size = sizeof(b->params),
		.data_block_size = 4096,
		.hash_block_size = 4096,
		.salt_size = 1,
	};
	disk_options_apply(b->options, &b->params);
	b->params.data_blocks = d->image.size / 4096;
	b->params.hash_offset = d->image.size;
}

static int append_tree(struct build *b, struct disk *d)
{
	const struct disk_options *o = b->options;
	struct pm_report *report = pm_report_new();
	const struct pm_verity_io *io = &d->image.io;
	struct progress progress;
	struct pm_verity_options options =
		progress_options(&progress, "hashing", o->threads, o->quiet);
	int r = pm_verity_format(&b->params, o->uuid, io, io, &options, report, b->root);

	progress_end(&progress);
	if (r < 0)
		r = disk_failed(d, r, report);
	else if (fchmod(d->image.fd, 0644) || fsync(d->image.fd)) {
		warn("%s", b->temporary);
		r = TOOL_USAGE;
	}
	pm_report_free(report);
	return r;
}

static int add_tree(struct build *b)
{
	struct disk_options o = {.image = b->temporary};
	struct disk d;
	int r = disk_open(&o, true, &d);

	if (r == TOOL_OK && d.image.size % 4096) {
		warnx("%s: mkfs.erofs made an image that is not whole blocks", b->temporary);
		r = TOOL_USAGE;
	}
	if (r == TOOL_OK) {
		choose(b, &d);
		r = append_tree(b, &d);
	}
	disk_close(&d);
	return r;
}

static json_t *globs_json(const struct disk_globs *globs)
{
	json_t *list = json_array();

	for (size_t i = 0; i < globs->count; i++)
		json_array_append_new(list, json_string(globs->patterns[i]));
	return list;
}

static size_t count_files(const struct walk *w)
{
	size_t files = 0;

	for (size_t i = 0; i < w->count; i++)
		files += w->items[i].kept && S_ISREG(w->items[i].st.st_mode) ? 1 : 0;
	return files;
}

static json_t *describe(const struct build *b)
{
	json_t *object = output_entry(&b->params, b->root);

	output_add_layout(object, &b->params, b->options->uuid);
	json_object_set_new(object, "files", json_integer((json_int_t)count_files(&b->before)));
	json_object_set_new(object, "excluded", globs_json(&b->options->exclude));
	json_object_set_new(object, "included", globs_json(&b->options->include));
	json_object_set_new(object, "erofs_version", json_string(b->version));
	json_object_set_new(object, "pm_version", json_string(pm_version()));
	return object;
}

static int write_metadata(const struct build *b, const char *path)
{
	json_t *object = describe(b);
	char *text = json_dumps(object, JSON_INDENT(2)), *line = NULL;
	int r = TOOL_USAGE, len = text ? asprintf(&line, "%s\n", text) : -1;

	if (len < 0)
		warnx("out of memory");
	else
		r = tool_write_file(path, line, (size_t)len, 0644);
	if (len >= 0)
		free(line);
	free(text);
	json_decref(object);
	return r;
}

/* The name on disk, so that a crash leaves the old image or the new one; best effort. */
static void sync_folder(const char *path)
{
	char *copy = strdup(path), *slash = copy ? strrchr(copy, '/') : NULL;
	int fd;

	if (slash)
		slash[slash == copy] = '\0';
	fd = open(slash ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
	free(copy);
}

/* The description first: an image that is there has one. */
static int publish(const struct build *b)
{
	const struct disk_options *o = b->options;
	char *beside = NULL;
	int r;

	if (!o->metadata && asprintf(&beside, "%s.json", o->output) < 0) {
		warnx("out of memory");
		return TOOL_USAGE;
	}
	r = write_metadata(b, o->metadata ? o->metadata : beside);
	free(beside);
	if (r == TOOL_OK && rename(b->temporary, o->output)) {
		warn("%s", o->output);
		return TOOL_USAGE;
	}
	sync_folder(o->output);
	return r;
}

static int print(const struct build *b)
{
	if (b->options->json)
		return output_json(describe(b));
	output_params(&b->params, b->options->uuid);
	output_hash("Root hash", b->root);
	return TOOL_OK;
}

static int build(struct build *b)
{
	int fd = mkostemp(b->temporary, O_CLOEXEC), r;

	if (fd < 0) {
		warn("%s", b->options->output);
		return TOOL_USAGE;
	}
	close(fd);
	undo_remove(b->temporary);
	r = make_file_system(b);
	if (r == TOOL_OK)
		r = add_tree(b);
	if (r == TOOL_OK)
		r = publish(b);
	if (r != TOOL_OK)
		undo_run();
	undo_forget();
	if (r == TOOL_OK)
		r = print(b);
	walk_free(&b->before);
	return r;
}

static int check_usage(const struct disk_options *o)
{
	if (o->output && strcmp(o->output, "-") != 0)
		return TOOL_OK;
	warnx("build needs -o IMAGE, a file; try --help");
	return TOOL_USAGE;
}

int cmd_build(int argc, char **argv)
{
	struct disk_options o;
	struct build b = {.options = &o, .before.root = -1};
	int r = disk_options_parse(argc, argv, VERB_BUILD, &o);

	if (r != TOOL_OK)
		return r;
	if (o.help) {
		fputs(help, stdout);
		return TOOL_OK;
	}
	r = check_usage(&o);
	if (r != TOOL_OK)
		return r;
	if (asprintf(&b.temporary, "%s.XXXXXX", o.output) < 0) {
		warnx("out of memory");
		return TOOL_USAGE;
	}
	r = build(&b);
	free(b.temporary);
	return r;
}
