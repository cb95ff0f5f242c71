/* SPDX-License-Identifier: Apache-2.0 */
/* Any firmware image: its sections keep the limits, and one image has one digest. */
#include <pm/measure.h>

#include "evidence/gctx.h"
#include "evidence/ovmf.h"
#include "fuzz.h"

PM_OWNER(pm_measure, pm_measure_free);

/* Sections beyond this are parsed but not measured: hashing them finds nothing and takes long. */
#define MEASURED_MAX (UINT64_C(1) << 20)

/* Returns the memory of all sections. */
static uint64_t check_sections(const struct pm_ovmf *ovmf)
{
	uint64_t memory = 0;

	FUZZ_CHECK(ovmf->count <= PM_OVMF_SECTIONS_MAX);
	for (size_t i = 0; i < ovmf->count; i++) {
		const struct pm_section *s = &ovmf->sections[i];

		FUZZ_CHECK(s->gpa % PM_PAGE_SIZE == 0 && s->size % PM_PAGE_SIZE == 0 && s->size);
		FUZZ_CHECK((uint64_t)s->gpa + s->size <= UINT64_C(1) << 32);
		memory += s->size;
	}
	FUZZ_CHECK(memory <= PM_OVMF_MEMORY_MAX);
	return memory;
}

static int measure(struct pm_view image, enum pm_vmm vmm, bool kernel, uint8_t *ret_digest)
{
	pm_cleanup(pm_measure) struct pm_measure *m = NULL;

	FUZZ_CHECK(pm_measure_new(&m) == PM_OK);
	FUZZ_CHECK(pm_measure_set_firmware(m, image.ptr, image.len, NULL) == PM_OK);
	FUZZ_CHECK(pm_measure_set_vmm(m, vmm) == PM_OK);
	FUZZ_CHECK(pm_measure_set_vcpus(m, 2) == PM_OK);
	pm_measure_set_cpu_signature(m, 0x800f12);
	if (kernel)
		FUZZ_CHECK(pm_measure_set_kernel(m, NULL, 0, NULL, 0, NULL) == PM_OK);
	return pm_measure_digest(m, NULL, ret_digest);
}

/* The same digest twice; another one with a kernel, or none. */
static void check_digest(struct pm_view image, enum pm_vmm vmm)
{
	uint8_t one[PM_MEASURE_SIZE], two[PM_MEASURE_SIZE];

	if (measure(image, vmm, false, one) < 0)
		return;
	FUZZ_CHECK(measure(image, vmm, false, two) == PM_OK);
	FUZZ_CHECK(pm_ct_equal(one, two, sizeof(one)));
	if (measure(image, vmm, true, two) == PM_OK)
		FUZZ_CHECK(!pm_ct_equal(one, two, sizeof(one)));
}

/* The image as an SVSM, below itself. */
static void check_svsm(struct pm_view image)
{
	pm_cleanup(pm_measure) struct pm_measure *m = NULL;
	uint8_t digest[PM_MEASURE_SIZE];

	FUZZ_CHECK(pm_measure_new(&m) == PM_OK);
	FUZZ_CHECK(pm_measure_set_firmware(m, image.ptr, image.len, NULL) == PM_OK);
	FUZZ_CHECK(pm_measure_set_vcpus(m, 1) == PM_OK);
	pm_measure_set_cpu_signature(m, 0x800f12);
	if (pm_measure_set_svsm(m, image.ptr, image.len, 0x84000, NULL) == PM_OK)
		FUZZ_CHECK(pm_measure_digest(m, NULL, digest) == PM_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pm_view image = pm_view(data, size);
	struct pm_ovmf ovmf;

	FUZZ_CHECK(pm_crypto_init() == PM_OK);
	if (pm_ovmf_parse(image, NULL, &ovmf) < 0)
		return 0;
	FUZZ_CHECK(ovmf.size == size && size % PM_PAGE_SIZE == 0);
	if (check_sections(&ovmf) > MEASURED_MAX)
		return 0;
	check_digest(image, PM_VMM_QEMU);
	check_digest(image, PM_VMM_EC2);
	check_digest(image, PM_VMM_GCE);
	check_svsm(image);
	return 0;
}
