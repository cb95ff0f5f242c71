/* SPDX-License-Identifier: Apache-2.0 */
/* Anthropic's API: messages and their count of tokens. */
#include <stdlib.h>
#include <string.h>

#include "server.h"

static const char *model_of(const struct job *job)
{
	return json_string_value(json_object_get(job->request, "model"));
}

static json_t *message(const struct job *job, json_t *content, const char *stop, long in, long out)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:o,s:s?,s:n,s:{s:I,s:I}}", "id", "message-1", "type",
		"message", "role", "assistant", "model", model_of(job), "content", content,
		"stop_reason", stop, "stop_sequence", "usage", "input_tokens", (json_int_t)in,
		"output_tokens", (json_int_t)out);
}

/* --- tools ----------------------------------------------------------------------------------- */

static const char *tool_of(const struct job *job)
{
	const json_t *tool = json_array_get(json_object_get(job->request, "tools"), 0);

	return json_string_value(json_object_get(tool, "name"));
}

/* The first tool is called, with the text as its input. */
static void reply_tool(struct job *job, const char *text, long words)
{
	json_t *use = json_pack("[{s:s,s:s,s:s,s:{s:s}}]", "type", "tool_use", "id", "tool-1",
		"name", tool_of(job), "input", "text", text);

	reply_json(job, 200, message(job, use, "tool_use", words, words));
}

static void stream_tool(struct job *job, const char *text)
{
	json_t *input = json_pack("{s:s}", "text", text);
	char *dumped = json_dumps(input, JSON_COMPACT);

	add_event(job, "content_block_start",
		json_pack("{s:s,s:i,s:{s:s,s:s,s:s,s:{}}}", "type", "content_block_start", "index",
			0, "content_block", "type", "tool_use", "id", "tool-1", "name",
			tool_of(job), "input"));
	add_event(job, "content_block_delta",
		json_pack("{s:s,s:i,s:{s:s,s:s}}", "type", "content_block_delta", "index", 0,
			"delta", "type", "input_json_delta", "partial_json",
			dumped ? dumped : "{}"));
	json_decref(input);
	free(dumped);
}

/* --- text ------------------------------------------------------------------------------------ */

static json_t *delta(const char *text, size_t len)
{
	return json_pack("{s:s,s:i,s:{s:s,s:s%}}", "type", "content_block_delta", "index", 0,
		"delta", "type", "text_delta", "text", text, len);
}

static void stream_text(struct job *job, const char *text)
{
	add_event(job, "content_block_start",
		json_pack("{s:s,s:i,s:{s:s,s:s}}", "type", "content_block_start", "index", 0,
			"content_block", "type", "text", "text", ""));
	job->repeat_from = job->event_count;
	for (const char *at = text; *at; at += next_word(at))
		add_event(job, "content_block_delta", delta(at, next_word(at)));
	job->repeat_to = job->event_count;
}

/* --- messages -------------------------------------------------------------------------------- */

static void stream_messages(struct job *job, const char *text)
{
	const char *tool = tool_of(job);
	long words = count_words(text);

	add_event(job, "message_start",
		json_pack("{s:s,s:o}", "type", "message_start", "message",
			message(job, json_array(), NULL, words, 1)));
	if (tool)
		stream_tool(job, text);
	else
		stream_text(job, text);
	add_event(job, "content_block_stop",
		json_pack("{s:s,s:i}", "type", "content_block_stop", "index", 0));
	add_event(job, "message_delta",
		json_pack("{s:s,s:{s:s,s:n},s:{s:I}}", "type", "message_delta", "delta",
			"stop_reason", tool ? "tool_use" : "end_turn", "stop_sequence", "usage",
			"output_tokens", (json_int_t)words));
	add_event(job, "message_stop", json_pack("{s:s}", "type", "message_stop"));
	start_stream(job);
}

void answer_messages(struct job *job)
{
	char *text = asked_text(job->request);
	long words = text ? count_words(text) : 0;

	if (!text)
		http_abort(job->exchange);
	else if (json_is_true(json_object_get(job->request, "stream")))
		stream_messages(job, text);
	else if (tool_of(job))
		reply_tool(job, text, words);
	else
		reply_json(job, 200,
			message(job, json_pack("[{s:s,s:s}]", "type", "text", "text", text),
				"end_turn", words, words));
	free(text);
}

void answer_count_tokens(struct job *job)
{
	char *text = asked_text(job->request);

	if (!text) {
		http_abort(job->exchange);
		return;
	}
	reply_json(job, 200, json_pack("{s:I}", "input_tokens", (json_int_t)count_words(text)));
	free(text);
}
