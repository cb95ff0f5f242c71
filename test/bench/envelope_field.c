/* SPDX-License-Identifier: Apache-2.0 */
/* Field messages, and bodies whose fields are sealed. */
#include "bench_envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t nonce[PM_FIELD_NONCE_SIZE] = {4, 5, 6};

/* --- field messages -------------------------------------------------------------------------- */

static struct pm_field_key *field_key;
static struct pm_field_exchange *responder;
static char *message;
static uint8_t *opened;
static size_t message_len, message_cap;

/* A responder that has opened a request and may seal; a message to open. */
static void prepare_field(size_t size)
{
	struct pm_field_exchange *requester = NULL;
	size_t len;

	must(pm_field_key_new("tD2jMoqJwUVx2aCvT6Ss9SYH0vBgb8JSdYbjxI9qzZQ=", secret, &field_key),
		"key");
	message_cap = pm_field_sealed_size(field_key, size);
	message = room(message_cap);
	opened = room(message_cap);
	must(pm_field_requester_new(field_key, &requester), "requester");
	must(pm_field_responder_new(field_key, &responder), "responder");
	must(pm_field_seal(requester, plain, 1, message, message_cap, &len), "seal");
	must(pm_field_open(responder, message, len, opened, message_cap, &len, NULL), "open");
	must(pm_field_seal_at(field_key, nonce, 0, plain, size, message, message_cap, &message_len),
		"seal");
	pm_field_exchange_free(requester);
}

static void run_field_seal(size_t size)
{
	must(pm_field_seal(responder, plain, size, message, message_cap, &message_len), "seal");
}

static void run_field_open(size_t size)
{
	size_t len;

	(void)size;
	must(pm_field_open_at(
		     field_key, nonce, 0, message, message_len, opened, message_cap, &len, NULL),
		"open");
}

static void finish_field(void)
{
	pm_field_exchange_free(responder);
	pm_field_key_free(field_key);
	free(message);
	free(opened);
}

/* --- bodies ---------------------------------------------------------------------------------- */

static struct pm_body *body;
static char *text;
static size_t text_len;

/* Opens one and the same body again and again, which an exchange would not. */
static struct repeated {
	uint32_t seq;
} repeated;

static size_t repeated_room(void *arg, size_t in_len)
{
	(void)arg;
	return pm_field_open_room(in_len);
}

static int repeated_open(void *arg, const uint8_t *in, size_t in_len, uint8_t *ret_out, size_t cap,
	size_t *ret_len, struct pm_report *report)
{
	struct repeated *r = arg;

	return pm_field_open_at(field_key, nonce, r->seq++, (const char *)in, in_len, ret_out, cap,
		ret_len, report);
}

static size_t repeated_seal_room(void *arg, size_t in_len)
{
	(void)arg;
	return pm_field_sealed_size(field_key, in_len);
}

static int repeated_seal(void *arg, const uint8_t *in, size_t in_len, uint8_t *ret_out, size_t cap,
	size_t *ret_len, struct pm_report *report)
{
	struct repeated *r = arg;

	(void)report;
	return pm_field_seal_at(
		field_key, nonce, r->seq++, in, in_len, (char *)ret_out, cap, ret_len);
}

static void new_body(enum pm_body_side side, enum pm_body_way way)
{
	struct pm_body_cipher cipher = {&repeated, repeated_room, repeated_open};

	if (way == PM_BODY_SEAL)
		cipher = (struct pm_body_cipher){&repeated, repeated_seal_room, repeated_seal};
	must(pm_body_new(PM_ENDPOINT_CHAT, side, way, &cipher, &body), "body");
}

static void run_event(size_t size)
{
	const uint8_t *out;
	size_t len;

	(void)size;
	repeated.seq = 0;
	must(pm_body_sse(body, text, text_len, NULL, &out, &len), "event");
}

static void run_json(size_t size)
{
	const uint8_t *out;
	size_t len;

	(void)size;
	repeated.seq = 0;
	must(pm_body_json(body, text, text_len, NULL, &out, &len), "JSON");
}

/* What the next row's body begins with is sealed already. */
static void swap_for_sealed(const uint8_t *out, size_t len)
{
	free(text);
	text = room(len);
	text_len = len;
	memcpy(text, out, len);
	pm_body_free(body);
}

static void prepare_seal_event(size_t size)
{
	static const char event[] = "data: {\"id\":\"chatcmpl-6f1c2f5f0b6a4f6f9d6d3a0f8c1f2a3b\","
				    "\"object\":\"chat.completion.chunk\",\"created\":1772323200,"
				    "\"model\":\"org/some-model-70b\",\"choices\":[{\"index\":0,"
				    "\"delta\":{\"content\":\" token\"},\"logprobs\":null,"
				    "\"finish_reason\":null}],\"usage\":null}\n\n";

	prepare_field(size);
	text = strdup(event);
	text_len = strlen(event);
	new_body(PM_BODY_RESPONSE, PM_BODY_SEAL);
}

/* As a worker does: messages of one exchange, whose head is made once. */
static void prepare_answer_event(size_t size)
{
	struct pm_body_cipher cipher;

	prepare_seal_event(size);
	pm_body_field_cipher(responder, PM_BODY_SEAL, &cipher);
	must(pm_body_reset(body, &cipher), "cipher");
}

static void prepare_open_event(size_t size)
{
	const uint8_t *out;
	size_t len;

	prepare_seal_event(size);
	repeated.seq = 0;
	must(pm_body_sse(body, text, text_len, NULL, &out, &len), "event");
	swap_for_sealed(out, len);
	new_body(PM_BODY_RESPONSE, PM_BODY_OPEN);
}

/* A conversation of so many bytes: messages of some kilobytes, with an escape on each line. */
static void prepare_seal_chat(size_t size)
{
	static const char line[] =
		"The answer of a model is text with some quotes and ends of lines.\\n";
	char *at;

	prepare_field(size);
	at = text = room(size + 4096);
	at += sprintf(at, "{\"model\":\"m\",\"temperature\":0.7,\"messages\":[");
	for (size_t n = 0; at + sizeof(line) < text + size; n++) {
		if (n % 50 == 0)
			at += sprintf(at, "%s{\"role\":\"user\",\"content\":\"", n ? "\"}," : "");
		at += sprintf(at, "%s", line);
	}
	at += sprintf(at, "\"}],\"stream\":true}");
	text_len = (size_t)(at - text);
	new_body(PM_BODY_REQUEST, PM_BODY_SEAL);
}

static void prepare_open_chat(size_t size)
{
	const uint8_t *out;
	size_t len;

	prepare_seal_chat(size);
	repeated.seq = 0;
	must(pm_body_json(body, text, text_len, NULL, &out, &len), "JSON");
	swap_for_sealed(out, len);
	new_body(PM_BODY_REQUEST, PM_BODY_OPEN);
}

static void finish_body(void)
{
	pm_body_free(body);
	free(text);
	finish_field();
}

/* --- the rows -------------------------------------------------------------------------------- */

static const struct row rows[] = {
	{"field message, seal", 16, 100000, prepare_field, run_field_seal, finish_field},
	{"field message, seal", 256, 100000, prepare_field, run_field_seal, finish_field},
	{"field message, open", 256, 100000, prepare_field, run_field_open, finish_field},
	{"field message, seal", MIB, 50, prepare_field, run_field_seal, finish_field},
	{"field message, open", MIB, 50, prepare_field, run_field_open, finish_field},
	{"event of a stream, seal", 250, 100000, prepare_answer_event, run_event, finish_body},
	{"event of a stream, open", 250, 100000, prepare_open_event, run_event, finish_body},
	{"chat request, seal", MIB, 50, prepare_seal_chat, run_json, finish_body},
	{"chat request, open", MIB, 50, prepare_open_chat, run_json, finish_body},
};

const struct rows field_rows = {rows, sizeof(rows) / sizeof(rows[0])};
