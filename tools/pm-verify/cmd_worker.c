/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>
#include <time.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/manifest.h"
#include "common/usage.h"
#include "common/wrong.h"
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

enum { OPT_ROLE = 256, OPT_MODEL, OPT_COORDINATOR, OPT_HELP };

static const struct option long_options[] = {
	{"role", required_argument, NULL, OPT_ROLE},
	{"model", required_argument, NULL, OPT_MODEL},
	{"coordinator", required_argument, NULL, OPT_COORDINATOR},
	{"help", no_argument, NULL, OPT_HELP},
	TOOL_MESH_ROWS,
	{NULL, 0, NULL, 0},
};

struct arguments {
	struct tool_mesh mesh; /* whose URL is the coordinator's; NULL: there is a worker's */
	const char *worker;
	struct workers_wanted wanted;
};

static int set_option(int opt, struct arguments *a)
{
	switch (opt) {
	case OPT_ROLE:
		a->wanted.role = optarg;
		return TOOL_OK;
	case OPT_MODEL:
		a->wanted.model = optarg;
		return TOOL_OK;
	case OPT_COORDINATOR:
		a->mesh.url = optarg;
		return TOOL_OK;
	case OPT_HELP:
		return tool_wrong("worker: --help stands alone");
	default:
		return tool_mesh_option(&a->mesh, opt, optarg);
	}
}

static int read_options(int argc, char **argv, struct arguments *a)
{
	int opt, r = TOOL_OK;

	optind = 1;
	while (r == TOOL_OK && (opt = tool_getopt(argc, argv, long_options)) != -1)
		r = set_option(opt, a);
	if (r)
		return r;
	a->worker = argv[optind]; /* NULL at the end of argv */
	if (!a->worker == !a->mesh.url || !a->mesh.manifest || optind + !a->mesh.url != argc) {
		return tool_wrong(
			"worker: one URL, of a worker or a --coordinator, and --manifest FILE are "
			"needed; try --help");
	}
	return TOOL_OK;
}

/* --- a worker -------------------------------------------------------------------------------- */

static int judge(const struct arguments *a, const struct bundle_options *how,
	const struct pm_manifest *manifest)
{
	const struct pm_session_options options = {
		.size = sizeof(options),
		.role = a->wanted.role,
		.model = a->wanted.model,
		.memory_file = a->mesh.options.memory_file,
		.ca_file = a->mesh.options.ca_file,
	};
	struct pm_report *report = pm_report_new();
	struct pm_verdict *verdict = pm_verdict_new();
	struct bundle_outcome outcome = {PM_E_NOMEM, report, verdict, NULL};
	struct pm_session *session = NULL;

	if (report && verdict) {
		outcome.error = pm_session_new(a->worker, manifest, &options, report, &session);
		if (outcome.error == PM_OK)
			outcome.error = pm_session_attest(session, verdict, report, &outcome.facts);
		bundle_print(how, &outcome);
	} else {
		tool_failed(PM_E_NOMEM);
	}
	pm_appraised_free(outcome.facts);
	pm_session_free(session);
	pm_verdict_free(verdict);
	pm_report_free(report);
	return tool_exit_status(outcome.error);
}

static int verify(const struct arguments *a)
{
	const struct tool_mesh *mesh = &a->mesh;
	const struct bundle_options how = {.bundle = a->worker,
		.manifest = mesh->manifest,
		.question.now = time(NULL),
		.json = mesh->json};
	struct pm_manifest *manifest = NULL;
	int r = tool_read_manifest(mesh->manifest,
		mesh->has_manifest_hash ? mesh->manifest_hash : NULL, mesh->json, &manifest);

	if (r == TOOL_OK)
		r = judge(a, &how, manifest);
	pm_manifest_free(manifest);
	return r;
}

int cmd_worker(int argc, char **argv)
{
	struct arguments a = {0};
	int r;

	if (tool_asks_for_help(argc, argv)) {
		fputs(help, stdout);
		return TOOL_OK;
	}
	tool_mesh_init(&a.mesh);
	r = read_options(argc, argv, &a);
	if (r)
		return r;
	return a.mesh.url ? workers_verify(&a.mesh, &a.wanted) : verify(&a);
}
