/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client agrees on a secret with us: keyex.h. The secret is in the store before he hears of it.
 * So do owners, for another purpose and of another kind: what workers get of clients' secrets says
 * nothing of theirs, whoever sends a request to the wrong of both paths.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <pm/keyex.h>
#include <pm/operator.h>
#include <pm/text.h>

#include "pm-secrets/job.h"

/* The longer one of both prefixes. */
#define ID_MAX (sizeof(PM_COMMAND_CLIENTS) + PM_KEYEX_ID_SIZE)

_Static_assert(sizeof(PM_COMMAND_OPERATORS) <= sizeof(PM_COMMAND_CLIENTS), "prefixes");

struct agreement {
	char id[ID_MAX];
	char answer[]; /* of pm_keyex_response_room() bytes */
};

bool job_check_client(struct job *job)
{
	uint8_t key[LIMIT_KEY_MAX];
	size_t len = limit_key_of_client(job->exchange, job->secrets->options->client_field, key);

	if (limit_take(job->secrets->exchanges, key, len, loop_now()))
		return true;
	atomic_fetch_add(&job->secrets->counts.limited, 1);
	job_fail(job, 429, "too_many", "Too many requests.");
	return false;
}

/* --- the answer ------------------------------------------------------------------------------ */

static void answer(struct job *job)
{
	atomic_fetch_add(&job->secrets->counts.agreed, 1);
	job_reply(job, 200, job->agreement->answer, strlen(job->agreement->answer));
}

static void on_stored(void *arg, const struct store_result *result)
{
	struct job *job = arg;
	const struct pm_audit_field fields[] = {
		{"id", job->agreement->id},
		{"request", http_id(job->exchange)},
	};

	job->op = NULL;
	if (result->error == PM_E_STATE)
		job_fail(job, 409, "exists", "This key has agreed on a secret already.");
	else if (result->error < 0)
		job_fail_store(job, result);
	else
		job_note(job, "secret.agreed", fields, 2, answer);
}

/* --- the secret ------------------------------------------------------------------------------ */

static bool is_operators(const struct job *job)
{
	return job->kind == &job_operator;
}

static int make_record(const struct job *job, const char *id, struct record *ret)
{
	size_t len = 0;

	*ret = (struct record){.kind = is_operators(job) ? RECORD_OPERATOR : RECORD_CLIENT,
		.rule_len = RECORD_NO_RULE,
		.created = job->now,
		.expires = job->now + PM_KEYEX_LIFETIME};
	return pm_text_base64_decode(id, strlen(id), ret->owner, sizeof(ret->owner), &len);
}

static int store_secret(struct job *job, const char *id, uint8_t *secret)
{
	const struct record_value value = {secret, PM_KEYEX_SECRET_SIZE};
	char key[RECORD_KEY_SIZE];
	uint8_t *bytes = NULL;
	struct record record;
	size_t len = 0;
	int r = make_record(job, id, &record);

	snprintf(job->agreement->id, sizeof(job->agreement->id), "%s%s",
		is_operators(job) ? PM_COMMAND_OPERATORS : PM_COMMAND_CLIENTS, id);
	if (r == PM_OK)
		r = record_seal(job->ring, job->agreement->id, &record, &value, &bytes, &len);
	if (r < 0)
		return r;
	record_key(job->agreement->id, key);
	job->op = store_put(job->loop->store, key, bytes, len, record.expires, 0, on_stored, job);
	free(bytes);
	return job->op ? PM_OK : PM_E_NOMEM;
}

/* Whose key signs: the certificate of the mesh that is for signing. */
static int get_signer(const struct job *job, struct pm_keyex_signer *ret)
{
	const struct pm_membership *m = job->identity->signing;

	if (!m)
		return PM_E_STATE;
	*ret = (struct pm_keyex_signer){.size = sizeof(*ret),
		.sign = pm_mesh_key_sign_digest,
		.arg = (void *)(uintptr_t)pm_membership_key(m),
		.purpose = is_operators(job) ? PM_OPERATOR_PURPOSE : NULL};
	ret->cert = pm_membership_leaf(m, &ret->cert_len);
	return PM_OK;
}

static int respond(struct job *job)
{
	uint8_t secret[PM_KEYEX_SECRET_SIZE];
	struct pm_keyex_signer signer;
	char id[PM_KEYEX_ID_SIZE];
	int r = get_signer(job, &signer);

	if (r < 0)
		return r;
	job->agreement =
		calloc(1, sizeof(*job->agreement) + pm_keyex_response_room(signer.cert_len));
	if (!job->agreement)
		return PM_E_NOMEM;
	r = pm_keyex_respond(
		job->in.bytes, job->in.len, &signer, job->agreement->answer, id, secret, NULL);
	if (r == PM_OK)
		r = store_secret(job, id, secret);
	explicit_bzero(secret, sizeof(secret));
	return r;
}

static void run(struct job *job)
{
	int r = job->in.len ? respond(job) : PM_E_FORMAT;

	if (r == PM_E_FORMAT || r == PM_E_LIMIT || r == PM_E_REJECTED)
		job_fail(job, 400, "bad_request", "The request is malformed.");
	else if (r < 0)
		job_fail_store(job, NULL);
}

static void end(struct job *job)
{
	free(job->agreement);
}

const struct job_kind job_agree = {
	JOB_AGREE_PATH, PM_KEYEX_JSON_MAX, job_check_client, run, end, NULL, NULL};
const struct job_kind job_operator = {
	JOB_OPERATOR_PATH, PM_KEYEX_JSON_MAX, job_check_client, run, end, NULL, NULL};
