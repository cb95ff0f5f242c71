/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Envelope encryption: time and allocations of one call, over the public functions alone. A row of
 * the table is one kind of work: prepare() once, run() many times.
 *
 * bench_envelope [TEXT]: the rows whose name holds the text; all without one.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pm/pm.h>

/* --- every allocation of the process is counted ---------------------------------------------- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);

static unsigned long allocations;

#define COUNTED __attribute__((visibility("default")))

COUNTED void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

COUNTED void *calloc(size_t count, size_t size)
{
	allocations++;
	return __libc_calloc(count, size);
}

COUNTED void *realloc(void *p, size_t size)
{
	allocations++;
	return __libc_realloc(p, size);
}

/* --- what the rows share --------------------------------------------------------------------- */

#define MIB ((size_t)1 << 20)

static const uint8_t secret[PM_FIELD_SECRET_SIZE] = {1, 2, 3};
static const uint8_t nonce[PM_FIELD_NONCE_SIZE] = {4, 5, 6};
static uint8_t *plain; /* MIB bytes */

static void must(int r, const char *what)
{
	if (r < 0)
		errx(1, "%s: %s", what, pm_strerror(r));
}

static void *room(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		errx(1, "out of memory");
	return p;
}

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

/* --- key exchange ---------------------------------------------------------------------------- */

static char request[PM_KEYEX_REQUEST_SIZE];
static char *response;
static const uint8_t certificate[512];

/* A store's key would sign here; that is not our work. */
static int no_signature(const uint8_t *digest, uint8_t *ret_signature, size_t *ret_len, void *arg)
{
	(void)digest;
	(void)arg;
	memset(ret_signature, 0, 72);
	*ret_len = 72;
	return 0;
}

static void prepare_keyex(size_t size)
{
	struct pm_keyex_client *client = NULL;

	(void)size;
	must(pm_keyex_client_new(&client), "client");
	pm_keyex_client_request(client, request);
	pm_keyex_client_free(client);
	response = room(pm_keyex_response_room(sizeof(certificate)));
}

static void run_keyex_client(size_t size)
{
	struct pm_keyex_client *client = NULL;

	(void)size;
	must(pm_keyex_client_new(&client), "client");
	pm_keyex_client_request(client, request);
	pm_keyex_client_free(client);
}

static void run_keyex_respond(size_t size)
{
	struct pm_keyex_signer signer = {
		sizeof(signer), certificate, sizeof(certificate), no_signature, NULL, NULL};
	uint8_t out[PM_KEYEX_SECRET_SIZE];
	char id[PM_KEYEX_ID_SIZE];

	(void)size;
	must(pm_keyex_respond(request, strlen(request), &signer, response, id, out, NULL),
		"respond");
}

static void finish_keyex(void)
{
	free(response);
}

/* --- sealed exchange ------------------------------------------------------------------------- */

static struct pm_exchange_key *exchange_key;
static struct pm_exchange_client *client;
static struct pm_exchange_worker *worker;

/* All of the bytes, which hold whole frames. */
static void worker_takes(const uint8_t *bytes, size_t len)
{
	struct pm_exchange_event event;
	size_t used;

	do {
		must(pm_exchange_worker_receive(worker, bytes, len, 1000, NULL, &used, &event),
			"receive");
		bytes += used;
		len -= used;
	} while (event.type != PM_EXCHANGE_MORE);
}

static void client_takes(const uint8_t *bytes, size_t len)
{
	struct pm_exchange_event event;
	size_t used;

	do {
		must(pm_exchange_client_receive(client, bytes, len, NULL, &used, &event),
			"receive");
		bytes += used;
		len -= used;
	} while (event.type != PM_EXCHANGE_MORE);
}

/* Up to the response's head. */
static void begin_exchange(void)
{
	struct pm_sealed_request request_head = {.method = "POST",
		.path = "/v1/chat/completions",
		.content_type = "application/json",
		.issued_at = 1000};
	struct pm_sealed_response response_head = {
		.status = 200, .content_type = "text/event-stream"};
	const uint8_t *bytes;
	size_t len;

	must(pm_exchange_client_new(exchange_key, "model", NULL, 0, &client), "client");
	must(pm_exchange_worker_new(exchange_key, "model", NULL, 0, &worker), "worker");
	must(pm_exchange_client_send_head(client, &request_head, 1, NULL, &bytes, &len), "head");
	worker_takes(bytes, len);
	must(pm_exchange_worker_send_head(worker, &response_head, 0, NULL, &bytes, &len), "head");
	must(pm_exchange_client_begin(client, 200, PM_SEALED_CONTENT_TYPE, NULL), "begin");
	client_takes(bytes, len);
}

static void end_exchange(void)
{
	pm_exchange_client_free(client);
	pm_exchange_worker_free(worker);
}

static void prepare_key(size_t size)
{
	(void)size;
	must(pm_exchange_key_new("id", secret, &exchange_key), "key");
	must(pm_exchange_key_serve(exchange_key, 1000000, 60, 0), "cache");
}

static void prepare_sealed(size_t size)
{
	prepare_key(size);
	begin_exchange();
}

static void run_sealed_send(size_t size)
{
	const uint8_t *bytes;
	size_t len;

	must(pm_exchange_worker_send_body(worker, plain, size, 0, &bytes, &len), "send");
}

static void run_sealed_both(size_t size)
{
	const uint8_t *bytes;
	size_t len;

	must(pm_exchange_worker_send_body(worker, plain, size, 0, &bytes, &len), "send");
	client_takes(bytes, len);
}

static void finish_key(void)
{
	pm_exchange_key_free(exchange_key);
}

static void finish_sealed(void)
{
	end_exchange();
	finish_key();
}

/* Client and worker together: keys, both heads, nothing else. */
static void run_exchange(size_t size)
{
	(void)size;
	begin_exchange();
	end_exchange();
}

/* --- shard key ------------------------------------------------------------------------------- */

static void prepare_nothing(size_t size)
{
	(void)size;
}

static void run_shard(size_t size)
{
	struct pm_shard *shard = NULL;

	must(pm_shard_new("salt", 4, &shard), "shard");
	must(pm_shard_add(shard, plain, size), "shard");
	pm_shard_free(shard);
}

static void finish_nothing(void)
{
}

/* --- the table ------------------------------------------------------------------------------- */

static const struct row {
	const char *name;
	size_t size;  /* bytes of plaintext; 0: none */
	size_t calls; /* in one round */
	void (*prepare)(size_t size);
	void (*run)(size_t size);
	void (*finish)(void);
} rows[] = {
	{"field message, seal", 16, 100000, prepare_field, run_field_seal, finish_field},
	{"field message, seal", 256, 100000, prepare_field, run_field_seal, finish_field},
	{"field message, open", 256, 100000, prepare_field, run_field_open, finish_field},
	{"field message, seal", MIB, 50, prepare_field, run_field_seal, finish_field},
	{"field message, open", MIB, 50, prepare_field, run_field_open, finish_field},
	{"event of a stream, seal", 250, 100000, prepare_answer_event, run_event, finish_body},
	{"event of a stream, open", 250, 100000, prepare_open_event, run_event, finish_body},
	{"chat request, seal", MIB, 50, prepare_seal_chat, run_json, finish_body},
	{"chat request, open", MIB, 50, prepare_open_chat, run_json, finish_body},
	{"key exchange, client's request", 0, 500, prepare_keyex, run_keyex_client, finish_keyex},
	{"key exchange, respond", 0, 500, prepare_keyex, run_keyex_respond, finish_keyex},
	{"sealed frame, send", 256, 100000, prepare_sealed, run_sealed_send, finish_sealed},
	{"sealed frame, send and receive", 256, 100000, prepare_sealed, run_sealed_both,
		finish_sealed},
	{"sealed body, send", MIB, 50, prepare_sealed, run_sealed_send, finish_sealed},
	{"sealed body, send and receive", MIB, 50, prepare_sealed, run_sealed_both, finish_sealed},
	{"sealed exchange, both ends", 0, 500, prepare_key, run_exchange, finish_key},
	{"shard key", MIB, 10, prepare_nothing, run_shard, finish_nothing},
};

#define ROUNDS 9

/* The processor's time: what other programs take of it does not count. */
static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void print_row(const struct row *row, const double *times, unsigned long allocated)
{
	double median = times[ROUNDS / 2];

	printf("%-32s %8zu B %10.3f us [%.3f-%.3f]", row->name, row->size, 1e6 * median,
		1e6 * times[0], 1e6 * times[ROUNDS - 1]);
	if (row->size >= 4096)
		printf(" %6.2f GB/s", (double)row->size / median * 1e-9);
	printf(" %.1f allocations\n", (double)allocated / (double)(ROUNDS * row->calls));
}

static void measure(const struct row *row)
{
	double times[ROUNDS];
	unsigned long before;

	row->prepare(row->size);
	row->run(row->size); /* warm up */
	before = allocations;
	for (int i = 0; i < ROUNDS; i++) {
		double start = seconds();

		for (size_t k = 0; k < row->calls; k++)
			row->run(row->size);
		times[i] = (seconds() - start) / (double)row->calls;
	}
	before = allocations - before;
	qsort(times, ROUNDS, sizeof(*times), compare);
	print_row(row, times, before);
	row->finish();
}

int main(int argc, char **argv)
{
	const char *wanted = argc > 1 ? argv[1] : "";

	plain = room(MIB);
	memset(plain, 'x', MIB);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strstr(rows[i].name, wanted))
			measure(&rows[i]);
	free(plain);
	return 0;
}
