/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <stdlib.h>
#include <string.h>

#include "common/daemon.h"

static const char help[] =
	"Usage: inference-server --listen ADDRESS [OPTION]...\n"
	"Answer as an inference server does, without a model. For tests and demonstrations.\n"
	"\n" COMMON_OPTION_HELP "\n"
	"Models: echo, slow, endless, repeat-N, error-N, cut, garbage, comments, silent, quiet.\n"
	"\n"
	"Example:\n"
	"  inference-server --listen 127.0.0.1:8000\n"
	"  curl http://127.0.0.1:8000/v1/completions -d "
	"'{\"model\":\"echo\",\"prompt\":\"hello\"}'\n";

static const struct {
	const char *method, *path;
	bool prefix, has_json;
	void (*answer)(struct job *job);
} routes[] = {
	{"POST", "/v1/chat/completions", false, true, answer_chat},
	{"POST", "/v1/completions", false, true, answer_completion},
	{"POST", "/v1/embeddings", false, true, answer_embeddings},
	{"POST", "/v1/audio/transcriptions", false, false, answer_transcription},
	{"POST", "/v1/messages/count_tokens", false, true, answer_count_tokens},
	{"POST", "/v1/messages", false, true, answer_messages},
	{"POST", "/unstructured/", true, false, answer_unstructured},
	{"GET", "/unstructured/healthcheck", false, false, answer_models},
	{"GET", "/v1/models", true, false, answer_models},
};

static bool is_route(size_t i, const struct http_request *request)
{
	size_t len = strcspn(request->target, "?");
	size_t n = strlen(routes[i].path);

	if (strcmp(routes[i].method, request->method) != 0 ||
		strncmp(routes[i].path, request->target, n) != 0)
		return false;
	return len == n || (routes[i].prefix && len > n);
}

static void begin(struct http_exchange *x, void *arg)
{
	struct job *job = calloc(1, sizeof(*job));

	(void)arg;
	http_set_user(x, job);
	if (job)
		job->exchange = x;
	else
		http_abort(x);
}

static void take(struct http_exchange *x, const char *bytes, size_t len)
{
	struct job *job = http_user(x);

	if (!job || job->body_len + len >= BODY_MAX) {
		http_abort(x);
		return;
	}
	if (job->body_len + len > job->body_room) {
		size_t room = 2 * (job->body_len + len);
		char *grown = realloc(job->body, room);

		if (!grown) {
			http_abort(x);
			return;
		}
		job->body = grown;
		job->body_room = room;
	}
	memcpy(job->body + job->body_len, bytes, len);
	job->body_len += len;
}

static void answer(struct http_exchange *x)
{
	const struct http_request *request = http_request(x);
	struct job *job = http_user(x);

	if (!job)
		return;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (!is_route(i, request))
			continue;
		if (routes[i].has_json) {
			job->request = json_loadb(job->body ? job->body : "", job->body_len,
				JSON_REJECT_DUPLICATES, NULL);
			if (!json_is_object(job->request)) {
				reply_error(job, 400, "the body is not a JSON object");
				return;
			}
			if (apply_model(
				    job, json_string_value(json_object_get(job->request, "model"))))
				return;
		}
		routes[i].answer(job);
		return;
	}
	reply_error(job, 404, "no such path");
}

static void drained(struct http_exchange *x)
{
	if (http_user(x))
		continue_stream(http_user(x));
}

static void done(struct http_exchange *x, bool whole)
{
	struct job *job = http_user(x);

	(void)whole;
	if (!job)
		return;
	if (job->timer)
		event_free(job->timer);
	for (size_t i = 0; i < job->event_count; i++)
		free(job->events[i]);
	json_decref(job->request);
	free(job->body);
	free(job);
}

static const struct http_handler handler = {begin, take, answer, drained, done, NULL};
static const struct option long_options[] = {COMMON_OPTION_ROWS, {0}};

static int set_option(void *arg, int id, const char *value)
{
	return common_option(arg, id, value);
}

static int check_options(void *arg)
{
	return common_options_check(arg);
}

int main(int argc, char **argv)
{
	static const struct options_line line = {
		"inference-server", help, long_options, set_option, check_options};
	const struct daemon_program program = {
		.name = "inference-server",
		.metrics_prefix = "inference_server",
		.handler = &handler,
	};
	struct common_options options;
	int r;

	common_options_init(&options);
	r = options_walk(argc, argv, &line, &options);
	return r == OPTIONS_RUN ? daemon_run(&options, &program) : r;
}
