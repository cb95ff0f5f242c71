/* SPDX-License-Identifier: Apache-2.0 */
/** @file gpu_collateral.h
 * All that the verification of a host's GPUs needs beside their evidence, in one place: golden
 * measurements and OCSP responses, given by the caller or fetched for the devices at hand, each
 * once however many devices need it.
 *
 * The order: pm_gpu_collateral_add_rim() and _add_ocsp() for what the caller has;
 * pm_gpu_collateral_fetch() for each device; pm_gpu_collateral_verify() once; pm_gpu_verify() for
 * each device with pm_gpu_collateral_rims() and _ocsp().
 *
 * Thread safety: one thread uses a collateral at a time; once it was verified, and until it
 * changes, several threads may verify devices with it.
 */
#ifndef PM_GPU_COLLATERAL_H
#define PM_GPU_COLLATERAL_H

#include <stddef.h>
#include <stdint.h>
#include <pm/error.h>
#include <pm/gpu.h>
#include <pm/gpu_fetch.h>
#include <pm/ocsp.h>
#include <pm/report.h>
#include <pm/rim.h>

PM_BEGIN_DECLS

/** Most golden measurements: driver and VBIOS of each GPU of a host, and its switches. */
#define PM_GPU_COLLATERAL_RIMS_MAX 32

/** What pm_gpu_collateral_fetch() leaves out. */
enum pm_gpu_collateral_flag {
	/** Golden measurements: they are waived, or all were given. */
	PM_GPU_COLLATERAL_NO_RIM = 1,
	/** OCSP responses: they are waived, or all were given. */
	PM_GPU_COLLATERAL_NO_OCSP = 2,
	/** Each OCSP request bears a nonce of its own, so that no answer is an old one. */
	PM_GPU_COLLATERAL_OCSP_NONCE = 4
};

/** Golden measurements and OCSP responses. Opaque. */
struct pm_gpu_collateral;

/**
 * pm_gpu_collateral_new - make an empty one
 * @ret_collateral: receives it, to be freed with pm_gpu_collateral_free()
 *
 * Return: 0; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_gpu_collateral_new(struct pm_gpu_collateral **ret_collateral) PM_MUST_USE;

/**
 * pm_gpu_collateral_free - free it, and what was handed out of it
 * @collateral: the collateral, or NULL
 */
PM_API void pm_gpu_collateral_free(struct pm_gpu_collateral *collateral);

/**
 * pm_gpu_collateral_add_rim - give golden measurements
 * @collateral: the collateral, unchanged on failure
 * @xml: the document; copied
 * @size: how many bytes
 * @report: receives the reason of a refusal, or NULL
 *
 * Return: 0; as pm_rim_parse(); PM_E_LIMIT also above PM_GPU_COLLATERAL_RIMS_MAX.
 */
PM_API int pm_gpu_collateral_add_rim(struct pm_gpu_collateral *collateral, const uint8_t *xml,
	size_t size, struct pm_report *report) PM_MUST_USE;

/**
 * pm_gpu_collateral_add_ocsp - give an OCSP response
 * @collateral: the collateral, unchanged on failure
 * @der: the response; copied
 * @size: how many bytes
 * @report: receives the reason of a refusal, or NULL
 *
 * Return: 0; as pm_ocsp_set_add().
 */
PM_API int pm_gpu_collateral_add_ocsp(struct pm_gpu_collateral *collateral, const uint8_t *der,
	size_t size, struct pm_report *report) PM_MUST_USE;

/**
 * pm_gpu_collateral_fetch - fetch what a device needs and what is not there yet
 * @collateral: the collateral; what was fetched before a failure stays in it
 * @fetch: the client of NVIDIA's services
 * @evidence: the device, with its certificates; nothing of it is verified
 * @flags: enum pm_gpu_collateral_flag values, or-ed; else 0
 * @now: seconds since 1970-01-01T00:00:00Z
 * @report: receives the reason of a failure, or NULL
 *
 * Golden measurements of the driver and VBIOS, or of the switch; responses for their certificates
 * and for the device's, all below the roots and above the device's own, which it makes itself.
 * The names and certificates come from evidence that nobody has verified yet: a device costs at
 * most two documents and nine responses.
 *
 * Return: 0; PM_E_ARG for an unknown flag; as pm_gpu_evidence_rim_id(), pm_gpu_evidence_cert(),
 * pm_gpu_fetch_rim() and pm_gpu_fetch_ocsp(); PM_E_LIMIT for too many.
 */
PM_API int pm_gpu_collateral_fetch(struct pm_gpu_collateral *collateral, struct pm_gpu_fetch *fetch,
	const struct pm_gpu_evidence *evidence, unsigned int flags, int64_t now,
	struct pm_report *report) PM_MUST_USE;

/**
 * pm_gpu_collateral_verify - verify the golden measurements
 * @collateral: the collateral
 * @policy: as for pm_rim_verify()
 * @now: the time of the verification, seconds since 1970-01-01T00:00:00Z
 * @report: receives each check that was made, or NULL
 *
 * Return: 0 when each document is good, also when there is none; as pm_rim_verify().
 */
PM_API int pm_gpu_collateral_verify(struct pm_gpu_collateral *collateral,
	const struct pm_gpu_policy *policy, int64_t now, struct pm_report *report) PM_MUST_USE;

/**
 * pm_gpu_collateral_rims - the golden measurements that were verified
 * @collateral: the collateral
 * @ret_count: receives how many: 0 before pm_gpu_collateral_verify() accepted all
 *
 * Return: as pm_gpu_verify() takes them, owned by the collateral.
 */
PM_API const struct pm_rim *const *pm_gpu_collateral_rims(
	const struct pm_gpu_collateral *collateral, size_t *ret_count);

/**
 * pm_gpu_collateral_ocsp - the OCSP responses
 * @collateral: the collateral
 *
 * Return: as pm_gpu_verify() takes them, owned by the collateral.
 */
PM_API const struct pm_ocsp_set *pm_gpu_collateral_ocsp(const struct pm_gpu_collateral *collateral);

/**
 * pm_gpu_collateral_rim_at - bytes of golden measurements, to hand on with evidence
 * @collateral: the collateral
 * @index: from 0
 * @ret_size: receives the size
 *
 * Return: the document, owned by the collateral; NULL past the end.
 */
PM_API const uint8_t *pm_gpu_collateral_rim_at(
	const struct pm_gpu_collateral *collateral, size_t index, size_t *ret_size);

/**
 * pm_gpu_collateral_ocsp_at - bytes of an OCSP response, to hand on with evidence
 * @collateral: the collateral
 * @index: from 0
 * @ret_size: receives the size
 *
 * Return: the response, owned by the collateral; NULL past the end.
 */
PM_API const uint8_t *pm_gpu_collateral_ocsp_at(
	const struct pm_gpu_collateral *collateral, size_t index, size_t *ret_size);

PM_END_DECLS

#endif
