/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/checks.h"
#include "common/file.h"
#include "pm-ctl/manifest.h"
#include "pm-ctl/manifest_notes.h"

static const char help[] =
	"Usage: pm-ctl manifest check FILE [OPTION]...\n"
	"Is a manifest well formed and in force? With more options: signed by enough owners, and "
	"the "
	"one\n"
	"that follows what was seen before? What it leaves open is listed.\n"
	"\n"
	"  --signatures FILE    signatures of owners, with one of the next two\n"
	"  --previous FILE      the manifest that it replaces, whose owners must have signed\n"
	"  --owners FILE        owners as JSON, for a first manifest: {\"threshold\", \"keys\"}\n"
	"  --history FILE       the coordinator's history, which must end with this manifest\n"
	"  --history-key FILE   the coordinator's public key\n"
	"  --memory FILE        refuse what is older than, or contradicts, what this file "
	"remembers; then\n"
	"                       remember this manifest\n"
	"  --time TIME          as of this time, as 2026-03-01T00:00:00Z (default: now)\n"
	"  --json               one JSON object\n"
	"\n"
	"Exit status: 0 yes, 1 no, 2 wrong usage or input and output.\n"
	"\n"
	"Examples:\n"
	"  pm-ctl manifest check manifest.json --signatures manifest.sig --previous old.json\n"
	"  pm-ctl manifest check manifest.json --history history.json --history-key "
	"coordinator.pub \\\n"
	"      --memory ~/.local/share/pm/memory\n";

enum {
	OPT_SIGNATURES = 256,
	OPT_PREVIOUS,
	OPT_OWNERS,
	OPT_HISTORY,
	OPT_HISTORY_KEY,
	OPT_MEMORY,
	OPT_TIME,
	OPT_JSON,
	OPT_HELP,
};

static const struct option long_options[] = {
	{"signatures", required_argument, NULL, OPT_SIGNATURES},
	{"previous", required_argument, NULL, OPT_PREVIOUS},
	{"owners", required_argument, NULL, OPT_OWNERS},
	{"history", required_argument, NULL, OPT_HISTORY},
	{"history-key", required_argument, NULL, OPT_HISTORY_KEY},
	{"memory", required_argument, NULL, OPT_MEMORY},
	{"time", required_argument, NULL, OPT_TIME},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, OPT_HELP},
	{0},
};

struct arguments {
	const char *path, *signatures, *previous, *owners, *history, *history_key, *memory;
	int64_t now;
	bool json, help;
};

static const char **text_option(int id, struct arguments *a)
{
	switch (id) {
	case OPT_SIGNATURES:
		return &a->signatures;
	case OPT_PREVIOUS:
		return &a->previous;
	case OPT_OWNERS:
		return &a->owners;
	case OPT_HISTORY:
		return &a->history;
	case OPT_HISTORY_KEY:
		return &a->history_key;
	case OPT_MEMORY:
		return &a->memory;
	default:
		return NULL;
	}
}

static int set_option(int id, struct arguments *a)
{
	const char **text = text_option(id, a);

	if (text)
		*text = optarg;
	else if (id == OPT_JSON)
		a->json = true;
	else if (id == OPT_HELP)
		a->help = true;
	else if (id != OPT_TIME)
		return TOOL_USAGE; /* getopt said why */
	if (id == OPT_TIME && pm_time_parse(optarg, &a->now) < 0) {
		warnx("--time: found '%s', expected a time as 2026-03-01T00:00:00Z", optarg);
		return TOOL_USAGE;
	}
	return TOOL_OK;
}

static int check_arguments(const struct arguments *a)
{
	if (!a->path)
		warnx("manifest check needs a FILE; try --help");
	else if (a->signatures && !a->previous == !a->owners)
		warnx("--signatures needs one of --previous and --owners");
	else if (!a->signatures && (a->previous || a->owners))
		warnx("--previous and --owners need --signatures");
	else if (!a->history != !a->history_key)
		warnx("--history and --history-key go together");
	else
		return TOOL_OK;
	return TOOL_USAGE;
}

static int parse(int argc, char **argv, struct arguments *a)
{
	int id, r = TOOL_OK;

	while (r == TOOL_OK && (id = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		r = set_option(id, a);
	if (r != TOOL_OK || a->help)
		return r;
	if (optind < argc)
		a->path = argv[optind++];
	if (optind < argc) {
		warnx("unexpected argument '%s'", argv[optind]);
		return TOOL_USAGE;
	}
	return check_arguments(a);
}

/* --- consent --------------------------------------------------------------------------------- */

/* What the check looks at, and its answer: an error of libpm, or a status of what can't be read. */
struct subject {
	const struct arguments *a;
	struct pm_manifest *m;
	struct pm_report *report;
	int error;
};

static int check_update(struct subject *s, const struct pm_signatures *signatures)
{
	struct pm_manifest *previous = NULL;
	int r = manifest_load(s->a->previous, &previous);

	if (r == TOOL_OK)
		s->error =
			pm_manifest_verify_update(s->m, previous, signatures, s->a->now, s->report);
	pm_manifest_free(previous);
	return r;
}

static int check_first(struct subject *s, const struct pm_signatures *signatures)
{
	struct pm_manifest_owners *owners = NULL;
	uint8_t *bytes = NULL;
	size_t len;
	int r = tool_read_file(s->a->owners, PM_MANIFEST_SIZE_MAX, &bytes, &len);

	if (r == TOOL_OK)
		s->error = pm_manifest_owners_parse(bytes, len, s->report, &owners);
	if (owners)
		s->error = pm_manifest_verify(s->m, signatures, owners, s->a->now, s->report);
	pm_manifest_owners_free(owners);
	free(bytes);
	return r;
}

static int check_consent(struct subject *s)
{
	struct pm_signatures *signatures = NULL;
	int r;

	if (!s->a->signatures) {
		s->error = pm_manifest_check_time(s->m, s->a->now, s->report);
		return TOOL_OK;
	}
	r = manifest_load_signatures(s->a->signatures, &signatures);
	if (r == TOOL_OK)
		r = s->a->previous ? check_update(s, signatures) : check_first(s, signatures);
	pm_signatures_free(signatures);
	return r;
}

/* --- what was seen before -------------------------------------------------------------------- */

static int load_history(struct subject *s, struct pm_history **ret)
{
	uint8_t *bytes = NULL;
	size_t len;
	int r = tool_read_file(s->a->history, PM_HISTORY_SIZE_MAX, &bytes, &len);

	if (r == TOOL_OK)
		s->error = pm_history_parse(bytes, len, s->report, ret);
	free(bytes);
	return r;
}

static int check_history(
	struct subject *s, const struct pm_memory *memory, struct pm_memory *ret_memory)
{
	struct pm_history *history = NULL;
	struct pm_sign_public key;
	int r = manifest_load_public(s->a->history_key, &key);

	if (r == TOOL_OK)
		r = load_history(s, &history);
	if (r == TOOL_OK && history)
		s->error = pm_history_verify(history, &key, s->m, memory, s->report, ret_memory);
	pm_history_free(history);
	return r;
}

static int check_with(
	struct subject *s, const struct pm_memory *memory, struct pm_memory *ret_memory)
{
	if (s->a->history)
		return check_history(s, memory, ret_memory);
	s->error = pm_memory_check(memory, s->m, s->report, ret_memory);
	return TOOL_OK;
}

static int check_memory(struct subject *s)
{
	struct pm_memory_file *file = NULL;
	struct pm_memory next;
	int r;

	s->error = pm_memory_file_open(s->a->memory, s->report, &file);
	if (s->error < 0)
		return TOOL_OK;
	r = check_with(s, pm_memory_file_get(file), &next);
	if (r == TOOL_OK && s->error == PM_OK)
		s->error = pm_memory_file_put(file, &next, s->report);
	pm_memory_file_close(file);
	return r;
}

static int check_seen(struct subject *s)
{
	struct pm_memory next;

	if (s->a->memory)
		return check_memory(s);
	return s->a->history ? check_history(s, NULL, &next) : TOOL_OK;
}

/* --- output ---------------------------------------------------------------------------------- */

static int print_json(const struct subject *s)
{
	json_t *json = json_pack("{s:s}", "verdict", tool_verdict_name(s->error));
	char hash[2 * PM_MANIFEST_HASH_SIZE + 1];

	if (s->m) {
		manifest_hash_text(s->m, hash);
		json_object_set_new(
			json, "serial", json_integer((json_int_t)pm_manifest_serial(s->m)));
		json_object_set_new(json, "hash", json_string(hash));
		json_object_set_new(json, "test_root", json_boolean(pm_manifest_test_root(s->m)));
		json_object_set_new(json, "notes", manifest_notes(s->m));
	}
	if (s->error < 0)
		tool_set_refusal(json, s->error, pm_report_reason(s->report));
	json_object_set_new(json, "checks", tool_checks_json(s->report));
	return manifest_print_json(json);
}

/* A file beside the manifest, or that itself: standard error has said which, and why. */
static int print_unread(int status)
{
	bool rejected = status == TOOL_REJECTED;
	json_t *json =
		json_pack("{s:s, s:s, s:s, s:[]}", "verdict", rejected ? "rejected" : "error",
			"error", pm_strerror(rejected ? PM_E_FORMAT : PM_E_SYS), "reason",
			"a file is malformed or can't be read: see standard error", "checks");

	return manifest_print_json(json) == TOOL_OK ? status : TOOL_USAGE;
}

static void print_text(const struct subject *s)
{
	json_t *notes = s->m ? manifest_notes(s->m) : NULL;
	const json_t *note;
	size_t i;

	tool_print_checks(s->report);
	json_array_foreach(notes, i, note) printf("! %s\n", json_string_value(note));
	json_decref(notes);
	if (s->error < 0)
		tool_print_error(s->a->path, s->error, s->report);
}

static int check(const struct arguments *a)
{
	struct subject s = {.a = a, .report = pm_report_new()};
	uint8_t *bytes = NULL;
	size_t len;
	int r = tool_read_file(a->path, PM_MANIFEST_SIZE_MAX, &bytes, &len);

	if (r == TOOL_OK)
		s.error = pm_manifest_parse(bytes, len, s.report, &s.m);
	if (r == TOOL_OK && s.m)
		r = check_consent(&s);
	if (r == TOOL_OK && s.m && s.error == PM_OK)
		r = check_seen(&s);
	if (r != TOOL_OK && a->json)
		r = print_unread(r);
	else if (r == TOOL_OK && a->json)
		r = print_json(&s);
	else if (r == TOOL_OK)
		print_text(&s);
	free(bytes);
	pm_manifest_free(s.m);
	pm_report_free(s.report);
	return r == TOOL_OK ? tool_exit_status(s.error) : r;
}

int manifest_check(int argc, char **argv)
{
	struct arguments a = {.now = time(NULL)};
	int r = parse(argc, argv, &a);

	if (r != TOOL_OK)
		return r;
	if (a.help) {
		fputs(help, stdout);
		return TOOL_OK;
	}
	return check(&a);
}
