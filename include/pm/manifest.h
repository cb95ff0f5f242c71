/* SPDX-License-Identifier: Apache-2.0 */
/** @file manifest.h
 * The manifest of a deployment: which software on which machines may hold which role, which models
 * it serves, who may change the manifest, and who gets which secret. It is JSON; pm-manifest(5)
 * describes each key, and manifest.schema.json says the same for programs.
 *
 * A manifest that was parsed is well formed and consistent in itself; who vouches for it is another
 * question: pin its hash, or verify its owners' signatures. Nothing that it leaves out is passed
 * over: a demand that a role does not make is either a safe default or stands there as null.
 *
 * All functions are thread safe on a manifest that nobody frees.
 */
#ifndef PM_MANIFEST_H
#define PM_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pm/api.h>
#include <pm/box.h>
#include <pm/gpu_policy.h>
#include <pm/key.h>
#include <pm/report.h>
#include <pm/snp_policy.h>
#include <pm/verity.h>

PM_BEGIN_DECLS

/** Largest manifest that is read, in bytes. */
#define PM_MANIFEST_SIZE_MAX (1u << 20)

/** Bytes of a manifest's hash: SHA-256. */
#define PM_MANIFEST_HASH_SIZE 32

/** Largest serial number: 2^53 - 1, which each reader of JSON keeps exactly. */
#define PM_MANIFEST_SERIAL_MAX ((UINT64_C(1) << 53) - 1)

/** Most roles. */
#define PM_MANIFEST_ROLES_MAX 64

/** Most models. */
#define PM_MANIFEST_MODELS_MAX 256

/** Most keys of the owners, and of the seed share owners. */
#define PM_MANIFEST_OWNERS_MAX 32

/** Most rules of the secrets policy. */
#define PM_MANIFEST_SECRETS_MAX 256

/** Most test roots of each kind. */
#define PM_MANIFEST_ROOTS_MAX 16

/** Longest name of a role or an owner, without the final NUL. */
#define PM_MANIFEST_NAME_MAX 64

/** Longest name of a model and identifier of a secret, without the final NUL. */
#define PM_MANIFEST_MODEL_NAME_MAX 128

/** A manifest, parsed and consistent. */
struct pm_manifest;

/** A role of a manifest. */
struct pm_manifest_role;

/** Keys of which a number must agree. */
struct pm_manifest_owners;

/** Keys to which shares of the seed go. */
struct pm_manifest_share_owners;

/** A model of a manifest; the manifest owns it and what it points to. */
struct pm_manifest_model {
	/** Its name. */
	const char *name;
	/** Root hash of its disk. */
	uint8_t root_hash[PM_VERITY_DIGEST_SIZE];
	/** The other parameters of its disk. */
	struct pm_verity_params params;
};

/** A key of owners; the manifest owns it and what it points to. */
struct pm_manifest_owner {
	/** Whose it is. */
	const char *name;
	/** The key. */
	struct pm_sign_public key;
};

/** A key of seed share owners; the manifest owns it and what it points to. */
struct pm_manifest_share_owner {
	/** Whose it is. */
	const char *name;
	/** Its identifier: SHA-256 of its SubjectPublicKeyInfo, as pm_box_public_id() has it. */
	uint8_t id[PM_BOX_ID_SIZE];
	/** The X-Wing public key that his share is boxed for. */
	uint8_t key[PM_BOX_PUBLIC_SIZE];
};

/** What a role demands of its GPUs beyond what a policy of one GPU holds. */
struct pm_manifest_gpu {
	/** Least number of GPUs, each another; at least 1. */
	uint32_t min_count;
	/** Most seconds since the GPU evidence was made. */
	uint32_t max_age;
};

/**
 * pm_manifest_parse - read a manifest
 * @bytes: JSON
 * @size: how many; more than PM_MANIFEST_SIZE_MAX are refused unread
 * @report: receives what is wrong and where, as "256 at $.roles.worker.snp.vmpls[0]", or NULL
 * @ret_manifest: receives the manifest, to be freed with pm_manifest_free()
 *
 * Strict: an unknown or doubled key, a wrong type, a number out of range, a name that is not
 * defined, a second spelling (capitals in hexadecimal, a time with an offset) are refused.
 *
 * Return: 0; PM_E_FORMAT; PM_E_UNSUPPORTED for another version; PM_E_LIMIT; PM_E_NOMEM;
 * PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_manifest_parse(const void *bytes, size_t size, struct pm_report *report,
	struct pm_manifest **ret_manifest) PM_MUST_USE;

/**
 * pm_manifest_free - free a manifest and all that was handed out for it
 * @manifest: the manifest, or NULL
 */
PM_API void pm_manifest_free(struct pm_manifest *manifest);

/**
 * pm_manifest_hash - what stands for the manifest
 * @manifest: the manifest
 * @ret_hash: receives PM_MANIFEST_HASH_SIZE bytes: SHA-256 of "libpm manifest v1", a zero byte and
 * the canonical form
 */
PM_API void pm_manifest_hash(const struct pm_manifest *manifest, uint8_t *ret_hash);

/**
 * pm_manifest_canonical - the manifest in its one form: sorted keys, no white space (RFC 8785)
 * @manifest: the manifest
 * @ret_size: receives its length, without the final NUL
 *
 * White space and the order of keys do not count for the hash; the order of lists does.
 *
 * Return: JSON, owned by the manifest.
 */
PM_API const char *pm_manifest_canonical(const struct pm_manifest *manifest, size_t *ret_size);

/**
 * pm_manifest_serial - its number, which only grows
 * @manifest: the manifest
 *
 * Return: 1 to PM_MANIFEST_SERIAL_MAX.
 */
PM_API uint64_t pm_manifest_serial(const struct pm_manifest *manifest);

/**
 * pm_manifest_previous - the hash of the manifest that this one replaces
 * @manifest: the manifest
 *
 * Return: PM_MANIFEST_HASH_SIZE bytes, owned by the manifest; NULL for serial 1.
 */
PM_API const uint8_t *pm_manifest_previous(const struct pm_manifest *manifest);

/**
 * pm_manifest_not_before - the first second at which it holds
 * @manifest: the manifest
 *
 * Return: seconds since 1970-01-01T00:00:00Z.
 */
PM_API int64_t pm_manifest_not_before(const struct pm_manifest *manifest);

/**
 * pm_manifest_not_after - the last second at which it holds
 * @manifest: the manifest
 *
 * Return: seconds since 1970-01-01T00:00:00Z.
 */
PM_API int64_t pm_manifest_not_after(const struct pm_manifest *manifest);

/**
 * pm_manifest_check_time - does it hold now?
 * @manifest: the manifest
 * @now: the time, seconds since 1970-01-01T00:00:00Z
 * @report: receives the check, or NULL
 *
 * Return: 0; PM_E_STALE before not_before and after not_after.
 */
PM_API int pm_manifest_check_time(
	const struct pm_manifest *manifest, int64_t now, struct pm_report *report) PM_MUST_USE;

/**
 * pm_manifest_test_root - does it trust roots that are not the makers' own?
 * @manifest: the manifest
 *
 * Return: true when extra_roots names one: each output must say so.
 */
PM_API bool pm_manifest_test_root(const struct pm_manifest *manifest);

/**
 * pm_manifest_role_at - one role, in the order of the document
 * @manifest: the manifest
 * @index: from 0
 *
 * Return: the role, owned by the manifest; NULL past the end.
 */
PM_API const struct pm_manifest_role *pm_manifest_role_at(
	const struct pm_manifest *manifest, size_t index);

/**
 * pm_manifest_role - the role of a name
 * @manifest: the manifest
 * @name: the name
 *
 * Return: the role, owned by the manifest; NULL when there is none.
 */
PM_API const struct pm_manifest_role *pm_manifest_role(
	const struct pm_manifest *manifest, const char *name);

/**
 * pm_manifest_role_name - the name of a role
 * @role: the role
 *
 * Return: its name, owned by the manifest.
 */
PM_API const char *pm_manifest_role_name(const struct pm_manifest_role *role);

/**
 * pm_manifest_role_may_call - may who holds this role call who holds that one?
 * @role: the caller's role
 * @callee: the name of the other role
 *
 * Return: true when calls names it.
 */
PM_API bool pm_manifest_role_may_call(const struct pm_manifest_role *role, const char *callee);

/**
 * pm_manifest_role_model_at - the name of one model that the role serves
 * @role: the role
 * @index: from 0
 *
 * Return: a name that pm_manifest_model() knows; NULL past the end.
 */
PM_API const char *pm_manifest_role_model_at(const struct pm_manifest_role *role, size_t index);

/**
 * pm_manifest_role_has_model - does the role serve a model?
 * @role: the role
 * @model: the model's name
 *
 * Return: true when models names it.
 */
PM_API bool pm_manifest_role_has_model(const struct pm_manifest_role *role, const char *model);

/**
 * pm_manifest_role_workload_secret - does who holds the role get a secret derived of the seed?
 * @role: the role
 *
 * Return: workload_secret.
 */
PM_API bool pm_manifest_role_workload_secret(const struct pm_manifest_role *role);

/**
 * pm_manifest_role_snp_policy - what the role demands of SEV-SNP evidence
 * @manifest: the manifest
 * @role: one of its roles
 * @ret_policy: receives a policy of the caller's own, to be freed with pm_snp_policy_free(); it
 * lacks REPORT_DATA alone, so it refuses everything until that is demanded
 *
 * Return: 0; PM_E_NOMEM.
 */
PM_API int pm_manifest_role_snp_policy(const struct pm_manifest *manifest,
	const struct pm_manifest_role *role, struct pm_snp_policy **ret_policy) PM_MUST_USE;

/**
 * pm_manifest_role_gpu - what the role demands of its GPUs as a whole
 * @role: the role
 *
 * Return: the demands, owned by the manifest; NULL for a role whose gpu is null: it has none.
 */
PM_API const struct pm_manifest_gpu *pm_manifest_role_gpu(const struct pm_manifest_role *role);

/**
 * pm_manifest_role_gpu_policy - what the role demands of the evidence of each GPU
 * @manifest: the manifest
 * @role: one of its roles
 * @ret_policy: receives a policy of the caller's own, to be freed with pm_gpu_policy_free(); it
 * lacks the nonce alone, so it refuses everything until that is demanded
 *
 * Return: 0; PM_E_MISSING for a role whose gpu is null; PM_E_NOMEM.
 */
PM_API int pm_manifest_role_gpu_policy(const struct pm_manifest *manifest,
	const struct pm_manifest_role *role, struct pm_gpu_policy **ret_policy) PM_MUST_USE;

/**
 * pm_manifest_model_at - one model, in the order of the document
 * @manifest: the manifest
 * @index: from 0
 *
 * Return: the model, owned by the manifest; NULL past the end.
 */
PM_API const struct pm_manifest_model *pm_manifest_model_at(
	const struct pm_manifest *manifest, size_t index);

/**
 * pm_manifest_model - the model of a name
 * @manifest: the manifest
 * @name: the name
 *
 * Return: the model, owned by the manifest; NULL when there is none.
 */
PM_API const struct pm_manifest_model *pm_manifest_model(
	const struct pm_manifest *manifest, const char *name);

/**
 * pm_manifest_owners - who may replace the manifest
 * @manifest: the manifest
 *
 * Return: the owners, owned by the manifest.
 */
PM_API const struct pm_manifest_owners *pm_manifest_owners(const struct pm_manifest *manifest);

/**
 * pm_manifest_seed_share_owners - who holds shares of the seed
 * @manifest: the manifest
 *
 * Return: the owners, owned by the manifest; NULL when seed_share_owners is null.
 */
PM_API const struct pm_manifest_share_owners *pm_manifest_seed_share_owners(
	const struct pm_manifest *manifest);

/**
 * pm_manifest_share_owners_threshold - how many shares give the seed back
 * @owners: the owners
 *
 * Return: 1 to the number of keys.
 */
PM_API size_t pm_manifest_share_owners_threshold(const struct pm_manifest_share_owners *owners);

/**
 * pm_manifest_share_owner_at - one key, in the order of the document
 * @owners: the owners
 * @index: from 0
 *
 * Return: the key, owned by the manifest; NULL past the end.
 */
PM_API const struct pm_manifest_share_owner *pm_manifest_share_owner_at(
	const struct pm_manifest_share_owners *owners, size_t index);

/**
 * pm_manifest_owners_threshold - how many of them must agree
 * @owners: the owners
 *
 * Return: 1 to the number of keys.
 */
PM_API size_t pm_manifest_owners_threshold(const struct pm_manifest_owners *owners);

/**
 * pm_manifest_owner_at - one key, in the order of the document
 * @owners: the owners
 * @index: from 0
 *
 * Return: the key, owned by the manifest; NULL past the end.
 */
PM_API const struct pm_manifest_owner *pm_manifest_owner_at(
	const struct pm_manifest_owners *owners, size_t index);

/**
 * pm_manifest_secret_allowed - may who holds a role get a secret?
 * @manifest: the manifest
 * @secret: the identifier of the secret
 * @role: the name of the role
 * @model: the name of a model that it serves, or NULL when it serves none
 *
 * Return: true when a rule of the secrets policy covers the identifier and names the role, and
 * either names the model or has null for models.
 */
PM_API bool pm_manifest_secret_allowed(const struct pm_manifest *manifest, const char *secret,
	const char *role, const char *model);

PM_END_DECLS

#endif
