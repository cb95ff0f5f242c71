/* SPDX-License-Identifier: Apache-2.0 */
/* A workload asks to join: nonce, evidence, answer. */
#include "net/join.h"

#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "crypto/crypto.h"

/* In base64, and what stands around. */
#define ANSWER_MAX    ((PM_JOIN_ANSWER_MAX + PM_MESH_CERT_SIZE_MAX) / 3 * 4 + 1024)
#define CHALLENGE_MAX 1024

/* A join under way. */
struct run {
	const struct pm_join_options *options;
	struct pm_coordinator *coordinator;
	struct pm_report *report;
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE];
	struct pm_box_key *box_key;
	struct pm_blob bundle;
};

static void pm_cleanup_run(struct run *run)
{
	pm_coordinator_free(run->coordinator);
	pm_box_key_free(run->box_key);
	pm_blob_clear(&run->bundle);
}

static int ask(struct run *run, const struct pm_ask *ask, const char *name,
	const struct pm_json_rule *rules, size_t count, void *target)
{
	pm_cleanup(http_response) struct pm_http_response response = {0};
	struct pm_json_at root = pm_json_root(name, run->report);
	pm_cleanup(json) json_t *json = NULL;
	int r = pm_ask(&run->coordinator->server, ask, run->report, &response);

	if (r == PM_OK)
		r = pm_json_parse(
			name, pm_view(response.body, response.len), ask->max, run->report, &json);
	return r < 0 ? r : pm_json_object(&root, json, rules, count, target);
}

static int ask_nonce(struct run *run)
{
	static const struct pm_json_rule rules[] = {
		{.key = "Nonce",
			.read = pm_ask_read_bytes,
			.max = PM_BUNDLE_NONCE_SIZE,
			.offset = offsetof(struct run, nonce)},
	};
	const struct pm_ask what = {
		.path = PM_JOIN_CHALLENGE_PATH,
		.json = pm_view("{}", 2),
		.type = PM_ASK_JSON,
		.max = CHALLENGE_MAX,
		.decides = true,
	};

	return ask(run, &what, "challenge", rules, PM_ARRAY_LEN(rules), run);
}

static int collect(struct run *run, const struct pm_mesh_key *key)
{
	struct pm_join_request request = {
		.nonce = run->nonce,
		.is_tls = run->options->purpose == PM_MESH_TLS,
		.document = pm_box_key_public(run->box_key),
		.document_len = PM_BOX_PUBLIC_SIZE,
	};
	int r;

	request.key = pm_mesh_key_spki(key, &request.key_len);
	r = run->options->collect(
		run->options->arg, &request, run->report, &run->bundle.ptr, &run->bundle.len);
	if (r < 0)
		return r;
	if (!run->bundle.ptr || !run->bundle.len || run->bundle.len > PM_BUNDLE_SIZE_MAX)
		return pm_fail(run->report, PM_E_LIMIT, "evidence", "1 to 4194304 bytes",
			"%zu bytes", run->bundle.len);
	return PM_OK;
}

static int send_evidence(struct run *run, struct pm_join_envelope *ret)
{
	static const struct pm_json_rule rules[] = {
		{.key = "Answer",
			.read = pm_ask_read_blob,
			.max = PM_JOIN_ANSWER_MAX,
			.offset = offsetof(struct pm_join_envelope, answer)},
		{.key = "Signature",
			.read = pm_ask_read_blob,
			.max = PM_MESH_SIGNATURE_MAX,
			.offset = offsetof(struct pm_join_envelope, signature)},
		{.key = "Signer",
			.read = pm_ask_read_blob,
			.max = PM_MESH_CERT_SIZE_MAX,
			.offset = offsetof(struct pm_join_envelope, signer)},
	};
	const struct pm_ask_member members[] = {
		{"Evidence", pm_blob_view(&run->bundle)},
		{"Document", pm_view(pm_box_key_public(run->box_key), PM_BOX_PUBLIC_SIZE)},
	};
	struct pm_ask what = {
		.path = PM_JOIN_PATH, .type = PM_ASK_JSON, .max = ANSWER_MAX, .decides = true};
	pm_cleanup(free) char *text = NULL;
	int r = pm_ask_json(members, PM_ARRAY_LEN(members), &text, &what.json.len);

	what.json.ptr = (const uint8_t *)text;
	return r < 0 ? r : ask(run, &what, PM_JOIN_CHECK, rules, PM_ARRAY_LEN(rules), ret);
}

static int join(struct run *run, struct pm_membership *m)
{
	pm_cleanup(join_envelope) struct pm_join_envelope envelope = {0};
	struct pm_join_wanted wanted = {
		.role = run->options->role,
		.purpose = run->options->purpose,
		.nonce = run->nonce,
	};
	const struct pm_net_clock *clock = &run->coordinator->clock;
	const struct pm_mesh_key *given = run->options->key;
	int r = given ? pm_mesh_key_copy(given, &m->key) : pm_mesh_key_new(&m->key);

	if (r == PM_OK)
		r = pm_box_key_new(&run->box_key);
	if (r == PM_OK)
		r = ask_nonce(run);
	if (r == PM_OK)
		r = collect(run, m->key);
	if (r == PM_OK)
		r = send_evidence(run, &envelope);
	if (r < 0)
		return r;
	wanted.box_key = run->box_key;
	wanted.now = clock->wall(clock->arg);
	return pm_join_accept(&envelope, &wanted, run->report, m);
}

/* --- whom to ask ----------------------------------------------------------------------------- */

/* Options that were known when the caller was compiled. */
static int read_options(const struct pm_join_options *o, struct pm_join_options *ret)
{
	const size_t first = offsetof(struct pm_join_options, key);

	if (!o || (o->size != sizeof(*o) && o->size != first))
		return PM_E_ARG;
	*ret = (struct pm_join_options){0};
	pm_copy(ret, o, o->size);
	return PM_OK;
}

/* A key of TLS signs nothing else (mesh.h), and of the caller's nobody knows what it was for. */
static bool is_complete(const struct pm_join_options *o)
{
	return o->role && o->collect &&
	       (o->purpose == PM_MESH_TLS || (o->purpose == PM_MESH_SIGN && !o->key)) &&
	       !(o->manifest && o->manifest_hash) &&
	       !(o->memory_file && !o->manifest && !o->manifest_hash);
}

static int attest(struct run *run, struct pm_verdict *verdict, struct pm_membership *m)
{
	const struct pm_coordinator_trust trust = {
		.size = sizeof(trust),
		.manifest = run->options->manifest,
		.manifest_hash = run->options->manifest_hash,
	};

	if (!trust.manifest && !trust.manifest_hash)
		return PM_OK;
	return pm_coordinator_attest(
		run->coordinator, &trust, verdict, run->report, &m->deployment);
}

static int name_coordinator(struct run *run, const char *url)
{
	const struct pm_coordinator_options options = {
		.size = sizeof(options),
		.memory_file = run->options->memory_file,
		.ca_file = run->options->ca_file,
		.connect_ms = run->options->connect_ms,
		.total_ms = run->options->total_ms,
	};

	return pm_coordinator_new(url, &options, run->report, &run->coordinator);
}

int pm_join_by_clock(const char *url, const struct pm_join_options *options,
	const struct pm_net_clock *clock, struct pm_verdict *verdict, struct pm_report *report,
	struct pm_membership **ret_membership)
{
	pm_cleanup(pm_membership) struct pm_membership *m = NULL;
	struct pm_join_options known;
	pm_cleanup(run) struct run run = {.options = &known, .report = report};
	int r;

	if (!url || read_options(options, &known) < 0 || !is_complete(&known))
		return PM_E_ARG;
	m = pm_alloc(sizeof(*m));
	if (!m)
		return PM_E_NOMEM;
	r = name_coordinator(&run, url);
	if (r < 0)
		return r;
	pm_coordinator_set_clock(run.coordinator, clock);
	r = attest(&run, verdict, m);
	if (r == PM_OK)
		r = join(&run, m);
	if (r == PM_OK)
		*ret_membership = pm_steal(m);
	return r;
}

int pm_join(const char *url, const struct pm_join_options *options, struct pm_verdict *verdict,
	struct pm_report *report, struct pm_membership **ret_membership)
{
	return pm_join_by_clock(
		url, options, &pm_net_system_clock, verdict, report, ret_membership);
}
