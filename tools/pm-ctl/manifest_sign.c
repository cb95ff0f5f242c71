/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/checks.h"
#include "common/file.h"
#include "pm-ctl/manifest.h"

/* --- hash ------------------------------------------------------------------------------------ */

static const char hash_help[] =
	"Usage: pm-ctl manifest hash FILE\n"
	"Print the hash of a manifest: SHA-256 over a label and its canonical form, so that white "
	"space\n"
	"and the order of keys do not count. Clients that pin a manifest pin this.\n"
	"\n"
	"Exit status: 0 done, 1 the manifest is malformed, 2 wrong usage or input and output.\n"
	"\n"
	"Examples:\n"
	"  pm-ctl manifest hash manifest.json\n";

static bool asks_for_help(int argc, char **argv)
{
	return argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
}

int manifest_hash(int argc, char **argv)
{
	char text[2 * PM_MANIFEST_HASH_SIZE + 1];
	struct pm_manifest *m = NULL;
	int r;

	if (asks_for_help(argc, argv)) {
		fputs(hash_help, stdout);
		return TOOL_OK;
	}
	if (argc != 2) {
		warnx("manifest hash needs one FILE; try --help");
		return TOOL_USAGE;
	}
	r = manifest_load(argv[1], &m);
	if (r != TOOL_OK)
		return r;
	manifest_hash_text(m, text);
	puts(text);
	pm_manifest_free(m);
	return TOOL_OK;
}

/* --- sign ------------------------------------------------------------------------------------ */

static const char sign_help[] =
	"Usage: pm-ctl manifest sign FILE --key KEY -o SIGNATURES\n"
	"       pm-ctl manifest sign FILE --public KEY --signature RAW -o SIGNATURES\n"
	"       pm-ctl manifest sign FILE --message -o MESSAGE\n"
	"Add an owner's signature to the file of signatures of a manifest, which is made when it "
	"is "
	"not\n"
	"there. The manifest itself is not changed.\n"
	"\n"
	"  --key KEY            private key of an owner, from pm-ctl key new or OpenSSL\n"
	"  --public KEY         public key, for a signature that was made elsewhere\n"
	"  --signature RAW      that signature: 64 bytes of Ed25519, or ECDSA as DER\n"
	"  --message            write the bytes to be signed elsewhere\n"
	"  -o, --output FILE    where signatures, or the message, go\n"
	"\n"
	"Exit status: 0 done, 1 a file is malformed or for another manifest, or the signature is "
	"wrong,\n"
	"2 wrong usage or input and output.\n"
	"\n"
	"Examples:\n"
	"  pm-ctl manifest sign manifest.json --key alice.key -o manifest.sig\n"
	"  pm-ctl manifest sign manifest.json --message -o message\n"
	"  openssl dgst -sha384 -sign p384.key -out raw message\n"
	"  pm-ctl manifest sign manifest.json --public p384.pub --signature raw -o manifest.sig\n";

static const struct option sign_options[] = {
	{"key", required_argument, NULL, 'k'},
	{"public", required_argument, NULL, 'p'},
	{"signature", required_argument, NULL, 's'},
	{"message", no_argument, NULL, 'm'},
	{"output", required_argument, NULL, 'o'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct arguments {
	const char *path, *key, *public, *signature, *output;
	bool message, help;
};

static bool set_option(int id, struct arguments *a)
{
	switch (id) {
	case 'k':
		a->key = optarg;
		return true;
	case 'p':
		a->public = optarg;
		return true;
	case 's':
		a->signature = optarg;
		return true;
	case 'm':
		a->message = true;
		return true;
	case 'o':
		a->output = optarg;
		return true;
	case 'h':
		a->help = true;
		return true;
	default:
		return false; /* getopt said why */
	}
}

static int check_arguments(const struct arguments *a)
{
	int ways = (a->key != NULL) + (a->public || a->signature) + a->message;

	if (!a->path || !a->output || ways != 1 || !a->public != !a->signature) {
		warnx("manifest sign needs FILE, -o, and one of --key, --message, or --public with "
		      "--signature; try --help");
		return TOOL_USAGE;
	}
	return TOOL_OK;
}

static int parse(int argc, char **argv, struct arguments *a)
{
	int id;

	while ((id = getopt_long(argc, argv, "o:h", sign_options, NULL)) != -1) {
		if (!set_option(id, a))
			return TOOL_USAGE;
	}
	if (a->help)
		return TOOL_OK;
	if (optind < argc)
		a->path = argv[optind++];
	if (optind < argc) {
		warnx("unexpected argument '%s'", argv[optind]);
		return TOOL_USAGE;
	}
	return check_arguments(a);
}

static int write_message(const struct arguments *a, const struct pm_manifest *m)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE], message[PM_SIGNATURE_MESSAGE_SIZE];

	pm_manifest_hash(m, hash);
	pm_signatures_message(hash, message);
	return tool_write_file(a->output, message, sizeof(message), 0644);
}

/* Those that are there already must be for this manifest. */
static int open_signatures(
	const struct arguments *a, const struct pm_manifest *m, struct pm_signatures **ret)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE];
	int r;

	if (!strcmp(a->output, "-") || access(a->output, F_OK)) {
		r = pm_signatures_new(m, ret);
		if (r < 0)
			tool_print_error(a->output, r, NULL);
		return tool_exit_status(r);
	}
	r = manifest_load_signatures(a->output, ret);
	if (r != TOOL_OK)
		return r;
	pm_manifest_hash(m, hash);
	if (memcmp(hash, pm_signatures_manifest(*ret), sizeof(hash))) {
		warnx("%s: holds signatures of another manifest", a->output);
		return TOOL_REJECTED;
	}
	return TOOL_OK;
}

static int add(const char *subject, int error)
{
	if (error == PM_E_STATE)
		warnx("%s: this key has signed already", subject);
	else if (error == PM_E_REJECTED)
		warnx("%s: not a signature of that key under this manifest", subject);
	else if (error < 0)
		tool_print_error(subject, error, NULL);
	return error == PM_E_STATE ? TOOL_REJECTED : tool_exit_status(error);
}

static int sign_with(const char *path, struct pm_signatures *signatures)
{
	struct pm_sign_key *key = NULL;
	int r = manifest_load_key(path, &key);

	if (r == TOOL_OK)
		r = add(path, pm_signatures_sign(signatures, key));
	pm_sign_key_free(key);
	return r;
}

static int import(const struct arguments *a, struct pm_signatures *signatures)
{
	struct pm_sign_public public;
	uint8_t *bytes = NULL;
	size_t len;
	int r = manifest_load_public(a->public, &public);

	if (r == TOOL_OK)
		r = tool_read_file(a->signature, PM_SIGNATURE_SIZE_MAX, &bytes, &len);
	if (r == TOOL_OK)
		r = add(a->signature, pm_signatures_add(signatures, &public, bytes, len));
	free(bytes);
	return r;
}

static int write_signatures(const struct arguments *a, const struct pm_signatures *signatures)
{
	char *text = malloc(PM_SIGNATURES_SIZE_MAX);
	size_t len = 0;
	int r = text ? pm_signatures_text(signatures, text, &len) : PM_E_NOMEM, status;

	if (r < 0)
		tool_print_error(a->output, r, NULL);
	status = r < 0 ? tool_exit_status(r) : tool_write_file(a->output, text, len, 0644);
	free(text);
	return status;
}

static int sign(const struct arguments *a, const struct pm_manifest *m)
{
	struct pm_signatures *signatures = NULL;
	int r = open_signatures(a, m, &signatures);

	if (r == TOOL_OK)
		r = a->key ? sign_with(a->key, signatures) : import(a, signatures);
	if (r == TOOL_OK)
		r = write_signatures(a, signatures);
	pm_signatures_free(signatures);
	return r;
}

int manifest_sign(int argc, char **argv)
{
	struct arguments a = {0};
	struct pm_manifest *m = NULL;
	int r = parse(argc, argv, &a);

	if (r != TOOL_OK)
		return r;
	if (a.help) {
		fputs(sign_help, stdout);
		return TOOL_OK;
	}
	r = manifest_load(a.path, &m);
	if (r == TOOL_OK)
		r = a.message ? write_message(&a, m) : sign(&a, m);
	pm_manifest_free(m);
	return r;
}
