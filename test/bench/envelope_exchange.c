/* SPDX-License-Identifier: Apache-2.0 */
/* Key exchanges, sealed exchanges, shard keys. */
#include "bench_envelope.h"

#include <stdlib.h>
#include <string.h>

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

/* --- the rows -------------------------------------------------------------------------------- */

static const struct row rows[] = {
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

const struct rows exchange_rows = {rows, sizeof(rows) / sizeof(rows[0])};
