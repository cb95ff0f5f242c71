/* SPDX-License-Identifier: Apache-2.0 */
#include "mesh_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/keyex.h>
#include <pm/text.h>

#include "crypto/crypto.h"
#include "testing.h"

/* --- JSON ------------------------------------------------------------------------------------ */

json_t *world_base64(const void *bytes, size_t n)
{
	char *text = malloc(n / 3 * 4 + 5);
	json_t *json;

	ck_assert_ptr_nonnull(text);
	ck_pm(pm_text_base64_encode(bytes, n, text, n / 3 * 4 + 5), PM_OK);
	json = json_string(text);
	free(text);
	return json;
}

struct pm_view world_bytes(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	uint8_t *bytes;
	size_t len = 0;

	ck_assert_msg(text != NULL, "no %s", key);
	bytes = pm_alloc(strlen(text) + 1);
	ck_pm(pm_text_base64_decode(text, strlen(text), bytes, strlen(text) + 1, &len), PM_OK);
	return pm_view(bytes, len);
}

static void take_bytes(const json_t *object, const char *key, uint8_t *ret, size_t n)
{
	struct pm_view bytes = world_bytes(object, key);

	ck_assert_uint_eq(bytes.len, n);
	memcpy(ret, bytes.ptr, n);
	test_free(bytes);
}

static struct pm_view text_of(const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);
	struct pm_view view;

	ck_assert_ptr_nonnull(text);
	view = pm_view(text, strlen(text));
	return view;
}

static json_t *hex_json(const uint8_t *bytes, size_t n)
{
	char text[2 * 64 + 1];

	pm_hex_encode(bytes, n, text);
	return json_string(text);
}

static struct peer_reply give(struct mesh_world *w, json_t *json)
{
	struct peer_reply r = {.status = 200, .type = "application/json"};

	if (w->change_reply)
		w->change_reply(w, json);
	r.body = text_of(json);
	json_decref(json);
	return r;
}

/* --- making ---------------------------------------------------------------------------------- */

static void add_roles(json_t *manifest)
{
	json_t *roles = json_object_get(manifest, "roles"), *worker, *other;

	worker = json_object_get(roles, "worker");
	json_object_set_new(worker, "workload_secret", json_true());
	other = json_deep_copy(worker);
	json_object_set_new(other, "models", json_array());
	json_object_set_new(other, "workload_secret", json_false());
	json_object_set_new(roles, "coordinator", json_deep_copy(other));
	json_object_set_new(roles, "secrets", other);
}

static void take_force(struct mesh_world *w)
{
	free(w->manifest_text);
	pm_manifest_free(w->manifest);
	w->manifest = NULL;
	w->manifest_text = json_dumps(w->stage.manifest, 0);
	ck_pm(pm_manifest_parse(w->manifest_text, strlen(w->manifest_text), NULL, &w->manifest),
		PM_OK);
	pm_authority_free(w->authority);
	ck_pm(pm_authority_new(w->seed, w->manifest, NULL, NULL, 0, WORLD_NOW, NULL, &w->authority),
		PM_OK);
	w->signer_authority = w->authority;
	ck_pm(pm_history_append(w->history, w->manifest, pm_authority_history_key(w->authority),
		      WORLD_NOW, NULL),
		PM_OK);
}

void world_again(struct mesh_world *w)
{
	pm_history_free(w->history);
	w->history = NULL;
	ck_pm(pm_history_new(&w->history), PM_OK);
	take_force(w);
}

void world_next_manifest(struct mesh_world *w)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE];

	pm_manifest_hash(w->manifest, hash);
	json_object_set_new(w->stage.manifest, "previous", hex_json(hash, sizeof(hash)));
	json_object_set_new(w->stage.manifest, "serial",
		json_integer((json_int_t)pm_manifest_serial(w->manifest) + 1));
	take_force(w);
}

static int64_t wall(void *arg)
{
	const struct mesh_world *w = arg;

	return w->now;
}

static int64_t ticks(void *arg)
{
	const struct mesh_world *w = arg;

	return w->now * 1000;
}

struct pm_net_clock world_clock(struct mesh_world *w)
{
	return (struct pm_net_clock){.wall = wall, .ticks_ms = ticks, .arg = w};
}

/* --- evidence -------------------------------------------------------------------------------- */

/* The stage's bundle of a role, for a nonce, a key and a document. */
static struct pm_view bundle_of(struct mesh_world *w, const char *role, const uint8_t *nonce,
	const struct pm_claims *wanted, struct pm_view document)
{
	struct pm_claims *c = &w->stage.claims;

	*c = *wanted;
	snprintf(c->role, sizeof(c->role), "%s", role);
	c->issued_at = w->now - 10;
	c->has_document = true;
	ck_pm(pm_hash(PM_SHA256, document, c->document_sha256), PM_OK);
	if (w->change_claims)
		w->change_claims(w, c);
	memcpy(w->stage.nonce.nonce, nonce, sizeof(w->stage.nonce.nonce));
	return stage_bundle(&w->stage);
}

static json_t *authority_json(
	const uint8_t *(*get)(const struct pm_authority *, size_t *), const struct pm_authority *a)
{
	size_t len;
	const uint8_t *der = get(a, &len);

	return world_base64(der, len);
}

json_t *world_document(struct mesh_world *w)
{
	const struct pm_sign_public *key =
		pm_sign_key_public(pm_authority_history_key(w->authority));
	uint8_t commitment[PM_SEED_COMMITMENT_SIZE];
	bool sealed = !strcmp(w->state, "sealed");
	json_t *d = json_object();
	char *history = NULL;
	size_t len;

	ck_pm(pm_history_text(w->history, 0, &history, &len), PM_OK);
	ck_pm(pm_seed_commitment(w->seed, commitment), PM_OK);
	json_object_set_new(d, "version", json_integer(1));
	json_object_set_new(d, "state", json_string(w->state));
	json_object_set_new(
		d, "manifest", world_base64(w->manifest_text, strlen(w->manifest_text)));
	json_object_set_new(d, "history", json_loadb(history, len, 0, NULL));
	json_object_set_new(
		d, "history_key", sealed ? json_null() : world_base64(key->spki, key->spki_size));
	json_object_set_new(d, "root_ca",
		sealed ? json_null() : authority_json(pm_authority_root_ca, w->authority));
	json_object_set_new(d, "mesh_ca",
		sealed ? json_null() : authority_json(pm_authority_mesh_ca, w->authority));
	json_object_set_new(d, "log",
		json_pack("{s:i, s:o}", "entries", 3, "head",
			hex_json(commitment, sizeof(commitment))));
	json_object_set_new(d, "commitment", hex_json(commitment, sizeof(commitment)));
	pm_history_text_free(history);
	return d;
}

static struct peer_reply answer_attest(struct mesh_world *w, const json_t *question)
{
	struct pm_claims claims = {.key_kind = PM_CLAIMS_XWING, .key_len = PM_CLAIMS_XWING_SIZE};
	json_t *document = world_document(w), *reply = json_object();
	struct pm_view text, bundle;
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE];

	w->attested++;
	take_bytes(question, "Nonce", nonce, sizeof(nonce));
	memcpy(claims.key, pm_box_key_public(w->process_key), PM_CLAIMS_XWING_SIZE);
	if (w->change_document)
		w->change_document(w, document);
	text = text_of(document);
	bundle = bundle_of(w, "coordinator", nonce, &claims, text);
	if (w->change_shown) {
		test_free(text);
		w->change_shown(w, document);
		text = text_of(document);
	}
	json_object_set_new(reply, "Evidence", world_base64(bundle.ptr, bundle.len));
	json_object_set_new(reply, "Document", world_base64(text.ptr, text.len));
	test_free(text);
	test_free(bundle);
	json_decref(document);
	return give(w, reply);
}

/* --- joins ----------------------------------------------------------------------------------- */

int world_collect(void *arg, const struct pm_join_request *request, struct pm_report *report,
	uint8_t **ret_bundle, size_t *ret_len)
{
	struct mesh_world *w = arg;
	struct pm_claims claims = {.key_kind = PM_CLAIMS_SPKI, .key_len = request->key_len};
	struct pm_view bundle;

	(void)report;
	memcpy(claims.key, request->key, request->key_len);
	claims.has_tls = request->is_tls;
	ck_pm(pm_hash(PM_SHA256, pm_view(request->key, request->key_len), claims.tls_spki_sha256),
		PM_OK);
	bundle = bundle_of(w, "worker", request->nonce, &claims,
		pm_view(request->document, request->document_len));
	*ret_bundle = (uint8_t *)bundle.ptr;
	*ret_len = bundle.len;
	return PM_OK;
}

static struct peer_reply answer_challenge(struct mesh_world *w)
{
	json_t *reply = json_object();

	pm_random(w->nonce, sizeof(w->nonce));
	json_object_set_new(reply, "Nonce", world_base64(w->nonce, sizeof(w->nonce)));
	return give(w, reply);
}

void world_box(struct mesh_world *w, const char *label, struct pm_view plain, uint8_t *ret_box)
{
	uint8_t aad[PM_JOIN_BOX_AAD_SIZE];
	size_t len;
	const uint8_t *mesh_ca = pm_authority_mesh_ca(w->authority, &len);

	ck_pm(pm_join_box_aad(w->nonce, mesh_ca, len, aad), PM_OK);
	ck_pm(pm_box_seal(w->box_key, label, aad, sizeof(aad), plain.ptr, plain.len, ret_box),
		PM_OK);
}

static json_t *box_of(struct mesh_world *w, const char *role)
{
	json_t *plain = json_object(), *box;
	struct pm_view text;
	uint8_t *bytes;

	if (!strcmp(role, "coordinator")) {
		json_object_set_new(plain, "seed", world_base64(pm_seed_bytes(w->seed), 32));
		json_object_set_new(plain, "mesh_key",
			world_base64(
				pm_authority_mesh_key(w->authority), PM_AUTHORITY_MESH_KEY_SIZE));
	} else {
		json_object_set_new(plain, "workload_secret",
			w->no_secret
				? json_null()
				: world_base64(w->workload_secret, sizeof(w->workload_secret)));
	}
	text = text_of(plain);
	bytes = pm_alloc(text.len + PM_BOX_OVERHEAD);
	world_box(w, w->label, text, bytes);
	box = world_base64(bytes, text.len + PM_BOX_OVERHEAD);
	free(bytes);
	test_free(text);
	json_decref(plain);
	return box;
}

/* What the claims ask for, whatever they are worth. */
static struct pm_mesh_identity identity_of(const struct pm_claims *c)
{
	struct pm_mesh_identity who = {.purpose = PM_MESH_SIGN};

	snprintf(who.role, sizeof(who.role), "%s", c->role);
	snprintf(who.replica, sizeof(who.replica), "r1");
	if (c->has_tls)
		who.purpose = PM_MESH_TLS;
	return who;
}

static json_t *answer_of(struct mesh_world *w, const struct pm_claims *claims)
{
	struct pm_mesh_identity who = identity_of(claims);
	json_t *a = json_object();
	char *pem = NULL;
	int64_t until = 0;

	if (w->change_identity)
		w->change_identity(w, &who);
	ck_pm(pm_authority_issue(w->authority, w->spki, sizeof(w->spki), &who, w->now, 3600, NULL,
		      &pem, &until),
		PM_OK);
	json_object_set_new(a, "version", json_integer(1));
	json_object_set_new(a, "nonce", world_base64(w->nonce, sizeof(w->nonce)));
	json_object_set_new(a, "certificate",
		strcmp(claims->role, "coordinator") ? json_string(pem) : json_null());
	json_object_set_new(a, "mesh_ca", authority_json(pm_authority_mesh_ca, w->authority));
	json_object_set_new(a, "root_ca", authority_json(pm_authority_root_ca, w->authority));
	json_object_set_new(
		a, "manifest", world_base64(w->manifest_text, strlen(w->manifest_text)));
	json_object_set_new(a, "expires", json_integer(until));
	json_object_set_new(a, "box", box_of(w, claims->role));
	pm_authority_pem_free(pem);
	return a;
}

/* The leaf alone, DER, of who signs. */
static size_t certify_signer(
	const struct mesh_world *w, const struct pm_mesh_identity *who, uint8_t *ret_der)
{
	char *pem = NULL;
	size_t len;

	ck_pm(pm_authority_issue(w->signer_authority, pm_mesh_key_spki(w->signer_key, NULL),
		      PM_MESH_SPKI_SIZE, who, WORLD_NOW, w->signer_lifetime, NULL, &pem, NULL),
		PM_OK);
	ck_pm(pm_mesh_leaf(pem, strlen(pem), ret_der, &len), PM_OK);
	pm_authority_pem_free(pem);
	return len;
}

static json_t *signed_answer(struct mesh_world *w, const json_t *answer)
{
	struct pm_view text = text_of(answer);
	uint8_t der[PM_MESH_CERT_SIZE_MAX], signature[PM_MESH_SIGNATURE_MAX];
	size_t der_len = certify_signer(w, &w->signer, der), len;
	json_t *reply = json_object();

	ck_pm(pm_mesh_sign(w->signer_key, w->signature_label, text.ptr, text.len, signature, &len),
		PM_OK);
	json_object_set_new(reply, "Answer", world_base64(text.ptr, text.len));
	json_object_set_new(reply, "Signature", world_base64(signature, len));
	json_object_set_new(reply, "Signer", world_base64(der, der_len));
	test_free(text);
	return reply;
}

json_t *world_join(struct mesh_world *w, const struct pm_claims *claims)
{
	json_t *granted, *reply;

	ck_assert_int_eq(claims->key_kind, PM_CLAIMS_SPKI);
	ck_assert_uint_eq(claims->key_len, sizeof(w->spki));
	memcpy(w->spki, claims->key, sizeof(w->spki));
	granted = answer_of(w, claims);
	if (w->change_answer)
		w->change_answer(w, granted);
	reply = signed_answer(w, granted);
	json_decref(granted);
	return reply;
}

static struct peer_reply answer_join(struct mesh_world *w, const json_t *question)
{
	struct pm_view evidence = world_bytes(question, "Evidence");
	struct pm_bundle *bundle = NULL;
	struct peer_reply r;

	ck_pm(pm_bundle_parse(evidence.ptr, evidence.len, NULL, &bundle), PM_OK);
	ck_assert_mem_eq(pm_bundle_untrusted(bundle)->nonce.nonce, w->nonce, sizeof(w->nonce));
	take_bytes(question, "Document", w->box_key, sizeof(w->box_key));
	r = give(w, world_join(w, pm_bundle_untrusted_claims(bundle)));
	pm_bundle_free(bundle);
	test_free(evidence);
	return r;
}

/* --- the rest -------------------------------------------------------------------------------- */

static struct peer_reply answer_recover(struct mesh_world *w, const json_t *question)
{
	struct pm_view box = world_bytes(question, "Box");
	uint8_t commitment[PM_SEED_COMMITMENT_SIZE];

	ck_pm(pm_seed_commitment(w->seed, commitment), PM_OK);
	ck_assert_uint_lt(box.len - PM_BOX_OVERHEAD, sizeof(w->recovered));
	ck_pm(pm_box_open(w->process_key, "recover", commitment, sizeof(commitment), box.ptr,
		      box.len, w->recovered),
		PM_OK);
	w->recovered_len = box.len - PM_BOX_OVERHEAD;
	test_free(box);
	return give(w, json_pack("{s:i, s:i, s:s}", "Have", 1, "Need", 2, "State", "sealed"));
}

static struct peer_reply answer_secret(struct mesh_world *w, struct pm_view body)
{
	uint8_t der[PM_MESH_CERT_SIZE_MAX];
	struct pm_keyex_signer signer = {
		.size = sizeof(signer),
		.cert = der,
		.cert_len = certify_signer(w, &w->secrets, der),
		.sign = pm_mesh_key_sign_digest,
		.arg = w->signer_key,
	};
	char *text = malloc(pm_keyex_response_room(sizeof(der)));
	json_t *json;

	w->agreed++;
	ck_assert_ptr_nonnull(text);
	ck_pm(pm_keyex_respond((const char *)body.ptr, body.len, &signer, text, w->secret_id,
		      w->secret, NULL),
		PM_OK);
	json = json_loads(text, 0, NULL);
	free(text);
	return give(w, json);
}

static struct peer_reply answer_get(struct mesh_world *w, const char *path)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE];
	json_t *status;

	if (strncmp(path, "/pm/v1/status ", 14))
		return (struct peer_reply){.status = 404};
	pm_manifest_hash(w->manifest, hash);
	status = json_pack("{s:s, s:I, s:o, s:i, s:n}", "State", w->state, "Serial",
		(json_int_t)pm_manifest_serial(w->manifest), "Manifest",
		hex_json(hash, sizeof(hash)), "Replicas", 1, "Shares");
	return give(w, status);
}

static struct peer_reply answer_post(struct mesh_world *w, const char *path, struct pm_view body)
{
	struct peer_reply r = {.status = 404};
	json_t *question;

	if (!strncmp(path, "/privatemode/v1/secret ", 23))
		return answer_secret(w, body);
	question = json_loadb((const char *)body.ptr, body.len, 0, NULL);
	ck_assert_ptr_nonnull(question);
	if (!strncmp(path, "/pm/v1/attest ", 14))
		r = answer_attest(w, question);
	else if (!strncmp(path, "/pm/v1/challenge ", 17))
		r = answer_challenge(w);
	else if (!strncmp(path, "/pm/v1/join ", 12))
		r = answer_join(w, question);
	else if (!strncmp(path, "/pm/v1/recover ", 15))
		r = answer_recover(w, question);
	json_decref(question);
	return r;
}

static struct peer_reply answer(void *arg, const char *request, struct pm_view body)
{
	struct mesh_world *w = arg;
	const char *path = strchr(request, ' ') + 1;
	struct peer_reply r = w->reply;

	w->asked++;
	if (w->path && !strncmp(path, w->path, strlen(w->path))) {
		r.body = pm_view(pm_dup(w->reply.body), w->reply.body.len);
		return r;
	}
	return strncmp(request, "GET ", 4) ? answer_post(w, path, body) : answer_get(w, path);
}

/* --- start and stop -------------------------------------------------------------------------- */

static struct pm_mesh_identity signer_of(const char *role)
{
	struct pm_mesh_identity who = {.purpose = PM_MESH_SIGN};

	snprintf(who.role, sizeof(who.role), "%s", role);
	snprintf(who.replica, sizeof(who.replica), "a");
	return who;
}

void world_init(struct mesh_world *w)
{
	*w = (struct mesh_world){.state = "ready",
		.now = WORLD_NOW,
		.signer_lifetime = 3600,
		.label = "join",
		.signature_label = "join"};
	stage_init(&w->stage);
	add_roles(w->stage.manifest);
	memset(w->workload_secret, 0x73, sizeof(w->workload_secret));
	w->signer = signer_of("coordinator");
	w->secrets = signer_of("secrets");
	ck_pm(pm_seed_new(&w->seed), PM_OK);
	ck_pm(pm_box_key_new(&w->process_key), PM_OK);
	ck_pm(pm_mesh_key_new(&w->signer_key), PM_OK);
	world_again(w);
	w->server = peer_server_start(answer, w);
}

void world_free(struct mesh_world *w)
{
	peer_server_stop(w->server);
	pm_history_free(w->history);
	pm_mesh_key_free(w->signer_key);
	pm_box_key_free(w->process_key);
	pm_authority_free(w->authority);
	pm_seed_free(w->seed);
	pm_manifest_free(w->manifest);
	free(w->manifest_text);
	stage_free(&w->stage);
}
