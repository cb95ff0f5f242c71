/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a deployment and of one of its manifests. */
#include "mesh/authority.h"

#include <stdlib.h>

#include "base/report.h"
#include "base/time.h"

_Static_assert(PM_SEED_COMMITMENT_SIZE == PM_SHA256_SIZE, "what HKDF gives at once");

void pm_authority_free(struct pm_authority *authority)
{
	if (!authority)
		return;
	pm_manifest_free(authority->manifest);
	pm_secret_free(&authority->prk);
	pm_sign_key_free(authority->root);
	pm_sign_key_free(authority->history);
	pm_sign_key_free(authority->audit);
	pm_sign_key_free(authority->mesh);
	free(authority);
}

/* --- making ---------------------------------------------------------------------------------- */

/* A copy, so that the authority depends on nobody. */
static int take_manifest(struct pm_authority *a, const struct pm_manifest *manifest)
{
	size_t size;
	const char *text = pm_manifest_canonical(manifest, &size);

	pm_manifest_hash(manifest, a->manifest_hash);
	return pm_manifest_parse(text, size, NULL, &a->manifest);
}

static int derive_keys(struct pm_authority *a, const struct pm_seed *seed)
{
	int r = pm_seed_extract(seed, &a->prk);

	if (r == PM_OK)
		r = pm_seed_key(&a->prk, PM_SEED_ROOT_CA, PM_SIGN_P384, &a->root);
	if (r == PM_OK)
		r = pm_seed_key(&a->prk, PM_SEED_HISTORY, PM_SIGN_P384, &a->history);
	if (r == PM_OK)
		r = pm_seed_key(&a->prk, PM_SEED_AUDIT, PM_SIGN_ED25519, &a->audit);
	return r;
}

static int take_mesh_key(struct pm_authority *a, const uint8_t *key, struct pm_report *report)
{
	int r;

	if (!key)
		return pm_sign_key_new(PM_SIGN_P384, &a->mesh);
	r = pm_sign_key_from(PM_SIGN_P384, pm_view(key, PM_AUTHORITY_MESH_KEY_SIZE), &a->mesh);
	if (r == PM_E_FORMAT)
		return pm_fail(report, PM_E_REJECTED, "mesh_key", "a key", "another number");
	return r;
}

static int check_mesh_time(const struct pm_authority *a, int64_t now, struct pm_report *report)
{
	if (now < a->not_before || now > a->not_after)
		return pm_fail(report, PM_E_STALE, "mesh_ca.validity", pm_time(now).s, "%s to %s",
			pm_time(a->not_before).s, pm_time(a->not_after).s);
	return PM_OK;
}

int pm_authority_new(const struct pm_seed *seed, const struct pm_manifest *manifest,
	const uint8_t *mesh_key, const void *mesh_ca, size_t mesh_ca_len, int64_t now,
	struct pm_report *report, struct pm_authority **ret_authority)
{
	pm_cleanup(pm_authority) struct pm_authority *a = NULL;
	int r = pm_manifest_check_time(manifest, now, report);

	if (r < 0)
		return r;
	if (!mesh_key != !mesh_ca_len)
		return pm_fail(report, PM_E_ARG, "mesh_ca", "with its key", "alone, or none");
	a = pm_alloc(sizeof(*a));
	if (!a)
		return PM_E_NOMEM;
	a->not_before = now - PM_AUTHORITY_SKEW;
	a->not_after = pm_manifest_not_after(manifest);
	r = take_manifest(a, manifest);
	if (r == PM_OK)
		r = derive_keys(a, seed);
	if (r == PM_OK)
		r = take_mesh_key(a, mesh_key, report);
	if (r == PM_OK)
		r = pm_authority_make_cas(a, pm_view(mesh_ca, mesh_ca_len), report);
	if (r == PM_OK)
		r = check_mesh_time(a, now, report);
	if (r < 0)
		return r;
	*ret_authority = pm_steal(a);
	return PM_OK;
}

/* --- what it holds --------------------------------------------------------------------------- */

const uint8_t *pm_authority_root_ca(const struct pm_authority *authority, size_t *ret_len)
{
	*ret_len = authority->root_ca.len;
	return authority->root_ca.der;
}

const uint8_t *pm_authority_mesh_ca(const struct pm_authority *authority, size_t *ret_len)
{
	*ret_len = authority->mesh_ca.len;
	return authority->mesh_ca.der;
}

const uint8_t *pm_authority_intermediate(const struct pm_authority *authority, size_t *ret_len)
{
	*ret_len = authority->intermediate.len;
	return authority->intermediate.der;
}

const uint8_t *pm_authority_mesh_key(const struct pm_authority *authority)
{
	return pm_sign_key_secret(authority->mesh).ptr;
}

const struct pm_sign_key *pm_authority_history_key(const struct pm_authority *authority)
{
	return authority->history;
}

const struct pm_sign_key *pm_authority_audit_key(const struct pm_authority *authority)
{
	return authority->audit;
}

int pm_authority_workload_secret(
	const struct pm_authority *authority, const char *role, uint8_t *ret_secret)
{
	const struct pm_manifest_role *r = pm_manifest_role(authority->manifest, role);

	if (!r)
		return PM_E_MISSING;
	if (!pm_manifest_role_workload_secret(r))
		return PM_E_REJECTED;
	return pm_seed_expand(
		&authority->prk, PM_SEED_WORKLOAD, role, ret_secret, PM_AUTHORITY_SECRET_SIZE);
}

int pm_authority_state_secret(const struct pm_authority *authority, uint8_t *ret_secret)
{
	return pm_seed_expand(
		&authority->prk, PM_SEED_STATE, "", ret_secret, PM_AUTHORITY_SECRET_SIZE);
}
