/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include <pm/snp.h>

#include "base/cbor.h"
#include "base/report.h"
#include "crypto/crypto.h"
#include "evidence/bundle.h"
#include "evidence/bundle_encode.h"

static struct pm_bytes bytes_of(struct pm_view v)
{
	return (struct pm_bytes){v.ptr, v.len};
}

/* A byte string that is not empty. */
static struct pm_bytes read_bytes(struct pm_rd *rd, size_t max)
{
	struct pm_view v = pm_cbor_rd_bytes(rd, max);

	if (!v.len)
		pm_rd_fail(rd);
	return bytes_of(v);
}

static void read_map(struct pm_rd *rd, size_t keys)
{
	if (pm_cbor_rd_map(rd, keys) != keys)
		pm_rd_fail(rd);
}

static size_t read_list(
	struct pm_rd *rd, uint64_t key, size_t count_max, size_t size_max, struct pm_bytes *ret)
{
	size_t count;

	pm_cbor_rd_key(rd, key);
	count = pm_cbor_rd_array(rd, count_max);
	for (size_t i = 0; i < count; i++)
		ret[i] = read_bytes(rd, size_max);
	return count;
}

static void read_version(struct pm_rd *rd, struct pm_bundle *b)
{
	(void)b;
	pm_cbor_rd_key(rd, PM_BUNDLE_KEY_VERSION);
	pm_cbor_rd_key(rd, PM_BUNDLE_VERSION);
}

/* The length of the path is the depth, and the index must fit it: one place in one tree. */
static void read_path(struct pm_rd *rd, struct pm_bundle_nonce *n)
{
	read_map(rd, PM_BUNDLE_TREE_KEYS);
	pm_cbor_rd_key(rd, PM_BUNDLE_TREE_NONCE);
	pm_cbor_rd_copy(rd, n->nonce, sizeof(n->nonce));
	pm_cbor_rd_key(rd, PM_BUNDLE_TREE_INDEX);
	n->index = (uint32_t)pm_cbor_rd_uint(rd, PM_NONCE_TREE_LEAVES_MAX - 1);
	pm_cbor_rd_key(rd, PM_BUNDLE_TREE_PATH);
	n->depth = (uint32_t)pm_cbor_rd_array(rd, PM_NONCE_TREE_DEPTH_MAX);
	for (uint32_t i = 0; i < n->depth; i++)
		pm_cbor_rd_copy(rd, n->path[i], PM_BUNDLE_DIGEST_SIZE);
	if (n->index >> n->depth)
		pm_rd_fail(rd);
}

static void read_nonce(struct pm_rd *rd, struct pm_bundle *b)
{
	struct pm_bundle_nonce *n = &b->content.nonce;

	pm_cbor_rd_key(rd, PM_BUNDLE_KEY_NONCE);
	n->in_tree = pm_cbor_rd_kind(rd) == PM_CBOR_MAP;
	if (n->in_tree)
		read_path(rd, n);
	else
		pm_cbor_rd_copy(rd, n->nonce, sizeof(n->nonce));
}

static void read_claims(struct pm_rd *rd, struct pm_bundle *b)
{
	pm_cbor_rd_key(rd, PM_BUNDLE_KEY_CLAIMS);
	b->content.claims = read_bytes(rd, PM_BUNDLE_CLAIMS_SIZE_MAX);
}

static void read_snp(struct pm_rd *rd, struct pm_bundle *b)
{
	pm_cbor_rd_key(rd, PM_BUNDLE_KEY_SNP);
	read_map(rd, PM_BUNDLE_SNP_KEYS);
	pm_cbor_rd_key(rd, PM_BUNDLE_SNP_REPORT);
	b->content.snp_report = read_bytes(rd, PM_SNP_REPORT_SIZE);
	if (b->content.snp_report.len != PM_SNP_REPORT_SIZE)
		pm_rd_fail(rd);
	b->content.cert_count = read_list(
		rd, PM_BUNDLE_SNP_CERTS, PM_BUNDLE_CERTS_MAX, PM_BUNDLE_CERT_SIZE_MAX, b->certs);
}

static void read_gpu(struct pm_rd *rd, struct pm_bundle_gpu *gpu)
{
	read_map(rd, PM_BUNDLE_GPU_KEYS);
	pm_cbor_rd_key(rd, PM_BUNDLE_GPU_REPORT);
	gpu->report = read_bytes(rd, PM_BUNDLE_GPU_SIZE_MAX);
	pm_cbor_rd_key(rd, PM_BUNDLE_GPU_CERTS);
	gpu->certs = read_bytes(rd, PM_BUNDLE_GPU_SIZE_MAX);
	pm_cbor_rd_key(rd, PM_BUNDLE_GPU_ARCH);
	gpu->arch = (uint32_t)pm_cbor_rd_uint(rd, PM_BUNDLE_ARCH_MAX);
	if (!gpu->arch)
		pm_rd_fail(rd);
}

static void read_gpus(struct pm_rd *rd, struct pm_bundle *b)
{
	size_t count;

	pm_cbor_rd_key(rd, PM_BUNDLE_KEY_GPUS);
	count = pm_cbor_rd_array(rd, PM_BUNDLE_GPUS_MAX);
	for (size_t i = 0; i < count; i++) {
		struct pm_rd before = *rd;

		read_gpu(rd, &b->gpus[i]);
		b->gpu_entries[i] = pm_rd_since(rd, &before);
	}
	b->content.gpu_count = count;
}

static void read_collateral(struct pm_rd *rd, struct pm_bundle *b)
{
	struct pm_bundle_content *c = &b->content;

	pm_cbor_rd_key(rd, PM_BUNDLE_KEY_COLLATERAL);
	read_map(rd, PM_BUNDLE_COLLATERAL_KEYS);
	c->rim_count =
		read_list(rd, PM_BUNDLE_RIMS, PM_BUNDLE_RIMS_MAX, PM_BUNDLE_RIM_SIZE_MAX, b->rims);
	c->ocsp_count =
		read_list(rd, PM_BUNDLE_OCSP, PM_BUNDLE_OCSP_MAX, PM_BUNDLE_OCSP_SIZE_MAX, b->ocsp);
	c->crl_count =
		read_list(rd, PM_BUNDLE_CRLS, PM_BUNDLE_CRLS_MAX, PM_BUNDLE_CRL_SIZE_MAX, b->crls);
}

static const struct {
	const char *name;
	void (*read)(struct pm_rd *rd, struct pm_bundle *b);
	int error;
} parts[] = {
	{"bundle.version", read_version, PM_E_UNSUPPORTED},
	{"bundle.nonce", read_nonce, PM_E_FORMAT},
	{"bundle.claims", read_claims, PM_E_FORMAT},
	{"bundle.snp", read_snp, PM_E_FORMAT},
	{"bundle.gpus", read_gpus, PM_E_FORMAT},
	{"bundle.collateral", read_collateral, PM_E_FORMAT},
};

static int malformed(struct pm_report *report, int error, const char *name, size_t size)
{
	return pm_fail(report, error, name, "deterministic CBOR of this part",
		"something else, in a bundle of %zu bytes", size);
}

static int read_bundle(struct pm_view cbor, struct pm_report *report, struct pm_bundle *b)
{
	struct pm_rd rd = pm_rd(cbor);

	read_map(&rd, PM_BUNDLE_KEYS);
	if (!pm_rd_ok(&rd))
		return malformed(report, PM_E_FORMAT, "bundle", cbor.len);
	for (size_t i = 0; i < PM_ARRAY_LEN(parts); i++) {
		parts[i].read(&rd, b);
		if (!pm_rd_ok(&rd))
			return malformed(report, parts[i].error, parts[i].name, cbor.len);
	}
	if (!pm_rd_done(&rd))
		return malformed(report, PM_E_FORMAT, "bundle.end", cbor.len);
	return pm_claims_parse(pm_bytes_view(b->content.claims), report, &b->claims);
}

static void point_at_lists(struct pm_bundle *b)
{
	b->content.certs = b->certs;
	b->content.gpus = b->gpus;
	b->content.rims = b->rims;
	b->content.ocsp = b->ocsp;
	b->content.crls = b->crls;
}

int pm_bundle_parse(
	const void *bytes, size_t size, struct pm_report *report, struct pm_bundle **ret_bundle)
{
	pm_cleanup(pm_bundle) struct pm_bundle *b = NULL;
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	if (size > PM_BUNDLE_SIZE_MAX)
		return pm_fail(report, PM_E_LIMIT, "bundle", "at most 4194304 bytes", "%zu", size);
	b = pm_alloc(sizeof(*b));
	if (!b)
		return PM_E_NOMEM;
	b->bytes = pm_dup(pm_view(bytes, size));
	if (!b->bytes)
		return PM_E_NOMEM;
	r = read_bundle(pm_view(b->bytes, size), report, b);
	if (r < 0)
		return r;
	point_at_lists(b);
	*ret_bundle = pm_steal(b);
	return PM_OK;
}

void pm_bundle_free(struct pm_bundle *bundle)
{
	if (!bundle)
		return;
	free(bundle->bytes);
	free(bundle);
}

const struct pm_bundle_content *pm_bundle_untrusted(const struct pm_bundle *bundle)
{
	return &bundle->content;
}

const struct pm_claims *pm_bundle_untrusted_claims(const struct pm_bundle *bundle)
{
	return &bundle->claims;
}
