/* SPDX-License-Identifier: Apache-2.0 */
/* OpenAI's API: chat, completions, embeddings, transcriptions, models. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

#define DIMENSIONS 8

static const char *model_of(const struct job *job)
{
	return json_string_value(json_object_get(job->request, "model"));
}

static bool is_true(const struct job *job, const char *name)
{
	return json_is_true(json_object_get(job->request, name));
}

/* As llama.cpp's server, which compares each prompt with the last one, of whoever it was. */
static bool is_cached(const struct job *job)
{
	const char *name = model_of(job);

	return name && !strcmp(name, "shared") &&
	       !json_is_false(json_object_get(job->request, "cache_prompt"));
}

static json_t *usage(const struct job *job, const char *asked, const char *answered)
{
	long in = count_words(asked), out = count_words(answered);

	return json_pack("{s:I,s:I,s:I,s:{s:I}}", "prompt_tokens", (json_int_t)in,
		"completion_tokens", (json_int_t)out, "total_tokens", (json_int_t)(in + out),
		"prompt_tokens_details", "cached_tokens", (json_int_t)(is_cached(job) ? in : 0));
}

static bool wants_usage(const struct job *job)
{
	const json_t *options = json_object_get(job->request, "stream_options");

	return json_is_true(json_object_get(options, "include_usage"));
}

/* --- chat ------------------------------------------------------------------------------------ */

/* The first tool is called, with the text as its argument. */
static json_t *tool_calls(const struct job *job, const char *text)
{
	const json_t *tool = json_array_get(json_object_get(job->request, "tools"), 0);
	const char *name =
		json_string_value(json_object_get(json_object_get(tool, "function"), "name"));
	json_t *arguments, *calls;
	char *dumped;

	if (!name)
		return NULL;
	arguments = json_pack("{s:s}", "text", text);
	dumped = json_dumps(arguments, JSON_COMPACT);
	json_decref(arguments);
	calls = json_pack("[{s:i,s:s,s:s,s:{s:s,s:s}}]", "index", 0, "id", "call-1", "type",
		"function", "function", "name", name, "arguments", dumped ? dumped : "{}");
	free(dumped);
	return calls;
}

static json_t *chat_chunk(const struct job *job, json_t *delta, const char *finish)
{
	json_t *choice =
		json_pack("{s:i,s:o,s:s?}", "index", 0, "delta", delta, "finish_reason", finish);

	return json_pack("{s:s,s:s,s:i,s:s,s:[o]}", "id", "chat-1", "object",
		"chat.completion.chunk", "created", 1, "model", model_of(job), "choices", choice);
}

static void stream_usage(struct job *job, const char *text)
{
	if (wants_usage(job))
		add_event(job, NULL,
			json_pack("{s:s,s:s,s:i,s:s,s:[],s:o}", "id", "chat-1", "object",
				"chat.completion.chunk", "created", 1, "model", model_of(job),
				"choices", "usage", usage(job, text, text)));
}

static void stream_chat(struct job *job, const char *text, json_t *calls)
{
	add_event(job, NULL,
		chat_chunk(job, json_pack("{s:s,s:s}", "role", "assistant", "content", ""), NULL));
	job->repeat_from = job->event_count;
	if (calls)
		add_event(
			job, NULL, chat_chunk(job, json_pack("{s:O}", "tool_calls", calls), NULL));
	for (const char *at = text; !calls && *at; at += next_word(at))
		add_event(job, NULL,
			chat_chunk(job, json_pack("{s:s%}", "content", at, next_word(at)), NULL));
	job->repeat_to = job->event_count;
	add_event(job, NULL, chat_chunk(job, json_object(), calls ? "tool_calls" : "stop"));
	stream_usage(job, text);
	add_done(job);
	start_stream(job);
}

static void reply_chat(struct job *job, const char *text, json_t *calls)
{
	json_t *message = calls ? json_pack("{s:s,s:n,s:O}", "role", "assistant", "content",
					  "tool_calls", calls)
				: json_pack("{s:s,s:s}", "role", "assistant", "content", text);
	json_t *choice = json_pack("{s:i,s:o,s:s}", "index", 0, "message", message, "finish_reason",
		calls ? "tool_calls" : "stop");

	reply_json(job, 200,
		json_pack("{s:s,s:s,s:i,s:s,s:[o],s:o}", "id", "chat-1", "object",
			"chat.completion", "created", 1, "model", model_of(job), "choices", choice,
			"usage", usage(job, text, text)));
}

void answer_chat(struct job *job)
{
	char *text = asked_text(job->request);
	json_t *calls = text ? tool_calls(job, text) : NULL;

	if (!text)
		http_abort(job->exchange);
	else if (is_true(job, "stream"))
		stream_chat(job, text, calls);
	else
		reply_chat(job, text, calls);
	json_decref(calls);
	free(text);
}

/* --- completions ----------------------------------------------------------------------------- */

static json_t *completion(
	const struct job *job, const char *text, size_t len, const char *finish, json_t *cost)
{
	return json_pack("{s:s,s:s,s:i,s:s,s:[{s:i,s:s%,s:s?}],s:o*}", "id", "completion-1",
		"object", "text_completion", "created", 1, "model", model_of(job), "choices",
		"index", 0, "text", text, len, "finish_reason", finish, "usage", cost);
}

void answer_completion(struct job *job)
{
	char *text = asked_text(job->request);

	if (!text) {
		http_abort(job->exchange);
		return;
	}
	if (!is_true(job, "stream")) {
		reply_json(job, 200,
			completion(job, text, strlen(text), "stop", usage(job, text, text)));
		free(text);
		return;
	}
	for (const char *at = text; *at; at += next_word(at))
		add_event(job, NULL, completion(job, at, next_word(at), NULL, NULL));
	job->repeat_to = job->event_count;
	add_event(job, NULL,
		completion(job, "", 0, "stop", wants_usage(job) ? usage(job, text, text) : NULL));
	add_done(job);
	free(text);
	start_stream(job);
}

/* --- embeddings ------------------------------------------------------------------------------ */

/* Numbers of the text's hash (FNV-1a), from -1 to 1. */
static void embed(const char *text, float ret[DIMENSIONS])
{
	uint32_t hash = 2166136261u;

	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 16777619u;
	for (int i = 0; i < DIMENSIONS; i++) {
		hash = (hash ^ (uint32_t)i) * 16777619u;
		ret[i] = (float)(hash % 2001) / 1000.0f - 1.0f;
	}
}

static json_t *base64_of(const float vector[DIMENSIONS])
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t bytes[DIMENSIONS * sizeof(float) + 3] = {0};
	char text[sizeof(bytes) * 4 / 3 + 5];
	size_t len = DIMENSIONS * sizeof(float), n = 0;

	memcpy(bytes, vector, len);
	for (size_t i = 0; i < len; i += 3) {
		uint32_t three =
			(uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];

		for (int k = 18; k >= 0; k -= 6)
			text[n++] = alphabet[three >> k & 63];
	}
	for (size_t i = 0; i < (3 - len % 3) % 3; i++)
		text[n - 1 - i] = '=';
	return json_stringn(text, n);
}

static json_t *embedding(const struct job *job, const char *text, size_t index)
{
	const char *format = json_string_value(json_object_get(job->request, "encoding_format"));
	json_t *numbers = json_array();
	float vector[DIMENSIONS];

	embed(text, vector);
	for (int i = 0; i < DIMENSIONS; i++)
		json_array_append_new(numbers, json_real((double)vector[i]));
	if (format && !strcmp(format, "base64")) {
		json_decref(numbers);
		numbers = base64_of(vector);
	}
	return json_pack("{s:s,s:I,s:o}", "object", "embedding", "index", (json_int_t)index,
		"embedding", numbers);
}

void answer_embeddings(struct job *job)
{
	const json_t *input = json_object_get(job->request, "input"), *item;
	json_t *data = json_array();
	json_int_t words = 0;
	size_t i;

	if (json_is_string(input))
		json_array_append_new(data, embedding(job, json_string_value(input), 0));
	json_array_foreach(input, i, item)
	{
		const char *text = json_string_value(item);

		words += text ? count_words(text) : 1;
		json_array_append_new(data, embedding(job, text ? text : "", i));
	}
	if (json_is_string(input))
		words = count_words(json_string_value(input));
	reply_json(job, 200,
		json_pack("{s:s,s:s,s:o,s:{s:I,s:I}}", "object", "list", "model", model_of(job),
			"data", data, "usage", "prompt_tokens", words, "total_tokens", words));
}

/* --- transcriptions -------------------------------------------------------------------------- */

static bool part_is(const struct job *job, const char *type, const char *name, const char *value)
{
	struct part part;

	return find_part(job, type, name, &part) && part.content_len == strlen(value) &&
	       !memcmp(part.content, value, part.content_len);
}

static void stream_transcription(struct job *job, const char *text, json_t *cost)
{
	for (const char *at = text; *at; at += next_word(at))
		add_event(job, NULL,
			json_pack("{s:s,s:s%}", "type", "transcript.text.delta", "delta", at,
				next_word(at)));
	job->repeat_to = job->event_count;
	add_event(job, NULL,
		json_pack("{s:s,s:s,s:o}", "type", "transcript.text.done", "text", text, "usage",
			cost));
	add_done(job);
	start_stream(job);
}

void answer_transcription(struct job *job)
{
	const char *type = http_request_field(http_request(job->exchange), "content-type");
	struct part file, model;
	char text[512], name[64];
	json_t *cost;

	if (!find_part(job, type, "file", &file) || !find_part(job, type, "model", &model)) {
		reply_error(job, 400, "file or model is missing");
		return;
	}
	snprintf(name, sizeof(name), "%.*s", (int)(model.content_len < 60 ? model.content_len : 60),
		model.content);
	if (apply_model(job, name))
		return;
	snprintf(text, sizeof(text), "I heard %zu bytes of audio in %.*s", file.content_len,
		(int)(file.file_len < 256 ? file.file_len : 256), file.file ? file.file : "");
	cost = json_pack("{s:s,s:I}", "type", "duration", "seconds",
		(json_int_t)(file.content_len / 1000 + 1));
	if (part_is(job, type, "stream", "true"))
		stream_transcription(job, text, cost);
	else
		reply_json(job, 200, json_pack("{s:s,s:o}", "text", text, "usage", cost));
}

/* --- the rest -------------------------------------------------------------------------------- */

void answer_unstructured(struct job *job)
{
	const char *type = http_request_field(http_request(job->exchange), "content-type");
	struct part file;

	if (!find_part(job, type, "files", &file)) {
		reply_error(job, 400, "files is missing");
		return;
	}
	reply_json(job, 200,
		json_pack("[{s:s,s:s%},{s:s,s:I}]", "type", "Title", "text", file.content,
			file.content_len, "type", "Size", "bytes", (json_int_t)file.content_len));
}

static json_t *model(const char *name)
{
	return json_pack("{s:s,s:s,s:i,s:s}", "id", name, "object", "model", "created", 1,
		"owned_by", "libpm");
}

void answer_models(struct job *job)
{
	static const char prefix[] = "/v1/models/";
	const char *target = http_request(job->exchange)->target;

	if (strstr(target, "healthcheck"))
		reply_json(job, 200, json_pack("{s:s}", "healthcheck", "HEALTHCHECK STATUS: OK"));
	else if (!strncmp(target, prefix, sizeof(prefix) - 1))
		reply_json(job, 200, model(target + sizeof(prefix) - 1));
	else
		reply_json(job, 200,
			json_pack("{s:s,s:[o,o]}", "object", "list", "data", model("echo"),
				model("slow")));
}
