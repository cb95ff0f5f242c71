/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/snp_fields.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hex.h"
#include "base/rd.h"
#include "base/report.h"

#define VERSION_MIN	  2
#define VERSION_CPUID	  3 /* the first with the processor's CPUID bytes */
#define VERSION_MIT	  5 /* the first with mitigation vectors */
#define VERSION_MAX	  5
#define ALGO_ECDSA_P384	  1
#define SIGNATURE_SCALAR  72
#define SIGNATURE_PADDING 368

/* POLICY: bits that are neither defined nor reserved as one. */
#define POLICY_ZERO_BITS (~UINT64_C(0) << 26)

/* Values of SIGNING_KEY. */
#define SIGNING_KEY_VCEK 0
#define SIGNING_KEY_VLEK 1
#define SIGNING_KEY_NONE 7

/* What is read on the way and does not become a field: reserved bytes, by offset. */
struct reserved {
	struct pm_view at_4c, at_188, at_1eb, at_1ef, at_1f8, signature_tail;
	uint32_t flags;
};

static void read_firmware(struct pm_rd *rd, struct pm_snp_firmware *ret)
{
	ret->build = pm_rd_u8(rd);
	ret->minor = pm_rd_u8(rd);
	ret->major = pm_rd_u8(rd);
}

static void read_head(struct pm_rd *rd, struct pm_snp_fields *f, struct reserved *res)
{
	f->version = pm_rd_le32(rd);
	f->guest_svn = pm_rd_le32(rd);
	f->policy = pm_rd_le64(rd);
	pm_rd_copy(rd, f->family_id, sizeof(f->family_id));
	pm_rd_copy(rd, f->image_id, sizeof(f->image_id));
	f->vmpl = pm_rd_le32(rd);
	f->signature_algo = pm_rd_le32(rd);
	pm_rd_copy(rd, f->current_tcb, sizeof(f->current_tcb));
	f->platform_info = pm_rd_le64(rd);
	res->flags = pm_rd_le32(rd);
	res->at_4c = pm_rd_bytes(rd, 4);
}

static void read_identity(struct pm_rd *rd, struct pm_snp_fields *f)
{
	pm_rd_copy(rd, f->report_data, sizeof(f->report_data));
	pm_rd_copy(rd, f->measurement, sizeof(f->measurement));
	pm_rd_copy(rd, f->host_data, sizeof(f->host_data));
	pm_rd_copy(rd, f->id_key_digest, sizeof(f->id_key_digest));
	pm_rd_copy(rd, f->author_key_digest, sizeof(f->author_key_digest));
	pm_rd_copy(rd, f->report_id, sizeof(f->report_id));
	pm_rd_copy(rd, f->report_id_ma, sizeof(f->report_id_ma));
}

static void read_platform(struct pm_rd *rd, struct pm_snp_fields *f, struct reserved *res)
{
	pm_rd_copy(rd, f->reported_tcb, sizeof(f->reported_tcb));
	res->at_188 = pm_rd_bytes(rd, 24); /* 0x188..0x18a are the CPUID bytes from version 3 on */
	pm_rd_copy(rd, f->chip_id, sizeof(f->chip_id));
	pm_rd_copy(rd, f->committed_tcb, sizeof(f->committed_tcb));
	read_firmware(rd, &f->current_firmware);
	res->at_1eb = pm_rd_bytes(rd, 1);
	read_firmware(rd, &f->committed_firmware);
	res->at_1ef = pm_rd_bytes(rd, 1);
	pm_rd_copy(rd, f->launch_tcb, sizeof(f->launch_tcb));
	res->at_1f8 = pm_rd_bytes(rd, 168); /* begins with the mitigation vectors in version 5 */
}

static void read_signature(struct pm_rd *rd, struct pm_snp_fields *f, struct reserved *res)
{
	pm_rd_copy(rd, f->signature_r, SIGNATURE_SCALAR);
	pm_rd_copy(rd, f->signature_s, SIGNATURE_SCALAR);
	res->signature_tail = pm_rd_bytes(rd, SIGNATURE_PADDING);
}

/* A reserved field that is not zero: the report is not what it seems. */
static int check_zero(struct pm_report *report, const char *name, struct pm_view bytes)
{
	if (pm_is_zero(bytes.ptr, bytes.len))
		return PM_OK;
	return pm_fail(report, PM_E_FORMAT, name, "all bytes zero", "%s%s",
		pm_hex(bytes.ptr, bytes.len).s, bytes.len > PM_HEX_BYTES ? "..." : "");
}

static int check_reserved(struct pm_report *report, const struct reserved *res)
{
	const struct {
		const char *name;
		struct pm_view bytes;
	} fields[] = {
		{"reserved at 0x04c", res->at_4c},
		{"reserved at 0x188", res->at_188},
		{"reserved at 0x1eb", res->at_1eb},
		{"reserved at 0x1ef", res->at_1ef},
		{"reserved at 0x1f8", res->at_1f8},
		{"SIGNATURE, unsigned tail at 0x330", res->signature_tail},
	};
	int r = PM_OK;

	for (size_t i = 0; r == PM_OK && i < PM_ARRAY_LEN(fields); i++)
		r = check_zero(report, fields[i].name, fields[i].bytes);
	return r;
}

/* Takes the CPUID bytes and mitigation vectors, by version, off the reserved fields. */
static void read_versioned(struct pm_snp_fields *f, struct reserved *res)
{
	struct pm_rd cpuid = pm_rd(res->at_188), mit = pm_rd(res->at_1f8);

	if (f->version >= VERSION_CPUID) {
		f->cpuid_family = pm_rd_u8(&cpuid);
		f->cpuid_model = pm_rd_u8(&cpuid);
		f->cpuid_stepping = pm_rd_u8(&cpuid);
		res->at_188 = pm_rd_rest(&cpuid);
	}
	if (f->version >= VERSION_MIT) {
		f->launch_mit_vector = pm_rd_le64(&mit);
		f->current_mit_vector = pm_rd_le64(&mit);
		res->at_1f8 = pm_rd_rest(&mit);
	}
}

static int check_version(struct pm_report *report, const struct pm_snp_fields *f)
{
	if (f->version < VERSION_MIN || f->version > VERSION_MAX)
		return pm_fail(
			report, PM_E_UNSUPPORTED, "VERSION", "2 to 5", "%" PRIu32, f->version);
	if (f->signature_algo != ALGO_ECDSA_P384)
		return pm_fail(report, PM_E_UNSUPPORTED, "SIGNATURE_ALGO",
			"1 (ECDSA P-384 with SHA-384)", "%" PRIu32, f->signature_algo);
	return PM_OK;
}

/* KEY_INFO at 0x048: AUTHOR_KEY_EN, MASK_CHIP_KEY, SIGNING_KEY, and the rest reserved. */
static int read_flags(struct pm_report *report, uint32_t flags, struct pm_snp_fields *f)
{
	uint32_t signing_key = flags >> 2 & 7;

	if (flags >> 5)
		return pm_fail(
			report, PM_E_FORMAT, "KEY_INFO", "bits 31:5 zero", "0x%08" PRIx32, flags);
	f->author_key_en = flags & 1;
	f->mask_chip_key = flags >> 1 & 1;
	if (signing_key == SIGNING_KEY_NONE)
		return pm_fail(report, PM_E_UNSUPPORTED, "SIGNING_KEY", "0 (VCEK) or 1 (VLEK)",
			"7 (none: the report is not signed)");
	if (signing_key != SIGNING_KEY_VCEK && signing_key != SIGNING_KEY_VLEK)
		return pm_fail(report, PM_E_UNSUPPORTED, "SIGNING_KEY", "0 (VCEK) or 1 (VLEK)",
			"%" PRIu32, signing_key);
	f->signing_key = signing_key == SIGNING_KEY_VLEK ? PM_SNP_VLEK : PM_SNP_VCEK;
	return PM_OK;
}

static int check_policy_form(struct pm_report *report, uint64_t policy)
{
	if (!(policy & PM_SNP_POLICY_RESERVED_ONE))
		return pm_fail(report, PM_E_FORMAT, "POLICY", "bit 17 one", "0x%" PRIx64, policy);
	if (policy & POLICY_ZERO_BITS)
		return pm_fail(
			report, PM_E_FORMAT, "POLICY", "bits 63:26 zero", "0x%" PRIx64, policy);
	return PM_OK;
}

static int check_vmpl_form(struct pm_report *report, uint32_t vmpl)
{
	if (vmpl == PM_SNP_VMPL_HOST)
		return pm_fail(report, PM_E_FORMAT, "VMPL", "0 to 3",
			"0xffffffff (the host asked for the report, not the guest)");
	if (vmpl > 3)
		return pm_fail(report, PM_E_FORMAT, "VMPL", "0 to 3", "%" PRIu32, vmpl);
	return PM_OK;
}

/* Only the low 48 of 72 bytes are significant: who ignores the others accepts R + n. */
static int check_scalar(struct pm_report *report, const char *name, const uint8_t *scalar)
{
	const uint8_t *high = scalar + PM_SNP_SCALAR_SIZE;

	return check_zero(report, name, pm_view(high, SIGNATURE_SCALAR - PM_SNP_SCALAR_SIZE));
}

static int check_form(struct pm_report *report, struct reserved *res, struct pm_snp_fields *f)
{
	int r = check_version(report, f);

	if (r < 0)
		return r;
	read_versioned(f, res);
	r = read_flags(report, res->flags, f);
	if (r < 0)
		return r;
	r = check_policy_form(report, f->policy);
	if (r < 0)
		return r;
	r = check_vmpl_form(report, f->vmpl);
	if (r < 0)
		return r;
	r = check_scalar(report, "SIGNATURE, R bytes 48 to 71", f->signature_r);
	if (r < 0)
		return r;
	r = check_scalar(report, "SIGNATURE, S bytes 48 to 71", f->signature_s);
	if (r < 0)
		return r;
	return check_reserved(report, res);
}

int pm_snp_fields_parse(struct pm_view bytes, struct pm_report *report, struct pm_snp_fields *ret)
{
	struct pm_rd rd = pm_rd(bytes);
	struct pm_snp_fields f = {0};
	struct reserved res = {0};
	int r;

	read_head(&rd, &f, &res);
	read_identity(&rd, &f);
	read_platform(&rd, &f, &res);
	read_signature(&rd, &f, &res);
	if (!pm_rd_done(&rd))
		return pm_fail(
			report, PM_E_FORMAT, "report length", "1184 bytes", "%zu bytes", bytes.len);
	r = check_form(report, &res, &f);
	if (r < 0)
		return r;
	*ret = f;
	return PM_OK;
}
