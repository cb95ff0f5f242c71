/* SPDX-License-Identifier: Apache-2.0 */
/* An owner signs a command that another one has made, on a machine of his own. */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/usage.h"
#include "pm-ctl/manifest.h"
#include "pm-ctl/secrets.h"

static const char help[] =
	"Usage: pm-ctl secrets sign --key FILE [--manifest-hash HEX] [COMMAND]\n"
	"Sign a command to the secret service that another owner makes, who runs this by "
	"--signer.\n"
	"What it says goes to standard error: sign what you agreed on, and nothing else.\n"
	"\n"
	"  COMMAND              a file; standard input by default\n"
	"  --key FILE           private key of an owner; may be repeated\n"
	"  --manifest-hash HEX  only for the deployment under this manifest\n"
	"  -o, --output FILE    where the signed command goes (default: standard output)\n"
	"\n"
	"Exit status: 0 signed, 1 another manifest, or not a command, 2 wrong usage, or input and\n"
	"output.\n";

struct options {
	const char *keys[SECRETS_KEYS_MAX];
	size_t key_count;
	uint8_t hash[PM_MANIFEST_HASH_SIZE];
	bool has_hash, help;
	const char *command, *output;
};

enum { OPT_KEY = 256, OPT_HASH };

static int set_option(struct options *o, int id)
{
	switch (id) {
	case OPT_KEY:
		if (o->key_count == SECRETS_KEYS_MAX)
			return tool_bad_option("key", optarg, "at most 32 of them");
		o->keys[o->key_count++] = optarg;
		return TOOL_OK;
	case OPT_HASH:
		o->has_hash = pm_hex_decode(optarg, o->hash, sizeof(o->hash)) == PM_OK;
		return o->has_hash
			       ? TOOL_OK
			       : tool_bad_option("manifest-hash", optarg, "64 digits of a hash");
	case 'o':
		o->output = optarg;
		return TOOL_OK;
	case 'h':
		o->help = true;
		return TOOL_OK;
	default:
		return TOOL_USAGE;
	}
}

static int parse(struct options *o, int argc, char **argv)
{
	static const struct option rows[] = {
		{"key", required_argument, NULL, OPT_KEY},
		{"manifest-hash", required_argument, NULL, OPT_HASH},
		{"output", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int id, r = TOOL_OK;

	*o = (struct options){.command = "-", .output = "-"};
	while (r == TOOL_OK && (id = getopt_long(argc, argv, "o:h", rows, NULL)) != -1)
		r = set_option(o, id);
	if (r != TOOL_OK || o->help)
		return r;
	if (!o->key_count || argc - optind > 1) {
		warnx("secrets sign needs --key, and one command; try --help");
		return TOOL_USAGE;
	}
	if (optind < argc)
		o->command = argv[optind];
	return TOOL_OK;
}

int secrets_parse_command(
	const char *name, const void *bytes, size_t len, struct pm_command **ret_command)
{
	struct pm_report *report = pm_report_new();
	int error = pm_command_parse(bytes, len, report, ret_command);

	if (error < 0)
		tool_print_error(name, error, report);
	pm_report_free(report);
	return tool_exit_status(error);
}

/* Names were read strictly: they need no care. */
static void print_names(const char *what, const char *const *names, size_t count)
{
	fprintf(stderr, "%-9s", what);
	for (size_t i = 0; i < count; i++)
		fprintf(stderr, " %s", names[i]);
	fprintf(stderr, "%s\n", count ? "" : " all that the manifest lets");
}

static void print_statement(const struct pm_command_statement *s)
{
	char hash[2 * PM_MANIFEST_HASH_SIZE + 1], content[2 * PM_COMMAND_DIGEST_SIZE + 1];
	char expires[PM_TIME_TEXT_SIZE], issued[PM_TIME_TEXT_SIZE];

	pm_hex_encode(s->manifest, PM_MANIFEST_HASH_SIZE, hash);
	pm_time_format(s->issued, issued);
	fprintf(stderr, "%-9s %s\n%-9s %s\n", "op", pm_command_op_name((int)s->op), "id",
		*s->id ? s->id : "-");
	fprintf(stderr, "%-9s %s\n%-9s %s\n", "issued", issued, "manifest", hash);
	if (s->content) {
		pm_hex_encode(s->content, PM_COMMAND_DIGEST_SIZE, content);
		fprintf(stderr, "%-9s %s\n", "content", content);
	}
	if (s->op != PM_COMMAND_PUT)
		return;
	pm_time_format(s->expires, expires);
	fprintf(stderr, "%-9s %s\n", "expires", expires);
	print_names("roles", s->roles, s->role_count);
	print_names("models", s->models, s->model_count);
}

int secrets_sign_by(const char *const *keys, size_t count, struct pm_command *command)
{
	int r = TOOL_OK, error;

	for (size_t i = 0; r == TOOL_OK && i < count; i++) {
		struct pm_sign_key *key = NULL;

		r = manifest_load_key(keys[i], &key);
		error = r == TOOL_OK ? pm_command_sign(command, key) : PM_OK;
		pm_sign_key_free(key);
		if (error == PM_E_STATE)
			warnx("%s: this key has signed already", keys[i]);
		else if (error < 0)
			tool_print_error(keys[i], error, NULL);
		if (error < 0)
			r = TOOL_USAGE;
	}
	return r;
}

static int write_command(const struct options *o, const struct pm_command *command)
{
	char *text = malloc(PM_COMMAND_SIZE_MAX);
	size_t len = 0;
	int error = text ? pm_command_text(command, text, &len) : PM_E_NOMEM, r;

	if (error < 0)
		tool_print_error(o->output, error, NULL);
	r = error < 0 ? TOOL_USAGE : tool_write_file(o->output, text, len, 0644);
	free(text);
	return r;
}

static int sign(const struct options *o, struct pm_command *command)
{
	const struct pm_command_statement *s = pm_command_statement(command);
	int r;

	print_statement(s);
	if (o->has_hash && memcmp(s->manifest, o->hash, sizeof(o->hash)) != 0) {
		warnx("%s: for the deployment under another manifest", o->command);
		return TOOL_REJECTED;
	}
	r = secrets_sign_by(o->keys, o->key_count, command);
	return r == TOOL_OK ? write_command(o, command) : r;
}

int secrets_sign(int argc, char **argv)
{
	struct pm_command *command = NULL;
	struct options o;
	uint8_t *bytes = NULL;
	size_t len = 0;
	int r = parse(&o, argc, argv);

	if (r == TOOL_OK && o.help) {
		fputs(help, stdout);
		return TOOL_OK;
	}
	if (r == TOOL_OK)
		r = tool_read_file(o.command, PM_COMMAND_SIZE_MAX, &bytes, &len);
	if (r == TOOL_OK)
		r = secrets_parse_command(o.command, bytes, len, &command);
	if (r == TOOL_OK)
		r = sign(&o, command);
	pm_command_free(command);
	free(bytes);
	return r;
}
