/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/usage.h"
#include "common/wrong.h"
#include "pm-verify/cmd.h"
#include "pm-verify/gpu.h"

static const char help[] =
	"Usage: pm-verify gpu REPORT [OPTION]...\n"
	"Verify the attestation report of an NVIDIA GPU or NVLink switch, or the reports of a host "
	"in\n"
	"the JSON of NVIDIA's SDK. \"-\" is standard input.\n"
	"\n"
	"Certificates, golden measurements, revocation (they bring no trust: NVIDIA's roots are "
	"built in):\n"
	"  --certs FILE         the device's five certificates, PEM\n"
	"  --rim FILE           golden measurements: of the driver and of the VBIOS, or of the "
	"switch;\n"
	"                       may be repeated\n"
	"  --no-rim             do without: any firmware may run\n"
	"  --ocsp FILE          an OCSP response, DER; may be repeated\n"
	"  --no-ocsp            do without: a revoked device passes\n"
	"  --fetch              download them from NVIDIA's services, in place of files\n"
	"  --rim-url URL        use a mirror; may be repeated; --ocsp-url URL likewise\n"
	"  --cache DIR          keep downloads there\n"
	"\n"
	"Demands (the nonce must be given or waived):\n"
	"  --nonce HEX          the 32 bytes that the report was asked for with\n"
	"  --any-nonce          do not look at it: the report may be an old one\n"
	"  --arch NAME          hopper, blackwell or ls10; may be repeated (default: any)\n"
	"  --mode NAME          spt, mpt or ppcie; may be repeated (default: any)\n"
	"  --driver V           version of the driver; may be repeated (default: any)\n"
	"  --vbios V            version of the VBIOS; may be repeated (default: any)\n"
	"  --min-driver V       least version of the driver\n"
	"  --min-vbios V        least version of the VBIOS\n"
	"  --require-fwid       refuse a GPU's report without the firmware's identity (old "
	"firmware)\n"
	"  --require-golden     refuse measurements without a golden value\n"
	"  --require-lock       refuse a switch that is not locked\n"
	"  --min-gpus N         of a list: at least so many GPUs (default: as many as it has)\n"
	"\n"
	"What is refused otherwise:\n"
	"  --allow-hold SECONDS certificates on hold for no longer than that\n"
	"  --allow-unknown      certificates that OCSP does not know\n"
	"  --allow-opaque       fields of types that are not known\n"
	"  --allow-topology     of a list: protected PCIe without the switches\n"
	"  --trim-nul           one zero byte too much behind the report\n"
	"  --test-root HEX      SHA-256 of a root for devices that is not NVIDIA's\n"
	"  --test-rim-root HEX  SHA-256 of a root for golden measurements that is not NVIDIA's\n"
	"\n"
	"  --time TIME          verify as of this time, as 2026-03-01T00:00:00Z (default: now)\n"
	"  --rim-time TIME      and golden measurements as of this one (default: --time)\n"
	"  --json               one JSON object\n"
	"  --help               this text\n"
	"\n"
	"Exit status: 0 verified, 1 rejected, 2 wrong usage or input and output.\n"
	"\n"
	"Examples:\n"
	"  pm-verify gpu report.bin --certs chain.pem --nonce $HEX --rim driver.xml --rim "
	"vbios.xml \\\n"
	"      --ocsp brom.der --ocsp ica.der --ocsp identity.der --ocsp rim-*.der\n"
	"  pm-verify gpu evidence.json --nonce $HEX --rim driver.xml --rim vbios.xml --no-ocsp \\\n"
	"      --min-gpus 8 --json\n";

enum {
	OPT_CERTS = 256,
	OPT_RIM,
	OPT_NO_RIM,
	OPT_OCSP,
	OPT_NO_OCSP,
	OPT_FETCH,
	OPT_RIM_URL,
	OPT_OCSP_URL,
	OPT_CACHE,
	OPT_NONCE,
	OPT_ANY_NONCE,
	OPT_ARCH,
	OPT_MODE,
	OPT_DRIVER,
	OPT_VBIOS,
	OPT_MIN_DRIVER,
	OPT_MIN_VBIOS,
	OPT_REQUIRE_FWID,
	OPT_REQUIRE_GOLDEN,
	OPT_REQUIRE_LOCK,
	OPT_MIN_GPUS,
	OPT_ALLOW_HOLD,
	OPT_ALLOW_UNKNOWN,
	OPT_ALLOW_OPAQUE,
	OPT_ALLOW_TOPOLOGY,
	OPT_TRIM_NUL,
	OPT_TEST_ROOT,
	OPT_TEST_RIM_ROOT,
	OPT_TIME,
	OPT_RIM_TIME,
	OPT_JSON,
	OPT_HELP,
};

static const struct option long_options[] = {
	{"certs", required_argument, NULL, OPT_CERTS},
	{"rim", required_argument, NULL, OPT_RIM},
	{"no-rim", no_argument, NULL, OPT_NO_RIM},
	{"ocsp", required_argument, NULL, OPT_OCSP},
	{"no-ocsp", no_argument, NULL, OPT_NO_OCSP},
	{"fetch", no_argument, NULL, OPT_FETCH},
	{"rim-url", required_argument, NULL, OPT_RIM_URL},
	{"ocsp-url", required_argument, NULL, OPT_OCSP_URL},
	{"cache", required_argument, NULL, OPT_CACHE},
	{"nonce", required_argument, NULL, OPT_NONCE},
	{"any-nonce", no_argument, NULL, OPT_ANY_NONCE},
	{"arch", required_argument, NULL, OPT_ARCH},
	{"mode", required_argument, NULL, OPT_MODE},
	{"driver", required_argument, NULL, OPT_DRIVER},
	{"vbios", required_argument, NULL, OPT_VBIOS},
	{"min-driver", required_argument, NULL, OPT_MIN_DRIVER},
	{"min-vbios", required_argument, NULL, OPT_MIN_VBIOS},
	{"require-fwid", no_argument, NULL, OPT_REQUIRE_FWID},
	{"require-golden", no_argument, NULL, OPT_REQUIRE_GOLDEN},
	{"require-lock", no_argument, NULL, OPT_REQUIRE_LOCK},
	{"min-gpus", required_argument, NULL, OPT_MIN_GPUS},
	{"allow-hold", required_argument, NULL, OPT_ALLOW_HOLD},
	{"allow-unknown", no_argument, NULL, OPT_ALLOW_UNKNOWN},
	{"allow-opaque", no_argument, NULL, OPT_ALLOW_OPAQUE},
	{"allow-topology", no_argument, NULL, OPT_ALLOW_TOPOLOGY},
	{"trim-nul", no_argument, NULL, OPT_TRIM_NUL},
	{"test-root", required_argument, NULL, OPT_TEST_ROOT},
	{"test-rim-root", required_argument, NULL, OPT_TEST_RIM_ROOT},
	{"time", required_argument, NULL, OPT_TIME},
	{"rim-time", required_argument, NULL, OPT_RIM_TIME},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

/* --- options --------------------------------------------------------------------------------- */

static int add_file(struct gpu_files *files, const char *name)
{
	if (files->count == GPU_FILES_MAX) {
		return tool_wrong("gpu: more than %d files of a kind", GPU_FILES_MAX);
	}
	files->names[files->count++] = name;
	return TOOL_OK;
}

static int set_time(const char *option, const char *value, int64_t *ret)
{
	if (pm_time_parse(value, ret) < 0)
		return tool_bad_option(option, value, "a time as 2026-03-01T00:00:00Z");
	return TOOL_OK;
}

/* A whole number from 1. */
static int set_number(const char *option, const char *value, long long max, long long *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end || errno || *ret < 1 || *ret > max)
		return tool_bad_option(option, value, "a whole number from 1");
	return TOOL_OK;
}

static int set_nonce(const char *value, struct pm_gpu_policy *policy)
{
	uint8_t nonce[PM_GPU_NONCE_SIZE];

	if (pm_hex_decode(value, nonce, sizeof(nonce)) < 0)
		return tool_bad_option("nonce", value, "64 hexadecimal digits");
	return tool_failed(pm_gpu_policy_expect_nonce(policy, nonce));
}

/* 1 for the first of three names, and so on; 0 for none. */
static int find_name(const char *value, const char *const *names)
{
	for (int i = 0; i < 3; i++) {
		if (!strcmp(value, names[i]))
			return i + 1;
	}
	return 0;
}

static int set_arch(const char *value, struct pm_gpu_policy *policy)
{
	static const char *const names[] = {"hopper", "blackwell", "ls10"};
	int arch = find_name(value, names);

	if (!arch)
		return tool_bad_option("arch", value, "hopper, blackwell or ls10");
	return tool_failed(pm_gpu_policy_allow_arch(policy, (enum pm_gpu_arch)arch));
}

static int set_mode(const char *value, struct pm_gpu_policy *policy)
{
	static const char *const names[] = {"spt", "mpt", "ppcie"};
	int mode = find_name(value, names);

	if (!mode)
		return tool_bad_option("mode", value, "spt, mpt or ppcie");
	return tool_failed(pm_gpu_policy_allow_mode(policy, (enum pm_gpu_mode)mode));
}

/* The command line names no kind of device, so the demand holds for each. */
static int set_min_vbios(const char *value, struct pm_gpu_policy *policy)
{
	int r = PM_OK;

	for (int arch = PM_GPU_HOPPER; r == PM_OK && arch <= PM_GPU_LS10; arch++)
		r = pm_gpu_policy_min_vbios(policy, (enum pm_gpu_arch)arch, value);
	return r == PM_E_ARG ? tool_bad_option("min-vbios", value, "a version as 96.00.9F.00.01")
			     : tool_failed(r);
}

static int set_version(int opt, const char *value, struct pm_gpu_policy *policy)
{
	int r;

	if (opt == OPT_MIN_VBIOS)
		return set_min_vbios(value, policy);
	if (opt == OPT_VBIOS) {
		r = pm_gpu_policy_allow_vbios(policy, value);
		return r == PM_E_ARG
			       ? tool_bad_option("vbios", value, "a version as 96.00.9F.00.01")
			       : tool_failed(r);
	}
	r = opt == OPT_DRIVER ? pm_gpu_policy_allow_driver(policy, value)
			      : pm_gpu_policy_min_driver(policy, 0, value);
	return r == PM_E_ARG ? tool_bad_option(opt == OPT_DRIVER ? "driver" : "min-driver", value,
				       "a version as 550.90.07")
			     : tool_failed(r);
}

static int set_hold(const char *value, struct pm_gpu_policy *policy)
{
	long long seconds;
	int r = set_number("allow-hold", value, INT64_MAX, &seconds);

	if (r)
		return r;
	r = pm_gpu_policy_permit(policy, PM_GPU_PERMIT_HOLD);
	return tool_failed(r < 0 ? r : pm_gpu_policy_ocsp_grace(policy, seconds));
}

static int set_root(int opt, const char *value, struct pm_gpu_policy *policy)
{
	bool is_rim = opt == OPT_TEST_RIM_ROOT;
	uint8_t sha256[32];

	if (pm_hex_decode(value, sha256, sizeof(sha256)) < 0)
		return tool_bad_option(
			is_rim ? "test-rim-root" : "test-root", value, "64 hexadecimal digits");
	return tool_failed(pm_gpu_policy_add_test_root(
		policy, is_rim ? PM_GPU_ROOT_RIM : PM_GPU_ROOT_DEVICE, sha256));
}

static int set_permission(int opt, struct pm_gpu_policy *policy)
{
	switch (opt) {
	case OPT_ALLOW_UNKNOWN:
		return tool_failed(pm_gpu_policy_permit(policy, PM_GPU_PERMIT_OCSP_UNKNOWN));
	case OPT_ALLOW_OPAQUE:
		return tool_failed(pm_gpu_policy_permit(policy, PM_GPU_PERMIT_UNKNOWN_OPAQUE));
	case OPT_REQUIRE_FWID:
		return tool_failed(pm_gpu_policy_require(policy, PM_GPU_REQUIRE_FWID));
	case OPT_REQUIRE_GOLDEN:
		return tool_failed(pm_gpu_policy_require(policy, PM_GPU_REQUIRE_ALL_GOLDEN));
	case OPT_REQUIRE_LOCK:
		return tool_failed(pm_gpu_policy_require(policy, PM_GPU_REQUIRE_SWITCH_LOCK));
	case OPT_HELP:
		return tool_wrong("gpu: --help stands alone");
	default:
		return TOOL_USAGE; /* tool_getopt() has said why */
	}
}

static int set_demand(int opt, struct gpu_options *o, struct pm_gpu_policy *policy)
{
	switch (opt) {
	case OPT_NONCE:
		o->has_nonce = true;
		return set_nonce(optarg, policy);
	case OPT_ANY_NONCE:
		o->has_nonce = true;
		return tool_failed(pm_gpu_policy_waive(policy, PM_GPU_WAIVE_NONCE));
	case OPT_NO_RIM:
		o->no_rim = true;
		return tool_failed(pm_gpu_policy_waive(policy, PM_GPU_WAIVE_RIM));
	case OPT_NO_OCSP:
		o->no_ocsp = true;
		return tool_failed(pm_gpu_policy_waive(policy, PM_GPU_WAIVE_OCSP));
	case OPT_ARCH:
		return set_arch(optarg, policy);
	case OPT_MODE:
		return set_mode(optarg, policy);
	case OPT_DRIVER:
	case OPT_VBIOS:
	case OPT_MIN_DRIVER:
	case OPT_MIN_VBIOS:
		return set_version(opt, optarg, policy);
	case OPT_ALLOW_HOLD:
		return set_hold(optarg, policy);
	case OPT_TEST_ROOT:
	case OPT_TEST_RIM_ROOT:
		return set_root(opt, optarg, policy);
	default:
		return set_permission(opt, policy);
	}
}

static int set_min_gpus(const char *value, struct gpu_options *o)
{
	long long n;
	int r = set_number("min-gpus", value, PM_GPU_SET_MAX, &n);

	o->min_gpus = (size_t)n;
	o->has_min_gpus = true;
	return r;
}

static int set_rim_time(const char *value, struct gpu_options *o, struct pm_gpu_policy *policy)
{
	int r = set_time("rim-time", value, &o->rim_now);

	o->has_rim_now = true;
	return r ? r : tool_failed(pm_gpu_policy_rim_time(policy, o->rim_now));
}

static int set_option(int opt, struct gpu_options *o, struct pm_gpu_policy *policy)
{
	switch (opt) {
	case OPT_CERTS:
		o->certs = optarg;
		return TOOL_OK;
	case OPT_RIM:
		return add_file(&o->rims, optarg);
	case OPT_OCSP:
		return add_file(&o->ocsp, optarg);
	case OPT_FETCH:
		o->fetch = true;
		return TOOL_OK;
	case OPT_RIM_URL:
		return add_file(&o->rim_urls, optarg);
	case OPT_OCSP_URL:
		return add_file(&o->ocsp_urls, optarg);
	case OPT_CACHE:
		o->cache = optarg;
		return TOOL_OK;
	case OPT_MIN_GPUS:
		return set_min_gpus(optarg, o);
	case OPT_ALLOW_TOPOLOGY:
		o->set_flags |= PM_GPU_SET_ANY_TOPOLOGY;
		return TOOL_OK;
	case OPT_TRIM_NUL:
		o->parse_flags |= PM_GPU_TRIM_NUL;
		return TOOL_OK;
	case OPT_TIME:
		return set_time("time", optarg, &o->now);
	case OPT_RIM_TIME:
		return set_rim_time(optarg, o, policy);
	case OPT_JSON:
		o->json = true;
		return TOOL_OK;
	default:
		return set_demand(opt, o, policy);
	}
}

static int check_demands(const struct gpu_options *o)
{
	if (!o->report) {
		return tool_wrong("gpu: the report is missing; try --help");
	}
	if (!o->has_nonce) {
		return tool_wrong("gpu: the nonce must be given (--nonce) or waived (--any-nonce)");
	}
	if (o->fetch && (o->rims.count || o->ocsp.count)) {
		return tool_wrong("gpu: --fetch stands in place of --rim and --ocsp");
	}
	if (!o->fetch && (o->rim_urls.count || o->ocsp_urls.count || o->cache)) {
		return tool_wrong("gpu: --rim-url, --ocsp-url and --cache are for --fetch");
	}
	if (!o->rims.count && !o->no_rim && !o->fetch) {
		return tool_wrong(
			"gpu: golden measurements must be given (--rim) or waived (--no-rim)");
	}
	if (!o->ocsp.count && !o->no_ocsp && !o->fetch) {
		return tool_wrong(
			"gpu: OCSP responses must be given (--ocsp) or waived (--no-ocsp)");
	}
	return TOOL_OK;
}

static int read_options(int argc, char **argv, struct gpu_options *o, struct pm_gpu_policy *policy)
{
	int opt, r = TOOL_OK;

	optind = 1;
	while (r == TOOL_OK && (opt = tool_getopt(argc, argv, long_options)) != -1)
		r = set_option(opt, o, policy);
	if (r)
		return r;
	if (optind + 1 < argc) {
		return tool_wrong("gpu: unexpected argument '%s'", argv[optind + 1]);
	}
	o->report = argv[optind]; /* NULL at the end of argv */
	return check_demands(o);
}

/* --- verification ---------------------------------------------------------------------------- */

static void verify_device(const struct gpu_options *o, const struct pm_gpu_policy *policy,
	const struct gpu_collateral *c, struct pm_gpu_cache *cache, struct gpu_device *dev)
{
	if (dev->error == PM_OK)
		dev->error = pm_gpu_verify(dev->ev, policy, c->verified, c->rim_count, c->ocsp,
			cache, o->now, dev->report, &dev->facts);
}

/* Each device is looked at, so that all reasons are told; then all together. */
static int verify_all(const struct gpu_options *o, const struct pm_gpu_policy *policy,
	const struct gpu_collateral *c, struct gpu_devices *d)
{
	const struct pm_gpu_facts *facts[PM_GPU_SET_MAX];
	struct pm_gpu_cache *cache = NULL;
	size_t gpus = 0;
	int r = pm_gpu_cache_new(PM_GPU_SET_MAX, &cache);

	if (r < 0)
		return r;
	for (size_t i = 0; i < d->count; i++) {
		verify_device(o, policy, c, cache, &d->list[i]);
		facts[i] = d->list[i].facts;
		gpus += facts[i] && facts[i]->arch != PM_GPU_LS10;
		r = r < 0 ? r : d->list[i].error;
	}
	pm_gpu_cache_free(cache);
	/* One device alone is no host, whichever way it is written down. */
	if (r < 0 || !d->is_set || (d->count == 1 && !o->has_min_gpus))
		return r;
	return pm_gpu_verify_set(
		facts, d->count, o->has_min_gpus ? o->min_gpus : gpus, o->set_flags, d->report);
}

static int verify(const struct gpu_options *o, const struct pm_gpu_policy *policy)
{
	struct gpu_collateral c = {0};
	struct gpu_devices *d = calloc(1, sizeof(*d));
	int r = d ? TOOL_OK : tool_failed(PM_E_NOMEM);
	int error;

	if (r == TOOL_OK)
		r = gpu_collateral_load(o, policy, &c);
	error = gpu_collateral_error(&c);
	if (r == TOOL_OK)
		r = gpu_devices_load(o, d);
	if (r == TOOL_OK && o->fetch && d->error == PM_OK)
		error = gpu_fetch(o, policy, d, &c);
	if (r == TOOL_OK || error < 0) {
		error = error < 0 ? error : verify_all(o, policy, &c, d);
		gpu_print(o, error, &c, d);
		r = tool_exit_status(error);
	}
	if (d)
		gpu_devices_free(d);
	free(d);
	gpu_collateral_free(&c);
	return r;
}

int cmd_gpu(int argc, char **argv)
{
	struct gpu_options o = {.now = time(NULL)};
	struct pm_gpu_policy *policy = NULL;
	int r;

	if (tool_asks_for_help(argc, argv)) {
		fputs(help, stdout);
		return TOOL_OK;
	}
	r = tool_failed(pm_gpu_policy_new(&policy));
	if (r == TOOL_OK)
		r = read_options(argc, argv, &o, policy);
	if (r == TOOL_OK)
		r = verify(&o, policy);
	pm_gpu_policy_free(policy);
	return r;
}
