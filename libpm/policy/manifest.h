/* SPDX-License-Identifier: Apache-2.0 */
/* What a manifest holds. Texts are borrowed from the JSON, which lives as long. */
#ifndef PM_POLICY_MANIFEST_H
#define PM_POLICY_MANIFEST_H

#include <pm/manifest.h>
#include "crypto/sign.h"
#include "evidence/gpu_policy.h"
#include "policy/json.h"

PM_OWNER(pm_manifest, pm_manifest_free);
PM_OWNER(pm_snp_policy, pm_snp_policy_free);

struct pm_manifest_role {
	const char *name;
	json_t *snp; /* borrowed */
	json_t *gpu; /* borrowed; NULL for a role without */
	struct pm_manifest_gpu gpu_set;
	bool workload_secret;
	json_t *models; /* borrowed: names */
	json_t *calls;
};

/* One who owns a key: of the kind of his list. */
struct pm_manifest_key {
	const char *name;
	const uint8_t *id; /* SHA-256 of the key's SubjectPublicKeyInfo */
	union {
		struct pm_manifest_owner owner;
		struct pm_manifest_share_owner share_owner;
	};
};

struct pm_manifest_keys {
	size_t threshold;
	size_t count;
	struct pm_manifest_key *list;
	pm_json_fn read_key; /* while they are read; target is a struct pm_manifest_key */
};

struct pm_manifest_owners {
	struct pm_manifest_keys keys;
	json_t *json; /* whose texts they borrow; NULL for those of a manifest */
};

struct pm_manifest_share_owners {
	struct pm_manifest_keys keys;
};

/* Who gets the secrets whose identifier is id, or begins with it. */
struct pm_manifest_secret {
	const char *id;
	size_t id_len; /* without the star */
	bool prefix;
	json_t *roles;	/* borrowed: names */
	json_t *models; /* NULL for any */
};

enum pm_manifest_root { PM_MANIFEST_ROOT_SNP, PM_MANIFEST_ROOT_DEVICE, PM_MANIFEST_ROOT_RIM };

#define PM_MANIFEST_ROOT_KINDS 3

struct pm_manifest_roots {
	size_t count;
	uint8_t sha256[PM_MANIFEST_ROOTS_MAX][PM_SHA256_SIZE];
};

struct pm_manifest {
	json_t *json;
	uint8_t *canonical;
	size_t canonical_len;
	uint8_t hash[PM_MANIFEST_HASH_SIZE];
	uint64_t serial;
	bool has_previous;
	uint8_t previous[PM_MANIFEST_HASH_SIZE];
	int64_t not_before, not_after;
	struct pm_manifest_role *roles;
	size_t role_count;
	struct pm_manifest_model *models;
	size_t model_count;
	struct pm_manifest_secret *secrets;
	size_t secret_count;
	struct pm_manifest_owners owners;
	struct pm_manifest_share_owners share_owners; /* none when there are no keys */
	struct pm_manifest_roots roots[PM_MANIFEST_ROOT_KINDS];
};

/* Readers of keys at the top, and of what they share; target is the manifest unless said. */
int pm_manifest_read_roles(const struct pm_json_at *at, json_t *value,
	const struct pm_json_rule *rule, void *target) PM_MUST_USE;
int pm_manifest_read_models(const struct pm_json_at *at, json_t *value,
	const struct pm_json_rule *rule, void *target) PM_MUST_USE;
int pm_manifest_read_secrets(const struct pm_json_at *at, json_t *value,
	const struct pm_json_rule *rule, void *target) PM_MUST_USE;
int pm_manifest_read_share_owners(const struct pm_json_at *at, json_t *value,
	const struct pm_json_rule *rule, void *target) PM_MUST_USE;

/* {"keys": [{"name": text, "key": what read_key takes}, ...], "threshold": number} */
int pm_manifest_read_keys(const struct pm_json_at *at, json_t *value, pm_json_fn read_key,
	struct pm_manifest_keys *ret) PM_MUST_USE;

/* The target's slot is a struct pm_manifest_owners. */
int pm_manifest_read_owners(const struct pm_json_at *at, json_t *value,
	const struct pm_json_rule *rule, void *target) PM_MUST_USE;
void pm_manifest_free_owners(struct pm_manifest_owners *owners);

/* The snp object of a role; target is a struct pm_snp_policy. */
int pm_manifest_read_snp(const struct pm_json_at *at, json_t *value,
	const struct pm_json_rule *rule, void *target) PM_MUST_USE;

/* The gpu object of a role; target is a struct pm_gpu_policy. */
int pm_manifest_read_gpu(const struct pm_json_at *at, json_t *value,
	const struct pm_json_rule *rule, void *target) PM_MUST_USE;

/* What the same object says of the GPUs as a whole. */
int pm_manifest_read_gpu_set(
	const struct pm_json_at *at, const json_t *value, struct pm_manifest_gpu *ret) PM_MUST_USE;

/* An array of strings, which may be empty; the target's slot, a json_t pointer, borrows it. */
int pm_manifest_read_names(const struct pm_json_at *at, json_t *value,
	const struct pm_json_rule *rule, void *target) PM_MUST_USE;
bool pm_manifest_has_name(const json_t *names, const char *name);

/* Is each of the names in the array at key the name of a role, or of a model? */
int pm_manifest_check_roles(const struct pm_json_at *at, const char *key, const json_t *names,
	const struct pm_manifest *m) PM_MUST_USE;
int pm_manifest_check_models(const struct pm_json_at *at, const char *key, const json_t *names,
	const struct pm_manifest *m) PM_MUST_USE;

/* Could it be the identifier of a secret: 1 to 128 of the characters of base64 and names? */
bool pm_manifest_is_secret_id(const char *id);

/* "worker-1": lower-case letters, digits and .-_ between them. PM_E_FORMAT. */
int pm_manifest_check_name(
	const struct pm_json_at *at, const json_t *value, const char *name) PM_MUST_USE;

/* "meta-llama/Llama-3.3-70B": letters, digits and .:_+- in parts between slashes. Likewise. */
int pm_manifest_check_model_name(
	const struct pm_json_at *at, const json_t *value, const char *name) PM_MUST_USE;

#endif
