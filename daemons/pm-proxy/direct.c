/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-proxy/direct.h"

#include <err.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pm/direct.h>
#include <pm/keyex.h>
#include <pm/text.h>

#include "common/public_file.h"
#include "pm-proxy/keys.h"

/* How long a secret is kept under which nothing authentic came yet, in seconds. */
#define TRIAL_SECONDS 60

struct direct {
	struct pm_direct_key *key;
	struct evidence *evidence;
};

static const struct http_field no_store = {"Cache-Control", "no-store"};

int direct_new(const struct evidence_options *options, struct direct **ret_direct)
{
	struct direct *direct = calloc(1, sizeof(*direct));
	struct evidence_subject subject = {
		.key_kind = PM_CLAIMS_XWING, .key_len = PM_DIRECT_PUBLIC_SIZE};
	int r = 2;

	if (!direct || pm_direct_key_new(&direct->key) < 0) {
		warnx("out of memory");
	} else {
		subject.key = pm_direct_key_public(direct->key);
		r = evidence_new(options, &subject, &direct->evidence);
	}
	if (r != 0) {
		direct_free(direct);
		return r;
	}
	*ret_direct = direct;
	return 0;
}

int direct_write_key(const struct direct *direct, const char *path)
{
	return public_file_write(path, pm_direct_key_public(direct->key), PM_DIRECT_PUBLIC_SIZE);
}

void direct_end(struct direct *direct)
{
	if (direct)
		evidence_end(direct->evidence);
}

void direct_free(struct direct *direct)
{
	if (!direct)
		return;
	evidence_free(direct->evidence);
	pm_direct_key_free(direct->key);
	free(direct);
}

/* --- requests -------------------------------------------------------------------------------- */

bool direct_is_for(const struct direct *direct, const struct http_request *request)
{
	return direct && !strcmp(request->method, "POST") &&
	       (!strcmp(request->target, PM_DIRECT_PATH) ||
		       !strcmp(request->target, DIRECT_EVIDENCE_PATH));
}

void direct_take(struct job *job, const char *bytes, size_t len)
{
	if (!buffer_add(&job->in, bytes, len, PM_DIRECT_JSON_MAX))
		job_fail(job, 413, "too_large", "The request is too large.");
}

/* In a field too: load balancers send what names the secret here from now on. */
static void tell_secret(struct job *job, const char *id)
{
	const struct http_field fields[] = {no_store, {PM_SEALED_FIELD_SECRET_ID, id}};
	char json[PM_DIRECT_ID_SIZE + 32];
	int n = snprintf(json, sizeof(json), "{\"SecretId\":\"%s\"}", id);

	job->is_over = true;
	http_respond(job->exchange, 200, "application/json", fields, 2, n);
	http_send(job->exchange, json, (size_t)n);
	http_finish(job->exchange);
}

static void agree(struct job *job)
{
	struct keys *keys = job->proxy->keys;
	char id[PM_DIRECT_ID_SIZE];
	int64_t now = (int64_t)time(NULL);
	uint8_t secret[PM_DIRECT_SECRET_SIZE];
	int r = pm_direct_accept(
		job->proxy->direct->key, job->in.bytes, job->in.len, id, secret, NULL);

	if (r == PM_OK)
		r = keys_insert_trial(
			keys, id, secret, now + TRIAL_SECONDS, now + PM_KEYEX_LIFETIME);
	explicit_bzero(secret, sizeof(secret));
	if (r == PM_E_FORMAT || r == PM_E_REJECTED) {
		job_fail(job, 400, "bad_request", "The request is malformed.");
		return;
	}
	if (r < 0) {
		job_fail(job, 503, "busy", "The worker holds too many secrets.");
		return;
	}
	tell_secret(job, id);
}

static void on_evidence(void *arg, const struct evidence_answer *answer)
{
	struct job *job = arg;

	job->ask = NULL;
	if (answer->error < 0) {
		job_fail(job, 503, "no_evidence", "The processor gave no evidence.");
		return;
	}
	job->is_over = true;
	http_respond(job->exchange, 200, PM_BUNDLE_MEDIA_TYPE, &no_store, 1, (int64_t)answer->len);
	http_send(job->exchange, answer->bundle, answer->len);
	http_finish(job->exchange);
}

/* An object with the nonce alone. */
static bool read_nonce(const struct job *job, uint8_t ret[PM_BUNDLE_NONCE_SIZE])
{
	const char *json = job->in.bytes ? job->in.bytes : "";
	json_t *root = json_loadb(json, job->in.len, JSON_REJECT_DUPLICATES, NULL);
	const char *text = json_string_value(json_object_get(root, "Nonce"));
	size_t len = 0;
	bool good = text && json_object_size(root) == 1 &&
		    pm_text_base64_decode(text, strlen(text), ret, PM_BUNDLE_NONCE_SIZE, &len) ==
			    PM_OK &&
		    len == PM_BUNDLE_NONCE_SIZE;

	json_decref(root);
	return good;
}

static void prove(struct job *job)
{
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE];

	if (!read_nonce(job, nonce)) {
		job_fail(job, 400, "bad_request", "Expected a Nonce of 32 bytes in base64.");
		return;
	}
	job->ask = evidence_ask(
		job->proxy->direct->evidence, http_loop(job->exchange), nonce, on_evidence, job);
	if (!job->ask)
		job_fail(job, 503, "busy", "Too many ask for evidence.");
}

void direct_finish(struct job *job)
{
	if (!strcmp(http_request(job->exchange)->target, PM_DIRECT_PATH))
		agree(job);
	else
		prove(job);
}
