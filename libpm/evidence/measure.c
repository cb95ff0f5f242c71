/* SPDX-License-Identifier: Apache-2.0 */
#include <pm/measure.h>

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/report.h"
#include "evidence/gctx.h"
#include "evidence/kernel_hashes.h"
#include "evidence/measure_cpu.h"
#include "evidence/ovmf.h"
#include "evidence/vmsa.h"

/* SNP active: without it there is no launch to measure. */
#define FEATURE_SNP UINT64_C(0x1)

/* An SVSM asks for nothing more. */
#define FEATURES_SVSM FEATURE_SNP

#define FOUR_GIB (UINT64_C(1) << 32)

struct pm_measure {
	struct pm_vmsa vmsa; /* hypervisor, signature, features */
	bool has_signature;
	uint32_t vcpus; /* 0: not set */
	bool has_firmware;
	bool digest_given; /* start does not come from the firmware's own pages */
	struct pm_ovmf firmware;
	struct pm_gctx start; /* after the firmware's pages */
	bool has_svsm;
	struct pm_ovmf svsm;
	uint64_t svsm_gpa;
	struct pm_gctx svsm_start; /* after the pages of firmware and SVSM */
	bool has_kernel;
	struct pm_kernel_hashes kernel;
};

PM_OWNER(pm_measure, pm_measure_free);

/* --- what is known of the guest -------------------------------------------------------------- */

int pm_measure_new(struct pm_measure **ret_measure)
{
	pm_cleanup(pm_measure) struct pm_measure *m = NULL;
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	m = pm_alloc(sizeof(*m));
	if (!m)
		return PM_E_NOMEM;
	m->vmsa.vmm = PM_VMM_QEMU;
	m->vmsa.features = PM_MEASURE_FEATURES_DEFAULT;
	*ret_measure = pm_steal(m);
	return PM_OK;
}

void pm_measure_free(struct pm_measure *measure)
{
	free(measure);
}

int pm_measure_set_vmm(struct pm_measure *measure, enum pm_vmm vmm)
{
	if (vmm != PM_VMM_QEMU && vmm != PM_VMM_EC2 && vmm != PM_VMM_GCE)
		return PM_E_ARG;
	measure->vmsa.vmm = vmm;
	return PM_OK;
}

int pm_measure_set_vcpus(struct pm_measure *measure, uint32_t count)
{
	if (!count || count > PM_MEASURE_VCPUS_MAX)
		return PM_E_LIMIT;
	measure->vcpus = count;
	return PM_OK;
}

int pm_measure_set_cpu(struct pm_measure *measure, const char *model)
{
	uint32_t signature;
	int r = pm_measure_cpu_find(model, &signature);

	if (r < 0)
		return r;
	pm_measure_set_cpu_signature(measure, signature);
	return PM_OK;
}

void pm_measure_set_cpu_signature(struct pm_measure *measure, uint32_t signature)
{
	measure->vmsa.signature = signature;
	measure->has_signature = true;
}

int pm_measure_set_features(struct pm_measure *measure, uint64_t features)
{
	if (!(features & FEATURE_SNP))
		return PM_E_ARG;
	measure->vmsa.features = features;
	return PM_OK;
}

int pm_measure_set_firmware(
	struct pm_measure *measure, const uint8_t *bytes, size_t size, struct pm_report *report)
{
	struct pm_view image = pm_view(bytes, size);
	struct pm_gctx gctx = {0};
	struct pm_ovmf ovmf;
	int r;

	if (measure->has_svsm)
		return pm_fail(report, PM_E_STATE, "firmware", "before the SVSM", "after it");
	r = pm_ovmf_parse(image, report, &ovmf);
	if (r < 0)
		return r;
	r = pm_gctx_normal(&gctx, FOUR_GIB - size, image);
	if (r < 0)
		return r;
	measure->firmware = ovmf;
	measure->start = gctx;
	measure->has_firmware = true;
	measure->digest_given = false;
	return PM_OK;
}

int pm_measure_set_firmware_digest(struct pm_measure *measure, const uint8_t *digest)
{
	if (!measure->has_firmware || measure->has_svsm)
		return PM_E_STATE;
	pm_copy(measure->start.digest, digest, sizeof(measure->start.digest));
	measure->digest_given = true;
	return PM_OK;
}

int pm_measure_firmware_digest(const struct pm_measure *measure, uint8_t *ret_digest)
{
	if (!measure->has_firmware)
		return PM_E_STATE;
	pm_copy(ret_digest, measure->start.digest, sizeof(measure->start.digest));
	return PM_OK;
}

/* The SVSM lies below the store of variables, which lies below the firmware. */
static int place_svsm(const struct pm_measure *measure, const struct pm_ovmf *svsm,
	uint32_t vars_size, struct pm_report *report, uint64_t *ret_gpa)
{
	uint64_t below = FOUR_GIB - measure->firmware.size;

	if (vars_size % PM_PAGE_SIZE || vars_size > below || svsm->size > below - vars_size)
		return pm_fail(report, PM_E_FORMAT, "svsm.vars_size",
			"whole pages that leave room for the SVSM", "%lu bytes",
			(unsigned long)vars_size);
	if (!svsm->has_svsm)
		return pm_fail(report, PM_E_FORMAT, "svsm.table, SVSM_INFO", "an entry", "none");
	if (svsm->svsm_entry >= svsm->size)
		return pm_fail(report, PM_E_FORMAT, "svsm.table, SVSM_INFO",
			"an address within the image", "0x%lx", (unsigned long)svsm->svsm_entry);
	*ret_gpa = below - vars_size - svsm->size;
	return PM_OK;
}

int pm_measure_set_svsm(struct pm_measure *measure, const uint8_t *bytes, size_t size,
	uint32_t vars_size, struct pm_report *report)
{
	struct pm_view image = pm_view(bytes, size);
	struct pm_gctx gctx = measure->start;
	struct pm_ovmf svsm;
	uint64_t gpa = 0;
	int r;

	if (!measure->has_firmware || measure->digest_given)
		return pm_fail(report, PM_E_STATE, "svsm", "the whole firmware first", "none");
	r = pm_ovmf_parse(image, report, &svsm);
	if (r < 0)
		return r;
	r = place_svsm(measure, &svsm, vars_size, report, &gpa);
	if (r < 0)
		return r;
	r = pm_gctx_normal(&gctx, gpa, image);
	if (r < 0)
		return r;
	measure->svsm = svsm;
	measure->svsm_gpa = gpa;
	measure->svsm_start = gctx;
	measure->has_svsm = true;
	return PM_OK;
}

/* The final NUL of the command line counts. */
static int hash_cmdline(const char *cmdline, uint8_t *ret)
{
	const char *text = cmdline ? cmdline : "";
	size_t len = strnlen(text, PM_MEASURE_CMDLINE_MAX + 1);

	if (len > PM_MEASURE_CMDLINE_MAX)
		return PM_E_LIMIT;
	return pm_hash(PM_SHA256, pm_view(text, len + 1), ret);
}

int pm_measure_set_kernel(struct pm_measure *measure, const uint8_t *kernel, size_t kernel_size,
	const uint8_t *initrd, size_t initrd_size, const char *cmdline)
{
	struct pm_kernel_hashes hashes;
	int r = pm_hash(PM_SHA256, pm_view(kernel, kernel_size), hashes.kernel);

	if (r < 0)
		return r;
	r = pm_hash(PM_SHA256, pm_view(initrd, initrd_size), hashes.initrd);
	if (r < 0)
		return r;
	return pm_measure_set_kernel_digests(measure, hashes.kernel, hashes.initrd, cmdline);
}

int pm_measure_set_kernel_digests(struct pm_measure *measure, const uint8_t *kernel,
	const uint8_t *initrd, const char *cmdline)
{
	struct pm_kernel_hashes hashes;
	int r = hash_cmdline(cmdline, hashes.cmdline);

	if (r < 0)
		return r;
	/* QEMU measures a missing initial RAM disk as an empty one. */
	r = pm_hash(PM_SHA256, (struct pm_view){0}, hashes.initrd);
	if (r < 0)
		return r;
	if (initrd)
		pm_copy(hashes.initrd, initrd, sizeof(hashes.initrd));
	pm_copy(hashes.kernel, kernel, sizeof(hashes.kernel));
	measure->kernel = hashes;
	measure->has_kernel = true;
	return PM_OK;
}

/* --- the digest ------------------------------------------------------------------------------ */

static bool has_section(const struct pm_ovmf *ovmf, enum pm_section_type type)
{
	for (size_t i = 0; i < ovmf->count; i++) {
		if (ovmf->sections[i].type == type)
			return true;
	}
	return false;
}

static int check_known(const struct pm_measure *m, struct pm_report *report)
{
	if (!m->has_firmware)
		return pm_fail(report, PM_E_MISSING, "firmware", "an image", "none");
	if (!m->vcpus)
		return pm_fail(report, PM_E_MISSING, "vcpus", "a number of processors", "none");
	if (m->vmsa.vmm == PM_VMM_QEMU && !m->has_signature)
		return pm_fail(report, PM_E_MISSING, "cpu", "a kind of processor", "none");
	return PM_OK;
}

/* What can't go together. */
static int check_combination(const struct pm_measure *m, struct pm_report *report)
{
	if (m->has_svsm && m->vmsa.vmm != PM_VMM_QEMU)
		return pm_fail(report, PM_E_UNSUPPORTED, "svsm", "QEMU", "another hypervisor");
	if (m->has_svsm && m->has_kernel)
		return pm_fail(report, PM_E_UNSUPPORTED, "svsm", "no kernel", "a kernel");
	if (m->has_kernel && !has_section(&m->firmware, PM_SECTION_KERNEL_HASHES))
		return pm_fail(report, PM_E_UNSUPPORTED, "firmware.section, KERNEL_HASHES",
			"one, as a kernel was given", "none");
	if (!m->has_svsm && !m->firmware.has_reset)
		return pm_fail(report, PM_E_FORMAT, "firmware.table, SEV_ES_RESET_BLOCK",
			"an entry", "none");
	if (!m->has_svsm && m->vcpus > 1 && !m->firmware.reset_eip)
		return pm_fail(report, PM_E_FORMAT, "firmware.table, SEV_ES_RESET_BLOCK",
			"an address, as there is more than one processor", "0");
	return PM_OK;
}

/* The firmware looks for the table at an address of its own: it must lie in the measured page. */
static int add_kernel(const struct pm_measure *m, const struct pm_section *s, struct pm_gctx *gctx,
	struct pm_report *report)
{
	const struct pm_ovmf *o = &m->firmware;
	uint8_t page[PM_PAGE_SIZE];

	if (!o->has_hashes || o->hashes_size < PM_KERNEL_TABLE_SIZE)
		return pm_fail(report, PM_E_FORMAT, "firmware.table, SEV_HASH_TABLE",
			"room for 176 bytes", "%lu bytes", (unsigned long)o->hashes_size);
	if (s->size != PM_PAGE_SIZE || o->hashes_gpa - o->hashes_gpa % PM_PAGE_SIZE != s->gpa)
		return pm_fail(report, PM_E_FORMAT, "firmware.table, SEV_HASH_TABLE",
			"an address in the one page of section KERNEL_HASHES", "0x%lx",
			(unsigned long)o->hashes_gpa);
	if (!pm_kernel_hashes_page(&m->kernel, o->hashes_gpa % PM_PAGE_SIZE, page))
		return pm_fail(report, PM_E_FORMAT, "firmware.table, SEV_HASH_TABLE",
			"an end within the page", "0x%lx", (unsigned long)o->hashes_gpa);
	return pm_gctx_normal(gctx, s->gpa, pm_view(page, sizeof(page)));
}

static int add_section(const struct pm_measure *m, const struct pm_section *s, struct pm_gctx *gctx,
	struct pm_report *report)
{
	bool gce = m->vmsa.vmm == PM_VMM_GCE;

	switch (s->type) {
	case PM_SECTION_SEC_MEM:
		return pm_gctx_blank(
			gctx, gce ? PM_PAGE_UNMEASURED : PM_PAGE_ZERO, s->gpa, s->size);
	case PM_SECTION_SECRETS:
		return pm_gctx_blank(gctx, PM_PAGE_SECRETS, s->gpa, s->size);
	case PM_SECTION_CPUID:
		return pm_gctx_blank(gctx, PM_PAGE_CPUID, s->gpa, s->size);
	case PM_SECTION_SVSM_CAA:
		return pm_gctx_blank(gctx, PM_PAGE_ZERO, s->gpa, s->size);
	case PM_SECTION_KERNEL_HASHES:
		if (m->has_kernel)
			return add_kernel(m, s, gctx, report);
		return pm_gctx_blank(gctx, PM_PAGE_ZERO, s->gpa, s->size);
	}
	return PM_E_FORMAT; /* the parser let no other type in */
}

/* EC2 hands over the page of CPUID after all others. */
static bool is_late(const struct pm_measure *m, const struct pm_section *s)
{
	return m->vmsa.vmm == PM_VMM_EC2 && s->type == PM_SECTION_CPUID;
}

/* Adds the sections that are late, or those that are not, in the order of the image. */
static int add_sections(
	const struct pm_measure *m, bool late, struct pm_gctx *gctx, struct pm_report *report)
{
	const struct pm_ovmf *o = m->has_svsm ? &m->svsm : &m->firmware;
	int r = PM_OK;

	for (size_t i = 0; r == PM_OK && i < o->count; i++) {
		if (is_late(m, &o->sections[i]) == late)
			r = add_section(m, &o->sections[i], gctx, report);
	}
	return r;
}

static int add_vcpus_svsm(const struct pm_measure *m, struct pm_gctx *gctx)
{
	struct pm_vmsa vmsa = m->vmsa;
	uint8_t page[PM_PAGE_SIZE];

	vmsa.features = FEATURES_SVSM;
	pm_vmsa_fill_svsm(&vmsa, (uint32_t)(m->svsm_gpa + m->svsm.svsm_entry), page);
	return pm_gctx_vmsa(gctx, page, m->vcpus);
}

static int add_vcpus(const struct pm_measure *m, struct pm_gctx *gctx)
{
	uint8_t page[PM_PAGE_SIZE];
	int r;

	pm_vmsa_fill(&m->vmsa, PM_VMSA_RESET_EIP, page);
	r = pm_gctx_vmsa(gctx, page, 1);
	if (r < 0)
		return r;
	pm_vmsa_fill(&m->vmsa, m->firmware.reset_eip, page);
	return pm_gctx_vmsa(gctx, page, m->vcpus - 1);
}

int pm_measure_digest(
	const struct pm_measure *measure, struct pm_report *report, uint8_t *ret_digest)
{
	struct pm_gctx gctx = measure->has_svsm ? measure->svsm_start : measure->start;
	int r = check_known(measure, report);

	if (r < 0)
		return r;
	r = check_combination(measure, report);
	if (r < 0)
		return r;
	r = add_sections(measure, false, &gctx, report);
	if (r < 0)
		return r;
	r = add_sections(measure, true, &gctx, report);
	if (r < 0)
		return r;
	r = measure->has_svsm ? add_vcpus_svsm(measure, &gctx) : add_vcpus(measure, &gctx);
	if (r < 0)
		return r;
	pm_pass(report, "measurement", "%s", pm_hex(gctx.digest, sizeof(gctx.digest)).s);
	pm_copy(ret_digest, gctx.digest, sizeof(gctx.digest));
	return PM_OK;
}
