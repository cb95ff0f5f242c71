/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker that embeds libpm: it takes one sealed request on standard input and answers with a
 * stream of events on standard output. Usage: embed_server FILE-OF-32-BYTES
 */
#include "embed.h"

/* What the model gets. */
struct prompt {
	char path[256];
	char text[4096];
	size_t len;
};

static void take(const struct pm_exchange_event *event, struct prompt *prompt)
{
	if (event->type == PM_EXCHANGE_HEAD)
		snprintf(prompt->path, sizeof(prompt->path), "%s %s", event->request->method,
			event->request->path);
	if (event->type == PM_EXCHANGE_BODY &&
		prompt->len + event->body_len < sizeof(prompt->text)) {
		memcpy(prompt->text + prompt->len, event->body, event->body_len);
		prompt->len += event->body_len;
	}
}

/* One piece of the outer body. */
static void receive(struct pm_exchange_worker *worker, const uint8_t *bytes, size_t len,
	struct pm_report *report, struct prompt *prompt)
{
	struct pm_exchange_event event;
	size_t used;

	do {
		must(pm_exchange_worker_receive(
			     worker, bytes, len, (int64_t)time(NULL), report, &used, &event),
			"request", report);
		bytes += used;
		len -= used;
		take(&event, prompt);
	} while (event.type != PM_EXCHANGE_MORE);
}

static void receive_all(struct pm_exchange_worker *worker, struct prompt *prompt)
{
	struct pm_report *report = pm_report_new();
	uint8_t bytes[4096];
	size_t n;

	while ((n = get(bytes, sizeof(bytes))))
		receive(worker, bytes, n, report, prompt);
	/* Without this a request that was cut short would be taken for a whole one. */
	must(pm_exchange_worker_end(worker, report), "request", report);
	pm_report_free(report);
}

static void send_event(struct pm_exchange_worker *worker, const char *text, int final)
{
	const uint8_t *bytes;
	size_t n;

	must(pm_exchange_worker_send_body(
		     worker, (const uint8_t *)text, strlen(text), final, &bytes, &n),
		"event", NULL);
	put(bytes, n);
}

/* The answer: each word of the prompt is an event. */
static void answer(struct pm_exchange_worker *worker, struct prompt *prompt)
{
	struct pm_sealed_response head;
	char event[4200];
	const uint8_t *bytes;
	size_t n;

	memset(&head, 0, sizeof(head));
	head.status = 200;
	head.content_type = "text/event-stream";
	put_text("200");
	put_text(PM_SEALED_CONTENT_TYPE);
	must(pm_exchange_worker_send_head(worker, &head, 0, NULL, &bytes, &n), "head", NULL);
	put(bytes, n);
	for (char *word = strtok(prompt->text, " "); word; word = strtok(NULL, " ")) {
		snprintf(event, sizeof(event), "data: %s\n\n", word);
		send_event(worker, event, 0);
	}
	send_event(worker, "data: [DONE]\n\n", 1);
	put("", 0);
}

int main(int argc, char **argv)
{
	struct pm_exchange_key *key = read_key(argc, argv);
	struct pm_exchange_worker *worker = NULL;
	struct prompt prompt;
	uint8_t id[256], model[512], shard[4200];

	memset(&prompt, 0, sizeof(prompt));
	/* It serves one request. A server that may be started again gives the time itself. */
	must(pm_exchange_key_serve(key, 1000, 60, (int64_t)time(NULL) - 60), "cache", NULL);
	(void)get(id, sizeof(id)); /* a real worker finds the key by it */
	(void)get(model, sizeof(model));
	(void)get(shard, sizeof(shard));
	must(pm_exchange_worker_new(key, (char *)model, (char *)shard, 256, &worker), "worker",
		NULL);
	receive_all(worker, &prompt);
	fprintf(stderr, "server: %s: %s\n", prompt.path, prompt.text);
	answer(worker, &prompt);
	pm_exchange_worker_free(worker);
	pm_exchange_key_free(key);
	return 0;
}
