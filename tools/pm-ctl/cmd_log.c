/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/verbs.h"
#include "pm-ctl/cmd.h"
#include "pm-ctl/manifest.h"
#include "pm-ctl/remote.h"

static const char verify_help[] =
	"Usage: pm-ctl log verify FILE --key KEY [OPTION]...\n"
	"Is an audit log as it was written: each entry signed, none changed, dropped or put in? "
	"Entries\n"
	"that were cut off at the end are missed only with --seen.\n"
	"\n"
	"  --key KEY            the public key that signs the log\n"
	"  --name NAME          the log's name (default: coordinator)\n"
	"  --seen N:HASH        where the log stood once: after N entries, the last of this hash; "
	"the\n"
	"                       log must pass through that, and may then begin behind it\n"
	"  --json               one JSON object\n"
	"\n"
	"Exit status: 0 it is, 1 it is not, 2 wrong usage or input and output.\n"
	"\n"
	"Examples:\n"
	"  pm-ctl log verify audit.log --key coordinator-log.pub\n"
	"  pm-ctl log verify more.log --key coordinator-log.pub --seen 17:5f2c...\n";

static const struct option verify_options[] = {
	{"key", required_argument, NULL, 'k'},
	{"name", required_argument, NULL, 'n'},
	{"seen", required_argument, NULL, 's'},
	{"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct arguments {
	const char *path, *key, *name;
	struct pm_audit_head seen;
	bool has_seen, json, help;
};

/* "17:HASH" */
static int read_seen(const char *text, struct arguments *a)
{
	char *end = NULL;
	unsigned long long n = text[0] >= '1' && text[0] <= '9' ? strtoull(text, &end, 10) : 0;

	if (n >= 1 && n <= PM_AUDIT_ENTRIES_MAX && *end == ':' &&
		pm_hex_decode(end + 1, a->seen.hash, sizeof(a->seen.hash)) == PM_OK) {
		a->seen.entries = n;
		a->has_seen = true;
		return TOOL_OK;
	}
	warnx("--seen: found '%s', expected N:HASH with a number from 1 and 64 hexadecimal digits",
		text);
	return TOOL_USAGE;
}

static int set_option(int id, struct arguments *a)
{
	switch (id) {
	case 'k':
		a->key = optarg;
		return TOOL_OK;
	case 'n':
		a->name = optarg;
		return TOOL_OK;
	case 's':
		return read_seen(optarg, a);
	case 'j':
		a->json = true;
		return TOOL_OK;
	case 'h':
		a->help = true;
		return TOOL_OK;
	default:
		return TOOL_USAGE; /* getopt said why */
	}
}

static int parse(int argc, char **argv, struct arguments *a)
{
	int id, r = TOOL_OK;

	while (r == TOOL_OK && (id = getopt_long(argc, argv, "h", verify_options, NULL)) != -1)
		r = set_option(id, a);
	if (r != TOOL_OK || a->help)
		return r;
	if (optind + 1 != argc || !a->key) {
		warnx("log verify needs one FILE and --key; try --help");
		return TOOL_USAGE;
	}
	a->path = argv[optind];
	return TOOL_OK;
}

/* --- output ---------------------------------------------------------------------------------- */

static int print_json(int error, const struct pm_audit_head *head, const struct pm_report *report)
{
	json_t *json = json_pack("{s:s}", "verdict", tool_verdict_name(error));
	char hash[2 * PM_AUDIT_HASH_SIZE + 1], when[PM_TIME_TEXT_SIZE];

	if (error < 0) {
		tool_set_refusal(json, error, pm_report_reason(report));
	} else {
		pm_hex_encode(head->hash, sizeof(head->hash), hash);
		pm_time_format(head->time, when);
		json_object_set_new(json, "entries", json_integer((json_int_t)head->entries));
		json_object_set_new(json, "head", json_string(hash));
		json_object_set_new(json, "time", json_string(when));
	}
	json_object_set_new(json, "checks", tool_checks_json(report));
	return manifest_print_json(json);
}

/* What --seen takes the next time comes last. */
static int print_text(const struct arguments *a, int error, const struct pm_audit_head *head,
	const struct pm_report *report)
{
	char hash[2 * PM_AUDIT_HASH_SIZE + 1];

	tool_print_checks(report);
	if (error < 0) {
		tool_print_error(a->path, error, report);
		return TOOL_OK;
	}
	pm_hex_encode(head->hash, sizeof(head->hash), hash);
	printf("%llu:%s\n", (unsigned long long)head->entries, hash);
	return TOOL_OK;
}

static int verify(const struct arguments *a, const uint8_t *bytes, size_t len)
{
	struct pm_report *report = pm_report_new();
	struct pm_audit_head head = {0};
	struct pm_sign_public key;
	int r = manifest_load_public(a->key, &key), error = PM_OK;

	if (r == TOOL_OK)
		error = pm_audit_verify(
			bytes, len, &key, a->name, a->has_seen ? &a->seen : NULL, report, &head);
	if (r == TOOL_OK)
		r = a->json ? print_json(error, &head, report)
			    : print_text(a, error, &head, report);
	pm_report_free(report);
	return r == TOOL_OK ? tool_exit_status(error) : r;
}

static int log_verify(int argc, char **argv)
{
	struct arguments a = {.name = "coordinator"};
	uint8_t *bytes = NULL;
	size_t len = 0;
	int r = parse(argc, argv, &a);

	if (r != TOOL_OK)
		return r;
	if (a.help) {
		fputs(verify_help, stdout);
		return TOOL_OK;
	}
	r = tool_read_file(a.path, PM_AUDIT_SIZE_MAX, &bytes, &len);
	if (r == TOOL_OK)
		r = verify(&a, bytes, len);
	free(bytes);
	return r;
}

static const struct tool_verb verbs[] = {
	{"fetch", remote_log, "fetch the log of a coordinator, and verify it"},
	{"verify", log_verify, "is an audit log as it was written?"},
	{0},
};

static const struct tool_program program = {
	.name = "pm-ctl log",
	.summary = "Audit logs: signed and chained, so that they can't be edited unseen.",
	.yes = "it is as it was written",
	.verbs = verbs,
};

int cmd_log(int argc, char **argv)
{
	return tool_run(&program, argc, argv);
}
