/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/usage.h"
#include "pm-verify/bundle.h"
#include "pm-verify/cmd.h"
#include "pm-verify/workers.h"

static const char help[] =
	"Usage: pm-verify worker URL --manifest FILE [OPTION]...\n"
	"       pm-verify worker --coordinator URL --manifest FILE [OPTION]...\n"
	"Ask a worker of direct mode for evidence with a fresh nonce, and verify it: that his\n"
	"processor binds his key and model disks to the nonce, and that all of it is what the\n"
	"manifest says. The address may be plain http: what counts is signed.\n"
	"With a coordinator: verify that, and then each worker of its mesh by the evidence that\n"
	"the worker gave when it joined.\n"
	"\n"
	"  --coordinator URL    the workers of this coordinator's mesh\n"
	"  --manifest FILE      the manifest, which you trust: see pm-manifest(5)\n"
	"  --manifest-hash HEX  refuse a manifest of another hash\n"
	"  --memory FILE        remember the manifest's number here, and refuse an older one\n"
	"  --role NAME          the role that is wanted (default: any of the manifest's)\n"
	"  --model NAME         a model that must be served (default: none in particular)\n"
	"  --ca FILE            certificate authorities for https (default: the system's)\n"
	"  --json               one JSON object\n"
	"  --help               this text\n"
	"\n"
	"Exit status: 0 verified, 1 rejected, 2 wrong usage, or no answer.\n"
	"\n"
	"Example:\n"
	"  pm-verify worker https://worker.example --manifest manifest.json --role worker\n";

enum {
	OPT_MANIFEST = 256,
	OPT_HASH,
	OPT_MEMORY,
	OPT_ROLE,
	OPT_MODEL,
	OPT_CA,
	OPT_COORDINATOR,
	OPT_JSON,
	OPT_HELP
};

static const struct option long_options[] = {
	{"manifest", required_argument, NULL, OPT_MANIFEST},
	{"manifest-hash", required_argument, NULL, OPT_HASH},
	{"memory", required_argument, NULL, OPT_MEMORY},
	{"role", required_argument, NULL, OPT_ROLE},
	{"model", required_argument, NULL, OPT_MODEL},
	{"ca", required_argument, NULL, OPT_CA},
	{"coordinator", required_argument, NULL, OPT_COORDINATOR},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

struct arguments {
	struct bundle_options bundle; /* whose bundle is the URL */
	struct pm_session_options session;
	const char *coordinator; /* in the place of the URL; or NULL */
};

static int set_option(int opt, struct arguments *a)
{
	switch (opt) {
	case OPT_MANIFEST:
		a->bundle.manifest = optarg;
		return TOOL_OK;
	case OPT_HASH:
		return bundle_set_hex("manifest-hash", optarg, a->bundle.manifest_hash,
			sizeof(a->bundle.manifest_hash), &a->bundle.has_manifest_hash);
	case OPT_MEMORY:
		a->session.memory_file = optarg;
		return TOOL_OK;
	case OPT_ROLE:
		a->session.role = optarg;
		return TOOL_OK;
	case OPT_MODEL:
		a->session.model = optarg;
		return TOOL_OK;
	case OPT_CA:
		a->session.ca_file = optarg;
		return TOOL_OK;
	case OPT_COORDINATOR:
		a->coordinator = optarg;
		return TOOL_OK;
	case OPT_JSON:
		a->bundle.json = true;
		return TOOL_OK;
	case OPT_HELP:
		warnx("worker: --help stands alone");
		return TOOL_USAGE;
	default:
		return TOOL_USAGE; /* getopt has said why */
	}
}

static int read_options(int argc, char **argv, struct arguments *a)
{
	int opt, r = TOOL_OK;

	optind = 1;
	while (r == TOOL_OK && (opt = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		r = set_option(opt, a);
	if (r)
		return r;
	a->bundle.bundle = argv[optind]; /* NULL at the end of argv */
	if (!a->bundle.bundle == !a->coordinator || !a->bundle.manifest ||
		optind + !a->coordinator != argc) {
		warnx("worker: one URL, of a worker or a --coordinator, and --manifest FILE are "
		      "needed; try --help");
		return TOOL_USAGE;
	}
	return TOOL_OK;
}

static int judge(const struct arguments *a, const struct pm_manifest *manifest)
{
	struct pm_report *report = pm_report_new();
	struct pm_verdict *verdict = pm_verdict_new();
	struct bundle_outcome outcome = {PM_E_NOMEM, report, verdict, NULL};
	struct pm_session *session = NULL;

	if (report && verdict) {
		outcome.error =
			pm_session_new(a->bundle.bundle, manifest, &a->session, report, &session);
		if (outcome.error == PM_OK)
			outcome.error = pm_session_attest(session, verdict, report, &outcome.facts);
		bundle_print(&a->bundle, &outcome);
	} else {
		warnx("%s", pm_strerror(PM_E_NOMEM));
	}
	pm_appraised_free(outcome.facts);
	pm_session_free(session);
	pm_verdict_free(verdict);
	pm_report_free(report);
	return tool_exit_status(outcome.error);
}

static int verify_mesh(const struct arguments *a)
{
	const struct workers_wanted wanted = {a->session.role, a->session.model};
	struct tool_mesh mesh;

	tool_mesh_init(&mesh);
	mesh.url = a->coordinator;
	mesh.manifest = a->bundle.manifest;
	mesh.has_manifest_hash = a->bundle.has_manifest_hash;
	memcpy(mesh.manifest_hash, a->bundle.manifest_hash, sizeof(mesh.manifest_hash));
	mesh.options.memory_file = a->session.memory_file;
	mesh.options.ca_file = a->session.ca_file;
	mesh.json = a->bundle.json;
	return workers_verify(&mesh, &wanted);
}

int cmd_worker(int argc, char **argv)
{
	struct arguments a = {
		.bundle = {.question = {.now = time(NULL)}},
		.session = {.size = sizeof(struct pm_session_options)},
	};
	struct pm_manifest *manifest = NULL;
	int r;

	if (tool_asks_for_help(argc, argv)) {
		fputs(help, stdout);
		return TOOL_OK;
	}
	r = read_options(argc, argv, &a);
	if (r == TOOL_OK && a.coordinator)
		return verify_mesh(&a);
	if (r == TOOL_OK)
		r = bundle_read_manifest(&a.bundle, &manifest);
	if (r == TOOL_OK)
		r = judge(&a, manifest);
	pm_manifest_free(manifest);
	return r;
}
