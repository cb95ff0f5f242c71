/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <time.h>

#include "common/file.h"
#include "pm-ctl/manifest.h"
#include "pm-ctl/manifest_draft.h"

static const char help[] =
	"Usage: pm-ctl manifest init -o FILE [OPTION]...\n"
	"Make a manifest, or with --update the one that follows another. Options are read in their "
	"order.\n"
	"\n"
	"  -o, --output FILE        where the manifest goes\n"
	"  --update FILE            begin with this manifest: next serial number, its hash as "
	"previous\n"
	"  --not-before TIME        as 2026-03-01T00:00:00Z (default: now)\n"
	"  --days N                 how long it holds (default: 90)\n"
	"\n"
	"  --role NAME              this role is meant by what follows; it is made when it is not "
	"there\n"
	"  --from-evidence REPORT   add measurement, HOST_DATA, TCB and policy of this SEV-SNP "
	"report,\n"
	"                           which is not verified here: use pm-verify snp first\n"
	"  --product NAME           Milan, Genoa or Turin, for reports that do not say\n"
	"  --allow-debug            also of a guest that the host may debug\n"
	"  --no-crl                 the role needs no revocation list\n"
	"  --gpu ARCH:COUNT         the role needs so many GPUs: hopper or blackwell\n"
	"  --calls NAME             the role may call that one\n"
	"  --workload-secret        the role gets a secret derived of the seed\n"
	"  --secret ID              the role may fetch this secret; with * at its end all that "
	"begin "
	"so\n"
	"\n"
	"  --model FILE             add models: JSON of pm-disk manifest-entry --name NAME; the "
	"role, "
	"if any,\n"
	"                           serves them\n"
	"  --owner NAME=KEY         add an owner with this public key\n"
	"  --threshold N            how many owners must agree (default: all)\n"
	"  --seed-share-owner NAME=KEY  add a seed share owner with this X-Wing key\n"
	"  --seed-threshold N       how many shares give the seed back (default: all)\n"
	"  --test-root HEX          accept a root that is not AMD's: for tests only\n"
	"  --test-gpu-root HEX      the same for GPUs and switches\n"
	"  --test-rim-root HEX      the same for golden measurements\n"
	"\n"
	"Exit status: 0 done, 1 an input is malformed or the result is no manifest, 2 wrong usage "
	"or "
	"input\n"
	"and output.\n"
	"\n"
	"Examples:\n"
	"  pm-ctl manifest init -o manifest.json --role worker --from-evidence report.bin \\\n"
	"      --gpu hopper:8 --model llama.json --owner alice=alice.pub --owner bob=bob.pub\n"
	"  pm-ctl manifest init -o next.json --update manifest.json --role worker \\\n"
	"      --from-evidence new-report.bin\n";

enum {
	OPT_UPDATE = 256,
	OPT_NOT_BEFORE,
	OPT_DAYS,
	OPT_ROLE,
	OPT_EVIDENCE,
	OPT_PRODUCT,
	OPT_ALLOW_DEBUG,
	OPT_NO_CRL,
	OPT_GPU,
	OPT_CALLS,
	OPT_WORKLOAD_SECRET,
	OPT_SECRET,
	OPT_MODEL,
	OPT_OWNER,
	OPT_THRESHOLD,
	OPT_SEED_OWNER,
	OPT_SEED_THRESHOLD,
	OPT_TEST_GPU_ROOT,
	OPT_TEST_RIM_ROOT,
	OPT_TEST_ROOT,
};

static const struct option long_options[] = {
	{"output", required_argument, NULL, 'o'},
	{"update", required_argument, NULL, OPT_UPDATE},
	{"not-before", required_argument, NULL, OPT_NOT_BEFORE},
	{"days", required_argument, NULL, OPT_DAYS},
	{"role", required_argument, NULL, OPT_ROLE},
	{"from-evidence", required_argument, NULL, OPT_EVIDENCE},
	{"product", required_argument, NULL, OPT_PRODUCT},
	{"allow-debug", no_argument, NULL, OPT_ALLOW_DEBUG},
	{"no-crl", no_argument, NULL, OPT_NO_CRL},
	{"gpu", required_argument, NULL, OPT_GPU},
	{"calls", required_argument, NULL, OPT_CALLS},
	{"workload-secret", no_argument, NULL, OPT_WORKLOAD_SECRET},
	{"secret", required_argument, NULL, OPT_SECRET},
	{"model", required_argument, NULL, OPT_MODEL},
	{"owner", required_argument, NULL, OPT_OWNER},
	{"threshold", required_argument, NULL, OPT_THRESHOLD},
	{"seed-share-owner", required_argument, NULL, OPT_SEED_OWNER},
	{"seed-threshold", required_argument, NULL, OPT_SEED_THRESHOLD},
	{"test-gpu-root", required_argument, NULL, OPT_TEST_GPU_ROOT},
	{"test-rim-root", required_argument, NULL, OPT_TEST_RIM_ROOT},
	{"test-root", required_argument, NULL, OPT_TEST_ROOT},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int set_more(struct draft *d, int id)
{
	switch (id) {
	case OPT_SECRET:
		return draft_add_secret(d, optarg);
	case OPT_MODEL:
		return draft_add_models(d, optarg);
	case OPT_OWNER:
		return draft_add_owner(d, optarg);
	case OPT_THRESHOLD:
		return draft_set_threshold(d, "owners", "threshold", optarg);
	case OPT_SEED_OWNER:
		return draft_add_share_owner(d, optarg);
	case OPT_SEED_THRESHOLD:
		return draft_set_threshold(d, "seed_share_owners", "seed-threshold", optarg);
	case OPT_TEST_ROOT:
		return draft_add_test_root(d, "snp", optarg);
	case OPT_TEST_GPU_ROOT:
		return draft_add_test_root(d, "gpu_device", optarg);
	case OPT_TEST_RIM_ROOT:
		return draft_add_test_root(d, "gpu_rim", optarg);
	default:
		return TOOL_USAGE; /* getopt said why */
	}
}

static int set_option(struct draft *d, int id)
{
	switch (id) {
	case 'o':
		d->output = optarg;
		return TOOL_OK;
	case 'h':
		d->help = true;
		return TOOL_OK;
	case OPT_UPDATE:
		return draft_begin_with(d, optarg);
	case OPT_NOT_BEFORE:
		return draft_set_time(d, optarg);
	case OPT_DAYS:
		return draft_read_number("days", optarg, 36500, &d->days);
	case OPT_ROLE:
		return draft_set_role(d, optarg);
	case OPT_EVIDENCE:
		return draft_add_evidence(d, optarg);
	case OPT_PRODUCT:
		return draft_set_product(d, optarg);
	case OPT_ALLOW_DEBUG:
		d->allow_debug = true;
		return TOOL_OK;
	case OPT_NO_CRL:
		return draft_set_no_crl(d);
	case OPT_CALLS:
		return draft_add_call(d, optarg);
	case OPT_WORKLOAD_SECRET:
		return draft_set_workload_secret(d);
	case OPT_GPU:
		return draft_set_gpu(d, optarg);
	default:
		return set_more(d, id);
	}
}

static int read_options(int argc, char **argv, struct draft *d)
{
	int id, r = TOOL_OK;

	while (r == TOOL_OK && (id = getopt_long(argc, argv, "o:h", long_options, NULL)) != -1)
		r = set_option(d, id);
	if (r != TOOL_OK || d->help)
		return r;
	if (optind != argc) {
		warnx("unexpected argument '%s'", argv[optind]);
		return TOOL_USAGE;
	}
	if (!d->output)
		warnx("manifest init needs -o FILE; try --help");
	return d->output ? TOOL_OK : TOOL_USAGE;
}

int manifest_init(int argc, char **argv)
{
	struct draft d = {.doc = draft_first_document(), .not_before = time(NULL), .days = 90};
	int r = read_options(argc, argv, &d);

	if (r == TOOL_OK && d.help) {
		fputs(help, stdout);
	} else if (r == TOOL_OK) {
		draft_finish(&d);
		r = draft_write(&d);
	}
	json_decref(d.doc);
	return r;
}
