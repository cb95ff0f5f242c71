/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/gpu_evidence.h"

#include <stdlib.h>

#include "base/report.h"
#include "crypto/x509.h"
#include "evidence/gpu_leaf.h"

#define SWITCH_BLOCKS 31

/* GPU_INFO begins with the number of the architecture and implementation of the chip. */
#define INFO_HOPPER	   0x180
#define INFO_BLACKWELL_MIN 0x1a0
#define INFO_BLACKWELL_MAX 0x1bf

/* Values of FEATURE_FLAG. */
#define FEATURE_SPT   0
#define FEATURE_MPT   1
#define FEATURE_PPCIE 2

/* The report without the one zero byte that some drivers put behind it. */
static struct pm_view trim(struct pm_view bytes)
{
	struct pm_view shorter = pm_view(bytes.ptr, bytes.len - 1);
	struct pm_gpu_signed parts;
	struct pm_gpu_fields f;

	if (pm_gpu_report_parse(bytes, NULL, &f, &parts) == PM_OK) /* it ends with a zero itself */
		return bytes;
	return pm_gpu_report_parse(shorter, NULL, &f, &parts) == PM_OK ? shorter : bytes;
}

int pm_gpu_evidence_parse(const void *bytes, size_t size, unsigned int flags,
	struct pm_report *report, struct pm_gpu_evidence **ret_evidence)
{
	pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL;
	struct pm_view input = pm_view(bytes, size);
	int r;

	if (flags & ~(unsigned int)PM_GPU_TRIM_NUL)
		return PM_E_ARG;
	if (size > PM_GPU_REPORT_MAX)
		return pm_fail(report, PM_E_LIMIT, "report length", "at most 8192 bytes",
			"%zu bytes", size);
	if (flags & PM_GPU_TRIM_NUL && size && input.ptr[size - 1] == 0)
		input = trim(input);
	ev = pm_alloc(sizeof(*ev));
	if (!ev)
		return PM_E_NOMEM;
	ev->bytes = pm_view(pm_dup(input), input.len);
	if (!ev->bytes.ptr)
		return PM_E_NOMEM;
	r = pm_gpu_report_parse(ev->bytes, report, &ev->fields, &ev->parts);
	if (r < 0)
		return r;
	*ret_evidence = pm_steal(ev);
	return PM_OK;
}

void pm_gpu_evidence_free(struct pm_gpu_evidence *evidence)
{
	if (!evidence)
		return;
	free((void *)evidence->bytes.ptr);
	for (size_t i = 0; i < evidence->cert_count; i++)
		free((void *)evidence->certs[i].ptr);
	free(evidence);
}

/* Where an added certificate goes. */
struct adding {
	struct pm_gpu_evidence *ev;
	struct pm_report *report;
};

static int add_cert(struct pm_view der, void *arg)
{
	struct adding *a = arg;
	struct pm_gpu_evidence *ev = a->ev;
	uint8_t *copy;
	int r;

	if (der.len > PM_CERT_SIZE_MAX)
		return pm_fail(a->report, PM_E_LIMIT, "certificate length", "at most 16384 bytes",
			"%zu bytes", der.len);
	if (ev->cert_count == PM_GPU_CERTS)
		return pm_fail(a->report, PM_E_LIMIT, "certificates", "5", "more");
	r = pm_hash(PM_SHA256, der, ev->cert_digests[ev->cert_count]);
	if (r < 0)
		return r;
	copy = pm_dup(der);
	if (!copy)
		return PM_E_NOMEM;
	ev->certs[ev->cert_count++] = pm_view(copy, der.len);
	return PM_OK;
}

int pm_gpu_evidence_add_certs(
	struct pm_gpu_evidence *evidence, const void *bytes, size_t size, struct pm_report *report)
{
	struct adding a = {evidence, report};
	struct pm_view input = pm_view(bytes, size);
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	if (size > PM_GPU_CERTS_TEXT_MAX)
		return pm_fail(report, PM_E_LIMIT, "certificates", "at most 65536 bytes",
			"%zu bytes", size);
	if (!size)
		return pm_fail(report, PM_E_FORMAT, "certificates", "PEM or DER", "nothing");
	if (!pm_pem_is(input))
		return add_cert(input, &a);
	r = pm_pem_each(input, "CERTIFICATE", add_cert, &a);
	if (r == PM_E_FORMAT)
		return pm_fail(report, r, "certificates", "PEM blocks of that label",
			"none, or a malformed one");
	return r;
}

const struct pm_gpu_fields *pm_gpu_evidence_untrusted(const struct pm_gpu_evidence *evidence)
{
	return &evidence->fields;
}

bool pm_gpu_is_switch(const struct pm_gpu_fields *fields)
{
	return fields->measurement_count == SWITCH_BLOCKS;
}

int pm_gpu_arch_told(const struct pm_gpu_fields *f)
{
	if (pm_gpu_is_switch(f))
		return PM_GPU_LS10;
	if (f->gpu_info == INFO_HOPPER)
		return PM_GPU_HOPPER;
	if (f->gpu_info >= INFO_BLACKWELL_MIN && f->gpu_info <= INFO_BLACKWELL_MAX)
		return PM_GPU_BLACKWELL;
	return 0;
}

/* By the device's certificate, though nobody has verified it. */
static int arch_of_cert(const struct pm_gpu_evidence *evidence)
{
	pm_cleanup(pm_cert) struct pm_cert *cert = NULL;

	if (!evidence->cert_count || pm_cert_parse(evidence->certs[0], &cert) < 0)
		return 0;
	return pm_gpu_leaf_arch(cert);
}

int pm_gpu_evidence_arch(const struct pm_gpu_evidence *evidence)
{
	int told = pm_gpu_arch_told(&evidence->fields);

	return told ? told : arch_of_cert(evidence);
}

int pm_gpu_mode_of(const struct pm_gpu_fields *f)
{
	switch (f->feature_flag) {
	case FEATURE_SPT:
		return PM_GPU_MODE_SPT;
	case FEATURE_MPT:
		return PM_GPU_MODE_MPT;
	case FEATURE_PPCIE:
		return PM_GPU_MODE_PPCIE;
	case -1:
		break;
	default:
		return 0;
	}
	if (f->protected_pcie == PM_GPU_ON)
		return PM_GPU_MODE_PPCIE;
	return f->protected_pcie == PM_GPU_OFF ? PM_GPU_MODE_SPT : 0;
}

int pm_gpu_evidence_cert(const struct pm_gpu_evidence *evidence, size_t index,
	const uint8_t **ret_der, size_t *ret_size)
{
	if (index >= evidence->cert_count)
		return PM_E_MISSING;
	*ret_der = evidence->certs[index].ptr;
	*ret_size = evidence->certs[index].len;
	return PM_OK;
}

const struct pm_gpu_golden *pm_gpu_evidence_golden(const struct pm_gpu_evidence *evidence)
{
	return evidence->golden;
}
