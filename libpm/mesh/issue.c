/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of workloads: what the manifest allows, in the one form. */
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "base/time.h"
#include "mesh/authority.h"

#define EXTENSIONS_MAX (PM_MESH_IDENTITY_MAX + 512)

/* --- what may be certified ------------------------------------------------------------------- */

static int check_models(const struct pm_manifest_role *role, const struct pm_mesh_identity *who,
	struct pm_report *report)
{
	for (size_t i = 0; i < who->model_count; i++) {
		if (!pm_manifest_role_has_model(role, who->models[i]))
			return pm_fail(report, PM_E_REJECTED, "mesh.models",
				"models that the role serves", "%s", who->models[i]);
	}
	return PM_OK;
}

/* Names of roles may have dots: a replica must not be taken for another role. */
static int check_replica(const struct pm_manifest *manifest, const struct pm_mesh_identity *who,
	struct pm_report *report)
{
	char name[PM_MESH_DNS_MAX];

	pm_mesh_replica_name(who, name);
	if (pm_manifest_role(manifest, name))
		return pm_fail(
			report, PM_E_REJECTED, "mesh.replica", "no name of a role", "%s", name);
	return PM_OK;
}

static int check_manifest(const struct pm_manifest *manifest, const struct pm_mesh_identity *who,
	struct pm_report *report)
{
	const struct pm_manifest_role *role = pm_manifest_role(manifest, who->role);
	int r;

	if (!role)
		return pm_fail(report, PM_E_MISSING, "mesh.role", "a role of the manifest", "%s",
			who->role);
	r = check_models(role, who, report);
	return r < 0 ? r : check_replica(manifest, who, report);
}

static int check_time(
	const struct pm_authority *a, int64_t now, int64_t lifetime, struct pm_report *report)
{
	if (lifetime < 1 || lifetime > PM_AUTHORITY_LIFETIME_MAX)
		return pm_fail(report, PM_E_ARG, "mesh.lifetime", "1 to 2678400 seconds", "%lld",
			(long long)lifetime);
	if (now < a->not_before || now > a->not_after)
		return pm_fail(report, PM_E_STALE, "mesh_ca.validity", pm_time(now).s, "%s to %s",
			pm_time(a->not_before).s, pm_time(a->not_after).s);
	return PM_OK;
}

static int check_key(struct pm_view spki, struct pm_report *report)
{
	int r = pm_p256_check_spki(spki);

	if (r == PM_E_FORMAT || r == PM_E_UNSUPPORTED)
		return pm_fail(report, r, "mesh.key", "a P-256 key", "another");
	return r;
}

static int check(const struct pm_authority *a, struct pm_view spki,
	const struct pm_mesh_identity *who, struct pm_report *report)
{
	int r = pm_mesh_identity_check(who, report);

	if (r < 0)
		return PM_E_ARG;
	r = check_manifest(a->manifest, who, report);
	return r < 0 ? r : check_key(spki, report);
}

/* --- writing --------------------------------------------------------------------------------- */

/* what is to be said of the holder, whole */
static struct pm_mesh_identity complete(const struct pm_authority *a,
	const struct pm_mesh_identity *who, int64_t now, int64_t lifetime)
{
	struct pm_mesh_identity whole = *who;

	pm_copy(whole.manifest_hash, a->manifest_hash, sizeof(whole.manifest_hash));
	whole.manifest_serial = pm_manifest_serial(a->manifest);
	whole.not_before = now - PM_AUTHORITY_SKEW;
	if (whole.not_before < a->not_before)
		whole.not_before = a->not_before;
	whole.not_after = now + lifetime;
	if (whole.not_after > a->not_after)
		whole.not_after = a->not_after;
	return whole;
}

static int put_extensions(
	struct pm_wr *wr, const struct pm_authority *a, const struct pm_mesh_identity *who)
{
	const struct pm_sign_public *ca = pm_sign_key_public(a->mesh);
	uint8_t key_id[PM_CERT_KEY_ID_SIZE];
	int r = pm_cert_key_id(pm_view(ca->spki, ca->spki_size), key_id);

	if (r < 0)
		return r;
	pm_mesh_put_extensions(wr, who, key_id);
	return pm_wr_done(wr, NULL) ? PM_OK : PM_E_LIMIT;
}

static int write_leaf(const struct pm_authority *a, struct pm_view spki,
	const struct pm_mesh_identity *who, uint8_t *ret, size_t *ret_len)
{
	uint8_t serial[PM_CERT_SERIAL_SIZE], issuer[PM_MESH_NAME_MAX], subject[PM_MESH_NAME_MAX];
	uint8_t extensions[EXTENSIONS_MAX];
	struct pm_wr ext = pm_wr(extensions, sizeof(extensions));
	struct pm_wr issuer_wr = pm_wr(issuer, sizeof(issuer));
	struct pm_wr subject_wr = pm_wr(subject, sizeof(subject));
	struct pm_cert_form form = {
		.serial = pm_view(serial, sizeof(serial)),
		.not_before = who->not_before,
		.not_after = who->not_after,
		.spki = spki,
	};
	int r = put_extensions(&ext, a, who);

	if (r < 0)
		return r;
	pm_mesh_put_ca_name(&issuer_wr, a->manifest_hash);
	pm_mesh_put_role_name(&subject_wr, who->role);
	pm_random(serial, sizeof(serial));
	pm_cert_serial_from(serial);
	form.extensions = pm_view(extensions, ext.len);
	form.issuer = pm_view(issuer, issuer_wr.len);
	form.subject = pm_view(subject, subject_wr.len);
	return pm_cert_write(&form, a->mesh, ret, PM_MESH_CERT_SIZE_MAX, ret_len);
}

/* The chain that a workload shows. */
static int write_pem(const struct pm_authority *a, struct pm_view leaf, char **ret_pem)
{
	pm_cleanup(free) char *pem = pm_alloc(PM_MESH_CHAIN_SIZE_MAX);
	size_t len = 0;
	int r;

	if (!pem)
		return PM_E_NOMEM;
	r = pm_pem_write(leaf, "CERTIFICATE", pem, PM_MESH_CHAIN_SIZE_MAX);
	if (r == PM_OK)
		len = strlen(pem);
	if (r == PM_OK)
		r = pm_pem_write(pm_view(a->intermediate.der, a->intermediate.len), "CERTIFICATE",
			pem + len, PM_MESH_CHAIN_SIZE_MAX - len);
	if (r == PM_OK)
		*ret_pem = pm_steal(pem);
	return r;
}

int pm_authority_issue(const struct pm_authority *authority, const uint8_t *spki, size_t spki_len,
	const struct pm_mesh_identity *who, int64_t now, int64_t lifetime, struct pm_report *report,
	char **ret_pem, int64_t *ret_not_after)
{
	uint8_t leaf[PM_MESH_CERT_SIZE_MAX];
	struct pm_mesh_identity whole;
	size_t len;
	int r = check_time(authority, now, lifetime, report);

	if (r == PM_OK)
		r = check(authority, pm_view(spki, spki_len), who, report);
	if (r < 0)
		return r;
	whole = complete(authority, who, now, lifetime);
	r = write_leaf(authority, pm_view(spki, spki_len), &whole, leaf, &len);
	if (r == PM_OK)
		r = write_pem(authority, pm_view(leaf, len), ret_pem);
	if (r == PM_OK && ret_not_after)
		*ret_not_after = whole.not_after;
	return r;
}

void pm_authority_pem_free(char *pem)
{
	free(pem);
}
