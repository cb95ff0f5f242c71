/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pm/text.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/usage.h"
#include "common/wrong.h"
#include "pm-verify/cmd.h"
#include "pm-verify/token.h"

static const char help[] =
	"Usage: pm-verify token FILE --jwks FILE [OPTION]...\n"
	"Verify a token of NVIDIA's remote attestation service: a detached EAT in JSON, or one\n"
	"JWT. \"-\" is standard input.\n"
	"\n"
	"  --jwks FILE          the service's keys; whoever gives you this file is believed\n"
	"  --pin-key HEX        accept that key alone: SHA-256 of its SubjectPublicKeyInfo; may "
	"be\n"
	"                       repeated\n"
	"  --issuer TEXT        accept this issuer instead of " PM_EAT_ISSUER ";\n"
	"                       may be repeated\n"
	"\n"
	"Demands:\n"
	"  --nonce HEX          the 32 bytes that you asked with; without, the token may be an "
	"old\n"
	"                       one, or another's, and the verdict says so\n"
	"  --any-nonce          the same as no --nonce, said aloud\n"
	"  --count N            so many devices (default: any number but none)\n"
	"  --max-age SECONDS    issued no longer ago (default: until the token expires)\n"
	"  --skew SECONDS       how far the service's clock may be off, 0 to 600 (default: 60)\n"
	"  --require-devices    refuse a JWT that comes alone: an overall token without those of "
	"its\n"
	"                       devices, or a device's without the overall one\n"
	"  --allow-unknown-claims\n"
	"                       accept claims of which this program knows nothing\n"
	"  --allow-warning      accept a warning of the service\n"
	"\n"
	"  --time TIME          verify as of this time, as 2026-03-01T00:00:00Z (default: now)\n"
	"  --json               one JSON object\n"
	"  --help               this text\n"
	"\n"
	"Exit status: 0 verified, 1 rejected, 2 wrong usage or input and output.\n"
	"\n"
	"Examples:\n"
	"  pm-verify token eat.json --jwks jwks.json --nonce $NONCE --count 8\n"
	"  pm-verify token eat.json --jwks jwks.json --any-nonce --json\n";

enum {
	OPT_JWKS = 256,
	OPT_PIN_KEY,
	OPT_ISSUER,
	OPT_NONCE,
	OPT_ANY_NONCE,
	OPT_COUNT,
	OPT_MAX_AGE,
	OPT_SKEW,
	OPT_REQUIRE_DEVICES,
	OPT_UNKNOWN_CLAIMS,
	OPT_WARNING,
	OPT_TIME,
	OPT_JSON,
	OPT_HELP,
};

static const struct option long_options[] = {
	{"jwks", required_argument, NULL, OPT_JWKS},
	{"pin-key", required_argument, NULL, OPT_PIN_KEY},
	{"issuer", required_argument, NULL, OPT_ISSUER},
	{"nonce", required_argument, NULL, OPT_NONCE},
	{"any-nonce", no_argument, NULL, OPT_ANY_NONCE},
	{"count", required_argument, NULL, OPT_COUNT},
	{"max-age", required_argument, NULL, OPT_MAX_AGE},
	{"skew", required_argument, NULL, OPT_SKEW},
	{"require-devices", no_argument, NULL, OPT_REQUIRE_DEVICES},
	{"allow-unknown-claims", no_argument, NULL, OPT_UNKNOWN_CLAIMS},
	{"allow-warning", no_argument, NULL, OPT_WARNING},
	{"time", required_argument, NULL, OPT_TIME},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static int set_nonce(const char *value, struct pm_eat_policy *policy)
{
	uint8_t nonce[PM_EAT_NONCE_SIZE];

	if (pm_hex_decode(value, nonce, sizeof(nonce)) < 0)
		return tool_bad_option("nonce", value, "64 hexadecimal digits");
	return tool_failed(pm_eat_policy_expect_nonce(policy, nonce));
}

static int set_pin(const char *value, struct pm_eat_policy *policy)
{
	uint8_t digest[32];

	if (pm_hex_decode(value, digest, sizeof(digest)) < 0)
		return tool_bad_option("pin-key", value, "64 hexadecimal digits");
	return tool_failed(pm_eat_policy_pin_key(policy, digest));
}

/* A whole number of up to nine digits; -1 for another text. */
static int64_t number(const char *text)
{
	size_t n = strlen(text);

	return n && n <= 9 && strspn(text, "0123456789") == n ? strtol(text, NULL, 10) : -1;
}

static int set_number(int opt, const char *value, struct pm_eat_policy *policy)
{
	int64_t n = number(value);

	if (opt == OPT_COUNT && (n < 1 || pm_eat_policy_expect_count(policy, (size_t)n) < 0))
		return tool_bad_option("count", value, "1 to 32");
	if (opt == OPT_MAX_AGE && pm_eat_policy_max_age(policy, n) < 0)
		return tool_bad_option("max-age", value, "a number of seconds");
	if (opt == OPT_SKEW && pm_eat_policy_skew(policy, n) < 0)
		return tool_bad_option("skew", value, "0 to 600");
	return TOOL_OK;
}

static int set_policy_option(int opt, struct pm_eat_policy *policy)
{
	switch (opt) {
	case OPT_NONCE:
		return set_nonce(optarg, policy);
	case OPT_ANY_NONCE:
		return TOOL_OK; /* as without it: a nonce that is given prevails */
	case OPT_PIN_KEY:
		return set_pin(optarg, policy);
	case OPT_ISSUER:
		return tool_failed(pm_eat_policy_allow_issuer(policy, optarg));
	case OPT_COUNT:
	case OPT_MAX_AGE:
	case OPT_SKEW:
		return set_number(opt, optarg, policy);
	case OPT_UNKNOWN_CLAIMS:
		return tool_failed(pm_eat_policy_permit(policy, PM_EAT_PERMIT_UNKNOWN_CLAIMS));
	case OPT_WARNING:
		return tool_failed(pm_eat_policy_permit(policy, PM_EAT_PERMIT_WARNING));
	case OPT_HELP:
		return tool_wrong("token: --help stands alone");
	default:
		return TOOL_USAGE; /* tool_getopt() has said why */
	}
}

static int set_option(int opt, struct token_options *o, struct pm_eat_policy *policy)
{
	switch (opt) {
	case OPT_JWKS:
		o->jwks = optarg;
		return TOOL_OK;
	case OPT_TIME:
		if (pm_time_parse(optarg, &o->now) < 0)
			return tool_bad_option("time", optarg, "a time as 2026-03-01T00:00:00Z");
		return TOOL_OK;
	case OPT_JSON:
		o->json = true;
		return TOOL_OK;
	case OPT_REQUIRE_DEVICES:
		o->require_devices = true;
		return TOOL_OK;
	default:
		return set_policy_option(opt, policy);
	}
}

static int check_options(const struct token_options *o)
{
	if (!o->token) {
		return tool_wrong("token: the token is missing; try --help");
	}
	if (!o->jwks) {
		return tool_wrong("token: the service's keys must be given (--jwks)");
	}
	return TOOL_OK;
}

/* What the options did not demand is waived: the output tells of each. */
static int set_waivers(const struct token_options *o, struct pm_eat_policy *policy)
{
	unsigned int waivers = PM_EAT_WAIVE_NONCE;

	if (!o->require_devices)
		waivers |= PM_EAT_WAIVE_DEVICES | PM_EAT_WAIVE_OVERALL;
	return tool_failed(pm_eat_policy_waive(policy, waivers));
}

static int read_options(
	int argc, char **argv, struct token_options *o, struct pm_eat_policy *policy)
{
	int opt, r = TOOL_OK;

	optind = 1;
	while (r == TOOL_OK && (opt = tool_getopt(argc, argv, long_options)) != -1)
		r = set_option(opt, o, policy);
	if (r)
		return r;
	if (optind + 1 < argc) {
		return tool_wrong("token: unexpected argument '%s'", argv[optind + 1]);
	}
	o->token = argv[optind]; /* NULL at the end of argv */
	r = check_options(o);
	return r ? r : set_waivers(o, policy);
}

static int load_jwks(const struct token_options *o, struct pm_jwks **ret)
{
	const char *path = o->jwks;
	struct pm_report *report = pm_report_new();
	uint8_t *bytes = NULL;
	size_t len;
	int r, status = tool_read_evidence(path, PM_JWKS_SIZE_MAX, o->json, &bytes, &len);

	if (status == TOOL_OK) {
		r = pm_jwks_parse(bytes, len, report, ret);
		if (r < 0)
			tool_refuse_input(o->json, path, r, report ? pm_report_reason(report) : "");
		status = tool_exit_status(r);
	}
	free(bytes);
	pm_report_free(report);
	return status;
}

/* Verify a token of these bytes and print the verdict. */
static int judge(const struct token_options *o, const struct pm_jwks *jwks,
	const struct pm_eat_policy *policy, const uint8_t *bytes, size_t len)
{
	struct pm_report *report = pm_report_new();
	const struct pm_eat_facts *facts = NULL;
	struct pm_eat *eat = NULL;
	int r = report ? pm_eat_parse(bytes, len, report, &eat) : PM_E_NOMEM;

	if (r == PM_OK)
		r = pm_eat_verify(eat, jwks, policy, o->now, report, &facts);
	if (report)
		token_print(o, r, report, facts);
	pm_eat_free(eat);
	pm_report_free(report);
	return tool_exit_status(r);
}

static int verify(const struct token_options *o, const struct pm_eat_policy *policy)
{
	struct pm_jwks *jwks = NULL;
	uint8_t *bytes = NULL;
	size_t len;
	int status = load_jwks(o, &jwks);

	if (status == TOOL_OK)
		status = tool_read_evidence(o->token, PM_EAT_SIZE_MAX, o->json, &bytes, &len);
	if (status == TOOL_OK)
		status = judge(o, jwks, policy, bytes, len);
	free(bytes);
	pm_jwks_free(jwks);
	return status;
}

int cmd_token(int argc, char **argv)
{
	struct token_options o = {.now = time(NULL)};
	struct pm_eat_policy *policy = NULL;
	int r;

	if (tool_asks_for_help(argc, argv)) {
		fputs(help, stdout);
		return TOOL_OK;
	}
	r = tool_failed(pm_eat_policy_new(&policy));
	if (r == TOOL_OK)
		r = read_options(argc, argv, &o, policy);
	if (r == TOOL_OK)
		r = verify(&o, policy);
	pm_eat_policy_free(policy);
	return r;
}
