/* SPDX-License-Identifier: Apache-2.0 */
/* What a request lacks before it can be sealed: the model's name outside, a salt, a shard key. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "pm-client/body.h"
#include "pm-client/job.h"

static bool refuse(struct job *job, int status, const char *code, const char *message)
{
	atomic_fetch_add(&job->client->not_allowed, 1);
	job_fail(job, status, "pm-client", code, message);
	return false;
}

static bool no_memory(struct job *job)
{
	job_fail(job, 503, "pm-client", "no_memory", "pm-client is out of memory");
	return false;
}

/* --- shard keys ------------------------------------------------------------------------------ */

/* Of a string its text, of anything else its JSON. */
static int add_content(struct pm_shard *shard, const json_t *value)
{
	char *text;
	int r;

	if (!value)
		return PM_OK;
	if (json_is_string(value))
		return pm_shard_add(shard, json_string_value(value), json_string_length(value));
	text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	if (!text)
		return PM_E_NOMEM;
	r = pm_shard_add(shard, text, strlen(text));
	explicit_bzero(text, strlen(text));
	free(text);
	return r;
}

static int make_shard_key(struct job *job, const json_t *root, const char *salt, size_t salt_len)
{
	static const char *const names[] = {"system", "tools", "messages", "prompt", "suffix"};
	struct pm_shard *shard = NULL;
	int r = pm_shard_new(salt, salt_len, &shard);

	for (size_t i = 0; r == PM_OK && i < sizeof(names) / sizeof(names[0]); i++)
		r = add_content(shard, json_object_get(root, names[i]));
	if (r == PM_OK)
		strcpy(job->shard, pm_shard_key(shard));
	pm_shard_free(shard);
	return r;
}

/* Only where a salt is known: of a fresh one nothing can be found again. */
static bool add_shard_key(struct job *job)
{
	json_t *root = json_loadb(
		job->body.bytes, job->body.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	const json_t *own = json_object_get(root, "cache_salt");
	const char *salt = own ? json_string_value(own) : job->client->salt;
	size_t len = own ? json_string_length(own) : salt ? strlen(salt) : 0;
	int r = PM_OK;

	if (!root)
		r = PM_E_FORMAT;
	else if (salt)
		r = make_shard_key(job, root, salt, len);
	json_decref(root);
	if (r == PM_E_LIMIT)
		return refuse(job, 413, "too_large", "the prompt is too long for a shard key");
	if (r == PM_E_FORMAT)
		return refuse(job, 400, "bad_request", "the body is no object of JSON");
	return r == PM_OK ? true : no_memory(job);
}

/* --- JSON ------------------------------------------------------------------------------------ */

static bool read_facts(struct job *job, struct pm_request_facts *facts)
{
	int r;

	*facts = (struct pm_request_facts){.size = sizeof(*facts)};
	r = pm_request_read(job->body.bytes ? job->body.bytes : "", job->body.len, facts, NULL);
	if (r == PM_E_NOMEM)
		return no_memory(job);
	if (r < 0)
		return refuse(job, 400, "bad_request",
			"the body is no object of JSON, or its model or cache_salt is malformed");
	return true;
}

static bool complete_salt(struct job *job)
{
	char fresh[PM_CACHE_SALT_SIZE] = "";
	struct pm_request_facts facts;
	int r = job->client->salt ? PM_OK : pm_cache_salt_new(fresh);

	if (r == PM_OK)
		r = add_salt(&job->body, job->client->salt ? job->client->salt : fresh);
	if (r < 0)
		return no_memory(job);
	/* One that was there, but empty, now stands there twice. */
	return read_facts(job, &facts);
}

/* It goes outside, so that it must be the field itself and nothing else that looks like it. */
static bool take_model(struct job *job, const struct pm_request_facts *facts)
{
	if (!*facts->model)
		return refuse(job, 400, "no_model", "the request names no model");
	strcpy(job->model, facts->model);
	return true;
}

static bool prepare_json(struct job *job)
{
	struct pm_request_facts facts;

	if (!read_facts(job, &facts) || !take_model(job, &facts))
		return false;
	if (job->client->options->shard_keys && !add_shard_key(job))
		return false;
	if (!needs_salt(job->endpoint))
		return true;
	if (!facts.cache_salt_len)
		return complete_salt(job);
	if (pm_cache_salt_check(facts.cache_salt_len, NULL) < 0)
		return refuse(
			job, 400, "cache_salt", "cache_salt must be at least 32 characters long");
	return true;
}

/* --- forms ----------------------------------------------------------------------------------- */

static bool prepare_form(struct job *job, const char *type)
{
	struct pm_request_facts facts = {.size = sizeof(facts)};
	const char *form = job->body.bytes ? job->body.bytes : "";

	if (pm_request_read_form(type, form, job->body.len, &facts, NULL) < 0)
		return refuse(
			job, 400, "bad_request", "the body is no form, or its model is malformed");
	return take_model(job, &facts);
}

/* --- all ------------------------------------------------------------------------------------- */

bool job_prepare(struct job *job)
{
	const char *type = http_request_field(http_request(job->exchange), "content-type");
	enum pm_body_kind kind;

	strcpy(job->model, JOB_NO_MODEL);
	if (pm_endpoint_body_kind(job->endpoint, PM_BODY_REQUEST, type, &kind) < 0)
		return refuse(job, 415, "bad_type", "the content type does not fit the path");
	if (kind == PM_BODY_JSON)
		return prepare_json(job);
	return kind == PM_BODY_FORM ? prepare_form(job, type) : true;
}
