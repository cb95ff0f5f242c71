/* SPDX-License-Identifier: Apache-2.0 */
/* Any report: what is accepted has the shape that its fields say, and is not trusted. */
#include <string.h>

#include "evidence/gpu_evidence.h"
#include "evidence/gpu_policy.h"
#include "fuzz.h"

/* Offsets of the format. */
#define RECORD 45
#define BLOCK  55

static void check_text(const char *text)
{
	size_t n = strlen(text);

	FUZZ_CHECK(n < PM_GPU_TEXT_SIZE);
	FUZZ_CHECK(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.") == n);
}

static void check_texts(const struct pm_gpu_fields *f)
{
	check_text(f->driver);
	check_text(f->vbios);
	check_text(f->project);
	check_text(f->project_sku);
	check_text(f->chip_sku);
	check_text(f->chip_info);
	FUZZ_CHECK(f->vbios[0] && (f->driver[0] || f->measurement_count == 31));
}

static void check_blocks(const struct pm_gpu_fields *f, struct pm_view input)
{
	FUZZ_CHECK(f->measurement_count == 64 || f->measurement_count == 31);
	FUZZ_CHECK(!memcmp(f->nonce, input.ptr + 4, PM_GPU_NONCE_SIZE));
	for (size_t i = 0; i < f->measurement_count; i++)
		FUZZ_CHECK(!memcmp(f->measurements[i], input.ptr + RECORD + i * BLOCK + 7,
			PM_GPU_DIGEST_SIZE));
	FUZZ_CHECK(pm_is_zero(f->measurements[f->measurement_count],
		(64 - f->measurement_count) * PM_GPU_DIGEST_SIZE));
}

static void check_signed(const struct pm_gpu_evidence *ev, struct pm_view input)
{
	FUZZ_CHECK(pm_view_equal(ev->bytes, input));
	FUZZ_CHECK(ev->parts.body.ptr == ev->bytes.ptr);
	FUZZ_CHECK(ev->parts.signature.len == PM_GPU_SIGNATURE_SIZE);
	FUZZ_CHECK(ev->parts.body.len + PM_GPU_SIGNATURE_SIZE == input.len);
	FUZZ_CHECK(ev->parts.signature.ptr == ev->bytes.ptr + ev->parts.body.len);
}

static void check_ids(const struct pm_gpu_evidence *ev)
{
	for (int kind = PM_RIM_DRIVER; kind <= PM_RIM_SWITCH; kind++) {
		char id[PM_GPU_RIM_ID_SIZE] = "";
		int r = pm_gpu_evidence_rim_id(ev, (enum pm_rim_kind)kind, id);

		FUZZ_CHECK((r == PM_OK) == (id[0] != '\0'));
		FUZZ_CHECK(strlen(id) + 1 < sizeof(id));
		FUZZ_CHECK(strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._") == strlen(id));
	}
}

/* A report alone is never enough. */
static void check_refused(struct pm_gpu_evidence *ev)
{
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = NULL;
	const struct pm_gpu_facts *facts = NULL;

	FUZZ_CHECK(pm_gpu_policy_new(&policy) == PM_OK);
	FUZZ_CHECK(pm_gpu_policy_waive(policy,
			   PM_GPU_WAIVE_NONCE | PM_GPU_WAIVE_RIM | PM_GPU_WAIVE_OCSP) == PM_OK);
	FUZZ_CHECK(pm_gpu_verify(ev, policy, NULL, 0, NULL, NULL, FUZZ_NOW, NULL, &facts) ==
		   PM_E_MISSING);
	FUZZ_CHECK(!facts);
}

/* With one zero less or more the answer is another, or the same by the flag. */
static void check_trim(const uint8_t *data, size_t size, int answer)
{
	pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL;
	int r = pm_gpu_evidence_parse(data, size, PM_GPU_TRIM_NUL, NULL, &ev);

	FUZZ_CHECK((r == PM_OK) == (ev != NULL));
	FUZZ_CHECK(answer < 0 || r == PM_OK);
	FUZZ_CHECK(r < 0 || ev->bytes.len == size || (answer < 0 && data[size - 1] == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL;
	int r = pm_gpu_evidence_parse(data, size, 0, NULL, &ev);
	int arch;

	FUZZ_CHECK((r == PM_OK) == (ev != NULL));
	check_trim(data, size, r);
	if (r < 0)
		return 0;
	arch = pm_gpu_evidence_arch(ev);
	FUZZ_CHECK(!arch || pm_gpu_arch_known(arch));
	FUZZ_CHECK((arch == PM_GPU_LS10) == pm_gpu_is_switch(&ev->fields));
	check_texts(&ev->fields);
	check_blocks(&ev->fields, pm_view(data, size));
	check_signed(ev, pm_view(data, size));
	check_ids(ev);
	check_refused(ev);
	return 0;
}
