/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/report.h"
#include "evidence/rim_chain.h"
#include "evidence/rim_document.h"

struct pm_rim {
	struct pm_rim_facts facts;
	uint8_t root_sha256[PM_SHA256_SIZE];
	bool test_root;
	bool ocsp_checked;
	int64_t valid_until;
};

/* Both are needed: the digest binds the document to SignedInfo, the signature that to the key. */
static int check_signature(const struct pm_rim_document *document, const struct pm_pubkey *key,
	struct pm_report *report)
{
	int r = pm_check_bytes(
		report, "RIM, digest", document->digest_value, document->digest, PM_SHA384_SIZE);

	if (r < 0)
		return r;
	r = pm_ecdsa_verify(key, PM_SHA384, document->signed_info,
		pm_view(document->signature, PM_RIM_SIGNATURE_SIZE));
	if (r < 0)
		return pm_fail(report, r, "RIM, signature", "by the signer's key",
			"one that does not verify");
	pm_pass(report, "RIM, signature", "ECDSA P-384 with SHA-384");
	return PM_OK;
}

static const char *kind_text(enum pm_rim_kind kind)
{
	switch (kind) {
	case PM_RIM_DRIVER:
		return "driver";
	case PM_RIM_VBIOS:
		return "VBIOS";
	case PM_RIM_SWITCH:
		return "switch";
	}
	return "unknown";
}

static int accept(const struct pm_rim_document *document, const struct pm_rim_chain *chain,
	struct pm_report *report, struct pm_rim **ret)
{
	struct pm_rim *rim = pm_alloc(sizeof(*rim));

	if (!rim)
		return PM_E_NOMEM;
	rim->facts = document->facts;
	pm_copy(rim->root_sha256, chain->root_sha256, PM_SHA256_SIZE);
	rim->test_root = chain->test_root;
	rim->ocsp_checked = chain->ocsp_checked;
	rim->valid_until = chain->until;
	pm_pass(report, "RIM", "%s of %s, version %s", kind_text(rim->facts.kind),
		rim->facts.product, rim->facts.version);
	*ret = rim;
	return PM_OK;
}

int pm_rim_verify(const struct pm_rim_document *document, const struct pm_gpu_policy *policy,
	const struct pm_ocsp_set *ocsp, int64_t now, struct pm_report *report,
	struct pm_rim **ret_rim)
{
	pm_cleanup(pm_rim_chain) struct pm_rim_chain *chain = NULL;
	int r = pm_rim_chain_verify(document, policy, ocsp, now, report, &chain);

	if (r < 0)
		return r;
	r = check_signature(document, chain->keys[0], report);
	if (r < 0)
		return r;
	return accept(document, chain, report, ret_rim);
}

void pm_rim_free(struct pm_rim *rim)
{
	free(rim);
}

enum pm_rim_kind pm_rim_kind(const struct pm_rim *rim)
{
	return rim->facts.kind;
}

const char *pm_rim_id(const struct pm_rim *rim)
{
	return rim->facts.id;
}

const char *pm_rim_product(const struct pm_rim *rim)
{
	return rim->facts.product;
}

const char *pm_rim_version(const struct pm_rim *rim)
{
	return rim->facts.version;
}

const char *pm_rim_oem_id(const struct pm_rim *rim)
{
	return rim->facts.oem_id;
}

bool pm_rim_test_root(const struct pm_rim *rim)
{
	return rim->test_root;
}

bool pm_rim_ocsp_checked(const struct pm_rim *rim)
{
	return rim->ocsp_checked;
}

int64_t pm_rim_valid_until(const struct pm_rim *rim)
{
	return rim->valid_until;
}

size_t pm_rim_value_count(const struct pm_rim *rim)
{
	return rim->facts.value_count;
}

const struct pm_rim_value *pm_rim_value_at(const struct pm_rim *rim, size_t i)
{
	return i < rim->facts.value_count ? &rim->facts.values[i] : NULL;
}

const struct pm_rim_value *pm_rim_value_of(const struct pm_rim *rim, uint8_t index)
{
	for (size_t i = 0; i < rim->facts.value_count; i++) {
		if (rim->facts.values[i].index == index)
			return &rim->facts.values[i];
	}
	return NULL;
}

const uint8_t *pm_rim_root_sha256(const struct pm_rim *rim)
{
	return rim->root_sha256;
}
