/* SPDX-License-Identifier: Apache-2.0 */
/* One report of the processor, and the bundles that are made of it. For evidence.c. */
#ifndef COMMON_EVIDENCE_REPORT_H
#define COMMON_EVIDENCE_REPORT_H

#include <stdatomic.h>

#include "common/tls_digest.h"
#include "common/evidence.h"
#include "common/gpu_folder.h"

struct evidence_file {
	uint8_t *bytes;
	size_t len;
};

/* A document is replaced while answers that are bound to it are still on their way. */
struct evidence_document {
	atomic_int count;
	uint8_t sha256[TLS_DIGEST_SIZE];
	size_t len;
	uint8_t bytes[];
};

/* What does not change from one report to the next. Begin with zeros and the options. */
struct evidence_base {
	const struct evidence_options *options;
	struct pm_claims claims;
	struct evidence_file certs[EVIDENCE_FILES_MAX], crls[PM_BUNDLE_CRLS_MAX];
	struct gpu_folder gpus; /* of who makes reports */
};

/* Begin with zeros, the base, the nonces and the document. */
struct evidence_report {
	struct evidence_base *base;
	const uint8_t *nonces; /* PM_BUNDLE_NONCE_SIZE bytes each */
	size_t nonce_count;
	const struct evidence_document *document; /* or NULL */
	struct pm_nonce_tree *tree;
	uint8_t claims[PM_BUNDLE_CLAIMS_SIZE_MAX];
	size_t claims_len;
	struct pm_collected *collected;
	struct pm_snp_evidence *snp;
	struct pm_bytes certs[PM_BUNDLE_CERTS_MAX], crls[PM_BUNDLE_CRLS_MAX];
	struct pm_bundle_content content;
};

/* 0; PM_E_NOMEM, PM_E_LIMIT, PM_E_CRYPTO. One reference. */
int evidence_document_new(const void *bytes, size_t len, struct evidence_document **ret_document);
struct evidence_document *evidence_document_ref(struct evidence_document *document);
void evidence_document_unref(struct evidence_document *document);

/* Files and claims: 0, or 2 when it said what is wrong. */
int evidence_base_fill(struct evidence_base *base, const struct evidence_subject *subject);
/* The key and TLS key that are claimed: 0; PM_E_ARG when claims can't have them. */
int evidence_base_set_subject(struct evidence_base *base, const struct evidence_subject *subject);
void evidence_base_done(struct evidence_base *base);

/* Has a report made, for all nonces. 0 or a negative enum pm_error. */
int evidence_report_make(struct evidence_report *report);
/* The bundle of one nonce, to be freed. 0 or a negative enum pm_error. */
int evidence_report_bundle(
	struct evidence_report *report, size_t index, uint8_t **ret_bundle, size_t *ret_len);
void evidence_report_done(struct evidence_report *report);

#endif
