/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/verbs.h"
#include "pm-ctl/cmd.h"
#include "pm-ctl/manifest.h"
#include "pm-ctl/remote.h"

static int load(const char *path, struct pm_history **ret)
{
	struct pm_report *report = pm_report_new();
	uint8_t *bytes = NULL;
	size_t len;
	int r = tool_read_file(path, PM_HISTORY_SIZE_MAX, &bytes, &len), error = PM_OK;

	if (r == TOOL_OK)
		error = pm_history_parse(bytes, len, report, ret);
	if (error < 0) {
		tool_print_error(path, error, report);
		r = tool_exit_status(error);
	}
	free(bytes);
	pm_report_free(report);
	return r;
}

/* --- append ---------------------------------------------------------------------------------- */

static const char append_help[] =
	"Usage: pm-ctl history append MANIFEST --key KEY -o HISTORY [--time TIME]\n"
	"Add the link of a manifest that takes force, signed by the coordinator's key, to a "
	"history, "
	"which\n"
	"is made when it is not there. Whether the owners consented is not looked at: see manifest "
	"check.\n"
	"\n"
	"  --key KEY            the coordinator's private key\n"
	"  -o, --output FILE    the history\n"
	"  --time TIME          as 2026-03-01T00:00:00Z (default: now)\n"
	"\n"
	"Exit status: 0 done, 1 the manifest does not follow the last one, or a file is malformed, "
	"2 "
	"wrong\n"
	"usage or input and output.\n"
	"\n"
	"Examples:\n"
	"  pm-ctl history append manifest.json --key coordinator.key -o history.json\n";

static const struct option append_options[] = {
	{"key", required_argument, NULL, 'k'},
	{"output", required_argument, NULL, 'o'},
	{"time", required_argument, NULL, 't'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct arguments {
	const char *path, *key, *output;
	int64_t now;
	bool help;
};

static bool set_time(const char *text, int64_t *ret)
{
	if (pm_time_parse(text, ret) == PM_OK)
		return true;
	warnx("--time: found '%s', expected a time as 2026-03-01T00:00:00Z", text);
	return false;
}

static int parse(int argc, char **argv, struct arguments *a)
{
	int id;

	while ((id = getopt_long(argc, argv, "o:h", append_options, NULL)) != -1) {
		if (id == 'k')
			a->key = optarg;
		else if (id == 'o')
			a->output = optarg;
		else if (id == 'h')
			a->help = true;
		else if (id != 't' || !set_time(optarg, &a->now))
			return TOOL_USAGE;
	}
	if (a->help)
		return TOOL_OK;
	if (optind + 1 != argc || !a->key || !a->output) {
		warnx("history append needs one MANIFEST, --key and -o; try --help");
		return TOOL_USAGE;
	}
	a->path = argv[optind];
	return TOOL_OK;
}

static int open_history(const char *path, struct pm_history **ret)
{
	int r;

	if (!access(path, F_OK))
		return load(path, ret);
	r = pm_history_new(ret);
	if (r < 0)
		tool_print_error(path, r, NULL);
	return tool_exit_status(r);
}

static int write_history(const char *path, const struct pm_history *history)
{
	char *text = NULL;
	size_t len;
	int r = pm_history_text(history, 0, &text, &len), status;

	if (r < 0)
		tool_print_error(path, r, NULL);
	status = r < 0 ? tool_exit_status(r) : tool_write_file(path, text, len, 0644);
	pm_history_text_free(text);
	return status;
}

static int append_to(const struct arguments *a, const struct pm_manifest *m,
	const struct pm_sign_key *key, struct pm_history *history)
{
	struct pm_report *report = pm_report_new();
	int r = pm_history_append(history, m, key, a->now, report);

	if (r < 0)
		tool_print_error(a->path, r, report);
	pm_report_free(report);
	return r < 0 ? tool_exit_status(r) : write_history(a->output, history);
}

static int history_append(int argc, char **argv)
{
	struct arguments a = {.now = time(NULL)};
	struct pm_history *history = NULL;
	struct pm_sign_key *key = NULL;
	struct pm_manifest *m = NULL;
	int r = parse(argc, argv, &a);

	if (r != TOOL_OK)
		return r;
	if (a.help) {
		fputs(append_help, stdout);
		return TOOL_OK;
	}
	r = manifest_load(a.path, &m);
	if (r == TOOL_OK)
		r = manifest_load_key(a.key, &key);
	if (r == TOOL_OK)
		r = open_history(a.output, &history);
	if (r == TOOL_OK)
		r = append_to(&a, m, key, history);
	pm_history_free(history);
	pm_sign_key_free(key);
	pm_manifest_free(m);
	return r;
}

/* --- show ------------------------------------------------------------------------------------ */

static const char show_help[] =
	"Usage: pm-ctl history show HISTORY\n"
	"Print the links of a history: serial number, time, and hash of the manifest. Signatures "
	"are "
	"not\n"
	"looked at: see manifest check --history.\n"
	"\n"
	"Exit status: 0 done, 1 the history is malformed, 2 wrong usage or input and output.\n"
	"\n"
	"Examples:\n"
	"  pm-ctl history show history.json\n";

static int history_show(int argc, char **argv)
{
	const struct pm_history_link *link;
	struct pm_history *history = NULL;
	int r;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(show_help, stdout);
		return TOOL_OK;
	}
	if (argc != 2) {
		warnx("history show needs one FILE; try --help");
		return TOOL_USAGE;
	}
	r = load(argv[1], &history);
	for (size_t i = 0; r == TOOL_OK && (link = pm_history_at(history, i)); i++) {
		char hash[2 * PM_MANIFEST_HASH_SIZE + 1], when[PM_TIME_TEXT_SIZE];

		pm_hex_encode(link->manifest, sizeof(link->manifest), hash);
		pm_time_format(link->time, when);
		printf("%llu %s %s\n", (unsigned long long)link->serial, when, hash);
	}
	pm_history_free(history);
	return r;
}

static const struct tool_verb verbs[] = {
	{"append", history_append, "add the link of a manifest that takes force"},
	{"show", history_show, "print the links"},
	{0},
};

static const struct tool_program program = {
	.name = "pm-ctl history",
	.summary = "The signed history of a deployment's manifests.\n"
		   "Usage: pm-ctl history URL --manifest FILE [OPTION]...\n"
		   "The same from a coordinator; history URL --help says more.",
	.yes = "done",
	.verbs = verbs,
};

int cmd_history(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (remote_is_url(argv[i]))
			return remote_history(argc, argv);
	return tool_run(&program, argc, argv);
}
