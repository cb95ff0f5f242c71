/* SPDX-License-Identifier: Apache-2.0 */
/* A session with a mesh: the coordinator is asked, and then its secret service. */
#include <pm/keyex.h>
#include <pm/mesh.h>

#include "net/session.h"

PM_OWNER(pm_keyex_client, pm_keyex_client_free);

_Static_assert(PM_KEYEX_ID_SIZE == PM_DIRECT_ID_SIZE &&
		       (int)PM_KEYEX_SECRET_SIZE == (int)PM_DIRECT_SECRET_SIZE,
	"one kind of key for both modes");
_Static_assert((int)PM_SESSION_RENEW == (int)PM_KEYEX_RENEW &&
		       (int)PM_SESSION_END < (int)PM_KEYEX_LIFETIME,
	"the service keeps a secret at least as long");

int pm_session_attest_mesh(struct pm_session *session, struct pm_verdict *verdict,
	struct pm_report *report, struct pm_deployment **ret_deployment)
{
	const struct pm_coordinator_trust trust = {
		.size = sizeof(trust), .manifest = session->manifest};

	return pm_coordinator_attest(session->coordinator, &trust, verdict, report, ret_deployment);
}

static int finish(const struct pm_session *session, const struct pm_keyex_client *client,
	const struct pm_http_response *response, struct pm_report *report,
	struct pm_session_key *key)
{
	uint8_t manifest[PM_MANIFEST_HASH_SIZE];
	struct pm_keyex_trust trust = {
		.size = sizeof(trust),
		.now = session->clock.wall(session->clock.arg),
		.check_role = pm_mesh_keyex_role,
		.arg = manifest,
	};

	pm_manifest_hash(session->manifest, manifest);
	trust.ca = pm_deployment_mesh_ca(key->deployment, &trust.ca_len);
	return pm_keyex_client_finish(client, (const char *)response->body, response->len, &trust,
		key->secret.ptr, report);
}

static int exchange(
	const struct pm_session *session, struct pm_report *report, struct pm_session_key *key)
{
	pm_cleanup(http_response) struct pm_http_response response = {0};
	pm_cleanup(pm_keyex_client) struct pm_keyex_client *client = NULL;
	char json[PM_KEYEX_REQUEST_SIZE];
	const struct pm_ask ask = {
		.path = PM_SESSION_SECRET_PATH,
		.json = pm_view(json, sizeof(json) - 1),
		.type = PM_ASK_JSON,
		.max = PM_KEYEX_JSON_MAX,
	};
	int r = pm_keyex_client_new(&client);

	if (r < 0)
		return r;
	pm_keyex_client_request(client, json);
	r = pm_ask(&session->server, &ask, report, &response);
	if (r == PM_OK)
		r = finish(session, client, &response, report, key);
	if (r == PM_OK)
		pm_copy(key->id, pm_keyex_client_id(client), sizeof(key->id));
	return r;
}

int pm_session_agree_mesh(struct pm_session *session, struct pm_verdict *verdict,
	struct pm_report *report, struct pm_session_key *key)
{
	int r = pm_session_attest_mesh(session, verdict, report, &key->deployment);

	if (r < 0)
		return r;
	key->appraised = pm_deployment_appraised(key->deployment);
	key->made_ms = session->clock.ticks_ms(session->clock.arg);
	r = exchange(session, report, key);
	return r < 0 ? r : pm_exchange_key_new(key->id, key->secret.ptr, &key->exchange);
}
