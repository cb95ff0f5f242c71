/* SPDX-License-Identifier: Apache-2.0 */
/* The policy alone, on facts made by hand: each demand once met and once not. */
#include <string.h>

#include <pm/snp_policy.h>

#include "base/report.h"
#include "evidence/snp_policy.h"
#include "testing.h"

/* Facts that a policy with its waivers accepts. */
static struct pm_snp_facts good_facts(void)
{
	struct pm_snp_facts f = {
		.product = PM_SNP_GENOA,
		.signer = PM_SNP_VCEK,
		.current_tcb = {0, 10, 1, 23, 84},
		.reported_tcb = {0, 10, 1, 23, 84},
		.committed_tcb = {0, 10, 1, 23, 84},
		.launch_tcb = {0, 10, 1, 23, 84},
	};

	f.fields.version = 5;
	f.fields.policy = 0x3011f; /* SMT, the reserved one, ABI 1.31 */
	f.fields.platform_info = PM_SNP_PLATFORM_SMT_EN | PM_SNP_PLATFORM_ECC_EN;
	f.fields.guest_svn = 7;
	f.fields.current_firmware = (struct pm_snp_firmware){1, 55, 40};
	f.fields.committed_firmware = (struct pm_snp_firmware){1, 55, 40};
	f.fields.launch_mit_vector = 0x0b;
	f.fields.current_mit_vector = 0x0f;
	memset(f.fields.measurement, 0x11, sizeof(f.fields.measurement));
	memset(f.fields.host_data, 0x22, sizeof(f.fields.host_data));
	memset(f.fields.report_data, 0x33, sizeof(f.fields.report_data));
	memset(f.fields.family_id, 0x44, sizeof(f.fields.family_id));
	memset(f.fields.image_id, 0x55, sizeof(f.fields.image_id));
	memset(f.fields.id_key_digest, 0x66, sizeof(f.fields.id_key_digest));
	memset(f.fields.chip_id, 0x77, sizeof(f.fields.chip_id));
	memset(f.fields.report_id, 0x88, sizeof(f.fields.report_id));
	memset(f.fields.report_id_ma, 0xff, sizeof(f.fields.report_id_ma));
	return f;
}

static struct pm_snp_policy *lax_policy(void)
{
	struct pm_snp_policy *p = NULL;

	ck_pm(pm_snp_policy_new(&p), PM_OK);
	ck_pm(pm_snp_policy_waive(p,
		      PM_SNP_WAIVE_REPORT_DATA | PM_SNP_WAIVE_MEASUREMENT | PM_SNP_WAIVE_MIN_TCB),
		PM_OK);
	return p;
}

/* What is done to policy and facts, and the check that then must fail; NULL when none must. */
struct row {
	const char *name;
	int (*demand)(struct pm_snp_policy *p);
	void (*change)(struct pm_snp_facts *f);
	const char *failure;
};

static uint8_t bytes[64];

static const uint8_t *fill(uint8_t value)
{
	memset(bytes, value, sizeof(bytes));
	return bytes;
}

/* A function of one statement; the structure swallows the semicolon. */
#define DEMAND(name, call)                                                                         \
	static int name(struct pm_snp_policy *p)                                                   \
	{                                                                                          \
		return call;                                                                       \
	}                                                                                          \
	struct demand_##name
#define CHANGE(name, statement)                                                                    \
	static void name(struct pm_snp_facts *f)                                                   \
	{                                                                                          \
		statement;                                                                         \
	}                                                                                          \
	struct change_##name

static const struct pm_snp_tcb tcb = {0, 10, 1, 23, 84};
static const struct pm_snp_tcb above_bl = {0, 11, 0, 0, 0};
static const struct pm_snp_tcb above_tee = {0, 0, 2, 0, 0};
static const struct pm_snp_tcb above_snp = {0, 0, 0, 24, 0};
static const struct pm_snp_tcb above_ucode = {0, 0, 0, 0, 85};
static const struct pm_snp_tcb above_fmc = {1, 0, 0, 0, 0};

DEMAND(report_data, pm_snp_policy_expect_report_data(p, fill(0x33)));
DEMAND(measurement, pm_snp_policy_allow(p, PM_SNP_MEASUREMENT, fill(0x11), 48));
DEMAND(two_measurements,
	measurement(p) ? -1 : pm_snp_policy_allow(p, PM_SNP_MEASUREMENT, fill(0x99), 48));
DEMAND(host_data, pm_snp_policy_allow(p, PM_SNP_HOST_DATA, fill(0x22), 32));
DEMAND(family_id, pm_snp_policy_allow(p, PM_SNP_FAMILY_ID, fill(0x44), 16));
DEMAND(image_id, pm_snp_policy_allow(p, PM_SNP_IMAGE_ID, fill(0x55), 16));
DEMAND(id_key, pm_snp_policy_allow(p, PM_SNP_ID_KEY_DIGEST, fill(0x66), 48));
DEMAND(author_key, pm_snp_policy_allow(p, PM_SNP_AUTHOR_KEY_DIGEST, fill(0x99), 48));
DEMAND(chip_id, pm_snp_policy_allow(p, PM_SNP_CHIP_ID, fill(0x77), 64));
DEMAND(report_id, pm_snp_policy_allow(p, PM_SNP_REPORT_ID, fill(0x88), 32));
DEMAND(report_id_ma, pm_snp_policy_allow(p, PM_SNP_REPORT_ID_MA, fill(0xff), 32));
DEMAND(permit_debug, pm_snp_policy_permit(p, PM_SNP_PERMIT_DEBUG));
DEMAND(permit_migrate, pm_snp_policy_permit(p, PM_SNP_PERMIT_MIGRATE_MA));
DEMAND(permit_cxl, pm_snp_policy_permit(p, PM_SNP_PERMIT_CXL));
DEMAND(need_committed, pm_snp_policy_require(p, PM_SNP_REQUIRE_COMMITTED));
DEMAND(need_id_block, pm_snp_policy_require(p, PM_SNP_REQUIRE_ID_BLOCK));
DEMAND(need_author_key, pm_snp_policy_require(p, PM_SNP_REQUIRE_AUTHOR_KEY));
DEMAND(no_smt, pm_snp_policy_require_bits(p, 0, PM_SNP_POLICY_SMT));
DEMAND(single_socket, pm_snp_policy_require_bits(p, PM_SNP_POLICY_SINGLE_SOCKET, 0));
DEMAND(alias_check, pm_snp_policy_require_platform(p, PM_SNP_PLATFORM_ALIAS_CHECK_COMPLETE, 0));
DEMAND(no_smt_platform, pm_snp_policy_require_platform(p, 0, PM_SNP_PLATFORM_SMT_EN));
DEMAND(no_unknown_platform, pm_snp_policy_require_platform(p, 0, ~UINT64_C(0xff)));
DEMAND(bit40_platform, pm_snp_policy_require_platform(p, UINT64_C(1) << 40, 0));
DEMAND(no_bit17, pm_snp_policy_require_bits(p, 0, PM_SNP_POLICY_RESERVED_ONE));
DEMAND(vmpl3, pm_snp_policy_allow_vmpl(p, 3));
DEMAND(abi, pm_snp_policy_min_abi(p, 1, 31));
DEMAND(firmware, pm_snp_policy_min_firmware(p, &(struct pm_snp_firmware){1, 55, 40}));
DEMAND(svn, pm_snp_policy_min_guest_svn(p, 7));
DEMAND(version5, pm_snp_policy_min_version(p, 5));
DEMAND(mitigations, pm_snp_policy_require_mitigations(p, 0x0b, 0x04));
DEMAND(vmpl2, pm_snp_policy_allow_vmpl(p, 2));
DEMAND(vmpl0or2, pm_snp_policy_allow_vmpl(p, 0) ? -1 : vmpl2(p));
DEMAND(milan, pm_snp_policy_allow_product(p, PM_SNP_MILAN));
DEMAND(genoa, pm_snp_policy_allow_product(p, PM_SNP_GENOA));
DEMAND(vlek_only, pm_snp_policy_allow_signer(p, PM_SNP_VLEK));
DEMAND(vcek_only, pm_snp_policy_allow_signer(p, PM_SNP_VCEK));
DEMAND(csp, pm_snp_policy_allow_csp(p, "CN=some-provider"));
DEMAND(min_tcb, pm_snp_policy_min_tcb(p, PM_SNP_TCB_REPORTED, PM_SNP_GENOA, &tcb));
DEMAND(min_bl, pm_snp_policy_min_tcb(p, PM_SNP_TCB_REPORTED, PM_SNP_GENOA, &above_bl));
DEMAND(min_tee, pm_snp_policy_min_tcb(p, PM_SNP_TCB_REPORTED, PM_SNP_GENOA, &above_tee));
DEMAND(min_snp, pm_snp_policy_min_tcb(p, PM_SNP_TCB_REPORTED, PM_SNP_GENOA, &above_snp));
DEMAND(min_ucode, pm_snp_policy_min_tcb(p, PM_SNP_TCB_REPORTED, PM_SNP_GENOA, &above_ucode));
DEMAND(min_fmc, pm_snp_policy_min_tcb(p, PM_SNP_TCB_REPORTED, PM_SNP_GENOA, &above_fmc));
DEMAND(min_committed, pm_snp_policy_min_tcb(p, PM_SNP_TCB_COMMITTED, PM_SNP_GENOA, &above_snp));
DEMAND(min_launch, pm_snp_policy_min_tcb(p, PM_SNP_TCB_LAUNCH, PM_SNP_GENOA, &above_snp));
DEMAND(min_current, pm_snp_policy_min_tcb(p, PM_SNP_TCB_CURRENT, PM_SNP_GENOA, &above_snp));
DEMAND(min_other_product, pm_snp_policy_min_tcb(p, PM_SNP_TCB_COMMITTED, PM_SNP_MILAN, &above_snp));

CHANGE(flip_report_data, f->fields.report_data[63] ^= 1);
CHANGE(flip_measurement, f->fields.measurement[0] ^= 1);
CHANGE(flip_host_data, f->fields.host_data[31] ^= 1);
CHANGE(flip_family_id, f->fields.family_id[0] ^= 1);
CHANGE(flip_image_id, f->fields.image_id[0] ^= 1);
CHANGE(flip_id_key, f->fields.id_key_digest[47] ^= 1);
CHANGE(flip_chip_id, f->fields.chip_id[9] ^= 1);
CHANGE(flip_report_id, f->fields.report_id[9] ^= 1);
CHANGE(flip_report_id_ma, f->fields.report_id_ma[9] ^= 1);
CHANGE(no_id_block, memset(f->fields.id_key_digest, 0, 48));
CHANGE(with_author,
	(memset(f->fields.author_key_digest, 0x99, 48), f->fields.author_key_en = true));
CHANGE(author_not_enabled, memset(f->fields.author_key_digest, 0x99, 48));
CHANGE(debug, f->fields.policy |= PM_SNP_POLICY_DEBUG);
CHANGE(migrate, f->fields.policy |= PM_SNP_POLICY_MIGRATE_MA);
CHANGE(cxl, f->fields.policy |= PM_SNP_POLICY_CXL_ALLOW);
CHANGE(on_single_socket, f->fields.policy |= PM_SNP_POLICY_SINGLE_SOCKET);
CHANGE(older_abi, f->fields.policy -= 1);
CHANGE(newer_abi_major, f->fields.policy = 0x30200);
CHANGE(unknown_platform_bit, f->fields.platform_info |= UINT64_C(1) << 40);
CHANGE(older_build, (f->fields.current_firmware.build--, f->fields.committed_firmware.build--));
CHANGE(newer_minor, (f->fields.current_firmware = (struct pm_snp_firmware){1, 56, 0}));
CHANGE(older_svn, f->fields.guest_svn--);
CHANGE(version4, f->fields.version = 4);
CHANGE(fewer_mitigations, f->fields.current_mit_vector = 0x0b);
CHANGE(fewer_at_launch, f->fields.launch_mit_vector = 0x03);
CHANGE(at_vmpl1, f->fields.vmpl = 1);
CHANGE(at_vmpl2, f->fields.vmpl = 2);
CHANGE(at_vmpl3, f->fields.vmpl = 3);
CHANGE(at_vmpl_34, f->fields.vmpl = 34);
CHANGE(other_csp, (f->signer = PM_SNP_VLEK, strcpy(f->csp_id, "CN=another-provider")));
CHANGE(that_csp, (f->signer = PM_SNP_VLEK, strcpy(f->csp_id, "CN=some-provider")));
CHANGE(longer_csp, (f->signer = PM_SNP_VLEK, strcpy(f->csp_id, "CN=some-provider2")));
CHANGE(reported_above_committed, f->committed_tcb.microcode--);
CHANGE(committed_above_current, (f->reported_tcb.snp--, f->committed_tcb.snp = 24));
CHANGE(firmware_rolled_back, f->fields.committed_firmware.build++);
CHANGE(launch_above_current, f->launch_tcb.boot_loader++);
CHANGE(migrated, (f->launch_tcb.boot_loader++, migrate(f)));
CHANGE(provisional_tcb, (f->current_tcb.microcode++));
CHANGE(provisional_firmware, (f->fields.current_firmware.build++));
CHANGE(nothing, (void)f);

static int no_demand(struct pm_snp_policy *p)
{
	(void)p;
	return 0;
}

static const struct row rows[] = {
	{"defaults", no_demand, nothing, NULL},
	{"REPORT_DATA", report_data, nothing, NULL},
	{"REPORT_DATA differs", report_data, flip_report_data, "REPORT_DATA"},
	{"MEASUREMENT", measurement, nothing, NULL},
	{"MEASUREMENT differs", measurement, flip_measurement, "MEASUREMENT"},
	{"one of two", two_measurements, nothing, NULL},
	{"none of two", two_measurements, flip_measurement, "MEASUREMENT"},
	{"HOST_DATA", host_data, nothing, NULL},
	{"HOST_DATA differs", host_data, flip_host_data, "HOST_DATA"},
	{"FAMILY_ID", family_id, nothing, NULL},
	{"FAMILY_ID differs", family_id, flip_family_id, "FAMILY_ID"},
	{"IMAGE_ID", image_id, nothing, NULL},
	{"IMAGE_ID differs", image_id, flip_image_id, "IMAGE_ID"},
	{"ID key", id_key, nothing, NULL},
	{"ID key differs", id_key, flip_id_key, "ID_KEY_DIGEST"},
	{"author key", author_key, with_author, NULL},
	{"author key, none", author_key, nothing, "AUTHOR_KEY_DIGEST"},
	{"author key, not enabled", author_key, author_not_enabled, "AUTHOR_KEY_EN"},
	{"CHIP_ID", chip_id, nothing, NULL},
	{"CHIP_ID differs", chip_id, flip_chip_id, "CHIP_ID"},
	{"REPORT_ID", report_id, nothing, NULL},
	{"REPORT_ID differs", report_id, flip_report_id, "REPORT_ID"},
	{"REPORT_ID_MA", report_id_ma, nothing, NULL},
	{"REPORT_ID_MA differs", report_id_ma, flip_report_id_ma, "REPORT_ID_MA"},
	{"debug", no_demand, debug, "POLICY.DEBUG"},
	{"debug permitted", permit_debug, debug, NULL},
	{"migration", no_demand, migrate, "POLICY.MIGRATE_MA"},
	{"migration permitted", permit_migrate, migrate, NULL},
	{"CXL", no_demand, cxl, "POLICY.CXL_ALLOW"},
	{"CXL permitted", permit_cxl, cxl, NULL},
	{"SMT forbidden", no_smt, nothing, "POLICY.SMT"},
	{"single socket missing", single_socket, nothing, "POLICY.SINGLE_SOCKET"},
	{"single socket", single_socket, on_single_socket, NULL},
	{"alias check missing", alias_check, nothing, "PLATFORM_INFO.ALIAS_CHECK_COMPLETE"},
	{"platform SMT forbidden", no_smt_platform, nothing, "PLATFORM_INFO.SMT_EN"},
	{"platform bits known", no_unknown_platform, nothing, NULL},
	{"platform bit unknown", no_unknown_platform, unknown_platform_bit, "PLATFORM_INFO"},
	{"platform bit unknown, not looked at", no_demand, unknown_platform_bit, NULL},
	{"platform bit without a name", bit40_platform, unknown_platform_bit, NULL},
	{"platform bit without a name missing", bit40_platform, nothing, "PLATFORM_INFO"},
	{"policy bit without a name", no_bit17, nothing, "POLICY"},
	{"ABI", abi, nothing, NULL},
	{"ABI older", abi, older_abi, "POLICY.ABI"},
	{"ABI newer major", abi, newer_abi_major, NULL},
	{"firmware", firmware, nothing, NULL},
	{"firmware older", firmware, older_build, "firmware"},
	{"firmware newer minor, lower build", firmware, newer_minor, NULL},
	{"SVN", svn, nothing, NULL},
	{"SVN older", svn, older_svn, "GUEST_SVN"},
	{"version", version5, nothing, NULL},
	{"version older", version5, version4, "VERSION"},
	{"mitigations", mitigations, nothing, NULL},
	{"mitigations fewer", mitigations, fewer_mitigations, "CURRENT_MIT_VECTOR"},
	{"mitigations fewer at launch", mitigations, fewer_at_launch, "LAUNCH_MIT_VECTOR"},
	{"VMPL 1", no_demand, at_vmpl1, "VMPL"},
	{"VMPL 2 allowed", vmpl2, at_vmpl2, NULL},
	{"VMPL 0 no longer", vmpl2, nothing, "VMPL"},
	{"VMPL 0 or 2", vmpl0or2, nothing, NULL},
	{"VMPL 1, not 0 or 2", vmpl0or2, at_vmpl1, "VMPL"},
	{"VMPL 3 allowed", vmpl3, at_vmpl3, NULL},
	{"VMPL 34 is not 2", vmpl2, at_vmpl_34, "VMPL"},
	{"product", genoa, nothing, NULL},
	{"another product", milan, nothing, "product"},
	{"signer", vcek_only, nothing, NULL},
	{"another signer", vlek_only, nothing, "SIGNING_KEY"},
	{"provider", csp, that_csp, NULL},
	{"another provider", csp, other_csp, "cspID"},
	{"longer provider", csp, longer_csp, "cspID"},
	{"provider, and a VCEK", csp, nothing, NULL},
	{"any provider", no_demand, other_csp, NULL},
	{"least TCB", min_tcb, nothing, NULL},
	{"boot loader", min_bl, nothing, "REPORTED_TCB"},
	{"TEE", min_tee, nothing, "REPORTED_TCB"},
	{"SNP", min_snp, nothing, "REPORTED_TCB"},
	{"microcode", min_ucode, nothing, "REPORTED_TCB"},
	{"FMC", min_fmc, nothing, "REPORTED_TCB"},
	{"committed", min_committed, nothing, "COMMITTED_TCB"},
	{"launch", min_launch, nothing, "LAUNCH_TCB"},
	{"current", min_current, nothing, "CURRENT_TCB"},
	{"of another product", min_other_product, nothing, NULL},
	{"reported > committed", no_demand, reported_above_committed,
		"REPORTED_TCB <= COMMITTED_TCB"},
	{"committed > current", no_demand, committed_above_current, "COMMITTED_TCB <= CURRENT_TCB"},
	{"firmware rolled back", no_demand, firmware_rolled_back, "committed firmware <= current"},
	{"launch > current", no_demand, launch_above_current, "LAUNCH_TCB <= CURRENT_TCB"},
	{"migrated from a newer one", permit_migrate, migrated, NULL},
	{"provisional", no_demand, provisional_tcb, NULL},
	{"provisional TCB refused", need_committed, provisional_tcb, "COMMITTED equals CURRENT"},
	{"provisional firmware refused", need_committed, provisional_firmware,
		"COMMITTED equals CURRENT"},
	{"committed", need_committed, nothing, NULL},
	{"ID block", need_id_block, nothing, NULL},
	{"ID block missing", need_id_block, no_id_block, "ID block"},
	{"author key demanded", need_author_key, with_author, NULL},
	{"author key missing", need_author_key, nothing, "AUTHOR_KEY_EN"},
};

START_TEST(each_demand)
{
	const struct row *row = &rows[_i];
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct pm_snp_policy *p = lax_policy();
	struct pm_snp_facts facts = good_facts();
	struct pm_snp_evidence ev = {0};
	int r;

	ck_pm(row->demand(p), PM_OK);
	row->change(&facts);
	r = pm_snp_appraise(&ev, &facts, p, report);
	if (row->failure) {
		ck_assert_msg(r == PM_E_REJECTED, "%s: accepted", row->name);
		ck_assert_msg(!strcmp(pm_report_failure(report)->name, row->failure), "%s: %s",
			row->name, pm_report_reason(report));
	} else {
		ck_assert_msg(r == PM_OK, "%s: %s", row->name, pm_report_reason(report));
		ck_assert_ptr_null(pm_report_failure(report));
	}
	ck_pm(pm_snp_appraise(&ev, &facts, p, NULL), r); /* the report decides nothing */
	pm_snp_policy_free(p);
}
END_TEST

/* Each bit that has a name is demanded and forbidden under it. */
static const struct {
	int (*demand)(struct pm_snp_policy *p, uint64_t set, uint64_t clear);
	size_t offset; /* of the field in the facts */
	uint64_t bit;
	const char *name;
} bits[] = {
#define POLICY_BIT(id, text)                                                                       \
	{                                                                                          \
		pm_snp_policy_require_bits, offsetof(struct pm_snp_facts, fields.policy),          \
			PM_SNP_POLICY_##id, "POLICY." text                                         \
	}
#define PLATFORM_BIT(id)                                                                           \
	{                                                                                          \
		pm_snp_policy_require_platform,                                                    \
			offsetof(struct pm_snp_facts, fields.platform_info), PM_SNP_PLATFORM_##id, \
			"PLATFORM_INFO." #id                                                       \
	}
	POLICY_BIT(SMT, "SMT"),
	POLICY_BIT(SINGLE_SOCKET, "SINGLE_SOCKET"),
	POLICY_BIT(MEM_AES_256_XTS, "MEM_AES_256_XTS"),
	POLICY_BIT(RAPL_DIS, "RAPL_DIS"),
	POLICY_BIT(CIPHERTEXT_HIDING, "CIPHERTEXT_HIDING_DRAM"),
	POLICY_BIT(PAGE_SWAP_DISABLE, "PAGE_SWAP_DISABLE"),
	PLATFORM_BIT(SMT_EN),
	PLATFORM_BIT(TSME_EN),
	PLATFORM_BIT(ECC_EN),
	PLATFORM_BIT(RAPL_DIS),
	{pm_snp_policy_require_platform, offsetof(struct pm_snp_facts, fields.platform_info),
		PM_SNP_PLATFORM_CIPHERTEXT_HIDING_EN, "PLATFORM_INFO.CIPHERTEXT_HIDING_DRAM_EN"},
	PLATFORM_BIT(ALIAS_CHECK_COMPLETE),
	PLATFORM_BIT(IOMMU_WRITE_SAFE),
	PLATFORM_BIT(TIO_EN),
};

START_TEST(each_bit)
{
	for (int way = 0; way < 4; way++) { /* demanded and forbidden, found and not */
		pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
		bool demanded = way & 1, found = way & 2;
		struct pm_snp_policy *p = lax_policy();
		struct pm_snp_facts facts = good_facts();
		uint64_t *value = (uint64_t *)((char *)&facts + bits[_i].offset);
		struct pm_snp_evidence ev = {0};

		*value = (*value & ~bits[_i].bit) | (found ? bits[_i].bit : 0);
		ck_pm(bits[_i].demand(p, demanded ? bits[_i].bit : 0, demanded ? 0 : bits[_i].bit),
			PM_OK);
		ck_pm(pm_snp_appraise(&ev, &facts, p, report),
			demanded == found ? PM_OK : PM_E_REJECTED);
		if (demanded != found)
			ck_assert_str_eq(pm_report_failure(report)->name, bits[_i].name);
		pm_snp_policy_free(p);
	}
}
END_TEST

/* A policy without a single waiver. */
START_TEST(nothing_waived)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct pm_snp_facts facts = good_facts();
	struct pm_snp_evidence ev = {0};
	struct pm_snp_policy *p = NULL;

	ck_pm(pm_snp_policy_new(&p), PM_OK);
	ck_pm(min_tcb(p), PM_OK);
	ck_pm(measurement(p), PM_OK);
	ck_pm(pm_snp_appraise(&ev, &facts, p, report), PM_E_REJECTED); /* REPORT_DATA alone */
	ck_pm(report_data(p), PM_OK);
	ck_pm(pm_snp_policy_check_complete(p, report), PM_OK);
	ck_pm(pm_snp_appraise(&ev, &facts, p, report), PM_OK);
	pm_snp_policy_free(p);
}
END_TEST

START_TEST(every_failure_is_noted)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct pm_snp_policy *p = lax_policy();
	struct pm_snp_facts facts = good_facts();
	struct pm_snp_evidence ev = {0};
	int failures = 0;

	debug(&facts);
	at_vmpl1(&facts);
	launch_above_current(&facts);
	ck_pm(pm_snp_appraise(&ev, &facts, p, report), PM_E_REJECTED);
	for (size_t i = 0; i < pm_report_count(report); i++)
		failures += pm_report_at(report, i)->outcome == PM_FAILED;
	ck_assert_int_eq(failures, 3);
	pm_snp_policy_free(p);
}
END_TEST

static void lacks(const struct pm_snp_policy *p, const char *what)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();

	ck_pm(pm_snp_policy_check_complete(p, report), PM_E_ARG);
	ck_assert_str_eq(pm_report_failure(report)->name, what);
}

START_TEST(a_new_policy_is_incomplete)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct pm_snp_policy *p = NULL;

	ck_pm(pm_snp_policy_new(&p), PM_OK);
	lacks(p, "policy, REPORT_DATA");
	ck_pm(pm_snp_policy_waive(p, PM_SNP_WAIVE_REPORT_DATA), PM_OK);
	lacks(p, "policy, MEASUREMENT");
	ck_pm(pm_snp_policy_waive(p, PM_SNP_WAIVE_MEASUREMENT), PM_OK);
	lacks(p, "policy, least TCB");
	/* A least TCB that is not REPORTED_TCB's does not do. */
	ck_pm(pm_snp_policy_min_tcb(p, PM_SNP_TCB_LAUNCH, PM_SNP_GENOA, &tcb), PM_OK);
	ck_pm(pm_snp_policy_check_complete(p, report), PM_E_ARG);
	ck_pm(pm_snp_policy_min_tcb(p, PM_SNP_TCB_REPORTED, PM_SNP_MILAN, &tcb), PM_OK);
	ck_pm(pm_snp_policy_check_complete(p, report), PM_OK);
	pm_snp_policy_free(p);
}
END_TEST

START_TEST(a_least_tcb_of_one_product_refuses_the_others)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct pm_snp_facts facts = good_facts();
	struct pm_snp_evidence ev = {0};
	struct pm_snp_policy *p = NULL;

	ck_pm(pm_snp_policy_new(&p), PM_OK);
	ck_pm(pm_snp_policy_waive(p, PM_SNP_WAIVE_REPORT_DATA | PM_SNP_WAIVE_MEASUREMENT), PM_OK);
	ck_pm(pm_snp_policy_min_tcb(p, PM_SNP_TCB_REPORTED, PM_SNP_MILAN, &tcb), PM_OK);
	ck_pm(pm_snp_appraise(&ev, &facts, p, report), PM_E_REJECTED);
	ck_assert_str_eq(pm_report_failure(report)->name, "REPORTED_TCB");
	pm_snp_policy_free(p);
}
END_TEST

START_TEST(demands_on_the_tcb_add_up)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	const struct pm_snp_tcb none = {0, 0, 0, 0, 0};
	struct pm_snp_facts facts = good_facts();
	struct pm_snp_evidence ev = {0};
	struct pm_snp_policy *p = lax_policy();

	ck_pm(pm_snp_policy_min_tcb(p, PM_SNP_TCB_REPORTED, PM_SNP_GENOA, &above_snp), PM_OK);
	ck_pm(pm_snp_policy_min_tcb(p, PM_SNP_TCB_REPORTED, PM_SNP_GENOA, &none), PM_OK);
	ck_pm(pm_snp_appraise(&ev, &facts, p, report), PM_E_REJECTED);
	ck_assert_str_eq(pm_report_failure(report)->name, "REPORTED_TCB");
	pm_snp_policy_free(p);
}
END_TEST

START_TEST(setters_refuse_nonsense)
{
	struct pm_snp_policy *p = lax_policy();
	char long_id[65];

	memset(long_id, 'x', sizeof(long_id) - 1);
	long_id[sizeof(long_id) - 1] = '\0';
	ck_pm(pm_snp_policy_allow(p, PM_SNP_MEASUREMENT, bytes, 32), PM_E_ARG);
	ck_pm(pm_snp_policy_allow(p, (enum pm_snp_field)9, bytes, 32), PM_E_ARG);
	ck_pm(pm_snp_policy_waive(p, 8), PM_E_ARG);
	ck_pm(pm_snp_policy_permit(p, 16), PM_E_ARG);
	ck_pm(pm_snp_policy_require(p, 16), PM_E_ARG);
	ck_pm(pm_snp_policy_require_bits(p, PM_SNP_POLICY_SMT, PM_SNP_POLICY_SMT), PM_E_ARG);
	ck_pm(pm_snp_policy_require_bits(p, 0, 1), PM_E_ARG);
	ck_pm(pm_snp_policy_require_bits(p, PM_SNP_POLICY_SMT, 0), PM_OK);
	ck_pm(pm_snp_policy_require_bits(p, 0, PM_SNP_POLICY_SMT), PM_E_ARG);
	ck_pm(pm_snp_policy_require_platform(p, 1, 1), PM_E_ARG);
	ck_pm(pm_snp_policy_min_version(p, 1), PM_E_ARG);
	ck_pm(pm_snp_policy_min_version(p, 6), PM_E_ARG);
	ck_pm(pm_snp_policy_min_version(p, 2), PM_OK);
	ck_pm(pm_snp_policy_min_version(p, 5), PM_OK);
	ck_pm(pm_snp_policy_allow_vmpl(p, 4), PM_E_ARG);
	ck_pm(pm_snp_policy_allow_product(p, (enum pm_snp_product)0), PM_E_ARG);
	ck_pm(pm_snp_policy_allow_product(p, (enum pm_snp_product)4), PM_E_ARG);
	ck_pm(pm_snp_policy_allow_signer(p, (enum pm_snp_signer)0), PM_E_ARG);
	ck_pm(pm_snp_policy_allow_csp(p, ""), PM_E_ARG);
	ck_pm(pm_snp_policy_allow_csp(p, long_id), PM_E_ARG);
	ck_pm(pm_snp_policy_max_crl_age(p, 0), PM_E_ARG);
	ck_pm(pm_snp_policy_min_tcb(p, PM_SNP_TCB_REPORTED, (enum pm_snp_product)9, &tcb),
		PM_E_ARG);
	ck_pm(pm_snp_policy_min_tcb(p, (enum pm_snp_tcb_kind)4, PM_SNP_MILAN, &tcb), PM_E_ARG);
	pm_snp_policy_free(p);
}
END_TEST

START_TEST(lists_are_bounded)
{
	struct pm_snp_policy *p = lax_policy();

	for (int i = 0; i < PM_SNP_POLICY_LIST_MAX; i++)
		ck_pm(pm_snp_policy_allow(p, PM_SNP_IMAGE_ID, bytes, 16), PM_OK);
	ck_pm(pm_snp_policy_allow(p, PM_SNP_IMAGE_ID, bytes, 16), PM_E_LIMIT);
	for (int i = 0; i < PM_SNP_POLICY_LIST_MAX; i++) {
		ck_pm(pm_snp_policy_allow_csp(p, "CN=x"), PM_OK);
		ck_pm(pm_snp_policy_add_test_root(p, bytes), PM_OK);
	}
	ck_pm(pm_snp_policy_allow_csp(p, "CN=x"), PM_E_LIMIT);
	ck_pm(pm_snp_policy_add_test_root(p, bytes), PM_E_LIMIT);
	for (int i = 0; i < 16; i++)
		ck_pm(pm_snp_policy_require_entry(p, bytes, NULL, NULL), PM_OK);
	ck_pm(pm_snp_policy_require_entry(p, bytes, NULL, NULL), PM_E_LIMIT);
	pm_snp_policy_free(p);
}
END_TEST

static int judge_entry(const uint8_t *entry, size_t size, void *arg)
{
	*(size_t *)arg = size;
	return entry[0] == 'g' ? 0 : -1;
}

START_TEST(table_entries)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct pm_snp_policy *p = lax_policy();
	struct pm_snp_facts facts = good_facts();
	struct pm_snp_evidence ev = {0};
	size_t seen = 0;

	memset(ev.entries[0].guid, 7, sizeof(ev.entries[0].guid));
	ev.entries[0].bytes = VIEW("good");
	ck_pm(pm_snp_policy_require_entry(p, fill(7), judge_entry, &seen), PM_OK);
	ck_pm(pm_snp_appraise(&ev, &facts, p, report), PM_E_REJECTED); /* there is none */
	ev.entry_count = 1;
	ev.entries[0].guid[15] = 8;
	ck_pm(pm_snp_appraise(&ev, &facts, p, report), PM_E_REJECTED); /* another */
	ck_assert_uint_eq(seen, 0);
	ev.entries[0].guid[15] = 7;
	ev.entries[1] = ev.entries[0];
	ev.entries[0].guid[0] = 8;
	ev.entry_count = 2;
	ck_pm(pm_snp_appraise(&ev, &facts, p, report), PM_OK); /* behind another */
	ev.entries[0] = ev.entries[1];
	ev.entry_count = 1;
	ck_pm(pm_snp_appraise(&ev, &facts, p, report), PM_OK);
	ck_assert_uint_eq(seen, 4);
	ev.entries[0].bytes = VIEW("bad");
	ck_pm(pm_snp_appraise(&ev, &facts, p, report), PM_E_REJECTED);
	pm_snp_policy_free(p);
	p = lax_policy();
	ck_pm(pm_snp_policy_require_entry(p, fill(7), NULL, NULL), PM_OK);
	ck_pm(pm_snp_appraise(&ev, &facts, p, report), PM_OK); /* it need only be there */
	pm_snp_policy_free(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("snp_policy");
	TCase *t = tcase_create("snp_policy");

	tcase_add_loop_test(t, each_demand, 0, PM_ARRAY_LEN(rows));
	tcase_add_loop_test(t, each_bit, 0, PM_ARRAY_LEN(bits));
	tcase_add_test(t, nothing_waived);
	tcase_add_test(t, every_failure_is_noted);
	tcase_add_test(t, a_new_policy_is_incomplete);
	tcase_add_test(t, a_least_tcb_of_one_product_refuses_the_others);
	tcase_add_test(t, demands_on_the_tcb_add_up);
	tcase_add_test(t, setters_refuse_nonsense);
	tcase_add_test(t, lists_are_bounded);
	tcase_add_test(t, table_entries);
	suite_add_tcase(s, t);
	return test_main(s);
}
