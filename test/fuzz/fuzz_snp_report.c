/* SPDX-License-Identifier: Apache-2.0 */
/* Any report: what is accepted is, field by field, exactly what was given, and is not trusted. */
#include <pm/snp_policy.h>

#include "base/wr.h"
#include "evidence/snp_evidence.h"
#include "evidence/snp_policy.h"
#include "fuzz.h"

static void put_firmware(struct pm_wr *wr, const struct pm_snp_firmware *f)
{
	pm_wr_u8(wr, f->build);
	pm_wr_u8(wr, f->minor);
	pm_wr_u8(wr, f->major);
	pm_wr_zero(wr, 1);
}

#define PUT(wr, array) pm_wr_bytes(wr, pm_view(array, sizeof(array)))

static void put_head(struct pm_wr *wr, const struct pm_snp_fields *f)
{
	uint32_t signer = f->signing_key == PM_SNP_VLEK ? 1 : 0;

	pm_wr_le32(wr, f->version);
	pm_wr_le32(wr, f->guest_svn);
	pm_wr_le64(wr, f->policy);
	PUT(wr, f->family_id);
	PUT(wr, f->image_id);
	pm_wr_le32(wr, f->vmpl);
	pm_wr_le32(wr, f->signature_algo);
	PUT(wr, f->current_tcb);
	pm_wr_le64(wr, f->platform_info);
	pm_wr_le32(wr, f->author_key_en | (uint32_t)f->mask_chip_key << 1 | signer << 2);
	pm_wr_zero(wr, 4);
}

static void put_identity(struct pm_wr *wr, const struct pm_snp_fields *f)
{
	PUT(wr, f->report_data);
	PUT(wr, f->measurement);
	PUT(wr, f->host_data);
	PUT(wr, f->id_key_digest);
	PUT(wr, f->author_key_digest);
	PUT(wr, f->report_id);
	PUT(wr, f->report_id_ma);
	PUT(wr, f->reported_tcb);
	pm_wr_u8(wr, f->cpuid_family);
	pm_wr_u8(wr, f->cpuid_model);
	pm_wr_u8(wr, f->cpuid_stepping);
	pm_wr_zero(wr, 21);
}

static void put_platform(struct pm_wr *wr, const struct pm_snp_fields *f)
{
	PUT(wr, f->chip_id);
	PUT(wr, f->committed_tcb);
	put_firmware(wr, &f->current_firmware);
	put_firmware(wr, &f->committed_firmware);
	PUT(wr, f->launch_tcb);
	pm_wr_le64(wr, f->launch_mit_vector);
	pm_wr_le64(wr, f->current_mit_vector);
	pm_wr_zero(wr, 152);
	PUT(wr, f->signature_r);
	PUT(wr, f->signature_s);
	pm_wr_zero(wr, 368);
}

static void check_every_byte(const struct pm_snp_fields *fields, struct pm_view input)
{
	uint8_t back[PM_SNP_REPORT_SIZE];
	struct pm_wr wr = pm_wr(back, sizeof(back));
	size_t len = 0;

	put_head(&wr, fields);
	put_identity(&wr, fields);
	put_platform(&wr, fields);
	FUZZ_CHECK(pm_wr_done(&wr, &len) && len == PM_SNP_REPORT_SIZE);
	FUZZ_CHECK(pm_view_equal(pm_view(back, len), input));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *evidence = NULL;
	const struct pm_snp_facts *facts = NULL;

	if (size >= 4 && pm_view_equal(pm_view(data, 4), pm_view("HCLA", 4)))
		return 0; /* see fuzz_snp_hcl.c */
	if (pm_snp_evidence_parse(data, size, NULL, &evidence) < 0) {
		FUZZ_CHECK(!evidence);
		return 0;
	}
	check_every_byte(pm_snp_evidence_untrusted(evidence), pm_view(data, size));
	FUZZ_CHECK(pm_snp_evidence_product(evidence) >= 0);
	FUZZ_CHECK(fuzz_verify(evidence, NULL, &facts) < 0 && !facts);
	return 0;
}
