/* SPDX-License-Identifier: Apache-2.0 */
#include "net/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"

/* Of a path, with a query. */
#define PATH_MAX_LEN 64

/* --- addresses ------------------------------------------------------------------------------- */

int pm_ask_copy_text(const char *text, char **ret)
{
	if (!text)
		return PM_OK;
	*ret = (char *)pm_dup(pm_view(text, strlen(text) + 1));
	return *ret ? PM_OK : PM_E_NOMEM;
}

int pm_ask_copy_url(const char *url, size_t max, struct pm_report *report, char **ret)
{
	size_t len = strlen(url);
	char expected[32];
	int r;

	snprintf(expected, sizeof(expected), "at most %zu bytes", max);
	if (len > max)
		return pm_fail(report, PM_E_LIMIT, "url", expected, "%zu bytes", len);
	r = pm_http_check_endpoint(url, report);
	if (r == PM_OK)
		r = pm_ask_copy_text(url, ret);
	if (r == PM_OK && (*ret)[len - 1] == '/')
		(*ret)[len - 1] = '\0';
	return r;
}

/* --- a server that refuses ------------------------------------------------------------------- */

/* Of what a report shows: the address, what was found, and what would be accepted. */
#define URL_SHOWN  100
#define TEXT_SHOWN 256

/* The message of {"error": {"code": text, "message": text}}, in which any text may stand. */
static const char *message_of(const json_t *json)
{
	const json_t *error = json_object_get(json, "error");

	if (!json_string_value(json_object_get(error, "code")))
		return NULL;
	return json_string_value(json_object_get(error, "message"));
}

/* A status that is a no of whom we asked; others, of gateways too, say that there is no answer. */
static bool is_no(long status)
{
	return status >= 400 && status <= 499 && status != 408 && status != 429;
}

/* What is too long keeps its beginning, by which a hash is known, and says that it was longer. */
static void mark_cut(char *text, int len)
{
	if (len >= TEXT_SHOWN)
		pm_copy(text + TEXT_SHOWN - sizeof("..."), "...", sizeof("..."));
}

/* "NAME: found THIS, expected THAT" in its two halves: each has a room of its own in a report. */
static int refuse_by(const struct pm_ask_server *server, const char *message, int error,
	struct pm_report *report)
{
	static const char sep[] = ", expected ";
	const char *end = strstr(message, sep);
	size_t half = end ? (size_t)(end - message) : strlen(message);
	char found[TEXT_SHOWN], expected[TEXT_SHOWN];

	mark_cut(found, snprintf(found, sizeof(found), "a refusal by %.*s: %.*s", URL_SHOWN,
				server->url, (int)half, message));
	mark_cut(
		expected, snprintf(expected, sizeof(expected), "%s", end ? end + strlen(sep) : ""));
	return pm_fail(report, error, server->name, expected, "%s", found);
}

int pm_ask_refuse(const struct pm_ask_server *server, int error,
	const struct pm_http_response *response, struct pm_report *report)
{
	pm_cleanup(json) json_t *json = NULL;
	const char *message;

	if (response->len && response->len <= PM_ASK_ERROR_MAX)
		json = json_loadb(
			(const char *)response->body, response->len, JSON_REJECT_DUPLICATES, NULL);
	message = message_of(json);
	if (message && is_no(response->status))
		return refuse_by(server, message, error, report);
	return pm_fail(report, error, server->name, "an answer", "status %ld of %.*s: %.120s",
		response->status, URL_SHOWN, server->url, message ? message : "no reason given");
}

/* --- asking ---------------------------------------------------------------------------------- */

/* A media type (RFC 9110, 8.3.1), whatever its parameters are. */
static bool is_type(const char *found, const char *wanted)
{
	size_t len = strlen(wanted);

	return !strncasecmp(found, wanted, len) && strchr("; ", found[len]);
}

static int check(const struct pm_ask_server *server, const struct pm_ask *ask,
	const struct pm_http_response *response, struct pm_report *report)
{
	if (response->status != 200)
		return pm_ask_refuse(server,
			ask->decides && is_no(response->status) ? PM_E_REJECTED : PM_E_NET,
			response, report);
	if (!is_type(response->content_type, ask->type))
		return pm_fail(report, PM_E_FORMAT, "content type", ask->type, "%s of %s%s",
			response->content_type[0] ? response->content_type : "none", server->url,
			ask->path);
	return PM_OK;
}

int pm_ask(const struct pm_ask_server *server, const struct pm_ask *ask, struct pm_report *report,
	struct pm_http_response *response)
{
	char url[PM_NET_URL_MAX + PATH_MAX_LEN];
	const struct pm_http_request request = {
		.url = url,
		.ca_file = server->ca_file,
		.post = ask->json,
		.content_type = PM_ASK_JSON,
		.body_max = ask->max,
		.connect_ms = server->connect_ms,
		.total_ms = server->total_ms,
	};
	int r;

	snprintf(url, sizeof(url), "%s%s", server->url, ask->path);
	r = pm_http_ask(&request, response);
	if (r == PM_OK)
		return check(server, ask, response, report);
	if (r == PM_E_NOMEM)
		return r;
	return pm_fail(report, r, server->name, "an answer", "%s: %s", url, response->error);
}
