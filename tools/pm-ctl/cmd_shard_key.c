/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/pm.h>

#include "common/checks.h"
#include "common/file.h"
#include "pm-ctl/cmd.h"

static const char help[] =
	"Usage: pm-ctl shard-key --salt SALT [FILE]\n"
	"Print the shard key of a prompt's content, by which a load balancer finds a warm cache.\n"
	"\n"
	"  --salt SALT   the cache salt\n"
	"\n"
	"Without FILE, or with -, standard input is read.\n"
	"\n"
	"Exit status: 0 done, 1 the content is too long, 2 wrong usage or input and output.\n"
	"\n"
	"Examples:\n"
	"  pm-ctl shard-key --salt $SALT prompt.txt\n";

static const struct option long_options[] = {
	{"salt", required_argument, NULL, 's'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct arguments {
	const char *salt;
	const char *path;
	bool help;
};

static int parse(int argc, char **argv, struct arguments *a)
{
	int id;

	while ((id = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (id == 's')
			a->salt = optarg;
		else if (id == 'h')
			a->help = true;
		else
			return TOOL_USAGE; /* getopt said why */
	}
	if (a->help)
		return TOOL_OK;
	if (!a->salt) {
		warnx("shard-key needs --salt; try --help");
		return TOOL_USAGE;
	}
	a->path = optind < argc ? argv[optind++] : "-";
	if (optind != argc) {
		warnx("unexpected argument '%s'", argv[optind]);
		return TOOL_USAGE;
	}
	return TOOL_OK;
}

static int print_key(const struct arguments *a, const uint8_t *content, size_t len)
{
	struct pm_shard *shard = NULL;
	int r = pm_shard_new(a->salt, strlen(a->salt), &shard);

	if (r == PM_OK)
		r = pm_shard_add(shard, content, len);
	if (r == PM_OK)
		puts(pm_shard_key(shard));
	else if (r == PM_E_LIMIT)
		warnx("%s: longer than %d bytes", a->path, PM_SHARD_CONTENT_MAX);
	else
		tool_print_error("shard-key", r, NULL);
	pm_shard_free(shard);
	if (r == PM_OK && fflush(stdout)) {
		warn("standard output");
		return TOOL_USAGE;
	}
	return r == PM_OK ? TOOL_OK : tool_exit_status(r);
}

int cmd_shard_key(int argc, char **argv)
{
	struct arguments a = {0};
	uint8_t *content = NULL;
	size_t len = 0;
	int r = parse(argc, argv, &a);

	if (r != TOOL_OK)
		return r;
	if (a.help) {
		fputs(help, stdout);
		return TOOL_OK;
	}
	r = tool_read_file(a.path, PM_SHARD_CONTENT_MAX, &content, &len);
	if (r == TOOL_OK)
		r = print_key(&a, content, len);
	free(content);
	return r;
}
