/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts in, verdict out. Each function checks one thing, notes it in the report, and returns true
 * only when the demand is met; all of them run, so that a report shows every failure at once.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/report.h"
#include "evidence/snp_policy.h"

/* What the checks share. */
struct appraisal {
	const struct pm_snp_evidence *evidence;
	const struct pm_snp_facts *facts;
	const struct pm_snp_policy *policy;
	struct pm_report *report;
};

typedef bool (*check_fn)(const struct appraisal *a);

/* Notes a failure; the check returns what this returns. */
__attribute__((format(printf, 4, 5))) static bool refuse(
	const struct appraisal *a, const char *name, const char *expected, const char *found, ...)
{
	va_list args;

	va_start(args, found);
	pm_vnote(a->report, PM_FAILED, name, expected, found, args);
	va_end(args);
	return false;
}

/* Notes that a demand is met, or that there was none and the value is merely shown. */
__attribute__((format(printf, 4, 5))) static bool accept(
	const struct appraisal *a, bool demanded, const char *name, const char *found, ...)
{
	va_list args;

	va_start(args, found);
	pm_vnote(a->report, demanded ? PM_PASSED : PM_NOT_CHECKED, name, "", found, args);
	va_end(args);
	return true;
}

/* A value wanted, as text: lives as long as the expression it stands in. */
struct text {
	char s[96];
};

__attribute__((format(printf, 1, 2))) static struct text text(const char *format, ...)
{
	struct text t;
	va_list args;

	va_start(args, format);
	vsnprintf(t.s, sizeof(t.s), format, args);
	va_end(args);
	return t;
}

static bool check_version(const struct appraisal *a)
{
	uint32_t version = a->facts->fields.version;

	if (version < a->policy->min_version)
		return refuse(a, "VERSION", text("at least %" PRIu32, a->policy->min_version).s,
			"%" PRIu32, version);
	return accept(a, a->policy->min_version, "VERSION", "%" PRIu32, version);
}

static bool check_product(const struct appraisal *a)
{
	const char *name = pm_snp_product_name(a->facts->product);

	if (a->policy->products && !(a->policy->products >> a->facts->product & 1))
		return refuse(a, "product", "one that the policy allows", "%s", name);
	return accept(a, a->policy->products, "product", "%s", name);
}

static bool check_signer(const struct appraisal *a)
{
	const char *name = a->facts->signer == PM_SNP_VLEK ? "VLEK" : "VCEK";

	if (a->policy->signers && !(a->policy->signers >> a->facts->signer & 1))
		return refuse(a, "SIGNING_KEY", "one that the policy allows", "%s", name);
	return accept(a, a->policy->signers, "SIGNING_KEY", "%s", name);
}

static bool check_csp(const struct appraisal *a)
{
	const struct pm_snp_facts *f = a->facts;

	if (f->signer != PM_SNP_VLEK)
		return true;
	if (a->policy->csp_ids.count &&
		!pm_list_has(&a->policy->csp_ids, (const uint8_t *)f->csp_id))
		return refuse(a, "cspID", "one that the policy allows", "%s", f->csp_id);
	return accept(a, a->policy->csp_ids.count, "cspID", "%s", f->csp_id);
}

static bool check_report_data(const struct appraisal *a)
{
	const uint8_t *found = a->facts->fields.report_data;

	if (a->policy->has_report_data)
		return !pm_check_bytes(a->report, "REPORT_DATA", a->policy->report_data, found,
			PM_SNP_REPORT_DATA_SIZE);
	if (!(a->policy->waivers & PM_SNP_WAIVE_REPORT_DATA))
		return false;
	return accept(a, false, "REPORT_DATA", "%s", pm_hex(found, PM_SNP_REPORT_DATA_SIZE).s);
}

/* A field against the list of values that it may have. */
static bool check_field(
	const struct appraisal *a, enum pm_snp_field field, const char *name, const uint8_t *found)
{
	const struct pm_list *list = &a->policy->fields[field];

	if (list->count == 1)
		return !pm_check_bytes(a->report, name, list->values, found, list->size);
	if (list->count && !pm_list_has(list, found))
		return refuse(a, name,
			text("one of the %zu values that the policy allows", list->count).s, "%s",
			pm_hex(found, list->size).s);
	return !a->report || accept(a, list->count, name, "%s", pm_hex(found, list->size).s);
}

static bool check_fields(const struct appraisal *a)
{
	const struct pm_snp_fields *f = &a->facts->fields;
	const struct {
		enum pm_snp_field field;
		const char *name;
		const uint8_t *found;
	} rows[] = {
		{PM_SNP_MEASUREMENT, "MEASUREMENT", f->measurement},
		{PM_SNP_HOST_DATA, "HOST_DATA", f->host_data},
		{PM_SNP_FAMILY_ID, "FAMILY_ID", f->family_id},
		{PM_SNP_IMAGE_ID, "IMAGE_ID", f->image_id},
		{PM_SNP_CHIP_ID, "CHIP_ID", f->chip_id},
		{PM_SNP_REPORT_ID, "REPORT_ID", f->report_id},
		{PM_SNP_REPORT_ID_MA, "REPORT_ID_MA", f->report_id_ma},
		{PM_SNP_ID_KEY_DIGEST, "ID_KEY_DIGEST", f->id_key_digest},
		{PM_SNP_AUTHOR_KEY_DIGEST, "AUTHOR_KEY_DIGEST", f->author_key_digest},
	};
	bool ok = true;

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++)
		ok &= check_field(a, rows[i].field, rows[i].name, rows[i].found);
	return ok;
}

/* AUTHOR_KEY_DIGEST means something only where AUTHOR_KEY_EN is set. */
static bool check_keys(const struct appraisal *a)
{
	const struct pm_snp_fields *f = &a->facts->fields;
	unsigned int required = a->policy->requirements;
	bool author = required & PM_SNP_REQUIRE_AUTHOR_KEY ||
		      a->policy->fields[PM_SNP_AUTHOR_KEY_DIGEST].count;
	bool id_block = author || required & PM_SNP_REQUIRE_ID_BLOCK;

	if (id_block && pm_is_zero(f->id_key_digest, sizeof(f->id_key_digest)))
		return refuse(a, "ID block", "given at launch", "none");
	if (author && !f->author_key_en)
		return refuse(a, "AUTHOR_KEY_EN", "1", "0");
	return accept(a, author, "AUTHOR_KEY_EN", "%d", f->author_key_en);
}

static bool check_vmpl(const struct appraisal *a)
{
	unsigned int allowed = a->policy->vmpls ? a->policy->vmpls : 1u << 0;
	uint32_t vmpl = a->facts->fields.vmpl;
	char expected[32] = "", *end = expected;

	for (unsigned int i = 0; i < 4; i++) {
		if (allowed >> i & 1) {
			end = stpcpy(end, end == expected ? "" : " or ");
			*end++ = (char)('0' + i);
			*end = '\0';
		}
	}
	if (vmpl > 3 || !(allowed >> vmpl & 1))
		return refuse(a, "VMPL", expected, "%" PRIu32, vmpl);
	return accept(a, true, "VMPL", "%" PRIu32, vmpl);
}

/* One bit of POLICY or PLATFORM_INFO with its name. */
struct bit {
	uint64_t mask;
	const char *name;
};

static const struct bit policy_bits[] = {
	{PM_SNP_POLICY_DEBUG, "POLICY.DEBUG"},
	{PM_SNP_POLICY_MIGRATE_MA, "POLICY.MIGRATE_MA"},
	{PM_SNP_POLICY_CXL_ALLOW, "POLICY.CXL_ALLOW"},
	{PM_SNP_POLICY_SMT, "POLICY.SMT"},
	{PM_SNP_POLICY_SINGLE_SOCKET, "POLICY.SINGLE_SOCKET"},
	{PM_SNP_POLICY_MEM_AES_256_XTS, "POLICY.MEM_AES_256_XTS"},
	{PM_SNP_POLICY_RAPL_DIS, "POLICY.RAPL_DIS"},
	{PM_SNP_POLICY_CIPHERTEXT_HIDING, "POLICY.CIPHERTEXT_HIDING_DRAM"},
	{PM_SNP_POLICY_PAGE_SWAP_DISABLE, "POLICY.PAGE_SWAP_DISABLE"},
};

static const struct bit platform_bits[] = {
	{PM_SNP_PLATFORM_SMT_EN, "PLATFORM_INFO.SMT_EN"},
	{PM_SNP_PLATFORM_TSME_EN, "PLATFORM_INFO.TSME_EN"},
	{PM_SNP_PLATFORM_ECC_EN, "PLATFORM_INFO.ECC_EN"},
	{PM_SNP_PLATFORM_RAPL_DIS, "PLATFORM_INFO.RAPL_DIS"},
	{PM_SNP_PLATFORM_CIPHERTEXT_HIDING_EN, "PLATFORM_INFO.CIPHERTEXT_HIDING_DRAM_EN"},
	{PM_SNP_PLATFORM_ALIAS_CHECK_COMPLETE, "PLATFORM_INFO.ALIAS_CHECK_COMPLETE"},
	{PM_SNP_PLATFORM_IOMMU_WRITE_SAFE, "PLATFORM_INFO.IOMMU_WRITE_SAFE"},
	{PM_SNP_PLATFORM_TIO_EN, "PLATFORM_INFO.TIO_EN"},
};

static bool check_bit(const struct appraisal *a, const struct bit *bit, uint64_t value,
	uint64_t set, uint64_t clear)
{
	bool found = value & bit->mask;

	if (set & bit->mask && !found)
		return refuse(a, bit->name, "1", "0");
	if (clear & bit->mask && found)
		return refuse(a, bit->name, "0", "1");
	return accept(a, (set | clear) & bit->mask, bit->name, "%d", found);
}

/* Bits that have no name here, as one check. */
static bool check_unnamed(const struct appraisal *a, const struct bit *bits, size_t count,
	const char *name, uint64_t value, uint64_t set, uint64_t clear)
{
	uint64_t unnamed = ~UINT64_C(0);

	for (size_t i = 0; i < count; i++)
		unnamed &= ~bits[i].mask;
	if (((value & set) ^ set) & unnamed || value & clear & unnamed)
		return refuse(a, name, "other bits as the policy demands", "0x%" PRIx64, value);
	return true;
}

static bool check_policy_bits(const struct appraisal *a)
{
	uint64_t value = a->facts->fields.policy, clear = a->policy->policy_clear;
	unsigned int permitted = a->policy->permissions;
	uint64_t set = a->policy->policy_set;
	bool ok = true;

	if (!(permitted & PM_SNP_PERMIT_DEBUG))
		clear |= PM_SNP_POLICY_DEBUG;
	if (!(permitted & PM_SNP_PERMIT_MIGRATE_MA))
		clear |= PM_SNP_POLICY_MIGRATE_MA;
	if (!(permitted & PM_SNP_PERMIT_CXL))
		clear |= PM_SNP_POLICY_CXL_ALLOW;
	for (size_t i = 0; i < PM_ARRAY_LEN(policy_bits); i++)
		ok &= check_bit(a, &policy_bits[i], value, set, clear);
	ok &= check_unnamed(a, policy_bits, PM_ARRAY_LEN(policy_bits), "POLICY", value, set, clear);
	return ok;
}

static bool check_platform(const struct appraisal *a)
{
	uint64_t value = a->facts->fields.platform_info;
	uint64_t set = a->policy->platform_set, clear = a->policy->platform_clear;
	bool ok = true;

	for (size_t i = 0; i < PM_ARRAY_LEN(platform_bits); i++)
		ok &= check_bit(a, &platform_bits[i], value, set, clear);
	ok &= check_unnamed(
		a, platform_bits, PM_ARRAY_LEN(platform_bits), "PLATFORM_INFO", value, set, clear);
	return ok;
}

static bool check_abi(const struct appraisal *a)
{
	struct pm_snp_firmware min = {a->policy->abi_major, a->policy->abi_minor, 0};
	uint64_t policy = a->facts->fields.policy;
	struct pm_snp_firmware found = {(uint8_t)(policy >> 8), (uint8_t)policy, 0};

	if (pm_snp_firmware_compare(&found, &min) < 0)
		return refuse(a, "POLICY.ABI", text("at least %u.%u", min.major, min.minor).s,
			"%u.%u", found.major, found.minor);
	return accept(a, min.major | min.minor, "POLICY.ABI", "%u.%u", found.major, found.minor);
}

static const struct pm_snp_tcb *tcb_of(const struct pm_snp_facts *f, size_t kind)
{
	const struct pm_snp_tcb *const tcbs[] = {
		[PM_SNP_TCB_REPORTED] = &f->reported_tcb,
		[PM_SNP_TCB_COMMITTED] = &f->committed_tcb,
		[PM_SNP_TCB_LAUNCH] = &f->launch_tcb,
		[PM_SNP_TCB_CURRENT] = &f->current_tcb,
	};

	return tcbs[kind];
}

static const char *const tcb_names[PM_SNP_TCB_KINDS] = {
	[PM_SNP_TCB_REPORTED] = "REPORTED_TCB",
	[PM_SNP_TCB_COMMITTED] = "COMMITTED_TCB",
	[PM_SNP_TCB_LAUNCH] = "LAUNCH_TCB",
	[PM_SNP_TCB_CURRENT] = "CURRENT_TCB",
};

static bool check_min_tcb(const struct appraisal *a, size_t kind)
{
	enum pm_snp_product product = a->facts->product;
	const struct pm_snp_min_tcb *min = &a->policy->min_tcb[kind][PM_SNP_PRODUCT_INDEX(product)];
	const struct pm_snp_tcb *tcb = tcb_of(a->facts, kind);
	bool waived = kind != PM_SNP_TCB_REPORTED || a->policy->waivers & PM_SNP_WAIVE_MIN_TCB;

	if (!min->set && !waived)
		return refuse(a, tcb_names[kind], "a least TCB in the policy", "none for %s",
			pm_snp_product_name(product));
	if (min->set && !pm_snp_tcb_at_least(tcb, &min->tcb))
		return refuse(a, tcb_names[kind],
			text("at least %s", pm_snp_tcb_text(product, &min->tcb).s).s, "%s",
			pm_snp_tcb_text(product, tcb).s);
	return !a->report ||
	       accept(a, min->set, tcb_names[kind], "%s", pm_snp_tcb_text(product, tcb).s);
}

static bool check_min_tcbs(const struct appraisal *a)
{
	bool ok = true;

	for (size_t kind = 0; kind < PM_SNP_TCB_KINDS; kind++)
		ok &= check_min_tcb(a, kind);
	return ok;
}

static bool check_order(const struct appraisal *a, const char *name, bool in_order)
{
	if (!in_order)
		return refuse(a, name, "yes", "no");
	return accept(a, true, name, "yes");
}

/* Each part of the first is at most what it is in the second. */
static bool check_tcb_order(const struct appraisal *a, const char *name,
	const struct pm_snp_tcb *lower, const struct pm_snp_tcb *upper)
{
	enum pm_snp_product product = a->facts->product;

	if (pm_snp_tcb_at_least(upper, lower))
		return accept(a, true, name, "yes");
	return refuse(a, name, text("at most %s", pm_snp_tcb_text(product, upper).s).s, "%s",
		pm_snp_tcb_text(product, lower).s);
}

static bool check_firmware_order(const struct appraisal *a)
{
	const struct pm_snp_firmware *committed = &a->facts->fields.committed_firmware;
	const struct pm_snp_firmware *current = &a->facts->fields.current_firmware;

	if (pm_snp_firmware_compare(committed, current) <= 0)
		return accept(a, true, "committed firmware <= current", "yes");
	return refuse(a, "committed firmware <= current",
		text("at most %u.%u.%u", current->major, current->minor, current->build).s,
		"%u.%u.%u", committed->major, committed->minor, committed->build);
}

/*
 * The key is derived from a version that is committed at most, and nothing older than what is
 * committed may run. Without a migration agent the guest was launched on this platform.
 */
static bool check_relations(const struct appraisal *a)
{
	const struct pm_snp_facts *f = a->facts;
	bool ok = check_tcb_order(
		a, "REPORTED_TCB <= COMMITTED_TCB", &f->reported_tcb, &f->committed_tcb);

	ok &= check_tcb_order(
		a, "COMMITTED_TCB <= CURRENT_TCB", &f->committed_tcb, &f->current_tcb);
	ok &= check_firmware_order(a);
	if (f->fields.policy & PM_SNP_POLICY_MIGRATE_MA)
		return ok;
	ok &= check_tcb_order(a, "LAUNCH_TCB <= CURRENT_TCB", &f->launch_tcb, &f->current_tcb);
	return ok;
}

static bool check_committed(const struct appraisal *a)
{
	const struct pm_snp_facts *f = a->facts;

	if (!(a->policy->requirements & PM_SNP_REQUIRE_COMMITTED))
		return true;
	return check_order(a, "COMMITTED equals CURRENT",
		pm_snp_tcb_equal(&f->committed_tcb, &f->current_tcb) &&
			!pm_snp_firmware_compare(
				&f->fields.committed_firmware, &f->fields.current_firmware));
}

static bool check_firmware(const struct appraisal *a)
{
	const struct pm_snp_firmware *fw = &a->facts->fields.current_firmware;
	const struct pm_snp_firmware *min = &a->policy->min_firmware;

	if (pm_snp_firmware_compare(fw, min) < 0)
		return refuse(a, "firmware",
			text("at least %u.%u.%u", min->major, min->minor, min->build).s, "%u.%u.%u",
			fw->major, fw->minor, fw->build);
	return accept(a, min->major | min->minor | min->build, "firmware", "%u.%u.%u", fw->major,
		fw->minor, fw->build);
}

static bool check_guest_svn(const struct appraisal *a)
{
	uint32_t svn = a->facts->fields.guest_svn;

	if (svn < a->policy->min_guest_svn)
		return refuse(a, "GUEST_SVN", text("at least %" PRIu32, a->policy->min_guest_svn).s,
			"%" PRIu32, svn);
	return accept(a, a->policy->min_guest_svn, "GUEST_SVN", "%" PRIu32, svn);
}

static bool check_vector(
	const struct appraisal *a, const char *name, uint64_t wanted, uint64_t found)
{
	if ((found & wanted) != wanted)
		return refuse(
			a, name, text("all bits of 0x%" PRIx64, wanted).s, "0x%" PRIx64, found);
	return accept(a, wanted, name, "0x%" PRIx64, found);
}

static bool check_mitigations(const struct appraisal *a)
{
	const struct pm_snp_fields *f = &a->facts->fields;
	bool ok = check_vector(a, "LAUNCH_MIT_VECTOR", a->policy->mit_launch, f->launch_mit_vector);

	ok &= check_vector(a, "CURRENT_MIT_VECTOR", a->policy->mit_current, f->current_mit_vector);
	return ok;
}

static bool check_entry(const struct appraisal *a, const struct pm_snp_wanted_entry *wanted)
{
	for (size_t i = 0; i < a->evidence->entry_count; i++) {
		const struct pm_snp_entry *e = &a->evidence->entries[i];

		if (!pm_ct_equal(e->guid, wanted->guid, sizeof(e->guid)))
			continue;
		if (wanted->fn && wanted->fn(e->bytes.ptr, e->bytes.len, wanted->arg))
			return refuse(a, "certificate table entry", "accepted by the caller", "%s",
				pm_hex(e->guid, sizeof(e->guid)).s);
		return true;
	}
	return refuse(
		a, "certificate table entry", pm_hex(wanted->guid, sizeof(wanted->guid)).s, "none");
}

static bool check_entries(const struct appraisal *a)
{
	bool ok = true;

	for (size_t i = 0; i < a->policy->entry_count; i++)
		ok &= check_entry(a, &a->policy->entries[i]);
	return ok;
}

static const check_fn checks[] = {
	check_version,
	check_product,
	check_signer,
	check_csp,
	check_vmpl,
	check_policy_bits,
	check_abi,
	check_report_data,
	check_fields,
	check_keys,
	check_guest_svn,
	check_min_tcbs,
	check_relations,
	check_committed,
	check_firmware,
	check_platform,
	check_mitigations,
	check_entries,
};

int pm_snp_appraise(const struct pm_snp_evidence *evidence, const struct pm_snp_facts *facts,
	const struct pm_snp_policy *policy, struct pm_report *report)
{
	struct appraisal a = {evidence, facts, policy, report};
	size_t passed = 0;

	for (size_t i = 0; i < PM_ARRAY_LEN(checks); i++)
		passed += checks[i](&a);
	return passed == PM_ARRAY_LEN(checks) ? PM_OK : PM_E_REJECTED;
}
