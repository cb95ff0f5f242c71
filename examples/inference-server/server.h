/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small inference server without a model, for tests and demonstrations: it answers as OpenAI's
 * and Anthropic's APIs do, with what it was asked, always in the same way. What it does beyond that
 * is chosen by the name of the model:
 *
 *     echo           answers at once
 *     slow           one event each tenth of a second
 *     endless        never ends
 *     repeat-N       each word N times; N events without a pause
 *     error-N        an error of status N
 *     cut            breaks off in the middle
 *     garbage        a stream of events that are no JSON
 *     comments       a comment before each event, as some servers send to keep connections open
 *     silent         takes the request and never answers
 *     quiet          one word of a stream, and then nothing
 *     shared         has each prompt in its cache, whoever asked, unless cache_prompt is false
 */
#ifndef INFERENCE_SERVER_H
#define INFERENCE_SERVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/http_server.h"

#define BODY_MAX   (160u << 20)
#define EVENTS_MAX 4096

/* A request and what becomes of it. */
struct job {
	struct http_exchange *exchange;
	char *body;
	size_t body_len, body_room;
	json_t *request; /* NULL for a form */

	/* the answer of a stream */
	char *events[EVENTS_MAX];
	size_t event_count, next;
	size_t repeat_from, repeat_to; /* the events with content */
	unsigned long repeats;
	bool is_endless, is_cut, is_quiet, has_comments;
	int64_t pause; /* milliseconds before each event */
	struct event *timer;
};

/* A part of a form, in the body. */
struct part {
	const char *name, *file, *content;
	size_t name_len, file_len, content_len;
};

/* --- reply.c: answers --- */

/* A JSON answer; takes the value. */
void reply_json(struct job *job, int status, json_t *value);
void reply_error(struct job *job, int status, const char *message);
/* Adds an event to a stream; name NULL: without; takes the value. */
void add_event(struct job *job, const char *name, json_t *value);
void add_done(struct job *job);
/* Sends the events. */
void start_stream(struct job *job);
/* There is room again. */
void continue_stream(struct job *job);
/* What the model's name asks for; true when that was the whole answer. */
bool apply_model(struct job *job, const char *model);

/* --- text.c: what was asked --- */

/* The text of the last message, or of the prompt; freed by the caller. */
char *asked_text(const json_t *request);
/* The words of a text, one after another: the next one's length, spaces before it included. */
size_t next_word(const char *text);
long count_words(const char *text);
/* Of a form: false when there is no such part. */
bool find_part(const struct job *job, const char *content_type, const char *name, struct part *ret);

/* --- the APIs --- */

void answer_chat(struct job *job);
void answer_completion(struct job *job);
void answer_embeddings(struct job *job);
void answer_transcription(struct job *job);
void answer_messages(struct job *job);
void answer_count_tokens(struct job *job);
void answer_unstructured(struct job *job);
void answer_models(struct job *job);

#endif
