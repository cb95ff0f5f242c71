/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/pm.h>

#include "common/checks.h"
#include "common/file.h"
#include "pm-ctl/cmd.h"

static const char help[] =
	"Usage: pm-ctl collect --report-data HEX -o REPORT [OPTION]...\n"
	"Get an AMD SEV-SNP attestation report of this machine. It is not verified here.\n"
	"\n"
	"  --report-data HEX     64 bytes to be signed: a verifier's nonce, or what binds it\n"
	"  -o, --output FILE     the report, 1184 bytes; - is standard output\n"
	"  --certs FILE          the host's certificate table; not written when there is none\n"
	"  --vmpl N              privilege level to be named in the report, 0 to 3 (default 0)\n"
	"  --attester unix:PATH  ask an attester on a Unix socket; see pm-attester(7)\n"
	"  --configfs            ask configfs-tsm only\n"
	"  --device              ask /dev/sev-guest only\n"
	"  --timeout SECONDS     how long an attester may take (default 10)\n"
	"\n"
	"Without one of the three, configfs-tsm is asked where the kernel has it, else the "
	"device.\n"
	"\n"
	"Exit status: 0 done, 1 the answer is malformed or to another question, 2 wrong usage or "
	"input\n"
	"and output.\n"
	"\n"
	"Examples:\n"
	"  pm-ctl collect --report-data $NONCE -o report.bin --certs table.bin\n"
	"  pm-ctl collect --report-data $NONCE --attester unix:/run/attester -o report.bin\n";

enum {
	OPT_REPORT_DATA = 256,
	OPT_CERTS,
	OPT_VMPL,
	OPT_ATTESTER,
	OPT_CONFIGFS,
	OPT_DEVICE,
	OPT_TIMEOUT,
};

static const struct option long_options[] = {
	{"report-data", required_argument, NULL, OPT_REPORT_DATA},
	{"output", required_argument, NULL, 'o'},
	{"certs", required_argument, NULL, OPT_CERTS},
	{"vmpl", required_argument, NULL, OPT_VMPL},
	{"attester", required_argument, NULL, OPT_ATTESTER},
	{"configfs", no_argument, NULL, OPT_CONFIGFS},
	{"device", no_argument, NULL, OPT_DEVICE},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct arguments {
	struct pm_collect_options options;
	uint8_t report_data[PM_SNP_REPORT_DATA_SIZE];
	bool has_report_data;
	bool help;
	const char *output;
	const char *certs;
};

static int number(const char *name, const char *text, unsigned long max, uint32_t *ret)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || value > max) {
		warnx("%s: '%s' is not a number of at most %lu", name, text, max);
		return TOOL_USAGE;
	}
	*ret = (uint32_t)value;
	return TOOL_OK;
}

static int set_source(struct arguments *a, int source)
{
	if (a->options.source != PM_COLLECT_AUTO) {
		warnx("only one of --attester, --configfs and --device");
		return TOOL_USAGE;
	}
	a->options.source = source;
	return TOOL_OK;
}

static int set_attester(struct arguments *a, const char *text)
{
	if (strncmp(text, "unix:", 5) != 0 || !text[5]) {
		warnx("--attester: '%s' is not unix:PATH", text);
		return TOOL_USAGE;
	}
	a->options.socket = text + 5;
	return set_source(a, PM_COLLECT_ATTESTER);
}

static int set_report_data(struct arguments *a, const char *text)
{
	if (pm_hex_decode(text, a->report_data, sizeof(a->report_data)) != PM_OK) {
		warnx("--report-data: needs 64 bytes in hexadecimal");
		return TOOL_USAGE;
	}
	a->has_report_data = true;
	return TOOL_OK;
}

static int set_timeout(struct arguments *a, const char *text)
{
	uint32_t seconds;
	int r = number("--timeout", text, PM_COLLECT_TIMEOUT_MAX_MS / 1000, &seconds);

	if (r == TOOL_OK && !seconds) {
		warnx("--timeout: must be at least 1");
		return TOOL_USAGE;
	}
	if (r == TOOL_OK)
		a->options.timeout_ms = seconds * 1000;
	return r;
}

static int set_option(struct arguments *a, int id)
{
	switch (id) {
	case OPT_REPORT_DATA:
		return set_report_data(a, optarg);
	case 'o':
		a->output = optarg;
		return TOOL_OK;
	case OPT_CERTS:
		a->certs = optarg;
		return TOOL_OK;
	case OPT_VMPL:
		return number("--vmpl", optarg, 3, &a->options.vmpl);
	case OPT_ATTESTER:
		return set_attester(a, optarg);
	case OPT_CONFIGFS:
		return set_source(a, PM_COLLECT_CONFIGFS);
	case OPT_DEVICE:
		return set_source(a, PM_COLLECT_DEVICE);
	case OPT_TIMEOUT:
		return set_timeout(a, optarg);
	case 'h':
		a->help = true;
		return TOOL_OK;
	default:
		return TOOL_USAGE; /* getopt said why */
	}
}

static int parse(int argc, char **argv, struct arguments *a)
{
	int id, r = TOOL_OK;

	while (r == TOOL_OK && (id = getopt_long(argc, argv, "o:h", long_options, NULL)) != -1)
		r = set_option(a, id);
	if (r != TOOL_OK || a->help)
		return r;
	if (optind != argc) {
		warnx("unexpected argument '%s'", argv[optind]);
		return TOOL_USAGE;
	}
	if (!a->has_report_data || !a->output) {
		warnx("collect needs --report-data HEX and -o FILE; try --help");
		return TOOL_USAGE;
	}
	return TOOL_OK;
}

static int write_certs(const struct arguments *a, const struct pm_collected *collected)
{
	size_t size;
	const uint8_t *table = pm_collected_table(collected, &size);

	if (!a->certs)
		return TOOL_OK;
	if (!size) {
		warnx("the host gives no certificates: %s is not written", a->certs);
		return TOOL_OK;
	}
	return tool_write_file(a->certs, table, size, 0644);
}

static int collect(const struct arguments *a, struct pm_report *report)
{
	struct pm_collected *collected = NULL;
	int r = pm_collect_snp(a->report_data, &a->options, report, &collected);

	if (r != PM_OK) {
		tool_print_error("collect", r, report);
		return tool_exit_status(r);
	}
	r = write_certs(a, collected);
	if (r == TOOL_OK)
		r = tool_write_file(
			a->output, pm_collected_report(collected), PM_SNP_REPORT_SIZE, 0644);
	pm_collected_free(collected);
	return r;
}

int cmd_collect(int argc, char **argv)
{
	struct arguments a = {.options.size = sizeof(a.options)};
	struct pm_report *report;
	int r = parse(argc, argv, &a);

	if (r != TOOL_OK)
		return r;
	if (a.help) {
		fputs(help, stdout);
		return TOOL_OK;
	}
	report = pm_report_new();
	if (!report) {
		warnx("out of memory");
		return TOOL_USAGE;
	}
	r = collect(&a, report);
	pm_report_free(report);
	return r;
}
