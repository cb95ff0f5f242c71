/* SPDX-License-Identifier: Apache-2.0 */
/* What all verbs share: options, whom to believe, commands, requests. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/usage.h"
#include "pm-ctl/manifest.h"
#include "pm-ctl/secrets.h"

static const char common_help[] =
	"\n"
	"  --coordinator URL    the coordinator: its evidence says whom to believe\n"
	"  --secrets URL        the secret service, or a gateway before it\n"
	"  --key FILE           private key of an owner; repeat it until enough have "
	"signed\n"
	"  --signer PROGRAM     the same for one whose key is elsewhere: a shell's command line "
	"that\n"
	"                       gets the command and gives it back signed, such as\n"
	"                       'ssh bob.example pm-ctl secrets sign --key "
	"bob.key'\n" TOOL_MESH_HELP "  --json               one JSON object\n"
	"\n"
	"Exit status: 0 done, 1 refused, or the coordinator or the service did not prove what it "
	"is,\n"
	"2 wrong usage, no answer, or input and output.\n";

enum {
	OPT_COORDINATOR = 256,
	OPT_SECRETS,
	OPT_KEY,
	OPT_SIGNER,
	OPT_TTL,
	OPT_ROLE,
	OPT_MODEL,
	OPT_SHARE_KEY,
	OPT_SINCE,
};

static const struct option long_options[] = {
	{"coordinator", required_argument, NULL, OPT_COORDINATOR},
	{"secrets", required_argument, NULL, OPT_SECRETS},
	{"key", required_argument, NULL, OPT_KEY},
	{"signer", required_argument, NULL, OPT_SIGNER},
	{"ttl", required_argument, NULL, OPT_TTL},
	{"role", required_argument, NULL, OPT_ROLE},
	{"model", required_argument, NULL, OPT_MODEL},
	{"share-key", required_argument, NULL, OPT_SHARE_KEY},
	{"since", required_argument, NULL, OPT_SINCE},
	{"output", required_argument, NULL, 'o'},
	TOOL_MESH_ROWS,
	{"help", no_argument, NULL, 'h'},
	{0},
};

/* --- options --------------------------------------------------------------------------------- */

/* "90s", "15m", "12h", "30d" */
static int read_ttl(const char *text, int64_t *ret)
{
	static const struct {
		const char *unit;
		int64_t seconds;
	} units[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
	char *end = NULL;
	long n = text[0] >= '1' && text[0] <= '9' ? strtol(text, &end, 10) : 0;

	for (size_t i = 0; n > 0 && i < 4; i++) {
		if (strcmp(end, units[i].unit) != 0 || n > PM_COMMAND_TTL_MAX / units[i].seconds)
			continue;
		*ret = n * units[i].seconds;
		return TOOL_OK;
	}
	return tool_bad_option("ttl", text, "a time up to 30d, such as 90s, 15m, 12h or 7d");
}

static int add_name(const char *option, struct secrets_names *names, const char *value)
{
	if (names->count == PM_MANIFEST_MODELS_MAX)
		return tool_bad_option(option, value, "fewer of them");
	names->list[names->count++] = value;
	return TOOL_OK;
}

static int add_key(struct secrets_call *call, const char *value)
{
	if (call->key_count == SECRETS_KEYS_MAX)
		return tool_bad_option("key", value, "at most 32 of them");
	call->keys[call->key_count++] = value;
	return TOOL_OK;
}

static int add_signer(struct secrets_call *call, const char *value)
{
	if (call->signer_count == SECRETS_KEYS_MAX)
		return tool_bad_option("signer", value, "at most 32 of them");
	call->signers[call->signer_count++] = value;
	return TOOL_OK;
}

static int add_share_key(struct secrets_call *call, const char *value)
{
	if (call->share_key_count == PM_SHARES_MAX)
		return tool_bad_option("share-key", value, "at most 32 of them");
	call->share_keys[call->share_key_count++] = value;
	return TOOL_OK;
}

static int set_option(struct secrets_call *call, int id)
{
	switch (id) {
	case OPT_COORDINATOR:
		call->mesh.url = optarg;
		return TOOL_OK;
	case OPT_SECRETS:
		call->service = optarg;
		return TOOL_OK;
	case OPT_KEY:
		return add_key(call, optarg);
	case OPT_SIGNER:
		return add_signer(call, optarg);
	case OPT_TTL:
		return read_ttl(optarg, &call->ttl);
	case OPT_ROLE:
		return add_name("role", &call->roles, optarg);
	case OPT_MODEL:
		return add_name("model", &call->models, optarg);
	case OPT_SHARE_KEY:
		return add_share_key(call, optarg);
	case OPT_SINCE:
		call->since = optarg;
		return TOOL_OK;
	case 'o':
		call->output = optarg;
		return TOOL_OK;
	case 'h':
		call->help = true;
		return TOOL_OK;
	default:
		return tool_mesh_option(&call->mesh, id, optarg);
	}
}

static int check(const struct secrets_verb *verb, const struct secrets_call *call, int left)
{
	if ((size_t)left != verb->word_count) {
		warnx("secrets %s needs %s; try --help", verb->name,
			verb->word_count ? verb->words : "no further words");
		return TOOL_USAGE;
	}
	if (!call->mesh.url || !call->service || !(call->key_count + call->signer_count) ||
		(!call->mesh.manifest && !call->mesh.has_manifest_hash)) {
		warnx("secrets %s needs --coordinator, --secrets, --key or --signer, and "
		      "--manifest "
		      "or "
		      "--manifest-hash; try --help",
			verb->name);
		return TOOL_USAGE;
	}
	if (verb->has_output && !call->output) {
		warnx("secrets %s needs --output; try --help", verb->name);
		return TOOL_USAGE;
	}
	return TOOL_OK;
}

static int parse(const struct secrets_verb *verb, struct secrets_call *call, int argc, char **argv)
{
	int id, r = TOOL_OK;

	while (r == TOOL_OK && (id = getopt_long(argc, argv, "o:h", long_options, NULL)) != -1)
		r = set_option(call, id);
	if (r != TOOL_OK || call->help)
		return r;
	r = check(verb, call, argc - optind);
	for (size_t i = 0; r == TOOL_OK && i < verb->word_count; i++)
		call->words[i] = argv[optind + (int)i];
	return r;
}

/* --- whom to believe ------------------------------------------------------------------------- */

static int attest(struct secrets_call *call)
{
	int r = tool_mesh_open(&call->mesh, &call->result);

	if (r == TOOL_OK)
		r = tool_mesh_attest(&call->mesh, &call->result);
	if (r != TOOL_OK && call->result.error < 0)
		tool_print_refusal(
			call->mesh.url, call->result.error, tool_mesh_reason(&call->result));
	return r;
}

static int agree(struct secrets_call *call)
{
	const struct pm_deployment *d = call->result.deployment;
	uint8_t hash[PM_MANIFEST_HASH_SIZE];
	struct pm_operator_options options = {.size = sizeof(options),
		.manifest_hash = hash,
		.ca_file = call->mesh.options.ca_file};
	int error;

	pm_manifest_hash(pm_deployment_manifest(d), hash);
	options.mesh_ca = pm_deployment_mesh_ca(d, &options.mesh_ca_len);
	pm_report_reset(call->result.report);
	error = pm_operator_new(call->service, &options, call->result.report, &call->op);
	if (error < 0)
		tool_print_refusal(call->service, error, pm_report_reason(call->result.report));
	return tool_exit_status(error);
}

int secrets_run(const struct secrets_verb *verb, int argc, char **argv)
{
	struct secrets_call call = {0};
	int r;

	tool_mesh_init(&call.mesh);
	r = parse(verb, &call, argc, argv);
	if (r != TOOL_OK)
		return r;
	if (call.help) {
		fputs(verb->help, stdout);
		fputs(common_help, stdout);
		return TOOL_OK;
	}
	r = attest(&call);
	if (r == TOOL_OK)
		r = agree(&call);
	if (r == TOOL_OK)
		r = verb->run(&call);
	pm_operator_free(call.op);
	tool_mesh_clear(&call.result);
	return r;
}

/* --- commands -------------------------------------------------------------------------------- */

json_t *secrets_base64(const void *bytes, size_t len)
{
	size_t room = len / 3 * 4 + 5;
	char *text = malloc(room);
	json_t *json = NULL;

	if (text && pm_text_base64_encode(bytes, len, text, room) == PM_OK)
		json = json_string(text);
	if (text)
		explicit_bzero(text, room);
	free(text);
	return json;
}

static int sign(const struct secrets_call *call, struct pm_command *command)
{
	int r = secrets_sign_by(call->keys, call->key_count, command);

	for (size_t i = 0; r == TOOL_OK && i < call->signer_count; i++)
		r = secrets_ask_signer(call->signers[i], command);
	return r;
}

static json_t *text_json(const struct pm_command *command)
{
	char *text = malloc(PM_COMMAND_SIZE_MAX);
	json_t *json = NULL;
	size_t len;

	if (text && pm_command_text(command, text, &len) == PM_OK)
		json = secrets_base64(text, len);
	if (!json)
		warnx("%s", pm_strerror(PM_E_NOMEM));
	free(text);
	return json;
}

json_t *secrets_command(struct secrets_call *call, const struct pm_command_statement *what)
{
	struct pm_command_statement s = *what;
	uint8_t hash[PM_MANIFEST_HASH_SIZE];
	struct pm_command *command = NULL;
	json_t *json = NULL;
	int error;

	pm_manifest_hash(pm_deployment_manifest(call->result.deployment), hash);
	s.manifest = hash;
	s.exchange = pm_operator_exchange(call->op);
	s.issued = time(NULL);
	pm_report_reset(call->result.report);
	error = pm_command_new(&s, call->result.report, &command);
	if (error < 0)
		tool_print_error("secrets", error, call->result.report);
	else if (sign(call, command) == TOOL_OK)
		json = text_json(command);
	pm_command_free(command);
	return json;
}

/* --- requests -------------------------------------------------------------------------------- */

/* {"error": {"code", "message"}}, which the service itself has sealed. */
static int refused(const struct secrets_call *call, const struct pm_operator_answer *answer)
{
	json_t *json =
		json_loadb((const char *)answer->body, answer->len, JSON_REJECT_DUPLICATES, NULL);
	const char *text =
		json_string_value(json_object_get(json_object_get(json, "error"), "message"));

	warnx("%s: refused (%d): %s", call->service, answer->status, text ? text : "no reason");
	json_decref(json);
	return answer->status >= 500 ? TOOL_USAGE : TOOL_REJECTED;
}

static int ask(struct secrets_call *call, const char *method, const char *path, const char *body,
	struct pm_operator_answer *ret)
{
	struct pm_operator_answer answer;
	int error, r;

	pm_report_reset(call->result.report);
	error = pm_operator_ask(
		call->op, method, path, body, strlen(body), call->result.report, &answer);
	if (error < 0) {
		tool_print_error(call->service, error, call->result.report);
		return tool_exit_status(error);
	}
	if (answer.status == 200) {
		*ret = answer;
		return TOOL_OK;
	}
	r = refused(call, &answer);
	pm_operator_answer_clear(&answer);
	return r;
}

int secrets_ask(struct secrets_call *call, const char *method, const char *path, json_t *body,
	struct pm_operator_answer *ret)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	int r = TOOL_USAGE;

	json_decref(body);
	if (text)
		r = ask(call, method, path, text, ret);
	else
		warnx("%s", pm_strerror(PM_E_NOMEM));
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
	return r;
}
