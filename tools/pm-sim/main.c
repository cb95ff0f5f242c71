/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-sim/sim.h"
#include "pm-sim/sim_bundle.h"
#include "pm-sim/sim_gpu.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Which verbs take an option. */
#define INIT   1u
#define REPORT 2u
#define SERVE  4u
#define VEK    8u
#define CRL    16u
#define HCL    32u
#define ISSUE  (REPORT | SERVE | VEK | CRL | HCL)

static const char usage_text[] =
	"Usage: pm-sim init DIR [--product Milan|Genoa|Turin] [--tcb TCB] [--chip-id HEX]\n"
	"                   [--vlek] [--csp-id ID]\n"
	"       pm-sim report DIR --report-data HEX -o FILE [--certs FILE [--table-crl]]\n"
	"                   [--vek FILE] [--chain FILE] [--crl FILE] [--report-version N]\n"
	"       pm-sim serve DIR --socket PATH [--table-crl] [--report-version N]\n"
	"       pm-sim vek DIR [--tcb TCB] [--not-before T] [--not-after T] [-o FILE]\n"
	"       pm-sim crl DIR [--revoke ask|asvk|SERIAL]... [--this-update T] [--next-update T]\n"
	"                   [-o FILE]\n"
	"       pm-sim hcl DIR [--runtime-data FILE] -o FILE\n"
	"       pm-sim defects | fields\n"
	"       pm-sim gpu --help\n"
	"       pm-sim bundle --help\n"
	"\n"
	"A software SEV-SNP for development and tests.\n"
	"TEST ROOT: nothing that this tool signs proves anything.\n"
	"\n"
	"  --defect NAME        make one thing wrong, repeatable; names: pm-sim defects\n"
	"  --field NAME=VALUE   set a field of the report, repeatable; names: pm-sim fields\n"
	"  --time T             issue as if it were this time (2026-03-01T00:00:00Z)\n"
	"\n"
	"TCB is bl,tee,snp,ucode, or fmc,bl,tee,snp,ucode for Turin.\n"
	"\n"
	"Exit status: 0 done, 1 a file is malformed or too long, 2 wrong usage or input and "
	"output.\n"
	"\n"
	"Examples:\n"
	"  pm-sim init /tmp/sim && pm-sim serve /tmp/sim --socket /tmp/sim/attester\n"
	"  pm-ctl collect --report-data $(openssl rand -hex 64) \\\n"
	"      --attester unix:/tmp/sim/attester -o report.bin --certs table.bin\n";

enum option_id {
	O_PRODUCT = 256,
	O_TCB,
	O_CHIP_ID,
	O_VLEK,
	O_CSP_ID,
	O_REPORT_DATA,
	O_CERTS,
	O_TABLE_CRL,
	O_VEK,
	O_CHAIN,
	O_CRL,
	O_REPORT_VERSION,
	O_SOCKET,
	O_NOT_BEFORE,
	O_NOT_AFTER,
	O_REVOKE,
	O_THIS_UPDATE,
	O_NEXT_UPDATE,
	O_RUNTIME_DATA,
	O_DEFECT,
	O_FIELD,
	O_TIME,
};

static const struct option long_options[] = {
	{"product", required_argument, NULL, O_PRODUCT},
	{"tcb", required_argument, NULL, O_TCB},
	{"chip-id", required_argument, NULL, O_CHIP_ID},
	{"vlek", no_argument, NULL, O_VLEK},
	{"csp-id", required_argument, NULL, O_CSP_ID},
	{"report-data", required_argument, NULL, O_REPORT_DATA},
	{"certs", required_argument, NULL, O_CERTS},
	{"table-crl", no_argument, NULL, O_TABLE_CRL},
	{"vek", required_argument, NULL, O_VEK},
	{"chain", required_argument, NULL, O_CHAIN},
	{"crl", required_argument, NULL, O_CRL},
	{"report-version", required_argument, NULL, O_REPORT_VERSION},
	{"socket", required_argument, NULL, O_SOCKET},
	{"not-before", required_argument, NULL, O_NOT_BEFORE},
	{"not-after", required_argument, NULL, O_NOT_AFTER},
	{"revoke", required_argument, NULL, O_REVOKE},
	{"this-update", required_argument, NULL, O_THIS_UPDATE},
	{"next-update", required_argument, NULL, O_NEXT_UPDATE},
	{"runtime-data", required_argument, NULL, O_RUNTIME_DATA},
	{"defect", required_argument, NULL, O_DEFECT},
	{"field", required_argument, NULL, O_FIELD},
	{"time", required_argument, NULL, O_TIME},
	{"output", required_argument, NULL, 'o'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

/* Options that only store their argument, and the verbs that take them. */
static const struct {
	int id;
	unsigned int verbs;
	size_t member;
} texts[] = {
	{O_PRODUCT, INIT, offsetof(struct sim_options, product)},
	{O_TCB, INIT | VEK, offsetof(struct sim_options, tcb)},
	{O_CHIP_ID, INIT, offsetof(struct sim_options, chip_id)},
	{O_CSP_ID, INIT, offsetof(struct sim_options, csp_id)},
	{O_REPORT_DATA, REPORT, offsetof(struct sim_options, report_data)},
	{O_CERTS, REPORT, offsetof(struct sim_options, certs)},
	{O_VEK, REPORT, offsetof(struct sim_options, vek)},
	{O_CHAIN, REPORT, offsetof(struct sim_options, chain)},
	{O_CRL, REPORT, offsetof(struct sim_options, crl)},
	{O_SOCKET, SERVE, offsetof(struct sim_options, socket)},
	{O_NOT_BEFORE, VEK, offsetof(struct sim_options, not_before)},
	{O_NOT_AFTER, VEK, offsetof(struct sim_options, not_after)},
	{O_THIS_UPDATE, CRL, offsetof(struct sim_options, this_update)},
	{O_NEXT_UPDATE, CRL, offsetof(struct sim_options, next_update)},
	{O_RUNTIME_DATA, HCL, offsetof(struct sim_options, runtime_data)},
	{'o', REPORT | VEK | CRL | HCL, offsetof(struct sim_options, output)},
};

static int add_defect(struct sim_options *o, const char *name)
{
	const struct sim_defect *d = sim_defect_find(name);

	if (!d)
		return TOOL_USAGE;
	if (o->request.defect_count == SIM_LIST_MAX)
		return sim_fail("too many defects");
	o->request.defects[o->request.defect_count++] = d;
	return TOOL_OK;
}

static int add_field(struct sim_options *o, const char *assignment)
{
	if (o->request.field_count == SIM_LIST_MAX - 1)
		return sim_fail("too many fields");
	o->request.fields[o->request.field_count++] = assignment;
	return TOOL_OK;
}

static int add_revoked(struct sim_options *o, const char *name)
{
	if (o->revoke_count == SIM_REVOKED_MAX)
		return sim_fail("at most %d revoked certificates", SIM_REVOKED_MAX);
	o->revoke[o->revoke_count++] = name;
	return TOOL_OK;
}

static int set_version(struct sim_options *o, const char *text)
{
	uint64_t version;
	int r = sim_number_parse(text, 5, &version);

	if (r == TOOL_OK && version < 2)
		return sim_fail("--report-version is 2 to 5; others: --field version=N");
	o->request.report_version = (uint32_t)version;
	return r;
}

static bool set_text(struct sim_options *o, unsigned int verb, int id)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].id == id && texts[i].verbs & verb) {
			*(const char **)(void *)((char *)o + texts[i].member) = optarg;
			return true;
		}
	return false;
}

static int set_other(struct sim_options *o, unsigned int verb, int id)
{
	if (id == O_VLEK && verb == INIT) {
		o->vlek = true;
		return TOOL_OK;
	}
	if (id == O_TABLE_CRL && verb & (REPORT | SERVE)) {
		o->table_crl = true;
		return TOOL_OK;
	}
	if (id == O_TIME)
		return sim_time_option(optarg, o->now, &o->now);
	if (id == O_REVOKE && verb == CRL)
		return add_revoked(o, optarg);
	if (id == O_DEFECT && verb & ISSUE)
		return add_defect(o, optarg);
	if (id == O_FIELD && verb & (REPORT | SERVE | HCL))
		return add_field(o, optarg);
	if (id == O_REPORT_VERSION && verb & (REPORT | SERVE | HCL))
		return set_version(o, optarg);
	return sim_fail("this verb does not take that option; see --help");
}

static int parse(int argc, char **argv, unsigned int verb, struct sim_options *o)
{
	int id, r = TOOL_OK;

	while (r == TOOL_OK && (id = getopt_long(argc, argv, "o:h", long_options, NULL)) != -1) {
		if (id == '?')
			return TOOL_USAGE;
		if (!set_text(o, verb, id))
			r = set_other(o, verb, id);
	}
	if (r != TOOL_OK)
		return r;
	if (optind != argc - 1)
		return sim_fail("needs one folder; see --help");
	o->dir = argv[optind];
	return TOOL_OK;
}

static const struct {
	const char *name;
	unsigned int verb;
	int (*run)(const struct sim_options *o);
} verbs[] = {
	{"init", INIT, sim_verb_init},
	{"report", REPORT, sim_verb_report},
	{"serve", SERVE, sim_verb_serve},
	{"vek", VEK, sim_verb_vek},
	{"crl", CRL, sim_verb_crl},
	{"hcl", HCL, sim_verb_hcl},
};

static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static int run(int argc, char **argv)
{
	struct sim_options o = {.now = (int64_t)time(NULL)};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		int r;

		if (strcmp(verbs[i].name, argv[0]) != 0)
			continue;
		r = parse(argc, argv, verbs[i].verb, &o);
		return r ? r : verbs[i].run(&o);
	}
	return sim_fail("%s: unknown verb; see: pm-sim --help", argv[0]);
}

int main(int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "gpu") == 0)
		return sim_gpu_main(argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "bundle") == 0)
		return sim_bundle_main(argc - 1, argv + 1);
	if (wants_help(argc, argv)) {
		fputs(usage_text, stdout);
		return TOOL_OK;
	}
	if (argc == 2 && strcmp(argv[1], "defects") == 0) {
		sim_defect_list();
		return TOOL_OK;
	}
	if (argc == 2 && strcmp(argv[1], "fields") == 0) {
		sim_report_list_fields();
		return TOOL_OK;
	}
	if (argc >= 2)
		return run(argc - 1, argv + 1);
	fputs(usage_text, stderr);
	return TOOL_USAGE;
}
