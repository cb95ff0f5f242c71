/* SPDX-License-Identifier: Apache-2.0 */
/* Is it the coordinator's answer, to this join, and what it should be? */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/report.h"
#include "base/time.h"
#include "net/join.h"

/* Of checks in reports. */
#define NAME "join.answer"

/* An answer, parsed. */
struct answer {
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE];
	const char *certificate; /* borrowed; NULL for null */
	struct pm_blob mesh_ca, root_ca, manifest, box;
	int64_t expires;
};

static void pm_cleanup_answer(struct answer *answer)
{
	pm_blob_clear(&answer->mesh_ca);
	pm_blob_clear(&answer->root_ca);
	pm_blob_clear(&answer->manifest);
	pm_blob_clear(&answer->box);
}

void pm_join_envelope_clear(struct pm_join_envelope *envelope)
{
	pm_blob_clear(&envelope->answer);
	pm_blob_clear(&envelope->signature);
	pm_blob_clear(&envelope->signer);
}

/* --- reading --------------------------------------------------------------------------------- */

static int read_certificate(PM_ASK_ARGS)
{
	struct answer *answer = target;

	(void)rule;
	if (json_is_null(value))
		return PM_OK;
	answer->certificate = json_string_value(value);
	if (!answer->certificate || json_string_length(value) >= PM_MESH_CHAIN_SIZE_MAX)
		return pm_json_complain(at, value, "certificates in PEM, or null");
	return PM_OK;
}

#define AT(member) .offset = offsetof(struct answer, member)

static const struct pm_json_rule rules[] = {
	{.key = "version", .read = pm_ask_read_version},
	{.key = "nonce", .read = pm_ask_read_bytes, .max = PM_BUNDLE_NONCE_SIZE, AT(nonce)},
	{.key = "certificate", .read = read_certificate},
	{.key = "mesh_ca", .read = pm_ask_read_blob, .max = PM_CERT_SIZE_MAX, AT(mesh_ca)},
	{.key = "root_ca", .read = pm_ask_read_blob, .max = PM_CERT_SIZE_MAX, AT(root_ca)},
	{.key = "manifest", .read = pm_ask_read_blob, .max = PM_MANIFEST_SIZE_MAX, AT(manifest)},
	{.key = "expires", .read = pm_ask_read_number, .max = PM_JSON_INT_MAX, AT(expires)},
	{.key = "box", .read = pm_ask_read_blob_or_null, .max = PM_COORDINATOR_BOX_MAX, AT(box)},
};

static int parse(
	struct pm_view text, struct pm_report *report, json_t **ret_json, struct answer *ret)
{
	struct pm_json_at root = pm_json_root(NAME, report);
	int r = pm_json_parse_lines(NAME, text, PM_JOIN_ANSWER_MAX, report, ret_json);

	return r < 0 ? r : pm_json_object(&root, *ret_json, rules, PM_ARRAY_LEN(rules), ret);
}

/* --- who answers ----------------------------------------------------------------------------- */

static const char *purpose_name(enum pm_mesh_purpose purpose)
{
	return purpose == PM_MESH_TLS ? "for TLS" : "for signing";
}

/* The very deployment that was attested, where one was. */
static int check_pin(const struct answer *answer, const struct pm_deployment *deployment,
	struct pm_report *report)
{
	struct pm_view mesh, root;

	if (!deployment) {
		pm_skip(report, "join.pin", "the coordinator was not attested");
		return PM_OK;
	}
	mesh = pm_blob_view(&deployment->document.mesh_ca);
	root = pm_blob_view(&deployment->document.root_ca);
	if (!pm_view_equal(pm_blob_view(&answer->mesh_ca), mesh))
		return pm_fail(report, PM_E_REJECTED, "join.mesh_ca",
			"that of the attested coordinator", "another");
	if (!pm_view_equal(pm_blob_view(&answer->root_ca), root))
		return pm_fail(report, PM_E_REJECTED, "join.root_ca",
			"that of the attested coordinator", "another");
	pm_pass(report, "join.pin", "of the attested coordinator's mesh CA and root CA");
	return PM_OK;
}

/* The coordinator's own certificate; its identity tells of which manifest it speaks. */
static int check_signer(const struct pm_join_envelope *e, const struct answer *answer, int64_t now,
	struct pm_report *report, struct pm_mesh_identity *ret)
{
	int r = pm_mesh_verify(e->signer.ptr, e->signer.len, answer->mesh_ca.ptr,
		answer->mesh_ca.len, now, report, ret);

	if (r < 0)
		return r;
	if (strcmp(ret->role, PM_MESH_ROLE_COORDINATOR))
		return pm_fail(report, PM_E_REJECTED, "join.signer.role", PM_MESH_ROLE_COORDINATOR,
			"%s", ret->role);
	if (ret->purpose != PM_MESH_SIGN)
		return pm_fail(report, PM_E_REJECTED, "join.signer.purpose",
			purpose_name(PM_MESH_SIGN), "%s", purpose_name(ret->purpose));
	return pm_mesh_verify_signature(e->signer.ptr, e->signer.len, PM_JOIN_LABEL, e->answer.ptr,
		e->answer.len, e->signature.ptr, e->signature.len, report);
}

static int check_manifest(const struct answer *answer, const struct pm_mesh_identity *signer,
	struct pm_report *report, struct pm_manifest **ret)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE];
	int r = pm_manifest_parse(answer->manifest.ptr, answer->manifest.len, report, ret);

	if (r < 0)
		return r;
	pm_manifest_hash(*ret, hash);
	return pm_check_bytes(report, "join.manifest", signer->manifest_hash, hash, sizeof(hash));
}

static int check_nonce(
	const struct answer *answer, const struct pm_join_wanted *wanted, struct pm_report *report)
{
	return pm_check_bytes(
		report, "join.nonce", wanted->nonce, answer->nonce, sizeof(answer->nonce));
}

/* --- what it brings -------------------------------------------------------------------------- */

static int check_key(
	const struct pm_mesh_chain *chain, const struct pm_mesh_key *key, struct pm_report *report)
{
	size_t len;
	const uint8_t *spki = pm_mesh_key_spki(key, &len);

	if (!pm_view_equal(pm_cert_spki(chain->leaf), pm_view(spki, len)))
		return pm_fail(report, PM_E_REJECTED, "join.certificate.key",
			"the key that asked for it", "another");
	return PM_OK;
}

static int check_identity(const struct pm_mesh_identity *found, const struct pm_join_wanted *wanted,
	const uint8_t *manifest_hash, struct pm_report *report)
{
	if (strcmp(found->role, wanted->role))
		return pm_fail(report, PM_E_REJECTED, "join.certificate.role", wanted->role, "%s",
			found->role);
	if (found->purpose != wanted->purpose)
		return pm_fail(report, PM_E_REJECTED, "join.certificate.purpose",
			purpose_name(wanted->purpose), "%s", purpose_name(found->purpose));
	return pm_check_bytes(report, "join.certificate.manifest", manifest_hash,
		found->manifest_hash, sizeof(found->manifest_hash));
}

/* The mesh CA's key and name, as pm_mesh_verify() saw, certified by the root CA. */
static int check_intermediate(const struct pm_mesh_chain *chain, const struct pm_cert *root,
	int64_t now, struct pm_report *report)
{
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
	int r;

	if (!chain->next)
		return pm_fail(
			report, PM_E_MISSING, "join.intermediate", "one behind the leaf", "none");
	r = pm_cert_pubkey(root, &key);
	if (r == PM_OK)
		r = pm_cert_check_issuer(chain->next, root, key, 0);
	if (r < 0)
		return pm_fail(
			report, r, "join.intermediate", "signed by the root CA", "by another");
	r = pm_cert_check_time(chain->next, now);
	if (r < 0)
		return pm_fail(report, r, "join.intermediate", pm_time(now).s, "%s to %s",
			pm_time(pm_cert_not_before(chain->next)).s,
			pm_time(pm_cert_not_after(chain->next)).s);
	return PM_OK;
}

static int check_root(const struct answer *answer, const struct pm_mesh_chain *chain, int64_t now,
	struct pm_report *report)
{
	pm_cleanup(pm_cert) struct pm_cert *root = NULL;
	int r = pm_cert_parse(pm_blob_view(&answer->root_ca), &root);

	if (r < 0)
		return pm_fail(report, r, "join.root_ca", "a certificate", "%s", pm_strerror(r));
	r = pm_coordinator_check_ca("join.root_ca", root, now, report);
	return r < 0 ? r : check_intermediate(chain, root, now, report);
}

static int keep_certificate(
	const char *pem, const struct pm_mesh_chain *chain, struct pm_membership *m)
{
	struct pm_view der = pm_cert_der(chain->leaf);

	m->leaf.ptr = pm_dup(der);
	if (!m->leaf.ptr)
		return PM_E_NOMEM;
	m->leaf.len = der.len;
	return pm_ask_copy_text(pem, &m->certificate);
}

static int check_certificate(const struct answer *answer, const struct pm_join_wanted *wanted,
	const struct pm_mesh_identity *signer, struct pm_report *report, struct pm_membership *m)
{
	struct pm_view text = pm_view(answer->certificate, strlen(answer->certificate));
	pm_cleanup(chain) struct pm_mesh_chain chain = {0};
	int r = pm_mesh_verify(text.ptr, text.len, answer->mesh_ca.ptr, answer->mesh_ca.len,
		wanted->now, report, &m->identity);

	if (r == PM_OK)
		r = check_identity(&m->identity, wanted, signer->manifest_hash, report);
	if (r == PM_OK)
		r = pm_mesh_chain_parse(text, report, &chain);
	if (r == PM_OK)
		r = check_key(&chain, m->key, report);
	if (r == PM_OK)
		r = check_root(answer, &chain, wanted->now, report);
	if (r < 0)
		return r;
	if (answer->expires != m->identity.not_after)
		return pm_fail(report, PM_E_REJECTED, "join.expires",
			pm_time(m->identity.not_after).s, "%s", pm_time(answer->expires).s);
	pm_pass(report, "join.certificate", "%s.%s, %s, until %s", m->identity.replica,
		m->identity.role, purpose_name(m->identity.purpose),
		pm_time(m->identity.not_after).s);
	return keep_certificate(answer->certificate, &chain, m);
}

/* A workload gets a certificate, and a coordinator none. */
static int check_grant(const struct answer *answer, const struct pm_join_wanted *wanted,
	const struct pm_mesh_identity *signer, struct pm_report *report, struct pm_membership *m)
{
	m->is_coordinator = !strcmp(wanted->role, PM_MESH_ROLE_COORDINATOR);
	if (m->is_coordinator && answer->certificate)
		return pm_fail(report, PM_E_REJECTED, "join.certificate", "null", "a certificate");
	if (m->is_coordinator)
		return PM_OK;
	if (!answer->certificate)
		return pm_fail(report, PM_E_REJECTED, "join.certificate", "a certificate", "null");
	return check_certificate(answer, wanted, signer, report, m);
}

/* The role's secret comes when the manifest gives it one, and else not. */
static int check_secret(const struct pm_join_wanted *wanted, const struct pm_membership *m,
	struct pm_report *report)
{
	const struct pm_manifest_role *role = pm_manifest_role(m->manifest, wanted->role);
	bool due;

	if (!role)
		return pm_fail(report, PM_E_REJECTED, "join.role", "a role of the manifest", "%s",
			wanted->role);
	due = !m->is_coordinator && pm_manifest_role_workload_secret(role);
	if (due == (m->secret.ptr != NULL))
		return PM_OK;
	return pm_fail(report, PM_E_REJECTED, "join.workload_secret",
		due ? "a secret, as the manifest says" : "none, as the manifest says", "%s",
		due ? "none" : "a secret");
}

static int check_box(const struct answer *answer, const struct pm_join_wanted *wanted,
	struct pm_report *report, struct pm_membership *m)
{
	int r = PM_OK;

	if (answer->box.ptr)
		r = pm_join_open(pm_blob_view(&answer->box), pm_blob_view(&answer->mesh_ca), wanted,
			report, m);
	else if (m->is_coordinator)
		return pm_fail(report, PM_E_REJECTED, "join.box", "the seed", "null");
	return r < 0 ? r : check_secret(wanted, m, report);
}

/* --- the decision ---------------------------------------------------------------------------- */

static void take(struct answer *answer, struct pm_membership *m)
{
	m->mesh_ca = answer->mesh_ca;
	m->root_ca = answer->root_ca;
	m->manifest_bytes = answer->manifest;
	m->expires = m->is_coordinator ? 0 : answer->expires;
	answer->mesh_ca = answer->root_ca = answer->manifest = (struct pm_blob){0};
}

int pm_join_accept(const struct pm_join_envelope *envelope, const struct pm_join_wanted *wanted,
	struct pm_report *report, struct pm_membership *membership)
{
	pm_cleanup(answer) struct answer answer = {0};
	pm_cleanup(json) json_t *json = NULL;
	struct pm_mesh_identity signer;
	int r = parse(pm_blob_view(&envelope->answer), report, &json, &answer);

	if (r == PM_OK)
		r = check_pin(&answer, membership->deployment, report);
	if (r == PM_OK)
		r = check_signer(envelope, &answer, wanted->now, report, &signer);
	if (r == PM_OK)
		r = check_nonce(&answer, wanted, report);
	if (r == PM_OK)
		r = check_manifest(&answer, &signer, report, &membership->manifest);
	if (r == PM_OK)
		r = check_grant(&answer, wanted, &signer, report, membership);
	if (r == PM_OK)
		r = check_box(&answer, wanted, report, membership);
	if (r == PM_OK)
		take(&answer, membership);
	return r;
}
