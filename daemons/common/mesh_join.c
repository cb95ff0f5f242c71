/* SPDX-License-Identifier: Apache-2.0 */
#include "common/mesh_join.h"

#include <pm/error.h>

#include "common/mesh_papers.h"
#include "common/tls_digest.h"

static int collect(void *arg, const struct pm_join_request *request, struct pm_report *report,
	uint8_t **ret_bundle, size_t *ret_len)
{
	const struct mesh_join *join = arg;
	uint8_t digest[TLS_DIGEST_SIZE];
	const struct evidence_subject subject = {
		.key_kind = PM_CLAIMS_SPKI,
		.key = request->key,
		.key_len = request->key_len,
		.tls_spki_sha256 = request->is_tls ? digest : NULL,
		.document = request->document,
		.document_len = request->document_len,
	};
	int r = tls_sha256(request->key, request->key_len, digest);

	(void)report;
	return r < 0 ? r
		     : evidence_make(join->evidence, request->nonce, &subject, ret_bundle, ret_len);
}

static int join_for(const struct mesh_join *join, enum pm_mesh_purpose purpose,
	struct pm_verdict *verdict, struct pm_report *report, struct pm_membership **ret_membership)
{
	const struct mesh_options *o = join->options;
	const struct pm_join_options options = {
		.size = sizeof(options),
		.role = join->role,
		.purpose = purpose,
		.collect = collect,
		.arg = (void *)(uintptr_t)join,
		.manifest_hash = o->has_hash ? o->manifest_hash : NULL,
		.ca_file = o->ca_file,
		.connect_ms = MESH_CONNECT_MS,
		.total_ms = MESH_TOTAL_MS,
		.key = join->key,
	};

	return pm_join(o->coordinator, &options, verdict, report, ret_membership);
}

int mesh_join(const struct mesh_join *join, struct pm_verdict *verdict, struct pm_report *report,
	struct mesh_identity **ret_identity)
{
	struct pm_membership *tls = NULL, *signing = NULL;
	int r = join_for(join, PM_MESH_TLS, verdict, report, &tls);

	if (r == PM_OK && join->options->with_signing)
		r = join_for(join, PM_MESH_SIGN, verdict, report, &signing);
	if (r == PM_OK)
		return mesh_identity_new(tls, signing, join->generation, ret_identity);
	pm_membership_free(tls);
	return r;
}
