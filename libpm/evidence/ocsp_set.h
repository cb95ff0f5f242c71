/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PM_EVIDENCE_OCSP_SET_H
#define PM_EVIDENCE_OCSP_SET_H

#include "base/lru.h"
#include "evidence/ocsp_response.h"

struct pm_ocsp_set {
	struct pm_ocsp_response *responses[PM_OCSP_RESPONSES_MAX];
	size_t count;
	struct pm_lru *verified; /* see ocsp_signature.c */
};

#endif
