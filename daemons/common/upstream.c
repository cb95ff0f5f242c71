/* SPDX-License-Identifier: Apache-2.0 */
#include "common/upstream.h"

#include <pm/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/upstream_mesh.h"
#include "common/upstream_pool.h"

#define CONNECT_MILLISECONDS 5000L
/* Bytes that libcurl reads at a time, for each request. */
#define BUFFER_SIZE 8192L
#define URL_SIZE    (UPSTREAM_BASE_SIZE + HTTP_TARGET_MAX)
#define FIELD_SIZE  9000
/* Of a response's fields, those behind the body included: libcurl keeps them all. */
#define LINES_MAX 65536

struct upstream {
	struct upstream_pool *pool;
	struct upstream *next_cancelled;
	CURL *easy;
	struct curl_slist *fields;
	struct mesh_papers *papers;
	const struct upstream_handler *handler;
	void *arg;
	size_t body_len;
	const char *body;
	size_t body_sent;
	bool *sent;
	int status;
	char content_type[UPSTREAM_TYPE_SIZE];
	size_t lines_len;
	unsigned int framings; /* fields that say how long the response is */
	bool is_coded, is_head, has_begun, is_refused, is_cancelled;
	const char *reason;
};

/* --- the end of a request -------------------------------------------------------------------- */

static void destroy(struct upstream *u)
{
	if (u->easy) {
		curl_multi_remove_handle(u->pool->multi, u->easy);
		curl_easy_cleanup(u->easy);
	}
	curl_slist_free_all(u->fields);
	mesh_papers_unref(u->papers);
	free(u);
}

static void finish(struct upstream *u, CURLcode code)
{
	const struct upstream_handler *handler = u->handler;
	void *arg = u->arg;
	bool refused = u->is_refused;
	const char *reason = u->reason ? u->reason : curl_easy_strerror(code);

	if (code == CURLE_OK && !u->has_begun) {
		code = CURLE_GOT_NOTHING;
		reason = curl_easy_strerror(code);
	}
	destroy(u);
	if (refused)
		handler->done(arg, PM_E_REJECTED, reason);
	else
		handler->done(arg, code == CURLE_OK ? PM_OK : PM_E_NET, reason);
}

void upstream_collect(struct upstream_pool *pool)
{
	CURLMsg *message;
	int left;

	while (pool->cancelled) {
		struct upstream *u = pool->cancelled;

		pool->cancelled = u->next_cancelled;
		destroy(u);
	}

	while ((message = curl_multi_info_read(pool->multi, &left))) {
		CURLcode code = message->data.result;
		struct upstream *u = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&u);
		finish(u, code);
	}
}

/* --- the response ---------------------------------------------------------------------------- */

static bool refuse(struct upstream *u, const char *reason)
{
	u->reason = reason;
	return false;
}

/* The value of a line of the head when its name is this, with its length; or NULL. */
static const char *value_of(const char *line, size_t len, const char *name, size_t *ret_len)
{
	size_t n = strlen(name);

	if (len <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
		return NULL;
	line += n + 1;
	len -= n + 1;
	while (len && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	while (len && (unsigned char)line[len - 1] <= ' ')
		len--;
	*ret_len = len;
	return line;
}

static bool begin_response(struct upstream *u)
{
	long status = 0;

	curl_easy_getinfo(u->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200)
		return true; /* another head will come */
	if (status > 599)
		return refuse(u, "status out of range");
	if (u->framings > 1)
		return refuse(u, "the response says more than once how long it is");
	if (!u->framings && status != 204 && status != 304 && !u->is_head)
		return refuse(u, "the response says nowhere how long it is");
	if (u->is_coded)
		return refuse(u, "the response has a content coding");
	u->has_begun = true;
	u->status = (int)status;
	u->handler->head(u->arg, u->status, u->content_type);
	return !u->is_cancelled;
}

static bool take_line(struct upstream *u, const char *line, size_t len)
{
	const char *value;
	size_t n;

	if (len >= 5 && !strncmp(line, "HTTP/", 5)) {
		u->framings = 0;
		u->is_coded = false;
		u->content_type[0] = '\0';
		return !u->has_begun;
	}
	if (len && (line[0] == '\r' || line[0] == '\n'))
		return u->has_begun ? true : begin_response(u);
	value = value_of(line, len, "transfer-encoding", &n);
	if (value && (n != 7 || strncasecmp(value, "chunked", 7) != 0))
		return refuse(u, "the response has a transfer coding");
	u->framings += value || value_of(line, len, "content-length", &n);
	value = value_of(line, len, "content-encoding", &n);
	if (value && (n != 8 || strncasecmp(value, "identity", 8) != 0))
		u->is_coded = true;
	value = value_of(line, len, "content-type", &n);
	if (value && n >= sizeof(u->content_type))
		return refuse(u, "the content type is too long");
	if (value)
		snprintf(u->content_type, sizeof(u->content_type), "%.*s", (int)n, value);
	return true;
}

static size_t on_line(char *line, size_t size, size_t count, void *arg)
{
	struct upstream *u = arg;

	(void)size;
	if (count > LINES_MAX - u->lines_len) {
		(void)refuse(u, "the response has too many fields");
		return 0;
	}
	u->lines_len += count;
	return !u->is_cancelled && take_line(u, line, count) ? count : 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct upstream *u = arg;
	bool is_taken;

	(void)size;
	if (u->is_cancelled || !u->has_begun)
		return 0;
	is_taken = u->handler->body(u->arg, bytes, count);
	/* It is libcurl's, which frees it as it is; and it may have been a secret. */
	explicit_bzero(bytes, count);
	u->is_refused = !is_taken;
	return is_taken && !u->is_cancelled ? count : 0;
}

/* --- requests -------------------------------------------------------------------------------- */

static bool add_field(struct upstream *u, const char *name, const char *value)
{
	char line[FIELD_SIZE];
	struct curl_slist *more;
	int n = snprintf(line, sizeof(line), *value ? "%s: %s" : "%s:%s", name, value);

	if (n < 0 || (size_t)n >= sizeof(line))
		return false;
	more = curl_slist_append(u->fields, line);
	if (!more)
		return false;
	u->fields = more;
	return true;
}

/* An empty value takes a field away that libcurl would add. */
static bool add_fields(struct upstream *u, const struct upstream_request *request)
{
	bool ok = add_field(u, "Expect", "") && add_field(u, "Accept", "*/*") &&
		  add_field(u, "Content-Type", request->content_type ? request->content_type : "");

	for (size_t i = 0; ok && i < request->field_count; i++)
		ok = add_field(u, request->fields[i].name, request->fields[i].value);
	return ok;
}

/* Where a body is sent once: libcurl can't go back in it. */
static size_t on_read(char *bytes, size_t size, size_t count, void *arg)
{
	struct upstream *u = arg;
	size_t left = u->body_len - u->body_sent;
	size_t n = size * count < left ? size * count : left;

	if (u->is_cancelled)
		return CURL_READFUNC_ABORT;
	*u->sent = true;
	memcpy(bytes, u->body + u->body_sent, n);
	u->body_sent += n;
	return n;
}

static bool set_body_once(struct upstream *u, const struct upstream_request *request)
{
	u->sent = request->sent;
	u->body = request->body;
	return !curl_easy_setopt(u->easy, CURLOPT_POST, 1L) &&
	       !curl_easy_setopt(u->easy, CURLOPT_READFUNCTION, on_read) &&
	       !curl_easy_setopt(u->easy, CURLOPT_READDATA, u) &&
	       !curl_easy_setopt(
		       u->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
}

static bool set_body(struct upstream *u, const struct upstream_request *request)
{
	if (request->sent)
		return set_body_once(u, request);
	if (!request->body && strcmp(request->method, "POST") != 0)
		return true;
	return !curl_easy_setopt(u->easy, CURLOPT_POST, 1L) &&
	       !curl_easy_setopt(u->easy, CURLOPT_POSTFIELDS,
		       request->body ? request->body : (const void *)"") &&
	       !curl_easy_setopt(
		       u->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
}

/* Plain HTTP takes no proxy: that would carry it elsewhere. */
static bool set_scheme(struct upstream *u)
{
	const struct upstream_pool *pool = u->pool;
	CURL *easy = u->easy;

	if (pool->mesh)
		return upstream_mesh_apply(pool->mesh, u->papers, easy);
	if (!pool->is_tls)
		return !curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http") &&
		       !curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	if (pool->ca_file && curl_easy_setopt(easy, CURLOPT_CAINFO, pool->ca_file))
		return false;
	return !curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https") &&
	       !curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) &&
	       !curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) &&
	       !curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

static bool set_rules(CURL *easy)
{
	return !curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
	       !curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) &&
	       !curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) &&
	       !curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, BUFFER_SIZE) &&
	       !curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MILLISECONDS);
}

static bool set_blob(CURL *easy, CURLoption option, char *text)
{
	struct curl_blob blob = {text, text ? strlen(text) : 0, CURL_BLOB_NOCOPY};

	return !text || !curl_easy_setopt(easy, option, &blob);
}

static bool set_identity(CURL *easy, const struct upstream_pool *pool)
{
	if (!pool->cert && !pool->ca)
		return true;
	return set_blob(easy, CURLOPT_SSLCERT_BLOB, pool->cert) &&
	       set_blob(easy, CURLOPT_SSLKEY_BLOB, pool->key) &&
	       set_blob(easy, CURLOPT_CAINFO_BLOB, pool->ca) &&
	       !curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
}

static bool set_up(struct upstream *u, const struct upstream_request *request)
{
	struct upstream_pool *pool = u->pool;
	char url[URL_SIZE];
	int n = snprintf(url, sizeof(url), "%s%s", pool->base, request->target);

	if (n < 0 || (size_t)n >= sizeof(url))
		return false;
	return set_rules(u->easy) && set_scheme(u) && add_fields(u, request) &&
	       set_body(u, request) && !curl_easy_setopt(u->easy, CURLOPT_URL, url) &&
	       !curl_easy_setopt(u->easy, CURLOPT_UNIX_SOCKET_PATH, pool->unix_path) &&
	       !curl_easy_setopt(u->easy, CURLOPT_NOBODY, (long)u->is_head) &&
	       !curl_easy_setopt(u->easy, CURLOPT_CUSTOMREQUEST, request->method) &&
	       !curl_easy_setopt(u->easy, CURLOPT_HTTPHEADER, u->fields) &&
	       !curl_easy_setopt(u->easy, CURLOPT_PRIVATE, u) &&
	       !curl_easy_setopt(u->easy, CURLOPT_HEADERFUNCTION, on_line) &&
	       !curl_easy_setopt(u->easy, CURLOPT_HEADERDATA, u) &&
	       !curl_easy_setopt(u->easy, CURLOPT_WRITEFUNCTION, on_body) &&
	       !curl_easy_setopt(u->easy, CURLOPT_WRITEDATA, u) && set_identity(u->easy, pool);
}

int upstream_start(struct upstream_pool *pool, const struct upstream_request *request,
	const struct upstream_handler *handler, void *arg, struct upstream **ret_upstream)
{
	struct mesh_papers *papers = pool->mesh ? upstream_mesh_papers(pool->mesh) : NULL;
	struct upstream *u;

	if (pool->mesh && !papers)
		return PM_E_STATE;
	u = calloc(1, sizeof(*u));
	if (!u) {
		mesh_papers_unref(papers);
		return PM_E_NOMEM;
	}
	u->papers = papers;
	u->pool = pool;
	u->handler = handler;
	u->arg = arg;
	u->body_len = request->body_len;
	u->is_head = !strcmp(request->method, "HEAD");
	u->easy = curl_easy_init();
	if (!u->easy || !set_up(u, request) || curl_multi_add_handle(pool->multi, u->easy)) {
		destroy(u);
		return PM_E_NOMEM;
	}
	*ret_upstream = u;
	return PM_OK;
}

void upstream_cancel(struct upstream *upstream)
{
	struct upstream_pool *pool = upstream->pool;

	/* Within its own functions libcurl does not let go of a request. */
	if (pool->in_callback == 0) {
		destroy(upstream);
		return;
	}
	upstream->is_cancelled = true;
	upstream->next_cancelled = pool->cancelled;
	pool->cancelled = upstream;
}

bool upstream_has_sent(const struct upstream *upstream)
{
	curl_off_t sent = -1;

	return !curl_easy_getinfo(upstream->easy, CURLINFO_SIZE_UPLOAD_T, &sent) &&
	       sent == (curl_off_t)upstream->body_len;
}

void upstream_pause(struct upstream *upstream)
{
	curl_easy_pause(upstream->easy, CURLPAUSE_RECV);
}

/* libcurl may hand out what it held back from within. */
void upstream_resume(struct upstream *upstream)
{
	struct upstream_pool *pool = upstream->pool;

	pool->in_callback++;
	curl_easy_pause(upstream->easy, CURLPAUSE_CONT);
	pool->in_callback--;
	upstream_collect(pool);
}
