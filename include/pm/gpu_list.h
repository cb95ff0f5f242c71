/* SPDX-License-Identifier: Apache-2.0 */
/** @file gpu_list.h
 * Evidence of several NVIDIA devices as NVIDIA's SDK writes it in JSON: a list of objects with
 * "evidence" (the report) and "certificate" (PEM) in base64 and, where the SDK wrote them,
 * "version" ("1.0"), "arch", "nonce", "driver_version" and "vbios_version". Or an object as its
 * program nvattest prints it: {"evidences": that list, "result_code": 0, "result_message": text}.
 *
 * Nothing in a list is trusted. What stands beside a report is signed by nobody:
 * pm_gpu_list_check() demands that it be what the report says.
 */
#ifndef PM_GPU_LIST_H
#define PM_GPU_LIST_H

#include <stddef.h>
#include <stdint.h>
#include <pm/gpu.h>

PM_BEGIN_DECLS

/** Largest text that is read. */
#define PM_GPU_LIST_SIZE_MAX 4194304

/** Opaque list of devices' evidence, as it came. */
struct pm_gpu_list;

/**
 * pm_gpu_list_parse - read a list
 * @text: JSON, without doubled keys; no NUL needed
 * @size: its bytes
 * @report: receives what is malformed and where it stands; may be NULL
 * @ret_list: receives the list, to be freed with pm_gpu_list_free()
 *
 * Each member must be known, so that none is passed over. Thread safe.
 *
 * Return: 0; PM_E_LIMIT for more than PM_GPU_LIST_SIZE_MAX bytes or PM_GPU_SET_MAX devices;
 * PM_E_FORMAT for other text, and for no device; PM_E_NOMEM.
 */
PM_API int pm_gpu_list_parse(const void *text, size_t size, struct pm_report *report,
	struct pm_gpu_list **ret_list) PM_MUST_USE;

/**
 * pm_gpu_list_free - free a list
 * @list: the list, or NULL
 */
PM_API void pm_gpu_list_free(struct pm_gpu_list *list);

/**
 * pm_gpu_list_count - how many devices the list has
 * @list: the list
 *
 * Return: 1 to PM_GPU_SET_MAX.
 */
PM_API size_t pm_gpu_list_count(const struct pm_gpu_list *list);

/**
 * pm_gpu_list_report - the report of a device, for pm_gpu_evidence_parse()
 * @list: the list
 * @index: less than pm_gpu_list_count()
 * @ret_size: receives its bytes
 *
 * Return: the report, which belongs to the list.
 */
PM_API const uint8_t *pm_gpu_list_report(
	const struct pm_gpu_list *list, size_t index, size_t *ret_size);

/**
 * pm_gpu_list_certs - the certificates of a device, for pm_gpu_evidence_add_certs()
 * @list: the list
 * @index: less than pm_gpu_list_count()
 * @ret_size: receives their bytes
 *
 * Return: the certificates, which belong to the list.
 */
PM_API const uint8_t *pm_gpu_list_certs(
	const struct pm_gpu_list *list, size_t index, size_t *ret_size);

/**
 * pm_gpu_list_check - is what the list tells of a device what its report says?
 * @list: the list
 * @index: less than pm_gpu_list_count()
 * @evidence: parsed of that device's report, with its certificates
 * @report: receives what differs; may be NULL
 *
 * What the list does not tell, or the report does not, is not compared. This is no verification:
 * see pm_gpu_verify(). Thread safe.
 *
 * Return: 0; PM_E_FORMAT when they differ.
 */
PM_API int pm_gpu_list_check(const struct pm_gpu_list *list, size_t index,
	const struct pm_gpu_evidence *evidence, struct pm_report *report) PM_MUST_USE;

PM_END_DECLS

#endif
