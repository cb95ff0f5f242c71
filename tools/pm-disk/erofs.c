/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-disk/erofs.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/child.h"
#include "common/file.h"

extern char **environ;

/* Time 0, no extended attributes, all files root's, nil UUID; no compression. */
static const char *const fixed[] = {
	"-T0",
	"-x-1",
	"--all-root",
	"-U00000000-0000-0000-0000-000000000000",
};

#define FIXED_COUNT (sizeof(fixed) / sizeof(fixed[0]))
#define EXCLUDE	    "--exclude-path="

struct arguments {
	char **argv;
	size_t count;
};

static void arguments_free(struct arguments *a)
{
	for (size_t i = 0; a->argv && i < a->count; i++)
		free(a->argv[i]);
	free(a->argv);
}

static bool add(struct arguments *a, const char *prefix, const char *text)
{
	char *copy = NULL;

	if (asprintf(&copy, "%s%s", prefix, text) < 0)
		return false;
	a->argv[a->count++] = copy;
	return true;
}

/* The program, its options, what is left out, the image and the folder. */
static bool arguments_make(
	const struct walk *w, const char *image, const char *program, struct arguments *a)
{
	bool ok;

	a->argv = calloc(FIXED_COUNT + w->count + 4, sizeof(*a->argv));
	ok = a->argv && add(a, "", program);
	for (size_t i = 0; ok && i < FIXED_COUNT; i++)
		ok = add(a, "", fixed[i]);
	for (size_t i = 0; ok && i < w->count; i++) {
		if (!w->items[i].kept)
			ok = add(a, EXCLUDE, w->items[i].path);
	}
	return ok && add(a, "", image) && add(a, "", w->options->image);
}

/* The first words that it prints are its name and version; the rest is not for our users. */
static void read_version(int fd, char *ret_version)
{
	char text[4096];
	size_t used = 0;
	ssize_t n;

	while ((n = read(fd, text, sizeof(text))) > 0 || (n < 0 && errno == EINTR)) {
		for (ssize_t i = 0; i < n && used + 1 < EROFS_VERSION_SIZE; i++)
			ret_version[used++] = text[i];
	}
	ret_version[used] = '\0';
	ret_version[strcspn(ret_version, "\r\n\033")] = '\0';
}

static int run(const struct arguments *a, char *ret_version)
{
	posix_spawn_file_actions_t actions;
	int ends[2], error;
	pid_t child = -1;

	if (pipe2(ends, O_CLOEXEC)) {
		warn("pipe");
		return TOOL_USAGE;
	}
	error = posix_spawn_file_actions_init(&actions);
	if (!error)
		error = posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	if (!error)
		error = posix_spawnp(&child, a->argv[0], &actions, NULL, a->argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (!error)
		read_version(ends[0], ret_version);
	close(ends[0]);
	if (!error)
		return tool_wait_for(child, a->argv[0]);
	warnx("%s: %s", a->argv[0], strerror(error));
	return TOOL_USAGE;
}

int erofs_make(const struct walk *w, const char *image, char *ret_version)
{
	const char *program = w->options->mkfs ? w->options->mkfs : "mkfs.erofs";
	struct arguments a = {0};
	int r = TOOL_USAGE;

	if (arguments_make(w, image, program, &a))
		r = run(&a, ret_version);
	else
		warnx("out of memory");
	arguments_free(&a);
	return r;
}
