/* SPDX-License-Identifier: Apache-2.0 */
/* What a session asks a worker, and what it makes of the answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/text.h>

#include "base/report.h"
#include "crypto/crypto.h"
#include "evidence/bundle.h"
#include "net/http.h"
#include "net/session.h"
#include "policy/json.h"

/* Of {"Nonce":"..."} with base64 of 32 bytes. */
#define QUESTION_SIZE 64
/* Of the answer that names a secret. */
#define ANSWER_MAX 1024
#define CHECK	   "worker"

/* --- HTTP ------------------------------------------------------------------------------------ */

static int complain(
	int r, const char *url, const struct pm_http_response *response, struct pm_report *report)
{
	if (r == PM_E_NOMEM)
		return r;
	if (r < 0)
		return pm_fail(report, r, CHECK, "an answer", "%s: %s", url, response->error);
	return pm_fail(report, PM_E_NET, CHECK, "an answer with status 200", "%s: status %ld", url,
		response->status);
}

/* A whole answer with status 200. What else an answer says is shown to nobody. */
static int post(const struct pm_session *session, const char *path, const char *json,
	size_t body_max, struct pm_report *report, struct pm_http_response *response)
{
	char url[PM_NET_URL_MAX + 32];
	const struct pm_http_request request = {
		.url = url,
		.ca_file = session->server.ca_file,
		.post = pm_view(json, strlen(json)),
		.content_type = "application/json",
		.body_max = body_max,
		.connect_ms = session->server.connect_ms,
		.total_ms = session->server.total_ms,
	};
	int r;

	snprintf(url, sizeof(url), "%s%s", session->url, path);
	r = pm_http_ask(&request, response);
	if (r < 0 || response->status != 200)
		return complain(r, url, response, report);
	return PM_OK;
}

/* --- evidence -------------------------------------------------------------------------------- */

static int ask_evidence(const struct pm_session *session, const uint8_t *nonce,
	struct pm_report *report, struct pm_bundle **ret)
{
	pm_cleanup(http_response) struct pm_http_response response = {0};
	char text[QUESTION_SIZE], json[QUESTION_SIZE + 16];
	int r;

	r = pm_text_base64_encode(nonce, PM_BUNDLE_NONCE_SIZE, text, sizeof(text));
	if (r < 0)
		return r;
	snprintf(json, sizeof(json), "{\"Nonce\":\"%s\"}", text);
	r = post(session, PM_SESSION_EVIDENCE_PATH, json, PM_BUNDLE_SIZE_MAX, report, &response);
	if (r < 0)
		return r;
	return pm_bundle_parse(response.body, response.len, report, ret);
}

static int attest_worker(struct pm_session *session, struct pm_verdict *verdict,
	struct pm_report *report, const struct pm_appraised **ret_appraised)
{
	pm_cleanup(pm_bundle) struct pm_bundle *bundle = NULL;
	pm_cleanup(pm_appraised_const) const struct pm_appraised *appraised = NULL;
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE];
	struct pm_appraisal question = {
		.manifest = session->manifest,
		.nonce = nonce,
		.role = session->role,
		.model = session->model,
		.max_age = session->max_age,
		.snp_cache = session->snp_cache,
		.gpu_cache = session->gpu_cache,
	};
	int r;

	pm_random(nonce, sizeof(nonce));
	r = ask_evidence(session, nonce, report, &bundle);
	if (r < 0)
		return r;
	question.now = session->clock.wall(session->clock.arg);
	r = pm_appraise(bundle, &question, verdict, &appraised);
	if (r == PM_OK)
		r = pm_session_remember(session, true, report);
	if (r == PM_OK)
		*ret_appraised = pm_steal(appraised);
	return r;
}

int pm_session_attest(struct pm_session *session, struct pm_verdict *verdict,
	struct pm_report *report, const struct pm_appraised **ret_appraised)
{
	pm_cleanup(pm_deployment) struct pm_deployment *deployment = NULL;
	int r;

	if (!session->coordinator)
		return attest_worker(session, verdict, report, ret_appraised);
	r = pm_session_attest_mesh(session, verdict, report, &deployment);
	if (r == PM_OK)
		*ret_appraised = pm_deployment_take(deployment);
	return r;
}

/* --- the agreement --------------------------------------------------------------------------- */

struct named {
	const char *id;
};

static int read_id(
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target)
{
	const struct named *named = target;
	const char *text = json_string_value(value);

	(void)rule;
	if (text && !strcmp(text, named->id))
		return PM_OK;
	return pm_json_fail(at, PM_E_REJECTED, value, "the secret that was agreed on");
}

/* Proves nothing, and is looked at so that a mistake shows here and not with each request. */
static int check_answer(
	const struct pm_http_response *response, const char *id, struct pm_report *report)
{
	static const struct pm_json_rule rules[] = {{.key = "SecretId", .read = read_id}};
	pm_cleanup(json) json_t *json = NULL;
	struct named named = {id};
	struct pm_json_at root = pm_json_root("agreement", report);
	int r = pm_json_parse(
		"agreement", pm_view(response->body, response->len), ANSWER_MAX, report, &json);

	return r < 0 ? r : pm_json_object(&root, json, rules, PM_ARRAY_LEN(rules), &named);
}

static int offer(
	const struct pm_session *session, struct pm_session_key *key, struct pm_report *report)
{
	pm_cleanup(http_response) struct pm_http_response response = {0};
	const struct pm_claims *claims = &key->appraised->claims;
	char json[PM_DIRECT_REQUEST_SIZE];
	int r;

	if (claims->key_kind != PM_CLAIMS_XWING || claims->key_len != PM_DIRECT_PUBLIC_SIZE)
		return pm_fail(report, PM_E_REJECTED, "agreement", "a worker of direct mode",
			"a key of another kind");
	r = pm_direct_offer(claims->key, json, key->id, key->secret.ptr, report);
	if (r == PM_OK)
		r = pm_exchange_key_new(key->id, key->secret.ptr, &key->exchange);
	if (r == PM_OK)
		r = post(session, PM_DIRECT_PATH, json, ANSWER_MAX, report, &response);
	return r < 0 ? r : check_answer(&response, key->id, report);
}

static int agree_direct(struct pm_session *session, struct pm_verdict *verdict,
	struct pm_report *report, struct pm_session_key *key)
{
	int r = attest_worker(session, verdict, report, &key->appraised);

	if (r < 0)
		return r;
	key->made_ms = session->clock.ticks_ms(session->clock.arg);
	return offer(session, key, report);
}

int pm_session_agree(struct pm_session *session, struct pm_verdict *verdict,
	struct pm_report *report, struct pm_session_key **ret_key)
{
	pm_cleanup(pm_session_key) struct pm_session_key *key = NULL;
	int r = pm_session_key_new(&key);

	if (r == PM_OK)
		r = session->coordinator ? pm_session_agree_mesh(session, verdict, report, key)
					 : agree_direct(session, verdict, report, key);
	if (r == PM_OK)
		*ret_key = pm_steal(key);
	return r;
}
