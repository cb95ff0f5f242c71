/* SPDX-License-Identifier: Apache-2.0 */
/* Names of golden measurements at NVIDIA's server, made of what a report claims. */
#include <stdio.h>

#include "evidence/gpu_evidence.h"
#include "evidence/gpu_policy.h"

/* Reports of a switch do not name its board: there is one. */
#define SWITCH_BOARD "5612_0002_890"

/* Of Blackwell, drivers before CHIP_INFO know one chip. */
#define BLACKWELL_CHIP "GB100"

/* The version of a VBIOS without its dots. */
struct plain {
	char s[PM_GPU_TEXT_SIZE];
};

static struct plain without_dots(const char *version)
{
	struct plain plain = {{0}};
	size_t n = 0;

	for (; *version; version++) {
		if (*version != '.')
			plain.s[n++] = *version;
	}
	return plain;
}

const char *pm_gpu_rim_product(const struct pm_gpu_fields *fields, int arch)
{
	if (arch == PM_GPU_LS10)
		return "LS10";
	if (arch == PM_GPU_HOPPER)
		return "GH100";
	return fields->chip_info[0] ? fields->chip_info : BLACKWELL_CHIP;
}

static void write_driver_id(const struct pm_gpu_fields *f, int arch, char *ret)
{
	snprintf(ret, PM_GPU_RIM_ID_SIZE, "NV_GPU_%sDRIVER_%s_%s",
		arch == PM_GPU_BLACKWELL ? "CC_" : "", pm_gpu_rim_product(f, arch), f->driver);
}

static int write_vbios_id(const struct pm_gpu_fields *f, char *ret)
{
	if (!f->project[0] || !f->project_sku[0] || !f->chip_sku[0])
		return PM_E_MISSING;
	snprintf(ret, PM_GPU_RIM_ID_SIZE, "NV_GPU_VBIOS_%s_%s_%s_%s", f->project, f->project_sku,
		f->chip_sku, without_dots(f->vbios).s);
	return PM_OK;
}

static void write_switch_id(const struct pm_gpu_fields *f, char *ret)
{
	snprintf(ret, PM_GPU_RIM_ID_SIZE, "NV_SWITCH_BIOS_" SWITCH_BOARD "_%s",
		without_dots(f->vbios).s);
}

int pm_gpu_evidence_rim_id(
	const struct pm_gpu_evidence *evidence, enum pm_rim_kind kind, char *ret_id)
{
	const struct pm_gpu_fields *f = &evidence->fields;
	int arch = pm_gpu_evidence_arch(evidence);

	if ((kind == PM_RIM_SWITCH) != pm_gpu_is_switch(f))
		return PM_E_ARG;
	if (!arch)
		return PM_E_UNSUPPORTED;
	switch (kind) {
	case PM_RIM_DRIVER:
		write_driver_id(f, arch, ret_id);
		return PM_OK;
	case PM_RIM_VBIOS:
		return write_vbios_id(f, ret_id);
	case PM_RIM_SWITCH:
		write_switch_id(f, ret_id);
		return PM_OK;
	}
	return PM_E_ARG;
}
