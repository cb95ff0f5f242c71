/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu_world.h"

#include <stdio.h>
#include <string.h>

#include <pm/error.h>

#include "crypto/crypto.h"
#include "evidence/gpu_chain.h"
#include "testing.h"

/* What mint_rim() gives as value k of the resource that it writes as number i. */
static void fill(uint8_t *measurement, size_t i, size_t k)
{
	for (size_t j = 0; j < PM_GPU_DIGEST_SIZE; j++)
		measurement[j] = (uint8_t)(i * 64 + k * 48 + j);
}

/* The driver's manifest speaks of index 40, the VBIOS's of 1 and 2. */
static void make_rims(struct gpu_world *w)
{
	struct mint_rim driver = {
		.pki = &w->pki, .values = 2, .before = {"index=\"1\"", "index=\"40\""}};
	struct mint_rim vbios = {.pki = &w->pki, .values = 3, .version = "96.00.9F.00.01"};

	mint_rim_pki_begin(&w->pki, GPU_FROM, GPU_TO);
	mint_rim_pki_mint(&w->pki);
	w->driver = mint_rim(&driver);
	w->vbios = mint_rim(&vbios);
}

static void measure(struct gpu_scene *s)
{
	fill(s->measurements[40], 1, 1);
	fill(s->measurements[1], 1, 0);
	fill(s->measurements[2], 2, 0);
}

/* Chains meet at the provisioner. */
static void make_gpu(struct gpu_world *w, size_t i)
{
	static const uint8_t zeros[PM_GPU_DIGEST_SIZE];
	struct gpu_scene *s = &w->gpus[i];

	gpu_scene_init(s, PM_GPU_HOPPER);
	w->leaf_keys[i] = mint_ec("P-384");
	w->brom_keys[i] = mint_ec("P-384");
	s->report_key = s->certs[PM_GPU_LEAF].key = w->leaf_keys[i];
	s->certs[PM_GPU_LEAF].signer.key = s->certs[PM_GPU_BROM].key = w->brom_keys[i];
	s->certs[PM_GPU_LEAF].serial = 1000 + (long)i;
	s->certs[PM_GPU_BROM].serial = 2000 + (long)i;
	s->certs[PM_GPU_BROM].serial_bytes = (struct pm_view){0};
	gpu_scene_extend(s, GPU_FWID, "2.23.133.5.4.1", gpu_composite(w->brom_keys[i], zeros));
	measure(s);
	for (size_t k = 0; k < PM_GPU_CERTS; k++)
		s->ders[k] = i && k >= PM_GPU_ICA
				     ? pm_view(pm_dup(w->gpus[0].ders[k]), w->gpus[0].ders[k].len)
				     : mint_cert(&s->certs[k]);
}

static struct gpu_issuer make_issuer(
	const struct gpu_world *w, EVP_PKEY *key, const char *name, struct pm_view cert)
{
	struct mint_cert responder = {
		.signer = {key, name},
		.key = w->responder_key,
		.name = "responder",
		.serial = 7,
		.not_before = GPU_FROM,
		.not_after = GPU_TO,
		.usage = "critical,digitalSignature",
		.extensions = &mint_eku_ocsp,
		.extension_count = 1,
	};

	return (struct gpu_issuer){key, name, cert, mint_cert(&responder)};
}

void gpu_world_init(struct gpu_world *w, size_t count)
{
	memset(w, 0, sizeof(*w));
	w->count = count;
	w->responder_key = mint_ec("P-384");
	make_rims(w);
	for (size_t i = 0; i < count; i++)
		make_gpu(w, i);
	for (size_t i = 0; i < 3; i++) {
		const struct mint_cert *device = &w->gpus[0].certs[PM_GPU_ICA + i];
		const struct mint_cert *rim = &w->pki.specs[1 + i];

		w->device_issuers[i] =
			make_issuer(w, device->key, device->name, w->gpus[0].ders[PM_GPU_ICA + i]);
		w->rim_issuers[i] = make_issuer(w, rim->key, rim->name, w->pki.certs[1 + i]);
	}
}

void gpu_world_free(struct gpu_world *w)
{
	for (size_t i = 0; i < w->count; i++) {
		gpu_scene_free(&w->gpus[i]);
		EVP_PKEY_free(w->leaf_keys[i]);
		EVP_PKEY_free(w->brom_keys[i]);
	}
	for (size_t i = 0; i < 3; i++) {
		test_free(w->device_issuers[i].responder);
		test_free(w->rim_issuers[i].responder);
	}
	test_free(w->driver);
	test_free(w->vbios);
	EVP_PKEY_free(w->responder_key);
	mint_rim_pki_free(&w->pki);
}

struct mint_ocsp gpu_world_ocsp(
	const struct gpu_world *w, const struct gpu_issuer *issuer, struct pm_view cert)
{
	return (struct mint_ocsp){.cert = cert,
		.issuer = issuer->cert,
		.responder = issuer->responder,
		.key = w->responder_key,
		.reason = -1,
		.this_update = GPU_FROM,
		.next_update = GPU_TO};
}

void gpu_world_add(struct pm_ocsp_set *set, const struct mint_ocsp *spec)
{
	struct pm_view der = mint_ocsp(spec);

	ck_pm(pm_ocsp_set_add(set, der.ptr, der.len, NULL), PM_OK);
	test_free(der);
}

const struct gpu_issuer *gpu_world_issuer(const struct gpu_world *w, size_t place)
{
	return &w->device_issuers[place - PM_GPU_BROM];
}

static void add_device(const struct gpu_world *w, size_t gpu, size_t but, struct pm_ocsp_set *set)
{
	for (size_t place = PM_GPU_BROM; place <= PM_GPU_IDENTITY; place++) {
		struct mint_ocsp spec =
			gpu_world_ocsp(w, gpu_world_issuer(w, place), w->gpus[gpu].ders[place]);

		if (place != but && (gpu == 0 || place == PM_GPU_BROM))
			gpu_world_add(set, &spec);
	}
}

struct pm_ocsp_set *gpu_world_ocsp_but(const struct gpu_world *w, size_t place)
{
	struct pm_ocsp_set *set = NULL;

	ck_pm(pm_ocsp_set_new(&set), PM_OK);
	for (size_t i = 0; i < w->count; i++)
		add_device(w, i, i == 0 ? place : PM_GPU_LEAF, set);
	for (size_t i = 0; i < 3; i++) {
		struct mint_ocsp spec = gpu_world_ocsp(w, &w->rim_issuers[i], w->pki.certs[i]);

		gpu_world_add(set, &spec);
	}
	return set;
}

struct pm_gpu_policy *gpu_world_policy(const struct gpu_world *w)
{
	static const uint8_t nonce[PM_GPU_NONCE_SIZE];
	struct pm_gpu_policy *policy = NULL;
	uint8_t sha256[PM_SHA256_SIZE];

	ck_pm(pm_hash(PM_SHA256, w->gpus[0].ders[PM_GPU_ROOT], sha256), PM_OK);
	ck_pm(pm_gpu_policy_new(&policy), PM_OK);
	ck_pm(pm_gpu_policy_expect_nonce(policy, nonce), PM_OK);
	ck_pm(pm_gpu_policy_add_test_root(policy, PM_GPU_ROOT_DEVICE, sha256), PM_OK);
	ck_pm(pm_gpu_policy_add_test_root(policy, PM_GPU_ROOT_RIM, w->pki.root_sha256), PM_OK);
	return policy;
}

struct pm_rim *gpu_world_rim(
	struct pm_view text, const struct pm_gpu_policy *policy, const struct pm_ocsp_set *ocsp)
{
	struct pm_rim_document *doc = NULL;
	struct pm_rim *rim = NULL;

	ck_pm(pm_rim_parse(text.ptr, text.len, NULL, &doc), PM_OK);
	ck_pm(pm_rim_verify(doc, policy, ocsp, GPU_NOW, NULL, &rim), PM_OK);
	pm_rim_document_free(doc);
	return rim;
}
