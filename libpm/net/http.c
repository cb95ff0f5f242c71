/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/api.h>

#include "base/report.h"
#include "net/token.h"

/* Most bytes of headers in an answer: KDS sends less than 1 KiB. */
#define HEADERS_MAX 65536

static inline void pm_cleanup_curl(CURL **p)
{
	curl_easy_cleanup(*p);
}

static inline void pm_cleanup_curl_url(CURLU **p)
{
	curl_url_cleanup(*p);
}

static inline void pm_cleanup_curl_text(char **p)
{
	curl_free(*p);
}

/* Each line is wiped first: one of them may hold a token. */
static inline void pm_cleanup_curl_list(struct curl_slist **p)
{
	for (struct curl_slist *line = *p; line; line = line->next)
		pm_wipe(line->data, strlen(line->data));
	curl_slist_free_all(*p);
}

/* --- set-up ---------------------------------------------------------------------------------- */

/* libcurl's global state: set up once in a process, never torn down, since others may use it. */
static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static CURLcode global_result;

static void set_up_once(void)
{
	global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool set_up(void)
{
	return pthread_once(&global_once, set_up_once) == 0 && global_result == CURLE_OK;
}

/* --- URLs ------------------------------------------------------------------------------------ */

static int parse_url(const char *text, CURLU **ret)
{
	pm_cleanup(curl_url) CURLU *url = NULL;
	CURLUcode code;

	if (!set_up())
		return PM_E_NET;
	url = curl_url();
	if (!url)
		return PM_E_NOMEM;
	code = curl_url_set(url, CURLUPART_URL, text, 0);
	if (code == CURLUE_OUT_OF_MEMORY)
		return PM_E_NOMEM;
	if (code != CURLUE_OK)
		return PM_E_FORMAT;
	*ret = pm_steal(url);
	return PM_OK;
}

static bool has_part(CURLU *url, CURLUPart part)
{
	pm_cleanup(curl_text) char *text = NULL;

	return curl_url_get(url, part, &text, 0) == CURLUE_OK;
}

static bool part_is(CURLU *url, CURLUPart part, const char *want)
{
	pm_cleanup(curl_text) char *text = NULL;

	return curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	       !strcmp(text, want);
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
	pm_cleanup(curl_text) char *text = NULL;

	return curl_url_get(a, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	       part_is(b, part, text);
}

/* Same scheme, host and port? */
static bool same_origin(const char *a, const char *b)
{
	pm_cleanup(curl_url) CURLU *first = NULL, *second = NULL;

	if (parse_url(a, &first) < 0 || parse_url(b, &second) < 0)
		return false;
	return same_part(first, second, CURLUPART_SCHEME) &&
	       same_part(first, second, CURLUPART_HOST) && same_part(first, second, CURLUPART_PORT);
}

static bool is_loopback(CURLU *url)
{
	return part_is(url, CURLUPART_HOST, "127.0.0.1") ||
	       part_is(url, CURLUPART_HOST, "localhost") || part_is(url, CURLUPART_HOST, "[::1]");
}

/* What each address must be: of http or https, and nothing but an address. */
static int check_parts(CURLU *url, const char *text, struct pm_report *report)
{
	if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD))
		return pm_fail(report, PM_E_FORMAT, "url", "no user name and password", "one");
	if (has_part(url, CURLUPART_QUERY) || has_part(url, CURLUPART_FRAGMENT))
		return pm_fail(report, PM_E_FORMAT, "url", "no query and fragment", "%s", text);
	if (part_is(url, CURLUPART_SCHEME, "https") || part_is(url, CURLUPART_SCHEME, "http"))
		return PM_OK;
	return pm_fail(report, PM_E_FORMAT, "url", "https", "%s", text);
}

int pm_http_check_endpoint(const char *text, struct pm_report *report)
{
	pm_cleanup(curl_url) CURLU *url = NULL;
	int r = parse_url(text, &url);

	if (r == PM_E_FORMAT)
		return pm_fail(report, r, "url", "https://HOST[:PORT][/PATH]", "%s", text);
	return r < 0 ? r : check_parts(url, text, report);
}

int pm_http_check_base(const char *text, struct pm_report *report)
{
	pm_cleanup(curl_url) CURLU *url = NULL;
	int r = pm_http_check_endpoint(text, report);

	if (r == PM_OK)
		r = parse_url(text, &url);
	if (r < 0)
		return r;
	if (part_is(url, CURLUPART_SCHEME, "http") && !is_loopback(url))
		return pm_fail(
			report, PM_E_REJECTED, "url", "https, or http on this machine", "%s", text);
	return PM_OK;
}

/* --- the transfer ---------------------------------------------------------------------------- */

struct body {
	struct pm_http_response *response;
	size_t max;
	size_t headers;
	bool too_long;
	bool no_memory;
};

/* libcurl's write callback: another number than n * size ends the transfer. */
static size_t take_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct body *body = arg;
	struct pm_http_response *response = body->response;
	uint8_t *grown;

	(void)size; /* always 1 */
	if (n > body->max - response->len) {
		body->too_long = true;
		return 0;
	}
	grown = realloc(response->body, response->len + n + 1);
	if (!grown) {
		body->no_memory = true;
		return 0;
	}
	pm_copy(grown + response->len, bytes, n);
	response->body = grown;
	response->len += n;
	return n;
}

/* libcurl's header callback. libcurl keeps all headers, so somebody has to count. */
static size_t take_header(char *bytes, size_t size, size_t n, void *arg)
{
	struct body *body = arg;

	(void)bytes;
	(void)size; /* always 1 */
	body->headers += n;
	if (body->headers <= HEADERS_MAX)
		return n;
	body->too_long = true;
	return 0;
}

/* The versions of libcurl that meson.build takes know all options: a refusal means no memory. */
#define SET(curl, option, value) (curl_easy_setopt(curl, CURLOPT_##option, value) == CURLE_OK)

static bool set_origin(CURL *curl, const struct pm_http_request *request)
{
	bool https = strncasecmp(request->url, "https:", 6) == 0;

	if (!SET(curl, PROTOCOLS_STR, https ? "https" : "http"))
		return false;
	/* Plain HTTP is for this machine itself: a proxy would carry it elsewhere. */
	if (!https && !SET(curl, PROXY, ""))
		return false;
	if (request->ca_file && !SET(curl, CAINFO, request->ca_file))
		return false;
	return SET(curl, SSL_VERIFYPEER, 1L) && SET(curl, SSL_VERIFYHOST, 2L) &&
	       SET(curl, SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

static bool set_limits(CURL *curl, const struct pm_http_request *request)
{
	char agent[32];

	snprintf(agent, sizeof(agent), "libpm/%s", pm_version());
	return SET(curl, NOSIGNAL, 1L) && SET(curl, FOLLOWLOCATION, 0L) &&
	       SET(curl, CONNECTTIMEOUT_MS, (long)request->connect_ms) &&
	       SET(curl, USERAGENT, agent);
}

static bool add_line(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (!longer)
		return false;
	*list = longer;
	return true;
}

static bool add_token(struct curl_slist **list, struct pm_view token)
{
	char line[32 + PM_TOKEN_MAX];
	bool added;

	if (!token.len)
		return true;
	if (token.len > PM_TOKEN_MAX)
		return false;
	snprintf(line, sizeof(line), "Authorization: Bearer %.*s", (int)token.len, token.ptr);
	added = add_line(list, line);
	pm_wipe(line, sizeof(line));
	return added;
}

/* Without "Expect", which would cost a round trip. The body is the caller's until the end. */
static bool set_post(CURL *curl, const struct pm_http_request *request, struct curl_slist **list)
{
	char type[96];

	if (!request->post.len)
		return true;
	snprintf(type, sizeof(type), "Content-Type: %s", request->content_type);
	return add_line(list, type) && add_line(list, "Expect:") &&
	       SET(curl, POSTFIELDSIZE, (long)request->post.len) &&
	       SET(curl, POSTFIELDS, request->post.ptr);
}

/* The id is one that we made: base64. */
static bool add_secret_id(struct curl_slist **list, const char *id)
{
	char line[160];

	if (!id)
		return true;
	return snprintf(line, sizeof(line), "Pm-Secret-Id: %s", id) < (int)sizeof(line) &&
	       add_line(list, line);
}

static bool set_lines(CURL *curl, const struct pm_http_request *request, struct curl_slist **list)
{
	if (!add_token(list, request->token) || !set_post(curl, request, list) ||
		!add_secret_id(list, request->secret_id))
		return false;
	return !*list || SET(curl, HTTPHEADER, *list);
}

static bool set_sinks(CURL *curl, struct body *body, char *error)
{
	return SET(curl, WRITEFUNCTION, take_body) && SET(curl, WRITEDATA, body) &&
	       SET(curl, HEADERFUNCTION, take_header) && SET(curl, HEADERDATA, body) &&
	       SET(curl, ERRORBUFFER, error);
}

/* Did the server have our connection, and lose it? */
static bool is_broken_off(CURLcode code)
{
	return code == CURLE_PARTIAL_FILE || code == CURLE_GOT_NOTHING ||
	       code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_HTTP2 ||
	       code == CURLE_HTTP2_STREAM;
}

static int explain(CURLcode code, const struct body *body, const char *error)
{
	struct pm_http_response *response = body->response;

	response->status = 0;
	if (body->too_long) {
		snprintf(response->error, sizeof(response->error), "too long: more than %zu bytes",
			body->max);
		return PM_E_LIMIT;
	}
	if (body->no_memory || code == CURLE_OUT_OF_MEMORY)
		return PM_E_NOMEM;
	response->broken_off = is_broken_off(code);
	snprintf(response->error, sizeof(response->error), "%s",
		error[0] ? error : curl_easy_strerror(code));
	return PM_E_NET;
}

static void read_answer(CURL *curl, struct pm_http_response *ret)
{
	const char *type = NULL;
	curl_off_t seconds = 0;

	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &ret->status);
	(void)curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
	if (type && strlen(type) < sizeof(ret->content_type))
		snprintf(ret->content_type, sizeof(ret->content_type), "%s", type);
	if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0)
		ret->retry_after = seconds;
}

static int get_once(CURL *curl, const struct pm_http_request *request, const char *url, int64_t ms,
	struct pm_http_response *ret)
{
	struct body body = {.response = ret, .max = request->body_max};
	char error[CURL_ERROR_SIZE] = "";
	CURLcode code;

	pm_http_response_clear(ret);
	if (!set_sinks(curl, &body, error) || !SET(curl, URL, url) ||
		!SET(curl, TIMEOUT_MS, (long)ms))
		return PM_E_NOMEM;
	code = curl_easy_perform(curl);
	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
	if (code != CURLE_OK)
		return explain(code, &body, error);
	read_answer(curl, ret);
	return PM_OK;
}

static int64_t spent_ms(CURL *curl)
{
	curl_off_t us = 0;

	(void)curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME_T, &us);
	return us / 1000;
}

static int refuse_redirect(struct pm_http_response *ret, const char *why, const char *target)
{
	pm_http_response_clear(ret);
	snprintf(ret->error, sizeof(ret->error), "%s: %s", why, target);
	return PM_E_NET;
}

static int get(CURL *curl, const struct pm_http_request *request, struct pm_http_response *ret)
{
	pm_cleanup(free) char *url = strdup(request->url);
	int64_t left = request->total_ms;

	for (int hop = 0; url && left > 0; hop++) {
		int r = get_once(curl, request, url, left, ret);
		char *target = NULL; /* libcurl's, until the next transfer */

		(void)curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &target);
		if (r < 0 || !target)
			return r;
		if (request->post.len)
			return refuse_redirect(ret, "redirect of a POST", target);
		if (!same_origin(request->url, target))
			return refuse_redirect(ret, "redirect to another server", target);
		if (hop == PM_HTTP_REDIRECTS_MAX)
			return refuse_redirect(ret, "too many redirects", target);
		left -= spent_ms(curl);
		free(url);
		url = strdup(target);
	}
	return url ? refuse_redirect(ret, "no time left", url) : PM_E_NOMEM;
}

int pm_http_ask(const struct pm_http_request *request, struct pm_http_response *ret)
{
	pm_cleanup(curl_list) struct curl_slist *lines = NULL;
	pm_cleanup(curl) CURL *curl = NULL;

	pm_http_response_clear(ret);
	if (!set_up()) {
		snprintf(ret->error, sizeof(ret->error), "libcurl can't be set up");
		return PM_E_NET;
	}
	curl = curl_easy_init();
	if (!curl || !set_origin(curl, request) || !set_limits(curl, request) ||
		!set_lines(curl, request, &lines))
		return PM_E_NOMEM;
	return get(curl, request, ret);
}

void pm_http_response_clear(struct pm_http_response *response)
{
	free(response->body);
	*response = (struct pm_http_response){0};
}
