/* SPDX-License-Identifier: Apache-2.0 */
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
#include "pm-verify/snp.h"
#include "pm-verify/snp_policy_file.h"

static const char help[] =
	"Usage: pm-verify snp REPORT [OPTION]...\n"
	"Verify an AMD SEV-SNP attestation report: raw, or in an Azure HCL blob. \"-\" is standard "
	"input.\n"
	"\n"
	"Certificates and revocation (they bring no trust: AMD's roots are built in):\n"
	"  --vek FILE           VCEK or VLEK certificate, DER or PEM; may be repeated\n"
	"  --chain FILE         ASK or ASVK, and ARK: PEM or DER; may be repeated\n"
	"  --certs FILE         certificate table, as an extended report or configfs-tsm gives it\n"
	"  --crl FILE           AMD's revocation list, DER or PEM; may be repeated\n"
	"  --require-crl        refuse when no revocation list is given\n"
	"  --fetch              download what is missing from AMD's Key Distribution Service\n"
	"  --kds URL            use a mirror of it\n"
	"  --cache DIR          keep downloads there\n"
	"  --product NAME       Milan, Genoa or Turin, to fetch for a report of version 2\n"
	"\n"
	"Demands (the first two and the measurement must be met or waived):\n"
	"  --report-data HEX    the 64 bytes that the guest bound, usually to your nonce\n"
	"  --any-report-data    do not look at them: the report may be an old one\n"
	"  --min-tcb BL,TEE,SNP,UCODE\n"
	"                       least REPORTED_TCB; on Turin FMC,BL,TEE,SNP,UCODE\n"
	"  --any-tcb            accept any firmware, also one with known holes\n"
	"  --measurement HEX    the launch digest; may be repeated: any of them (default:\n"
	"                       any; with --policy, what that says)\n"
	"  --host-data HEX      HOST_DATA; may be repeated (default: any)\n"
	"  --vmpl N             the privilege level, 0 to 3; may be repeated (default: 0)\n"
	"  --allow-debug        accept a guest that the host may debug\n"
	"  --policy FILE        further demands in JSON: see pm-snp-policy(5)\n"
	"\n"
	"  --time TIME          verify as of this time, as 2026-03-01T00:00:00Z (default: now)\n"
	"  --json               one JSON object\n"
	"  --help               this text\n"
	"\n"
	"Exit status: 0 verified, 1 rejected, 2 wrong usage or input and output.\n"
	"\n"
	"Examples:\n"
	"  pm-verify snp report.bin --vek vcek.der --chain cert_chain.pem --report-data $HEX \\\n"
	"      --min-tcb 4,0,24,219 --measurement $DIGEST\n"
	"  pm-verify snp report.bin --fetch --cache ~/.cache/libpm --policy policy.json "
	"--report-data $HEX\n";

enum {
	OPT_VEK = 256,
	OPT_CHAIN,
	OPT_CERTS,
	OPT_CRL,
	OPT_REQUIRE_CRL,
	OPT_FETCH,
	OPT_KDS,
	OPT_CACHE,
	OPT_PRODUCT,
	OPT_REPORT_DATA,
	OPT_ANY_REPORT_DATA,
	OPT_MIN_TCB,
	OPT_ANY_TCB,
	OPT_MEASUREMENT,
	OPT_HOST_DATA,
	OPT_VMPL,
	OPT_ALLOW_DEBUG,
	OPT_POLICY,
	OPT_TIME,
	OPT_JSON,
	OPT_HELP,
};

static const struct option long_options[] = {
	{"vek", required_argument, NULL, OPT_VEK},
	{"chain", required_argument, NULL, OPT_CHAIN},
	{"certs", required_argument, NULL, OPT_CERTS},
	{"crl", required_argument, NULL, OPT_CRL},
	{"require-crl", no_argument, NULL, OPT_REQUIRE_CRL},
	{"fetch", no_argument, NULL, OPT_FETCH},
	{"kds", required_argument, NULL, OPT_KDS},
	{"cache", required_argument, NULL, OPT_CACHE},
	{"product", required_argument, NULL, OPT_PRODUCT},
	{"report-data", required_argument, NULL, OPT_REPORT_DATA},
	{"any-report-data", no_argument, NULL, OPT_ANY_REPORT_DATA},
	{"min-tcb", required_argument, NULL, OPT_MIN_TCB},
	{"any-tcb", no_argument, NULL, OPT_ANY_TCB},
	{"measurement", required_argument, NULL, OPT_MEASUREMENT},
	{"host-data", required_argument, NULL, OPT_HOST_DATA},
	{"vmpl", required_argument, NULL, OPT_VMPL},
	{"allow-debug", no_argument, NULL, OPT_ALLOW_DEBUG},
	{"policy", required_argument, NULL, OPT_POLICY},
	{"time", required_argument, NULL, OPT_TIME},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

/* --- options that demand something ----------------------------------------------------------- */

static int set_report_data(const char *value, struct pm_snp_policy *policy)
{
	uint8_t bytes[PM_SNP_REPORT_DATA_SIZE];

	if (pm_hex_decode(value, bytes, sizeof(bytes)) < 0)
		return tool_bad_option("report-data", value, "128 hexadecimal digits");
	return tool_failed(pm_snp_policy_expect_report_data(policy, bytes));
}

static int set_measurement(const char *value, struct pm_snp_policy *policy)
{
	uint8_t bytes[PM_SNP_DIGEST_SIZE];

	if (pm_hex_decode(value, bytes, sizeof(bytes)) < 0)
		return tool_bad_option("measurement", value, "96 hexadecimal digits");
	return tool_failed(pm_snp_policy_allow(policy, PM_SNP_MEASUREMENT, bytes, sizeof(bytes)));
}

static int set_host_data(const char *value, struct pm_snp_policy *policy)
{
	uint8_t bytes[PM_SNP_HOST_DATA_SIZE];

	if (pm_hex_decode(value, bytes, sizeof(bytes)) < 0)
		return tool_bad_option("host-data", value, "64 hexadecimal digits");
	return tool_failed(pm_snp_policy_allow(policy, PM_SNP_HOST_DATA, bytes, sizeof(bytes)));
}

/* The command line names no product, so the demand holds for each. */
static int set_min_tcb(const char *value, struct pm_snp_policy *policy)
{
	struct pm_snp_tcb tcb;

	if (snp_parse_tcb(value, &tcb))
		return tool_bad_option(
			"min-tcb", value, "4 or 5 numbers of 0 to 255, as 4,0,24,219");
	for (int p = PM_SNP_MILAN; p <= PM_SNP_TURIN; p++) {
		int r = pm_snp_policy_min_tcb(
			policy, PM_SNP_TCB_REPORTED, (enum pm_snp_product)p, &tcb);

		if (r < 0)
			return tool_failed(r);
	}
	return TOOL_OK;
}

static int set_vmpl(const char *value, struct pm_snp_policy *policy)
{
	if (strlen(value) != 1 || value[0] < '0' || value[0] > '3')
		return tool_bad_option("vmpl", value, "0 to 3");
	return tool_failed(pm_snp_policy_allow_vmpl(policy, (uint32_t)(value[0] - '0')));
}

static int set_product(const char *value, struct snp_options *o)
{
	for (int p = PM_SNP_MILAN; p <= PM_SNP_TURIN; p++) {
		if (!strcmp(value, pm_snp_product_name(p)))
			o->product = p;
	}
	return o->product ? TOOL_OK : tool_bad_option("product", value, "Milan, Genoa or Turin");
}

static int set_policy_option(int opt, struct snp_options *o, struct pm_snp_policy *policy)
{
	switch (opt) {
	case OPT_REPORT_DATA:
		o->has_report_data = true;
		return set_report_data(optarg, policy);
	case OPT_ANY_REPORT_DATA:
		o->has_report_data = true;
		return tool_failed(pm_snp_policy_waive(policy, PM_SNP_WAIVE_REPORT_DATA));
	case OPT_MIN_TCB:
		o->has_tcb = true;
		return set_min_tcb(optarg, policy);
	case OPT_ANY_TCB:
		o->has_tcb = true;
		return tool_failed(pm_snp_policy_waive(policy, PM_SNP_WAIVE_MIN_TCB));
	case OPT_MEASUREMENT:
		o->has_measurement = true;
		return set_measurement(optarg, policy);
	case OPT_HOST_DATA:
		return set_host_data(optarg, policy);
	case OPT_VMPL:
		return set_vmpl(optarg, policy);
	case OPT_ALLOW_DEBUG:
		return tool_failed(pm_snp_policy_permit(policy, PM_SNP_PERMIT_DEBUG));
	case OPT_REQUIRE_CRL:
		return tool_failed(pm_snp_policy_require(policy, PM_SNP_REQUIRE_CRL));
	case OPT_POLICY:
		o->has_policy = true;
		return snp_policy_file_load(optarg, policy);
	case OPT_HELP:
		return tool_wrong("snp: --help stands alone");
	default:
		return TOOL_USAGE; /* tool_getopt() has said why */
	}
}

/* None is forgotten for the next: of two revocation lists the first may be the one that tells. */
static int add_name(struct snp_files *files, const char *option)
{
	if (files->count == SNP_FILES_MAX) {
		return tool_wrong("snp: --%s: at most %d files", option, SNP_FILES_MAX);
	}
	files->names[files->count++] = optarg;
	return TOOL_OK;
}

static int set_table(struct snp_options *o)
{
	if (o->table) {
		return tool_wrong("snp: --certs: at most one certificate table");
	}
	o->table = optarg;
	return TOOL_OK;
}

static int set_option(int opt, struct snp_options *o, struct pm_snp_policy *policy)
{
	switch (opt) {
	case OPT_VEK:
		return add_name(&o->veks, "vek");
	case OPT_CHAIN:
		return add_name(&o->chains, "chain");
	case OPT_CERTS:
		return set_table(o);
	case OPT_CRL:
		return add_name(&o->crls, "crl");
	case OPT_FETCH:
		o->fetch = true;
		return TOOL_OK;
	case OPT_KDS:
		o->kds = optarg;
		return TOOL_OK;
	case OPT_CACHE:
		o->cache = optarg;
		return TOOL_OK;
	case OPT_PRODUCT:
		return set_product(optarg, o);
	case OPT_TIME:
		if (pm_time_parse(optarg, &o->now) < 0)
			return tool_bad_option("time", optarg, "a time as 2026-03-01T00:00:00Z");
		return TOOL_OK;
	case OPT_JSON:
		o->json = true;
		return TOOL_OK;
	default:
		return set_policy_option(opt, o, policy);
	}
}

/*
 * The measurement alone is waived here by silence, and the output then says that it was not
 * checked: the other demands must be met or waived by name.
 */
static int complete(const struct snp_options *o, struct pm_snp_policy *policy)
{
	if (!o->report) {
		return tool_wrong("snp: the report is missing; try --help");
	}
	if (!o->has_measurement && !o->has_policy)
		return tool_failed(pm_snp_policy_waive(policy, PM_SNP_WAIVE_MEASUREMENT));
	return TOOL_OK;
}

static int check_demands(const struct snp_options *o)
{
	if (!o->has_report_data && !o->has_policy) {
		return tool_wrong("snp: REPORT_DATA must be given (--report-data) or waived "
				  "(--any-report-data)");
	}
	if (!o->has_tcb && !o->has_policy) {
		return tool_wrong(
			"snp: the least TCB must be given (--min-tcb) or waived (--any-tcb)");
	}
	return TOOL_OK;
}

static int read_options(int argc, char **argv, struct snp_options *o, struct pm_snp_policy *policy)
{
	int opt, r = TOOL_OK;

	optind = 1;
	while (r == TOOL_OK && (opt = tool_getopt(argc, argv, long_options)) != -1)
		r = set_option(opt, o, policy);
	if (r)
		return r;
	if (optind + 1 < argc) {
		return tool_wrong("snp: unexpected argument '%s'", argv[optind + 1]);
	}
	o->report = argv[optind]; /* NULL at the end of argv */
	r = complete(o, policy);
	return r ? r : check_demands(o);
}

/* --- evidence -------------------------------------------------------------------------------- */

#define FILE_SIZE_MAX (16u << 20)

typedef int (*add_fn)(
	struct pm_snp_evidence *ev, const void *bytes, size_t size, struct pm_report *report);

static int add_file(bool json, const char *path, add_fn add, struct pm_snp_evidence *ev)
{
	struct pm_report *report = pm_report_new();
	uint8_t *bytes = NULL;
	size_t len;
	int r, exit_status = tool_read_evidence(path, FILE_SIZE_MAX, json, &bytes, &len);

	if (exit_status == TOOL_OK) {
		r = add(ev, bytes, len, report);
		if (r < 0)
			tool_refuse_input(json, path, r, report ? pm_report_reason(report) : "");
		exit_status = tool_exit_status(r);
	}
	free(bytes);
	pm_report_free(report);
	return exit_status;
}

static int add_each(
	bool json, const struct snp_files *files, add_fn add, struct pm_snp_evidence *ev)
{
	int r = TOOL_OK;

	for (size_t i = 0; r == TOOL_OK && i < files->count; i++)
		r = add_file(json, files->names[i], add, ev);
	return r;
}

static int add_files(const struct snp_options *o, struct pm_snp_evidence *ev)
{
	int r = add_each(o->json, &o->veks, pm_snp_evidence_add_certs, ev);

	if (r == TOOL_OK)
		r = add_each(o->json, &o->chains, pm_snp_evidence_add_certs, ev);
	if (r == TOOL_OK && o->table)
		r = add_file(o->json, o->table, pm_snp_evidence_add_table, ev);
	if (r == TOOL_OK)
		r = add_each(o->json, &o->crls, pm_snp_evidence_add_crl, ev);
	return r;
}

/* Verify parsed evidence and print the verdict. */
static int judge(const struct snp_options *o, struct pm_snp_evidence *ev,
	const struct pm_snp_policy *policy, struct pm_report *report)
{
	const struct pm_snp_facts *facts = NULL;
	int r;

	if (o->fetch && !snp_can_fetch(o, ev))
		return tool_wrong(
			"snp: the report does not name a known processor; give --product");
	r = o->fetch ? snp_fetch(o, ev, report) : PM_OK;
	if (r == PM_OK)
		r = pm_snp_verify(ev, policy, NULL, o->now, report, &facts);
	if (r < 0 && o->fetch && snp_fetch_again(o, ev, report)) {
		pm_report_reset(report);
		r = pm_snp_verify(ev, policy, NULL, o->now, report, &facts);
	}
	snp_print(o, r, report, facts);
	return tool_exit_status(r);
}

static int verify(const struct snp_options *o, const struct pm_snp_policy *policy)
{
	struct pm_report *report = pm_report_new();
	struct pm_snp_evidence *ev = NULL;
	uint8_t *bytes = NULL;
	size_t len;
	int r, exit_status;

	if (!report)
		return tool_failed(PM_E_NOMEM);
	exit_status = tool_read_evidence(o->report, FILE_SIZE_MAX, o->json, &bytes, &len);
	if (exit_status == TOOL_OK) {
		r = pm_snp_evidence_parse(bytes, len, report, &ev);
		exit_status = r < 0 ? tool_exit_status(r) : add_files(o, ev);
		if (r < 0)
			snp_print(o, r, report, NULL);
		else if (exit_status == TOOL_OK)
			exit_status = judge(o, ev, policy, report);
	}
	free(bytes);
	pm_snp_evidence_free(ev);
	pm_report_free(report);
	return exit_status;
}

int cmd_snp(int argc, char **argv)
{
	struct snp_options o = {.now = time(NULL)};
	struct pm_snp_policy *policy = NULL;
	int r;

	if (tool_asks_for_help(argc, argv)) {
		fputs(help, stdout);
		return TOOL_OK;
	}
	r = tool_failed(pm_snp_policy_new(&policy));
	if (r == TOOL_OK)
		r = read_options(argc, argv, &o, policy);
	if (r == TOOL_OK)
		r = verify(&o, policy);
	pm_snp_policy_free(policy);
	return r;
}
