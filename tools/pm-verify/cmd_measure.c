/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/usage.h"
#include "common/wrong.h"
#include "pm-verify/cmd.h"
#include "pm-verify/measure.h"

static const char help[] =
	"Usage: pm-verify measure --ovmf FILE --vcpus N --vcpu-type TYPE [OPTION]...\n"
	"Compute the launch digest (MEASUREMENT) of an AMD SEV-SNP guest. \"-\" is standard "
	"input.\n"
	"\n"
	"The guest:\n"
	"  --ovmf FILE            firmware\n"
	"  --vcpus N              number of processors\n"
	"  --vcpu-type TYPE       QEMU's name of the processor, as EPYC-v4; \"help\" lists them\n"
	"  --vcpu-sig HEX         instead: CPUID function 1, register EAX\n"
	"  --vcpu-fms F,M,S       instead: family, model and stepping, as 25,17,1\n"
	"  --kernel FILE          kernel that the hypervisor loads directly\n"
	"  --initrd FILE          its initial RAM disk\n"
	"  --append TEXT          its command line\n"
	"  --kernel-sha256 HEX    instead of --kernel: its digest\n"
	"  --initrd-sha256 HEX    instead of --initrd: its digest\n"
	"  --vmm-type TYPE        qemu (default), ec2 or gce\n"
	"  --guest-features HEX   SEV_FEATURES: 0x1 (default), or 0x21 with debug swap\n"
	"  --ovmf-hash HEX        digest of the firmware's pages; --ovmf then gives the tables "
	"only\n"
	"  --svsm FILE            Coconut SVSM below the firmware\n"
	"  --vars-size N          with --svsm: bytes of the store of variables\n"
	"\n"
	"ID block and the keys that sign it (public keys, PEM or DER):\n"
	"  --id-key FILE          also print the ID_KEY_DIGEST of this key\n"
	"  --author-key FILE      also print the AUTHOR_KEY_DIGEST of this key\n"
	"  --id-block FILE        write the ID block, 96 bytes, to be signed\n"
	"  --family-id HEX        its FAMILY_ID, 16 bytes (default: zeros)\n"
	"  --image-id HEX         its IMAGE_ID, 16 bytes (default: zeros)\n"
	"  --guest-svn N          its GUEST_SVN (default: 0)\n"
	"  --policy HEX           its POLICY (default: 0x30000)\n"
	"\n"
	"  --expect HEX           exit with 1 unless the digest is this one\n"
	"  --print-ovmf-hash      print the digest of the firmware's pages, for --ovmf-hash, and "
	"no more\n"
	"  --json                 one JSON object\n"
	"  --help                 this text\n"
	"\n"
	"Exit status: 0 done, 1 data rejected, or not what was expected, 2 wrong usage or input "
	"and\n"
	"output.\n"
	"\n"
	"Examples:\n"
	"  pm-verify measure --ovmf OVMF.fd --vcpus 4 --vcpu-type EPYC-v4 \\\n"
	"      --kernel vmlinuz --initrd initrd.img --append \"console=ttyS0\"\n"
	"  pm-verify measure --ovmf OVMF.fd --vcpus 2 --vmm-type gce --expect $DIGEST\n"
	"  pm-verify snp report.bin ... --measurement $(pm-verify measure --ovmf OVMF.fd ...)\n";

enum {
	OPT_OVMF = 256,
	OPT_VCPUS,
	OPT_VCPU_TYPE,
	OPT_VCPU_SIG,
	OPT_VCPU_FMS,
	OPT_KERNEL,
	OPT_INITRD,
	OPT_APPEND,
	OPT_KERNEL_SHA256,
	OPT_INITRD_SHA256,
	OPT_VMM_TYPE,
	OPT_GUEST_FEATURES,
	OPT_OVMF_HASH,
	OPT_SVSM,
	OPT_VARS_SIZE,
	OPT_ID_KEY,
	OPT_AUTHOR_KEY,
	OPT_ID_BLOCK,
	OPT_FAMILY_ID,
	OPT_IMAGE_ID,
	OPT_GUEST_SVN,
	OPT_POLICY,
	OPT_EXPECT,
	OPT_PRINT_OVMF_HASH,
	OPT_JSON,
	OPT_HELP,
};

static const struct option long_options[] = {
	{"ovmf", required_argument, NULL, OPT_OVMF},
	{"vcpus", required_argument, NULL, OPT_VCPUS},
	{"vcpu-type", required_argument, NULL, OPT_VCPU_TYPE},
	{"vcpu-sig", required_argument, NULL, OPT_VCPU_SIG},
	{"vcpu-fms", required_argument, NULL, OPT_VCPU_FMS},
	{"kernel", required_argument, NULL, OPT_KERNEL},
	{"initrd", required_argument, NULL, OPT_INITRD},
	{"append", required_argument, NULL, OPT_APPEND},
	{"kernel-sha256", required_argument, NULL, OPT_KERNEL_SHA256},
	{"initrd-sha256", required_argument, NULL, OPT_INITRD_SHA256},
	{"vmm-type", required_argument, NULL, OPT_VMM_TYPE},
	{"guest-features", required_argument, NULL, OPT_GUEST_FEATURES},
	{"ovmf-hash", required_argument, NULL, OPT_OVMF_HASH},
	{"svsm", required_argument, NULL, OPT_SVSM},
	{"vars-size", required_argument, NULL, OPT_VARS_SIZE},
	{"id-key", required_argument, NULL, OPT_ID_KEY},
	{"author-key", required_argument, NULL, OPT_AUTHOR_KEY},
	{"id-block", required_argument, NULL, OPT_ID_BLOCK},
	{"family-id", required_argument, NULL, OPT_FAMILY_ID},
	{"image-id", required_argument, NULL, OPT_IMAGE_ID},
	{"guest-svn", required_argument, NULL, OPT_GUEST_SVN},
	{"policy", required_argument, NULL, OPT_POLICY},
	{"expect", required_argument, NULL, OPT_EXPECT},
	{"print-ovmf-hash", no_argument, NULL, OPT_PRINT_OVMF_HASH},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

/* POLICY of an ID block unless given: SMT allowed, the bit that must be one, no debugging. */
#define POLICY_DEFAULT UINT64_C(0x30000)

/* --- values ---------------------------------------------------------------------------------- */

static int missing(const char *what)
{
	return tool_wrong("measure: %s; try --help", what);
}

/* Digits alone, without sign or space; hexadecimal ones may have "0x" in front. */
static bool read_number(const char *text, int base, uint64_t max, uint64_t *ret)
{
	unsigned long long value;
	char *end;

	if (!isxdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	value = strtoull(text, &end, base);
	if (errno || *end || value > max)
		return false;
	*ret = value;
	return true;
}

static int set_u32(const char *option, int base, uint32_t *ret)
{
	uint64_t value;

	if (!read_number(optarg, base, UINT32_MAX, &value))
		return tool_bad_option(option, optarg, "a number below 2^32");
	*ret = (uint32_t)value;
	return TOOL_OK;
}

static int set_u64(const char *option, uint64_t *ret)
{
	if (!read_number(optarg, 16, UINT64_MAX, ret))
		return tool_bad_option(option, optarg, "a hexadecimal number below 2^64");
	return TOOL_OK;
}

static int set_bytes(const char *option, uint8_t *ret, size_t size, bool *ret_given)
{
	char expected[64];

	snprintf(expected, sizeof(expected), "%zu hexadecimal digits", 2 * size);
	if (pm_hex_decode(optarg, ret, size) < 0)
		return tool_bad_option(option, optarg, expected);
	*ret_given = true;
	return TOOL_OK;
}

/* --- the processor --------------------------------------------------------------------------- */

static bool is_model(const char *name)
{
	const char *model;

	for (size_t i = 0; (model = pm_measure_cpu_model(i)) != NULL; i++) {
		if (!strcmp(model, name))
			return true;
	}
	return false;
}

static int one_processor(struct measure_options *o)
{
	if (o->vcpu_type || o->has_signature)
		return missing("the processor is given twice");
	return TOOL_OK;
}

static int set_type(struct measure_options *o)
{
	int r = one_processor(o);

	if (r != TOOL_OK)
		return r;
	if (!is_model(optarg))
		return tool_bad_option("vcpu-type", optarg, "a name that '--vcpu-type help' lists");
	o->vcpu_type = optarg;
	return TOOL_OK;
}

static int set_signature(struct measure_options *o)
{
	int r = one_processor(o);

	if (r == TOOL_OK)
		r = set_u32("vcpu-sig", 16, &o->signature);
	o->has_signature = true;
	return r;
}

static int set_fms(struct measure_options *o)
{
	unsigned int family, model, stepping;
	int r = one_processor(o), used = 0;

	if (r != TOOL_OK)
		return r;
	if (sscanf(optarg, "%3u,%3u,%2u%n", &family, &model, &stepping, &used) != 3 ||
		optarg[used] != '\0' ||
		pm_measure_cpu_signature(family, model, stepping, &o->signature) < 0)
		return tool_bad_option(
			"vcpu-fms", optarg, "family, model and stepping, as 25,17,1");
	o->has_signature = true;
	return TOOL_OK;
}

static int set_vmm(struct measure_options *o)
{
	static const struct {
		const char *name;
		enum pm_vmm vmm;
	} vmms[] = {{"qemu", PM_VMM_QEMU}, {"ec2", PM_VMM_EC2}, {"gce", PM_VMM_GCE}};

	for (size_t i = 0; i < sizeof(vmms) / sizeof(vmms[0]); i++) {
		if (!strcmp(vmms[i].name, optarg)) {
			o->vmm = vmms[i].vmm;
			return TOOL_OK;
		}
	}
	return tool_bad_option("vmm-type", optarg, "qemu, ec2 or gce");
}

/* --- the command line ------------------------------------------------------------------------ */

/* Options that are but a text, or a switch. False when it is none of them. */
static bool set_text(int opt, struct measure_options *o)
{
	const char **const texts[] = {
		[OPT_OVMF - OPT_OVMF] = &o->ovmf,
		[OPT_KERNEL - OPT_OVMF] = &o->kernel,
		[OPT_INITRD - OPT_OVMF] = &o->initrd,
		[OPT_APPEND - OPT_OVMF] = &o->append,
		[OPT_SVSM - OPT_OVMF] = &o->svsm,
		[OPT_ID_KEY - OPT_OVMF] = &o->id_key,
		[OPT_AUTHOR_KEY - OPT_OVMF] = &o->author_key,
		[OPT_ID_BLOCK - OPT_OVMF] = &o->id_block_file,
	};
	size_t i = (size_t)(opt - OPT_OVMF);

	if (opt < OPT_OVMF || i >= sizeof(texts) / sizeof(texts[0]) || !texts[i])
		return false;
	*texts[i] = optarg;
	return true;
}

static int set_id_option(int opt, struct measure_options *o)
{
	struct pm_id_block *b = &o->id_block;
	bool given;

	o->has_id_fields = true;
	switch (opt) {
	case OPT_FAMILY_ID:
		return set_bytes("family-id", b->family_id, sizeof(b->family_id), &given);
	case OPT_IMAGE_ID:
		return set_bytes("image-id", b->image_id, sizeof(b->image_id), &given);
	case OPT_GUEST_SVN:
		return set_u32("guest-svn", 10, &b->guest_svn);
	case OPT_POLICY:
		return set_u64("policy", &b->policy);
	default:
		return TOOL_USAGE; /* tool_getopt() has said why */
	}
}

static int set_digest_option(int opt, struct measure_options *o)
{
	switch (opt) {
	case OPT_KERNEL_SHA256:
		return set_bytes("kernel-sha256", o->kernel_sha256, sizeof(o->kernel_sha256),
			&o->has_kernel_sha256);
	case OPT_INITRD_SHA256:
		return set_bytes("initrd-sha256", o->initrd_sha256, sizeof(o->initrd_sha256),
			&o->has_initrd_sha256);
	case OPT_OVMF_HASH:
		return set_bytes(
			"ovmf-hash", o->ovmf_hash, sizeof(o->ovmf_hash), &o->has_ovmf_hash);
	case OPT_EXPECT:
		return set_bytes("expect", o->expect, sizeof(o->expect), &o->has_expect);
	default:
		return set_id_option(opt, o);
	}
}

static int set_option(int opt, struct measure_options *o)
{
	if (set_text(opt, o))
		return TOOL_OK;
	switch (opt) {
	case OPT_VCPUS:
		return set_u32("vcpus", 10, &o->vcpus);
	case OPT_VCPU_TYPE:
		return set_type(o);
	case OPT_VCPU_SIG:
		return set_signature(o);
	case OPT_VCPU_FMS:
		return set_fms(o);
	case OPT_VMM_TYPE:
		return set_vmm(o);
	case OPT_GUEST_FEATURES:
		return set_u64("guest-features", &o->features);
	case OPT_VARS_SIZE:
		o->has_vars_size = true;
		return set_u32("vars-size", 10, &o->vars_size);
	case OPT_PRINT_OVMF_HASH:
		o->ovmf_only = true;
		return TOOL_OK;
	case OPT_JSON:
		o->json = true;
		return TOOL_OK;
	default:
		return set_digest_option(opt, o);
	}
}

/* Standard input can be read once: a second reader would measure nothing, and not say so. */
static bool stdin_twice(const struct measure_options *o)
{
	const char *const paths[] = {
		o->ovmf, o->svsm, o->kernel, o->initrd, o->id_key, o->author_key};
	int count = 0;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		count += paths[i] && !strcmp(paths[i], "-");
	return count > 1;
}

/* A kernel is given as files or as digests, and the rest goes with it. */
static int check_kernel(const struct measure_options *o)
{
	if (o->kernel && o->has_kernel_sha256)
		return missing("the kernel is given twice");
	if (o->initrd && o->has_initrd_sha256)
		return missing("the initial RAM disk is given twice");
	if ((o->initrd || o->has_initrd_sha256 || o->append) && !o->kernel && !o->has_kernel_sha256)
		return missing("an initial RAM disk or a command line needs a kernel");
	if ((o->kernel && o->has_initrd_sha256) || (o->initrd && o->has_kernel_sha256))
		return missing(
			"kernel and initial RAM disk must both be files, or both be digests");
	return TOOL_OK;
}

static int check_guest(const struct measure_options *o)
{
	if (!o->vcpus || o->vcpus > PM_MEASURE_VCPUS_MAX)
		return missing("the number of processors (--vcpus) must be 1 to 4096");
	if (o->vmm == PM_VMM_QEMU && !o->vcpu_type && !o->has_signature)
		return missing("the processor (--vcpu-type, --vcpu-sig or --vcpu-fms) is missing");
	if (!(o->features & 1))
		return missing("bit 0 of --guest-features must be set");
	if (o->svsm && !o->has_vars_size)
		return missing("--svsm needs --vars-size");
	if (o->svsm && (o->has_ovmf_hash || o->kernel || o->has_kernel_sha256))
		return missing("--svsm goes with neither a kernel nor --ovmf-hash");
	if (o->svsm && o->vmm != PM_VMM_QEMU)
		return missing("--svsm goes with --vmm-type qemu alone");
	return check_kernel(o);
}

static int check_options(const struct measure_options *o)
{
	if (!o->ovmf)
		return missing("the firmware (--ovmf) is missing");
	if (stdin_twice(o))
		return missing("standard input can be one file only");
	if (o->ovmf_only && (o->id_key || o->author_key || o->has_id_fields || o->id_block_file))
		return missing("--print-ovmf-hash goes with no ID block");
	return o->ovmf_only ? TOOL_OK : check_guest(o);
}

static int read_options(int argc, char **argv, struct measure_options *o)
{
	int opt, r = TOOL_OK;

	optind = 1;
	while (r == TOOL_OK && (opt = tool_getopt(argc, argv, long_options)) != -1)
		r = set_option(opt, o);
	if (r != TOOL_OK)
		return r;
	if (optind < argc) {
		return tool_wrong("measure: unexpected argument '%s'", argv[optind]);
	}
	return check_options(o);
}

/*
 * "--help", and "--vcpu-type help" as with QEMU. Each stands alone: status 0 says that a digest is
 * as expected, and a file named --help must not get it.
 */
static bool asks_for_help(int argc, char **argv)
{
	const char *model;

	if (tool_asks_for_help(argc, argv)) {
		fputs(help, stdout);
		return true;
	}
	if (argc != 3 || strcmp(argv[1], "--vcpu-type") != 0 || strcmp(argv[2], "help") != 0)
		return false;
	for (size_t j = 0; (model = pm_measure_cpu_model(j)) != NULL; j++)
		puts(model);
	return true;
}

int cmd_measure(int argc, char **argv)
{
	struct measure_options o = {
		.vmm = PM_VMM_QEMU,
		.features = PM_MEASURE_FEATURES_DEFAULT,
		.id_block = {.policy = POLICY_DEFAULT},
	};
	struct measure_result result = {0};
	int r;

	if (asks_for_help(argc, argv))
		return TOOL_OK;
	r = read_options(argc, argv, &o);
	if (r == TOOL_OK)
		r = measure_compute(&o, &result);
	return r == TOOL_OK ? measure_print(&o, &result) : r;
}
