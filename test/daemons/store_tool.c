/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store by hand, for tests that end servers and processes.
 *
 * store_tool [--tls CERT KEY CA] URL COMMAND...
 *   get KEY | put KEY VALUE [IF-REVISION] | delete KEY | list PREFIX
 *   write PREFIX SIZE COUNT DEPTH     entries of SIZE bytes, DEPTH at a time, until one fails
 *   mixed PREFIX SIZE COUNT DEPTH     the same, but only the second one has that size
 *   check PREFIX SIZE                 which of those are there, and as they were written
 *   watch PREFIX REVISION             until it is lost
 *
 * Each answer is a line: "ok REVISION [LENGTH VALUE]", "failed ERROR REASON", "event KEY REVISION
 * LENGTH", "gone KEY REVISION", "lost REASON".
 */
#include <err.h>
#include <pm/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_tls.h"

#define SMALL 10

struct tool {
	struct loop *loop;
	struct store *store;
	const char *prefix;
	size_t size;
	bool is_mixed;
	long count, begun, ended, depth;
	int status;
};

struct write {
	struct tool *tool;
	long index;
};

static void say(const char *line)
{
	puts(line);
	if (fflush(stdout))
		exit(1);
}

static void end(struct tool *tool, int status)
{
	tool->status = status;
	loop_stop(tool->loop);
}

/* --- one operation --------------------------------------------------------------------------- */

static void print_failure(const struct store_result *result)
{
	printf("failed %d %s\n", result->error, result->reason);
}

static void print_entries(const struct store_result *result)
{
	for (size_t i = 0; i < result->count; i++)
		printf("entry %s %llu %zu %.*s\n", result->entries[i].key,
			(unsigned long long)result->entries[i].revision, result->entries[i].len,
			(int)(result->entries[i].len < 64 ? result->entries[i].len : 64),
			(const char *)result->entries[i].value);
}

static void on_done(void *arg, const struct store_result *result)
{
	struct tool *tool = arg;

	if (result->error != PM_OK) {
		print_failure(result);
		end(tool, 1);
		return;
	}
	print_entries(result);
	printf("ok %llu\n", (unsigned long long)result->revision);
	end(tool, 0);
}

/* --- many writes ----------------------------------------------------------------------------- */

/* The bytes of an entry follow from its number. */
static void fill(uint8_t *bytes, size_t size, long index)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)((size_t)index * 131 + i * 7 + (i >> 8));
}

static void write_next(struct tool *tool);

static void on_written(void *arg, const struct store_result *result)
{
	struct write *w = arg;
	struct tool *tool = w->tool;
	char line[640];

	if (result->error == PM_OK)
		snprintf(line, sizeof(line), "ack %ld", w->index);
	else
		snprintf(line, sizeof(line), "failed %d %s", result->error, result->reason);
	say(line);
	free(w);
	tool->ended++;
	if (result->error != PM_OK) {
		tool->status = 1;
		tool->count = tool->begun;
	}
	if (tool->begun < tool->count)
		write_next(tool);
	else if (tool->ended == tool->begun)
		end(tool, tool->status);
}

static void write_next(struct tool *tool)
{
	struct write *w = malloc(sizeof(*w));
	size_t size = tool->is_mixed && tool->begun != 1 ? SMALL : tool->size;
	uint8_t *bytes = malloc(size);
	char key[STORE_KEY_MAX];

	if (!w || !bytes)
		err(1, NULL);
	*w = (struct write){tool, tool->begun++};
	fill(bytes, size, w->index);
	snprintf(key, sizeof(key), "%s%08ld", tool->prefix, w->index);
	if (!store_put(tool->store, key, bytes, size, 0, STORE_ANY, on_written, w))
		err(1, NULL);
	free(bytes);
}

/* --- what is there --------------------------------------------------------------------------- */

static bool is_whole(const struct tool *tool, const struct store_entry *e, long index)
{
	uint8_t *bytes = malloc(e->len + 1);
	bool same;

	if (!bytes)
		err(1, NULL);
	fill(bytes, e->len, index);
	same = e->len >= tool->size && !memcmp(bytes, e->value, e->len);
	free(bytes);
	return same;
}

static void on_checked(void *arg, const struct store_result *result)
{
	struct tool *tool = arg;

	for (size_t i = 0; i < result->count; i++) {
		long index = strtol(result->entries[i].key + strlen(tool->prefix), NULL, 10);

		printf("%s %ld\n", is_whole(tool, &result->entries[i], index) ? "whole" : "torn",
			index);
	}
	if (result->error != PM_OK)
		print_failure(result);
	if (!result->more) {
		end(tool, result->error != PM_OK);
		return;
	}
	if (!store_list(tool->store, tool->prefix, result->entries[result->count - 1].key, 0,
		    on_checked, tool))
		err(1, NULL);
}

/* --- watching -------------------------------------------------------------------------------- */

static void on_event(void *arg, const struct store_entry *e)
{
	char line[STORE_KEY_MAX + 64];

	(void)arg;
	if (e->value)
		snprintf(line, sizeof(line), "event %s %llu %zu", e->key,
			(unsigned long long)e->revision, e->len);
	else
		snprintf(line, sizeof(line), "gone %s %llu", e->key,
			(unsigned long long)e->revision);
	say(line);
}

static void on_lost(void *arg, const char *reason)
{
	printf("lost %s\n", reason);
	end(arg, 1);
}

/* --- the command ----------------------------------------------------------------------------- */

static uint64_t number(const char *text)
{
	return strtoull(text, NULL, 10);
}

static bool start_many(struct tool *tool, int argc, char **argv)
{
	tool->prefix = argv[1];
	if (!strcmp(argv[0], "check") && argc == 3) {
		tool->size = number(argv[2]);
		return store_list(tool->store, argv[1], NULL, 0, on_checked, tool);
	}
	tool->is_mixed = !strcmp(argv[0], "mixed");
	if ((!tool->is_mixed && strcmp(argv[0], "write") != 0) || argc != 5)
		return false;
	tool->size = number(argv[2]);
	tool->count = (long)number(argv[3]);
	for (long i = 0; i < (long)number(argv[4]); i++)
		write_next(tool);
	return true;
}

static bool start(struct tool *tool, int argc, char **argv)
{
	const char *command = argv[0];

	if (!strcmp(command, "get") && argc == 2)
		return store_get(tool->store, argv[1], on_done, tool);
	if (!strcmp(command, "list") && argc == 2)
		return store_list(tool->store, argv[1], NULL, 0, on_done, tool);
	if (!strcmp(command, "delete") && argc == 2)
		return store_delete(tool->store, argv[1], STORE_ANY, on_done, tool);
	if (!strcmp(command, "put") && (argc == 3 || argc == 4))
		return store_put(tool->store, argv[1], argv[2], strlen(argv[2]), 0,
			argc == 4 ? number(argv[3]) : STORE_ANY, on_done, tool);
	if (!strcmp(command, "watch") && argc == 3)
		return store_watch(tool->store, argv[1], number(argv[2]), on_event, on_lost, tool);
	return argc > 1 && start_many(tool, argc, argv);
}

int main(int argc, char **argv)
{
	struct store_tls tls = store_tls_take(&argc, &argv);
	struct tool tool = {0};
	const char *reason = "";
	int r;

	if (argc < 3 || loop_new(0, &tool.loop) < 0)
		errx(2, "usage: store_tool [--tls CERT KEY CA] URL COMMAND...");
	r = store_open(tool.loop, argv[1], &tls, &reason, &tool.store);
	if (r < 0)
		printf("failed %d %s\n", r, reason);
	tool.status = r < 0;
	if (r == PM_OK && !start(&tool, argc - 2, argv + 2))
		errx(2, "not a command");
	if (r == PM_OK)
		loop_run(tool.loop);
	store_close(tool.store);
	loop_free(tool.loop);
	store_tls_free(&tls);
	return tool.status;
}
