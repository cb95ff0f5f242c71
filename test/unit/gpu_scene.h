/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device's report and certificates, right in everything. What can be zero is: the nonce, most
 * measurements, the firmware's identity. So whatever a verifier forgets to read looks as demanded.
 * A test changes one thing and lets it verify.
 */
#ifndef PM_TEST_GPU_SCENE_H
#define PM_TEST_GPU_SCENE_H

#include <pm/gpu.h>

#include "mint.h"

#define GPU_NOW	 INT64_C(1767225600) /* 2026-01-01 */
#define GPU_FROM (GPU_NOW - 1000)
#define GPU_TO	 (GPU_NOW + 1000)

/* Keys for all scenes of a process. */
struct gpu_keys {
	EVP_PKEY *chain[PM_GPU_CERTS]; /* P-384 */
	EVP_PKEY *stranger;	       /* P-384 */
	EVP_PKEY *p256, *rsa;
};

extern struct gpu_keys gpu_keys;

void gpu_make_keys(void);
void gpu_free_keys(void);

/* An opaque field of the report. */
struct gpu_field {
	uint16_t id, len;
	uint8_t value[160];
};

#define GPU_FIELDS_MAX 24

/* Extensions of the device's certificate. */
enum gpu_extension {
	GPU_ALT_NAME,
	GPU_FWID,
	GPU_MORE, /* for a test's own */
	GPU_EXTENSIONS
};

struct gpu_scene {
	enum pm_gpu_arch arch;
	uint8_t nonce[PM_GPU_NONCE_SIZE];
	uint8_t measurements[PM_GPU_MEASUREMENTS_MAX][PM_GPU_DIGEST_SIZE];
	size_t blocks;
	struct gpu_field fields[GPU_FIELDS_MAX];
	size_t field_count;
	uint8_t bytes[PM_GPU_REPORT_MAX + 2]; /* made of the above by gpu_scene_write() */
	size_t size;
	EVP_PKEY *report_key;
	struct mint_cert certs[PM_GPU_CERTS];
	struct mint_extension extensions[GPU_EXTENSIONS];
	struct pm_view ders[PM_GPU_CERTS]; /* made of the above when first needed */
	size_t cert_count;		   /* given: 5 */
	bool reversed;			   /* the root first */
	bool untrusted;			   /* the policy does not name the root */
	unsigned int waivers, permissions;
	int (*demand)(struct pm_gpu_policy *policy); /* or NULL */
	void (*spoil)(struct gpu_scene *s); /* what to do to the bytes before they are signed */
	int64_t now;
	struct pm_gpu_evidence *ev; /* of the last verification */
	const struct pm_gpu_facts *facts;
};

void gpu_scene_init(struct gpu_scene *s, enum pm_gpu_arch arch);
void gpu_scene_free(struct gpu_scene *s);

/* The opaque field of that type; made when there is none. */
struct gpu_field *gpu_scene_field(struct gpu_scene *s, uint16_t id);

/* Sets its value; drops it. */
void gpu_scene_set(struct gpu_scene *s, uint16_t id, const void *value, size_t len);
void gpu_scene_drop(struct gpu_scene *s, uint16_t id);

/* Replaces an extension of the device's certificate; owned by the scene from now on. */
void gpu_scene_extend(
	struct gpu_scene *s, enum gpu_extension which, const char *oid, struct pm_view value);

/* "NVIDIA:GH100:48B02D92494BADF4" as the alternative name that holds it. */
struct pm_view gpu_alt_name(const char *text);

/* The identity in the form of Hopper, beside a key, and in that of Blackwell. */
struct pm_view gpu_composite(EVP_PKEY *key, const uint8_t *fwid);
struct pm_view gpu_tcb_info(const uint8_t *fwid, uint8_t flags);

/* Writes the report, unsigned as yet; where its opaque fields begin. */
size_t gpu_scene_write(struct gpu_scene *s);

/* Makes evidence, signed, or an error of the parser; the caller frees it. */
int gpu_scene_make(struct gpu_scene *s, struct pm_report *report, struct pm_gpu_evidence **ret);

/* A policy that accepts the scene. */
struct pm_gpu_policy *gpu_scene_policy(const struct gpu_scene *s);

/* Makes evidence and policy, and verifies. */
int gpu_scene_verify(struct gpu_scene *s, struct pm_gpu_cache *cache, struct pm_report *report);

#endif
