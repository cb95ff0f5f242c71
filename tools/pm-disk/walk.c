/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-disk/walk.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/file.h"

#define DEPTH_MAX 64
#define ITEMS_MAX 1000000

static int out_of_memory(void)
{
	warnx("out of memory");
	return TOOL_USAGE;
}

static int failed(const struct walk *w, const char *path)
{
	warn("%s/%s", w->options->image, path);
	return TOOL_USAGE;
}

static int refuse(const struct walk *w, const char *path, const char *why)
{
	warnx("%s/%s: %s", w->options->image, path, why);
	return TOOL_REJECTED;
}

/* --- patterns -------------------------------------------------------------------------------- */

/* A pattern with a slash is for the path from the folder on, one without for any name. */
static bool matches(const struct disk_globs *globs, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	for (size_t i = 0; i < globs->count; i++) {
		const char *pattern = globs->patterns[i];
		const char *text = strchr(pattern, '/') ? path : name;

		if (!fnmatch(pattern, text, FNM_PATHNAME))
			return true;
	}
	return false;
}

static bool is_kept(const struct walk *w, const char *path, bool folder)
{
	const struct disk_options *o = w->options;

	if (matches(&o->exclude, path))
		return false;
	return folder || !o->include.count || matches(&o->include, path);
}

static bool is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return !n || (!strncmp(path, folder, n) && path[n] == '/');
}

/* With --include, a folder stays for what is kept in it. Items below a folder stand behind it. */
static void drop_empty_folders(struct walk *w)
{
	for (size_t i = w->count; w->options->include.count && i-- > 1;) {
		struct walk_item *folder = &w->items[i];
		bool any = false;

		if (!S_ISDIR(folder->st.st_mode))
			continue;
		for (size_t j = i + 1; !any && j < w->count; j++) {
			if (!is_below(w->items[j].path, folder->path))
				break;
			any = w->items[j].kept;
		}
		folder->kept = folder->kept && any;
	}
}

/* --- what may be in an image ----------------------------------------------------------------- */

/* Resolved as the kernel would, with the folder as the end of the world. */
static int check_link(const struct walk *w, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH};
	long fd = syscall(SYS_openat2, w->root, path, &how, sizeof(how));

	if (fd >= 0) {
		close((int)fd);
		return TOOL_OK;
	}
	if (errno == EXDEV)
		return refuse(w, path, "a symbolic link out of the folder");
	if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
		return refuse(w, path, "a symbolic link to nothing");
	return failed(w, path);
}

/* Permissions are part of the image; those of a usual umask are what everybody has. */
static int check_mode(const struct walk *w, const struct walk_item *item)
{
	mode_t mode = item->st.st_mode & 07777;
	bool usual = mode == 0755 || (S_ISREG(item->st.st_mode) && mode == 0644);
	char why[128];

	if (usual || w->options->keep_modes)
		return TOOL_OK;
	snprintf(why, sizeof(why),
		"mode %04o, not 0755 or, for files, 0644: chmod u=rwX,go=rX, or --keep-modes",
		(unsigned int)mode);
	return refuse(w, item->path, why);
}

static int check_item(const struct walk *w, const struct walk_item *item)
{
	switch (item->st.st_mode & S_IFMT) {
	case S_IFDIR:
		return check_mode(w, item);
	case S_IFREG:
		if (item->st.st_nlink > 1)
			return refuse(w, item->path,
				"a hard link: a copy may lack it, and give another image");
		return check_mode(w, item);
	case S_IFLNK:
		return check_link(w, item->path);
	default:
		return refuse(w, item->path, "neither a file, a folder nor a symbolic link");
	}
}

static int check_items(const struct walk *w)
{
	int worst = TOOL_OK;

	for (size_t i = 0; i < w->count; i++) {
		int r = w->items[i].kept ? check_item(w, &w->items[i]) : TOOL_OK;

		worst = r > worst ? r : worst;
	}
	return worst;
}

/* --- going through --------------------------------------------------------------------------- */

static int add(struct walk *w, const char *path, const struct stat *st, bool kept)
{
	if (w->count == ITEMS_MAX)
		return refuse(w, path, "more than a million files");
	if (w->count == w->room) {
		size_t room = w->room ? 2 * w->room : 64;
		struct walk_item *items = realloc(w->items, room * sizeof(*items));

		if (!items)
			return out_of_memory();
		w->items = items;
		w->room = room;
	}
	w->items[w->count] = (struct walk_item){strdup(path), *st, kept};
	return w->items[w->count++].path ? TOOL_OK : out_of_memory();
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name); /* not by the locale */
}

static int not_dots(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

static int walk_into(struct walk *w, const char *path, int depth);

static int walk_entry(struct walk *w, const char *folder, const char *name, int depth)
{
	char *path = NULL;
	struct stat st;
	bool kept;
	int r;

	if (asprintf(&path, "%s%s%s", folder, folder[0] ? "/" : "", name) < 0)
		return out_of_memory();
	if (fstatat(w->root, path, &st, AT_SYMLINK_NOFOLLOW)) {
		r = failed(w, path);
	} else {
		kept = is_kept(w, path, S_ISDIR(st.st_mode));
		r = add(w, path, &st, kept);
		if (r == TOOL_OK && kept && S_ISDIR(st.st_mode))
			r = walk_into(w, path, depth + 1);
	}
	free(path);
	return r;
}

static int walk_into(struct walk *w, const char *path, int depth)
{
	struct dirent **entries = NULL;
	int count, r = TOOL_OK;

	if (depth > DEPTH_MAX)
		return refuse(w, path, "more than 64 folders deep");
	count = scandirat(w->root, path[0] ? path : ".", &entries, not_dots, by_name);
	if (count < 0)
		return failed(w, path);
	for (int i = 0; i < count; i++) {
		if (r == TOOL_OK)
			r = walk_entry(w, path, entries[i]->d_name, depth);
		free(entries[i]);
	}
	free(entries);
	return r;
}

int walk_folder(const struct disk_options *o, struct walk *ret)
{
	struct stat st;
	int r;

	*ret = (struct walk){.options = o};
	ret->root = open(o->image, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->root < 0 || fstat(ret->root, &st)) {
		warn("%s", o->image);
		return TOOL_USAGE;
	}
	r = add(ret, "", &st, true);
	if (r == TOOL_OK)
		r = walk_into(ret, "", 0);
	if (r != TOOL_OK)
		return r;
	drop_empty_folders(ret);
	return check_items(ret);
}

void walk_free(struct walk *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->items[i].path);
	free(w->items);
	if (w->root >= 0)
		close(w->root);
	*w = (struct walk){.root = -1};
}

/* --- comparing ------------------------------------------------------------------------------- */

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same(const struct walk_item *a, const struct walk_item *b)
{
	return a->st.st_dev == b->st.st_dev && a->st.st_ino == b->st.st_ino &&
	       a->st.st_mode == b->st.st_mode && a->st.st_size == b->st.st_size &&
	       same_time(&a->st.st_mtim, &b->st.st_mtim) &&
	       same_time(&a->st.st_ctim, &b->st.st_ctim);
}

int walk_compare(const struct walk *before, const struct walk *after)
{
	size_t i = 0;

	while (i < before->count && i < after->count &&
		!strcmp(before->items[i].path, after->items[i].path)) {
		if (before->items[i].kept && !same(&before->items[i], &after->items[i]))
			return refuse(after, after->items[i].path, "changed while it was read");
		i++;
	}
	if (i < after->count)
		return refuse(after, after->items[i].path, "appeared while the folder was read");
	if (i < before->count)
		return refuse(after, before->items[i].path, "went while the folder was read");
	return TOOL_OK;
}
