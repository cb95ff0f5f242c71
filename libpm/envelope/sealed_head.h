/* SPDX-License-Identifier: Apache-2.0 */
/* The heads of sealed requests and responses: their rules and their CBOR (pm/sealed.h). */
#ifndef PM_ENVELOPE_SEALED_HEAD_H
#define PM_ENVELOPE_SEALED_HEAD_H

#include <pm/report.h>
#include <pm/sealed.h>

#include "base/mem.h"

/*
 * CBOR of a head that keeps the rules; room for PM_SEALED_CONTENT_MAX bytes in ret.
 * PM_E_FORMAT, PM_E_LIMIT.
 */
int pm_sealed_request_encode(const struct pm_sealed_request *head, struct pm_report *report,
	uint8_t *ret, size_t *ret_len) PM_MUST_USE;
int pm_sealed_response_encode(const struct pm_sealed_response *head, struct pm_report *report,
	uint8_t *ret, size_t *ret_len) PM_MUST_USE;

/* A head that was read, with its texts. */
struct pm_sealed_head {
	struct pm_sealed_request request;
	struct pm_sealed_response response;
	void *memory; /* fields and texts, */
	size_t size;  /* wiped when freed */
};

/* PM_E_FORMAT for what is malformed or against the rules; PM_E_NOMEM. */
int pm_sealed_request_decode(
	struct pm_view cbor, struct pm_report *report, struct pm_sealed_head *ret) PM_MUST_USE;
int pm_sealed_response_decode(
	struct pm_view cbor, struct pm_report *report, struct pm_sealed_head *ret) PM_MUST_USE;
void pm_sealed_head_free(struct pm_sealed_head *head);

#endif
