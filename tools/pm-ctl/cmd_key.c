/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pm/pm.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/verbs.h"
#include "pm-ctl/box_key.h"
#include "pm-ctl/cmd.h"
#include "pm-ctl/manifest.h"

/* --- new ------------------------------------------------------------------------------------- */

static const char new_help[] =
	"Usage: pm-ctl key new --type ed25519|p384|xwing -o FILE [--public FILE]\n"
	"Make a key pair, and print its identifier. The private key is PKCS#8 as PEM, readable by "
	"its\n"
	"owner only; it is not encrypted. A file that exists is never replaced.\n"
	"\n"
	"  --type TYPE          ed25519, or p384 (ECDSA with SHA-384), which sign; or xwing, to "
	"which a\n"
	"                       share of a seed goes\n"
	"  -o, --output FILE    where the private key goes\n"
	"  --public FILE        where the public key goes too\n"
	"\n"
	"Exit status: 0 done, 2 wrong usage or input and output.\n"
	"\n"
	"Examples:\n"
	"  pm-ctl key new --type ed25519 -o alice.key --public alice.pub\n"
	"  pm-ctl key new --type xwing -o alice-share.key --public alice-share.pub\n";

static const struct option new_options[] = {
	{"type", required_argument, NULL, 't'},
	{"output", required_argument, NULL, 'o'},
	{"public", required_argument, NULL, 'p'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct arguments {
	const char *type, *output, *public, *owner, *path;
	bool json, help;
};

static bool is_type(const char *text)
{
	return !strcmp(text, "ed25519") || !strcmp(text, "p384") || !strcmp(text, "xwing");
}

static int parse_new(int argc, char **argv, struct arguments *a)
{
	int id;

	while ((id = getopt_long(argc, argv, "o:h", new_options, NULL)) != -1) {
		if (id == 't')
			a->type = optarg;
		else if (id == 'o')
			a->output = optarg;
		else if (id == 'p')
			a->public = optarg;
		else if (id == 'h')
			a->help = true;
		else
			return TOOL_USAGE; /* getopt said why */
	}
	if (a->help)
		return TOOL_OK;
	if (optind != argc) {
		warnx("unexpected argument '%s'", argv[optind]);
		return TOOL_USAGE;
	}
	if (!a->type || !a->output || !is_type(a->type)) {
		warnx("key new needs --type ed25519, p384 or xwing, and -o FILE; try --help");
		return TOOL_USAGE;
	}
	return TOOL_OK;
}

/* A key that is lost can't be made again. */
static int must_be_new(const char *path)
{
	if (!path || !strcmp(path, "-") || access(path, F_OK))
		return TOOL_OK;
	warnx("%s: exists already", path);
	return TOOL_USAGE;
}

static int write_public(const char *path, const struct pm_sign_public *public)
{
	char pem[PM_SIGN_PEM_SIZE];

	if (!path)
		return TOOL_OK;
	if (pm_sign_public_pem(public, pem) < 0) {
		warnx("%s: can't encode the key", path);
		return TOOL_USAGE;
	}
	return tool_write_file(path, pem, strlen(pem), 0644);
}

static void print_id(FILE *out, const struct pm_sign_public *public)
{
	char id[2 * PM_SIGN_ID_SIZE + 1];

	pm_hex_encode(public->id, sizeof(public->id), id);
	fprintf(out, "%s\n", id);
}

static int write_pair(const struct arguments *a, const struct pm_sign_key *key)
{
	const struct pm_sign_public *public = pm_sign_key_public(key);
	char pem[PM_SIGN_PEM_SIZE];
	int r = pm_sign_key_pem(key, pem), status;

	if (r < 0) {
		tool_print_error(a->output, r, NULL);
		return tool_exit_status(r);
	}
	status = tool_write_file(a->output, pem, strlen(pem), 0600);
	explicit_bzero(pem, sizeof(pem));
	if (status == TOOL_OK)
		status = write_public(a->public, public);
	if (status == TOOL_OK)
		print_id(strcmp(a->output, "-") ? stdout : stderr, public);
	return status;
}

static int key_new(int argc, char **argv)
{
	struct arguments a = {0};
	struct pm_sign_key *key = NULL;
	int r = parse_new(argc, argv, &a);

	if (r != TOOL_OK)
		return r;
	if (a.help) {
		fputs(new_help, stdout);
		return TOOL_OK;
	}
	if (must_be_new(a.output) != TOOL_OK || must_be_new(a.public) != TOOL_OK)
		return TOOL_USAGE;
	if (!strcmp(a.type, "xwing"))
		return box_key_make(a.output, a.public);
	r = pm_sign_key_new(strcmp(a.type, "p384") ? PM_SIGN_ED25519 : PM_SIGN_P384, &key);
	if (r < 0) {
		tool_print_error("key new", r, NULL);
		return tool_exit_status(r);
	}
	r = write_pair(&a, key);
	pm_sign_key_free(key);
	return r;
}

/* --- show ------------------------------------------------------------------------------------ */

static const char show_help[] =
	"Usage: pm-ctl key show [--owner NAME] [--json] FILE\n"
	"Print the identifier and the public half of a key, private or public.\n"
	"\n"
	"  --owner NAME         print an entry of a manifest's owners instead\n"
	"  --json               one JSON object\n"
	"\n"
	"Exit status: 0 done, 1 not a key, 2 wrong usage or input and output.\n"
	"\n"
	"Examples:\n"
	"  pm-ctl key show alice.key > alice.pub\n"
	"  pm-ctl key show --owner alice alice.pub\n";

static const struct option show_options[] = {
	{"owner", required_argument, NULL, 'w'},
	{"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int parse_show(int argc, char **argv, struct arguments *a)
{
	int id;

	while ((id = getopt_long(argc, argv, "h", show_options, NULL)) != -1) {
		if (id == 'w')
			a->owner = optarg;
		else if (id == 'j')
			a->json = true;
		else if (id == 'h')
			a->help = true;
		else
			return TOOL_USAGE;
	}
	if (a->help)
		return TOOL_OK;
	if (optind + 1 != argc) {
		warnx("key show needs one FILE; try --help");
		return TOOL_USAGE;
	}
	a->path = argv[optind];
	return TOOL_OK;
}

static json_t *key_json(const struct pm_sign_public *public, const char *pem)
{
	char id[2 * PM_SIGN_ID_SIZE + 1];

	pm_hex_encode(public->id, sizeof(public->id), id);
	return json_pack("{s:s, s:s, s:s}", "id", id, "algorithm",
		pm_sign_type_name((int)public->type), "public_key", pem);
}

/* Text around the block is allowed in PEM, so what is printed is a public key file too. */
static int print_key(const struct arguments *a, const struct pm_sign_public *public)
{
	char pem[PM_SIGN_PEM_SIZE];

	if (a->owner)
		return manifest_print_json(manifest_owner_json(a->owner, public));
	if (pm_sign_public_pem(public, pem) < 0) {
		warnx("%s: can't encode the key", a->path);
		return TOOL_USAGE;
	}
	if (a->json)
		return manifest_print_json(key_json(public, pem));
	printf("algorithm: %s\nid: ", pm_sign_type_name((int)public->type));
	print_id(stdout, public);
	fputs(pem, stdout);
	return TOOL_OK;
}

static int show_box_key(const struct arguments *a, const uint8_t *public)
{
	if (a->owner)
		return manifest_print_json(box_key_owner_json(a->owner, public));
	return box_key_print(a->path, public, a->json);
}

/* What is no key that signs may be one of X-Wing; of what is neither, the first reason is told. */
static int show_bytes(const struct arguments *a, const uint8_t *bytes, size_t len)
{
	struct pm_report *report = pm_report_new();
	uint8_t box[PM_BOX_PUBLIC_SIZE];
	struct pm_sign_public public;
	int r = manifest_parse_public(bytes, len, report, &public), status = tool_exit_status(r);

	if (r == PM_OK)
		status = print_key(a, &public);
	else if (box_key_parse(bytes, len, NULL, box) == PM_OK)
		status = show_box_key(a, box);
	else
		tool_print_error(a->path, r, report);
	pm_report_free(report);
	return status;
}

static int key_show(int argc, char **argv)
{
	struct arguments a = {0};
	uint8_t *bytes = NULL;
	size_t len = 0;
	int r = parse_show(argc, argv, &a);

	if (r != TOOL_OK)
		return r;
	if (a.help) {
		fputs(show_help, stdout);
		return TOOL_OK;
	}
	r = tool_read_file(a.path, PM_SIGN_FILE_MAX, &bytes, &len);
	if (r == TOOL_OK)
		r = show_bytes(&a, bytes, len);
	if (bytes)
		explicit_bzero(bytes, len);
	free(bytes);
	return r;
}

static const struct tool_verb verbs[] = {
	{"new", key_new, "make a key pair"},
	{"show", key_show, "print the public half of a key"},
	{0},
};

static const struct tool_program program = {
	.name = "pm-ctl key",
	.summary =
		"Keys that sign (Ed25519, ECDSA over P-384), and X-Wing keys for shares of a seed.",
	.yes = "done",
	.verbs = verbs,
};

int cmd_key(int argc, char **argv)
{
	return tool_run(&program, argc, argv);
}
