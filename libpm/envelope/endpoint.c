/* SPDX-License-Identifier: Apache-2.0 */
#include <pm/body.h>
#include <pm/error.h>

#include <string.h>
#include <strings.h>

#include "base/mem.h"

static const char *const none[] = {NULL};
static const char *const model[] = {"model", NULL};
static const char *const id_usage[] = {"id", "usage", NULL};
static const char *const openai_request[] = {
	"model", "stream_options", "max_tokens", "max_completion_tokens", "n", "stream", NULL};
static const char *const audio_request[] = {
	"model", "stream", "stream_include_usage", "stream_continuous_usage_stats", NULL};
static const char *const audio_response[] = {"duration", "usage", NULL};
static const char *const anthropic_request[] = {"model", "stream", NULL};
static const char *const anthropic_response[] = {"id", "type", "usage", NULL};

static const struct row {
	enum pm_endpoint endpoint;
	const char *method; /* NULL: any */
	const char *path;
	/* What follows the path. */
	enum { NOTHING, ANYTHING } rest;
	enum pm_body_kind request_kind, response_kind;
	const char *const *request, *const *response;
} rows[] = {
	{PM_ENDPOINT_CHAT, "POST", "/v1/chat/completions", NOTHING, PM_BODY_JSON, PM_BODY_JSON,
		openai_request, id_usage},
	{PM_ENDPOINT_COMPLETIONS, "POST", "/v1/completions", NOTHING, PM_BODY_JSON, PM_BODY_JSON,
		openai_request, id_usage},
	{PM_ENDPOINT_EMBEDDINGS, "POST", "/v1/embeddings", NOTHING, PM_BODY_JSON, PM_BODY_JSON,
		model, id_usage},
	{PM_ENDPOINT_TRANSCRIPTIONS, "POST", "/v1/audio/transcriptions", NOTHING, PM_BODY_FORM,
		PM_BODY_JSON, audio_request, audio_response},
	{PM_ENDPOINT_MESSAGES, "POST", "/v1/messages", NOTHING, PM_BODY_JSON, PM_BODY_JSON,
		anthropic_request, anthropic_response},
	{PM_ENDPOINT_COUNT_TOKENS, "POST", "/v1/messages/count_tokens", NOTHING, PM_BODY_JSON,
		PM_BODY_JSON, model, none},
	{PM_ENDPOINT_HEALTH, "GET", "/unstructured/healthcheck", NOTHING, PM_BODY_PLAIN,
		PM_BODY_PLAIN, none, none},
	{PM_ENDPOINT_UNSTRUCTURED, NULL, "/unstructured/", ANYTHING, PM_BODY_RAW, PM_BODY_JSON,
		none, none},
	{PM_ENDPOINT_MODELS, "GET", "/v1/models", NOTHING, PM_BODY_PLAIN, PM_BODY_PLAIN, none,
		none},
	{PM_ENDPOINT_MODELS, "GET", "/v1/models/", ANYTHING, PM_BODY_PLAIN, PM_BODY_PLAIN, none,
		none},
};

static bool row_fits(const struct row *row, const char *method, const char *path)
{
	size_t len = strlen(row->path);

	if (row->method && strcmp(row->method, method) != 0)
		return false;
	if (strncmp(row->path, path, len) != 0)
		return false;
	return row->rest == ANYTHING || path[len] == '\0' || path[len] == '?';
}

int pm_endpoint_find(const char *method, const char *path, enum pm_endpoint *ret_endpoint)
{
	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++)
		if (row_fits(&rows[i], method, path)) {
			*ret_endpoint = rows[i].endpoint;
			return PM_OK;
		}
	return PM_E_UNSUPPORTED;
}

static const struct row *find_row(enum pm_endpoint endpoint)
{
	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++)
		if (rows[i].endpoint == endpoint)
			return &rows[i];
	return NULL;
}

const char *const *pm_endpoint_plain_fields(enum pm_endpoint endpoint, enum pm_body_side side)
{
	const struct row *row = find_row(endpoint);

	if (!row)
		return none;
	return side == PM_BODY_REQUEST ? row->request : row->response;
}

static bool is_event_stream(const char *content_type)
{
	return content_type && strcasestr(content_type, "event-stream");
}

static bool is_multipart(const char *content_type)
{
	return content_type && strncasecmp(content_type, "multipart/", 10) == 0;
}

int pm_endpoint_body_kind(enum pm_endpoint endpoint, enum pm_body_side side,
	const char *content_type, enum pm_body_kind *ret_kind)
{
	const struct row *row = find_row(endpoint);
	enum pm_body_kind kind;

	if (!row)
		return PM_E_UNSUPPORTED;
	kind = side == PM_BODY_REQUEST ? row->request_kind : row->response_kind;
	if (kind == PM_BODY_FORM && !is_multipart(content_type))
		return PM_E_UNSUPPORTED;
	if (kind == PM_BODY_JSON && side == PM_BODY_RESPONSE && is_event_stream(content_type))
		kind = PM_BODY_SSE;
	*ret_kind = kind;
	return PM_OK;
}
