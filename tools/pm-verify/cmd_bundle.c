/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/manifest.h"
#include "common/usage.h"
#include "common/wrong.h"
#include "pm-verify/bundle.h"
#include "pm-verify/cmd.h"

static const char help[] =
	"Usage: pm-verify bundle FILE --manifest FILE --nonce HEX [OPTION]...\n"
	"Verify an evidence bundle: that a worker's key, model disks and GPUs are bound by his\n"
	"processor to your nonce, and that all of it is what the manifest says. \"-\" is standard\n"
	"input. Nothing touches the network: certificates, golden measurements and revocation\n"
	"answers come in the bundle, and bring no trust.\n"
	"\n"
	"  --manifest FILE      the manifest, which you trust: see pm-manifest(5)\n"
	"  --manifest-hash HEX  refuse a manifest of another hash\n"
	"  --nonce HEX          the 32 bytes that you asked with; there is no doing without\n"
	"  --role NAME          the role that is wanted (default: any of the manifest's)\n"
	"  --model NAME         a model that must be served (default: none in particular)\n"
	"  --max-age SECONDS    most seconds since the claims were made (default: 86400)\n"
	"  --time TIME          verify as of this time, as 2026-03-01T00:00:00Z (default: now)\n"
	"  --json               one JSON object\n"
	"  --help               this text\n"
	"\n"
	"Exit status: 0 verified, 1 rejected, 2 wrong usage or input and output.\n"
	"\n"
	"Examples:\n"
	"  pm-verify bundle worker.bundle --manifest manifest.json --nonce $NONCE --role worker\n"
	"  pm-verify bundle - --manifest manifest.json --nonce $NONCE --json <worker.bundle\n";

enum {
	OPT_MANIFEST = 256,
	OPT_MANIFEST_HASH,
	OPT_NONCE,
	OPT_ROLE,
	OPT_MODEL,
	OPT_MAX_AGE,
	OPT_TIME,
	OPT_JSON,
	OPT_HELP,
};

static const struct option long_options[] = {
	{"manifest", required_argument, NULL, OPT_MANIFEST},
	{"manifest-hash", required_argument, NULL, OPT_MANIFEST_HASH},
	{"nonce", required_argument, NULL, OPT_NONCE},
	{"role", required_argument, NULL, OPT_ROLE},
	{"model", required_argument, NULL, OPT_MODEL},
	{"max-age", required_argument, NULL, OPT_MAX_AGE},
	{"time", required_argument, NULL, OPT_TIME},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

/* --- options ---------------------------------------------------------------------------------- */

int bundle_set_hex(const char *option, const char *value, uint8_t *ret, size_t size, bool *has)
{
	if (pm_hex_decode(value, ret, size) < 0)
		return tool_bad_option(option, value, "64 hexadecimal digits");
	*has = true;
	return TOOL_OK;
}

static int set_max_age(const char *value, int64_t *ret)
{
	long long seconds;
	char *end;

	errno = 0;
	seconds = strtoll(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end || errno || seconds < 1)
		return tool_bad_option("max-age", value, "a whole number from 1");
	*ret = seconds;
	return TOOL_OK;
}

static int set_option(int opt, struct bundle_options *o)
{
	switch (opt) {
	case OPT_MANIFEST:
		o->manifest = optarg;
		return TOOL_OK;
	case OPT_MANIFEST_HASH:
		return bundle_set_hex("manifest-hash", optarg, o->manifest_hash,
			sizeof(o->manifest_hash), &o->has_manifest_hash);
	case OPT_NONCE:
		return bundle_set_hex("nonce", optarg, o->nonce, sizeof(o->nonce), &o->has_nonce);
	case OPT_ROLE:
		o->question.role = optarg;
		return TOOL_OK;
	case OPT_MODEL:
		o->question.model = optarg;
		return TOOL_OK;
	case OPT_MAX_AGE:
		return set_max_age(optarg, &o->question.max_age);
	case OPT_TIME:
		if (pm_time_parse(optarg, &o->question.now) < 0)
			return tool_bad_option("time", optarg, "a time as 2026-03-01T00:00:00Z");
		return TOOL_OK;
	case OPT_JSON:
		o->json = true;
		return TOOL_OK;
	case OPT_HELP:
		return tool_wrong("bundle: --help stands alone");
	default:
		return TOOL_USAGE; /* tool_getopt() has said why */
	}
}

static int missing(const char *what)
{
	return tool_wrong("bundle: %s is missing; try --help", what);
}

static int read_options(int argc, char **argv, struct bundle_options *o)
{
	int opt, r = TOOL_OK;

	optind = 1;
	while (r == TOOL_OK && (opt = tool_getopt(argc, argv, long_options)) != -1)
		r = set_option(opt, o);
	if (r)
		return r;
	if (optind + 1 < argc) {
		return tool_wrong("bundle: unexpected argument '%s'", argv[optind + 1]);
	}
	o->bundle = argv[optind]; /* NULL at the end of argv */
	if (!o->bundle)
		return missing("the bundle");
	if (!o->manifest)
		return missing("--manifest");
	if (!o->has_nonce)
		return missing("--nonce");
	o->question.nonce = o->nonce;
	return TOOL_OK;
}

/* --- the bundle ------------------------------------------------------------------------------- */

static int judge(const struct bundle_options *o, const uint8_t *bytes, size_t len)
{
	struct pm_report *report = pm_report_new();
	struct pm_verdict *verdict = pm_verdict_new();
	struct bundle_outcome outcome = {PM_E_NOMEM, report, verdict, NULL};
	struct pm_bundle *bundle = NULL;

	if (report && verdict) {
		outcome.error = pm_bundle_parse(bytes, len, report, &bundle);
		if (outcome.error == PM_OK)
			outcome.error = pm_appraise(bundle, &o->question, verdict, &outcome.facts);
		bundle_print(o, &outcome);
	} else {
		tool_failed(PM_E_NOMEM);
	}
	pm_appraised_free(outcome.facts);
	pm_bundle_free(bundle);
	pm_verdict_free(verdict);
	pm_report_free(report);
	return tool_exit_status(outcome.error);
}

static int verify(struct bundle_options *o)
{
	struct pm_manifest *manifest = NULL;
	uint8_t *bytes = NULL;
	size_t len;
	int r = tool_read_manifest(
		o->manifest, o->has_manifest_hash ? o->manifest_hash : NULL, o->json, &manifest);

	o->question.manifest = manifest;
	if (r == TOOL_OK)
		r = tool_read_evidence(o->bundle, PM_BUNDLE_SIZE_MAX, o->json, &bytes, &len);
	if (r == TOOL_OK)
		r = judge(o, bytes, len);
	free(bytes);
	pm_manifest_free(manifest);
	return r;
}

int cmd_bundle(int argc, char **argv)
{
	struct bundle_options o = {.question.now = time(NULL)};
	int r;

	if (tool_asks_for_help(argc, argv)) {
		fputs(help, stdout);
		return TOOL_OK;
	}
	r = read_options(argc, argv, &o);
	return r ? r : verify(&o);
}
