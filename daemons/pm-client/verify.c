/* SPDX-License-Identifier: Apache-2.0 */
/* pm-client verify: the evidence of a worker, judged and shown, and nothing else. */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <pm/text.h>

#include "pm-client/client.h"
#include "pm-client/options.h"
#include "pm-client/verify.h"

static const char help[] =
	"Usage: pm-client verify --manifest FILE [OPTION]... {URL | --coordinator URL}\n"
	"Ask a worker, or the coordinator of a mesh, for evidence with a fresh nonce, and judge "
	"it\n"
	"against the manifest.\n"
	"\n"
	"  --manifest FILE      what the worker must be\n"
	"  --manifest-hash HEX  refuse a manifest of another hash\n"
	"  --owners FILE        refuse a manifest that too few of these owners signed\n"
	"  --signatures FILE    and where their signatures are\n"
	"  --memory FILE        remember the manifest's number here, and refuse an older one\n"
	"  --coordinator URL    verify this coordinator, and all that it proves of its mesh\n"
	"  --role NAME          the role that is wanted (default: any)\n"
	"  --model NAME         the model disk that must be mounted (default: any)\n"
	"  --worker-ca FILE     certificate authorities for https (default: the system's)\n"
	"  --json               print one object of JSON\n"
	"  --help               print this\n"
	"\n"
	"Exit status: 0 verified, 1 rejected, 2 wrong usage, or no answer.\n"
	"\n"
	"Example:\n"
	"  pm-client verify --manifest manifest.json --role worker https://worker.example\n";

static const struct option long_options[] = {
	{"manifest", required_argument, NULL, 'm'},
	{"manifest-hash", required_argument, NULL, 'H'},
	{"owners", required_argument, NULL, 'o'},
	{"signatures", required_argument, NULL, 's'},
	{"memory", required_argument, NULL, 'M'},
	{"coordinator", required_argument, NULL, 'C'},
	{"role", required_argument, NULL, 'r'},
	{"model", required_argument, NULL, 'd'},
	{"worker-ca", required_argument, NULL, 'c'},
	{"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

/* --- the verdict ----------------------------------------------------------------------------- */

static const char *sign_of(enum pm_outcome outcome)
{
	switch (outcome) {
	case PM_PASSED:
		return "✓";
	case PM_FAILED:
		return "✗";
	case PM_NOT_CHECKED:
		break;
	}
	return "–";
}

static void print_tree(const struct pm_verdict *verdict)
{
	for (size_t i = 0; i < pm_verdict_count(verdict); i++) {
		const struct pm_verdict_node *n = pm_verdict_at(verdict, i);
		bool is_wrong = !n->is_group && n->outcome == PM_FAILED;

		printf("%*s%s %s%s%s%s%s\n", (int)(2 * n->depth), "", sign_of(n->outcome), n->name,
			n->found[0] ? ": " : "", n->found, is_wrong ? ", expected " : "",
			is_wrong ? n->expected : "");
	}
}

static int status_of(int error)
{
	switch (error) {
	case PM_OK:
		return 0;
	case PM_E_ARG:
	case PM_E_NET:
	case PM_E_NOMEM:
	case PM_E_SYS:
	case PM_E_STATE:
	case PM_E_CRYPTO:
		return 2;
	default:
		return 1;
	}
}

static void print_outcome(const struct client_options *o, int error,
	const struct pm_verdict *verdict, const struct pm_report *report,
	const struct pm_appraised *facts)
{
	const char *reason = pm_verdict_reason(verdict);
	char until[PM_TIME_TEXT_SIZE];

	if (!reason[0])
		reason = pm_report_reason(report);
	if (o->json) {
		verify_print_json(o->worker, status_of(error), error, reason, verdict, facts);
		return;
	}
	print_tree(verdict);
	if (error < 0) {
		printf("%s: %s: %s: %s\n", status_of(error) == 1 ? "REJECTED" : "NOT VERIFIED",
			o->worker, pm_strerror(error), reason);
		return;
	}
	if (facts->test_root)
		printf("TEST ROOT: accepted under a root that is not the maker's; nothing is "
		       "proved about real hardware\n");
	pm_time_format(facts->valid_until, until);
	printf("VERIFIED: %s: role %s, %zu models, %zu GPUs; nothing of it expires before %s\n",
		o->worker, facts->claims.role, facts->claims.model_count, facts->gpu_count, until);
}

static int verify(const struct client_options *o, const struct pm_manifest *manifest)
{
	struct pm_verdict *verdict = pm_verdict_new();
	struct pm_report *report = pm_report_new();
	const struct pm_appraised *facts = NULL;
	struct pm_session *session = NULL;
	int r = verdict && report
			? pm_session_new(o->worker, manifest, &o->session, report, &session)
			: PM_E_NOMEM;

	if (r == PM_OK)
		r = pm_session_attest(session, verdict, report, &facts);
	if (verdict && report)
		print_outcome(o, r, verdict, report, facts);
	pm_appraised_free(facts);
	pm_session_free(session);
	pm_report_free(report);
	pm_verdict_free(verdict);
	return fflush(stdout) ? 2 : status_of(r);
}

/* --- the command line ------------------------------------------------------------------------ */

static int set_option(int id, struct client_options *o)
{
	switch (id) {
	case 'm':
		o->manifest = optarg;
		return 0;
	case 'H':
		return option_hash(optarg, o);
	case 'o':
		o->owners = optarg;
		return 0;
	case 's':
		o->signatures = optarg;
		return 0;
	case 'j':
		o->json = true;
		return 0;
	case 'M':
		o->session.memory_file = optarg;
		return 0;
	case 'C':
		o->session.coordinator = optarg;
		return 0;
	case 'r':
		o->session.role = optarg;
		return 0;
	case 'd':
		o->session.model = optarg;
		return 0;
	case 'c':
		o->session.ca_file = optarg;
		return 0;
	default:
		return 2; /* getopt said why */
	}
}

static int parse(int argc, char **argv, struct client_options *o)
{
	int id;

	while ((id = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		if (set_option(id, o) != 0)
			return 2;
	/* argv ends with NULL. */
	o->worker = o->session.coordinator ? o->session.coordinator : argv[optind++];
	if (!o->worker || !o->manifest || optind != argc) {
		warnx("verify: --manifest FILE and one URL are needed; try --help");
		return 2;
	}
	if (o->session.coordinator && (o->session.role || o->session.model)) {
		warnx("verify: --role and --model are for workers");
		return 2;
	}
	return option_owners(o);
}

int cmd_verify(int argc, char **argv)
{
	struct client_options o = {.session = {.size = sizeof(struct pm_session_options)}};
	struct pm_manifest *manifest = NULL;
	int r;

	/* Alone: status 0 means verified. */
	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(help, stdout);
		return 0;
	}
	r = parse(argc, argv, &o);
	if (r == 0)
		r = read_manifest(&o, &manifest);
	if (r == 0)
		r = verify(&o, manifest);
	pm_manifest_free(manifest);
	return r;
}
