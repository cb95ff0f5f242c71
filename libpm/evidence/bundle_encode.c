/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/bundle_encode.h"

#include <pm/snp.h>

#include "base/report.h"
#include "evidence/bundle.h"

/* --- rules ------------------------------------------------------------------------------------ */

static int refuse(
	struct pm_report *report, int error, const char *name, const char *expected, size_t found)
{
	return pm_fail(report, error, name, expected, "%zu", found);
}

static int check_list(const struct pm_bytes *list, size_t count, size_t count_max, size_t size_max,
	const char *name, struct pm_report *report)
{
	if (count > count_max)
		return refuse(report, PM_E_LIMIT, name, "not so many elements", count);
	for (size_t i = 0; i < count; i++) {
		if (list[i].len > size_max)
			return refuse(report, PM_E_LIMIT, name, "not so many bytes", list[i].len);
		if (!list[i].len)
			return refuse(report, PM_E_FORMAT, name, "no empty element", i);
	}
	return PM_OK;
}

static int check_gpu(const struct pm_bundle_gpu *gpu, struct pm_report *report)
{
	if (gpu->report.len > PM_BUNDLE_GPU_SIZE_MAX)
		return refuse(report, PM_E_LIMIT, "bundle.gpus", "a report of at most 65536 bytes",
			gpu->report.len);
	if (gpu->certs.len > PM_BUNDLE_GPU_SIZE_MAX)
		return refuse(report, PM_E_LIMIT, "bundle.gpus",
			"certificates of at most 65536 bytes", gpu->certs.len);
	if (!gpu->report.len || !gpu->certs.len)
		return refuse(report, PM_E_FORMAT, "bundle.gpus", "report and certificates", 0);
	if (gpu->arch < 1 || gpu->arch > PM_BUNDLE_ARCH_MAX)
		return refuse(report, PM_E_FORMAT, "bundle.gpus", "an architecture", gpu->arch);
	return PM_OK;
}

static int check_gpus(const struct pm_bundle_content *c, struct pm_report *report)
{
	int r = PM_OK;

	if (c->gpu_count > PM_BUNDLE_GPUS_MAX)
		return refuse(report, PM_E_LIMIT, "bundle.gpus", "at most 16", c->gpu_count);
	for (size_t i = 0; r == PM_OK && i < c->gpu_count; i++)
		r = check_gpu(&c->gpus[i], report);
	return r;
}

static int check_nonce(const struct pm_bundle_nonce *n, struct pm_report *report)
{
	if (n->in_tree && n->depth > PM_NONCE_TREE_DEPTH_MAX)
		return refuse(report, PM_E_FORMAT, "bundle.nonce", "a path of at most 16 digests",
			n->depth);
	if (n->in_tree && n->index >> n->depth)
		return refuse(report, PM_E_FORMAT, "bundle.nonce",
			"an index that the path is long enough for", n->index);
	return PM_OK;
}

static int check_collateral(const struct pm_bundle_content *c, struct pm_report *report)
{
	int r = check_list(c->rims, c->rim_count, PM_BUNDLE_RIMS_MAX, PM_BUNDLE_RIM_SIZE_MAX,
		"bundle.collateral, RIMs", report);

	if (r == PM_OK)
		r = check_list(c->ocsp, c->ocsp_count, PM_BUNDLE_OCSP_MAX, PM_BUNDLE_OCSP_SIZE_MAX,
			"bundle.collateral, OCSP", report);
	if (r == PM_OK)
		r = check_list(c->crls, c->crl_count, PM_BUNDLE_CRLS_MAX, PM_BUNDLE_CRL_SIZE_MAX,
			"bundle.collateral, CRLs", report);
	return r;
}

static int check(const struct pm_bundle_content *c, struct pm_report *report)
{
	int r = check_nonce(&c->nonce, report);

	if (r < 0)
		return r;
	if (!c->claims.len || c->claims.len > PM_BUNDLE_CLAIMS_SIZE_MAX)
		return refuse(
			report, PM_E_LIMIT, "bundle.claims", "1 to 16384 bytes", c->claims.len);
	if (c->snp_report.len != PM_SNP_REPORT_SIZE)
		return refuse(report, PM_E_FORMAT, "bundle.snp", "a report of 1184 bytes",
			c->snp_report.len);
	r = check_list(c->certs, c->cert_count, PM_BUNDLE_CERTS_MAX, PM_BUNDLE_CERT_SIZE_MAX,
		"bundle.snp, certificates", report);
	if (r < 0)
		return r;
	r = check_gpus(c, report);
	return r < 0 ? r : check_collateral(c, report);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void write_digest(struct pm_wr *wr, const uint8_t *digest)
{
	pm_cbor_wr_bytes(wr, pm_view(digest, PM_BUNDLE_DIGEST_SIZE));
}

static void write_nonce(struct pm_wr *wr, const struct pm_bundle_nonce *n)
{
	pm_cbor_wr_uint(wr, PM_BUNDLE_KEY_NONCE);
	if (!n->in_tree) {
		write_digest(wr, n->nonce);
		return;
	}
	pm_cbor_wr_map(wr, PM_BUNDLE_TREE_KEYS);
	pm_cbor_wr_uint(wr, PM_BUNDLE_TREE_NONCE);
	write_digest(wr, n->nonce);
	pm_cbor_wr_uint(wr, PM_BUNDLE_TREE_INDEX);
	pm_cbor_wr_uint(wr, n->index);
	pm_cbor_wr_uint(wr, PM_BUNDLE_TREE_PATH);
	pm_cbor_wr_array(wr, n->depth);
	for (uint32_t i = 0; i < n->depth; i++)
		write_digest(wr, n->path[i]);
}

static void write_list(struct pm_wr *wr, uint64_t key, const struct pm_bytes *list, size_t count)
{
	pm_cbor_wr_uint(wr, key);
	pm_cbor_wr_array(wr, count);
	for (size_t i = 0; i < count; i++)
		pm_cbor_wr_bytes(wr, pm_bytes_view(list[i]));
}

static void write_snp(struct pm_wr *wr, const struct pm_bundle_content *c)
{
	pm_cbor_wr_uint(wr, PM_BUNDLE_KEY_SNP);
	pm_cbor_wr_map(wr, PM_BUNDLE_SNP_KEYS);
	pm_cbor_wr_uint(wr, PM_BUNDLE_SNP_REPORT);
	pm_cbor_wr_bytes(wr, pm_bytes_view(c->snp_report));
	write_list(wr, PM_BUNDLE_SNP_CERTS, c->certs, c->cert_count);
}

struct pm_view pm_bundle_gpu_head(int key, const struct pm_bundle_gpu *gpu, uint8_t *room)
{
	struct pm_wr wr = pm_wr(room, PM_BUNDLE_GPU_HEAD_MAX);

	if (key == PM_BUNDLE_GPU_REPORT)
		pm_cbor_wr_map(&wr, PM_BUNDLE_GPU_KEYS);
	pm_cbor_wr_uint(&wr, (uint64_t)key);
	if (key == PM_BUNDLE_GPU_REPORT)
		pm_cbor_wr_bytes_head(&wr, gpu->report.len);
	else if (key == PM_BUNDLE_GPU_CERTS)
		pm_cbor_wr_bytes_head(&wr, gpu->certs.len);
	else
		pm_cbor_wr_uint(&wr, gpu->arch);
	return pm_view(room, wr.len);
}

static void write_gpu(struct pm_wr *wr, const struct pm_bundle_gpu *gpu)
{
	uint8_t room[PM_BUNDLE_GPU_HEAD_MAX];

	pm_wr_bytes(wr, pm_bundle_gpu_head(PM_BUNDLE_GPU_REPORT, gpu, room));
	pm_wr_bytes(wr, pm_bytes_view(gpu->report));
	pm_wr_bytes(wr, pm_bundle_gpu_head(PM_BUNDLE_GPU_CERTS, gpu, room));
	pm_wr_bytes(wr, pm_bytes_view(gpu->certs));
	pm_wr_bytes(wr, pm_bundle_gpu_head(PM_BUNDLE_GPU_ARCH, gpu, room));
}

static void write_bundle(struct pm_wr *wr, const struct pm_bundle_content *c)
{
	pm_cbor_wr_map(wr, PM_BUNDLE_KEYS);
	pm_cbor_wr_uint(wr, PM_BUNDLE_KEY_VERSION);
	pm_cbor_wr_uint(wr, PM_BUNDLE_VERSION);
	write_nonce(wr, &c->nonce);
	pm_cbor_wr_uint(wr, PM_BUNDLE_KEY_CLAIMS);
	pm_cbor_wr_bytes(wr, pm_bytes_view(c->claims));
	write_snp(wr, c);
	pm_cbor_wr_uint(wr, PM_BUNDLE_KEY_GPUS);
	pm_cbor_wr_array(wr, c->gpu_count);
	for (size_t i = 0; i < c->gpu_count; i++)
		write_gpu(wr, &c->gpus[i]);
	pm_cbor_wr_uint(wr, PM_BUNDLE_KEY_COLLATERAL);
	pm_cbor_wr_map(wr, PM_BUNDLE_COLLATERAL_KEYS);
	write_list(wr, PM_BUNDLE_RIMS, c->rims, c->rim_count);
	write_list(wr, PM_BUNDLE_OCSP, c->ocsp, c->ocsp_count);
	write_list(wr, PM_BUNDLE_CRLS, c->crls, c->crl_count);
}

static size_t list_room(const struct pm_bytes *list, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += list[i].len + PM_CBOR_HEAD_MAX;
	return n;
}

size_t pm_bundle_room(const struct pm_bundle_content *c)
{
	/* Heads and keys outside of the lists, and a nonce with its longest path. */
	size_t n = 1024 + c->claims.len + c->snp_report.len;

	n += list_room(c->certs, c->cert_count) + list_room(c->rims, c->rim_count);
	n += list_room(c->ocsp, c->ocsp_count) + list_room(c->crls, c->crl_count);
	for (size_t i = 0; i < c->gpu_count; i++)
		n += c->gpus[i].report.len + c->gpus[i].certs.len +
		     PM_BUNDLE_GPU_KEYS * (size_t)PM_BUNDLE_GPU_HEAD_MAX;
	return n;
}

int pm_bundle_encode(const struct pm_bundle_content *content, struct pm_report *report,
	uint8_t *ret_bytes, size_t room, size_t *ret_len)
{
	struct pm_wr wr = pm_wr(ret_bytes, room < PM_BUNDLE_SIZE_MAX ? room : PM_BUNDLE_SIZE_MAX);
	int r = check(content, report);

	if (r < 0)
		return r;
	write_bundle(&wr, content);
	if (!pm_wr_done(&wr, ret_len))
		return refuse(report, PM_E_LIMIT, "bundle", "a bundle that fits", wr.cap);
	return PM_OK;
}
