/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client that embeds libpm: it sends one sealed request on standard output, takes the answer from
 * standard input and prints it on standard error. Usage: embed_client FILE-OF-32-BYTES
 */
#include "embed.h"

static const char prompt[] = "tell nobody what I asked";

static void send_request(struct pm_exchange_client *client)
{
	struct pm_sealed_request head;
	const uint8_t *bytes;
	size_t n;

	memset(&head, 0, sizeof(head));
	head.method = "POST";
	head.path = "/v1/completions";
	head.content_type = "text/plain";
	head.issued_at = (int64_t)time(NULL);
	must(pm_exchange_client_send_head(client, &head, 0, NULL, &bytes, &n), "head", NULL);
	put(bytes, n);
	must(pm_exchange_client_send_body(
		     client, (const uint8_t *)prompt, strlen(prompt), 1, &bytes, &n),
		"body", NULL);
	put(bytes, n);
	put("", 0);
}

static void show(const struct pm_exchange_event *event)
{
	if (event->type == PM_EXCHANGE_HEAD)
		fprintf(stderr, "client: %d %s\n", event->response->status,
			event->response->content_type);
	if (event->type == PM_EXCHANGE_BODY)
		fprintf(stderr, "%.*s", (int)event->body_len, (const char *)event->body);
	if (event->type == PM_EXCHANGE_END)
		fprintf(stderr, "client: whole\n");
}

/* One piece of the outer body. */
static void receive(struct pm_exchange_client *client, const uint8_t *bytes, size_t len,
	struct pm_report *report)
{
	struct pm_exchange_event event;
	size_t used;

	do {
		must(pm_exchange_client_receive(client, bytes, len, report, &used, &event),
			"response", report);
		bytes += used;
		len -= used;
		show(&event);
	} while (event.type != PM_EXCHANGE_MORE);
}

static void receive_response(struct pm_exchange_client *client)
{
	struct pm_report *report = pm_report_new();
	uint8_t bytes[4096], type[256];
	int status;
	size_t n;

	(void)get(bytes, sizeof(bytes));
	status = (int)strtol((const char *)bytes, NULL, 10);
	(void)get(type, sizeof(type));
	must(pm_exchange_client_begin(client, status, (const char *)type, report), "response",
		report);
	while ((n = get(bytes, sizeof(bytes))))
		receive(client, bytes, n, report);
	must(pm_exchange_client_end(client, report), "response", report);
	pm_report_free(report);
}

int main(int argc, char **argv)
{
	struct pm_exchange_key *key = read_key(argc, argv);
	struct pm_exchange_client *client = NULL;

	must(pm_exchange_client_new(key, "a/model", NULL, 256, &client), "client", NULL);
	/* The three fields of the outer request: Pm-Secret-Id, Pm-Model, Pm-Shard-Key. */
	put_text("example");
	put_text("a/model");
	put_text("");
	send_request(client);
	receive_response(client);
	pm_exchange_client_free(client);
	pm_exchange_key_free(key);
	return 0;
}
