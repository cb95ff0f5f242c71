/* SPDX-License-Identifier: Apache-2.0 */
/* Owners and their secret service: a key exchange, and sealed requests under what came of it. */
#include <pm/operator.h>

#include <stdlib.h>
#include <string.h>

#include <pm/exchange.h>
#include <pm/keyex.h>
#include <pm/mesh.h>
#include "base/report.h"
#include "base/secret.h"
#include "net/ask.h"

#define CHECK "secret service"

#define CONNECT_MS 10000
#define TOTAL_MS   120000

/* Requests are padded: what owners put shall not be told by its length. */
#define BUCKET 4096

/* What a sealed answer is longer than its plaintext, at most: frames of a byte each aside. */
#define ANSWER_FACTOR 2

struct pm_operator {
	char *url, *ca_file;
	int64_t connect_ms, total_ms;
	struct pm_exchange_key *key;
	char id[PM_KEYEX_ID_SIZE];
};

PM_OWNER(pm_operator, pm_operator_free);
PM_OWNER(pm_keyex_client, pm_keyex_client_free);
PM_OWNER(pm_exchange_client, pm_exchange_client_free);

void pm_operator_free(struct pm_operator *op)
{
	if (!op)
		return;
	pm_exchange_key_free(op->key);
	free(op->url);
	free(op->ca_file);
	free(op);
}

const char *pm_operator_exchange(const struct pm_operator *op)
{
	return op->id;
}

void pm_operator_answer_clear(struct pm_operator_answer *answer)
{
	if (answer->body)
		pm_wipe(answer->body, answer->len);
	free(answer->body);
	*answer = (struct pm_operator_answer){0};
}

/* --- agreeing -------------------------------------------------------------------------------- */

static int verify(struct pm_operator *op, const struct pm_operator_options *options,
	const struct pm_keyex_client *client, struct pm_view json, struct pm_report *report)
{
	const struct pm_keyex_trust trust = {
		.size = sizeof(trust),
		.ca = options->mesh_ca,
		.ca_len = options->mesh_ca_len,
		.now = pm_net_system_clock.wall(NULL),
		.check_role = pm_mesh_keyex_role,
		.arg = (void *)(uintptr_t)options->manifest_hash,
		.purpose = PM_OPERATOR_PURPOSE,
	};
	pm_cleanup(secret) struct pm_secret secret = {0};
	int r = pm_secret_new(&secret, PM_KEYEX_SECRET_SIZE);

	if (r == PM_OK)
		r = pm_keyex_client_finish(
			client, (const char *)json.ptr, json.len, &trust, secret.ptr, report);
	if (r < 0)
		return r;
	pm_copy(op->id, pm_keyex_client_id(client), sizeof(op->id));
	return pm_exchange_key_new(op->id, secret.ptr, &op->key);
}

static int agree(
	struct pm_operator *op, const struct pm_operator_options *options, struct pm_report *report)
{
	const struct pm_ask_server server = {.url = op->url,
		.ca_file = op->ca_file,
		.connect_ms = op->connect_ms,
		.total_ms = op->total_ms,
		.name = CHECK};
	pm_cleanup(http_response) struct pm_http_response response = {0};
	pm_cleanup(pm_keyex_client) struct pm_keyex_client *client = NULL;
	char json[PM_KEYEX_REQUEST_SIZE];
	struct pm_ask ask = {
		.path = PM_OPERATOR_SECRET_PATH, .type = PM_ASK_JSON, .max = PM_KEYEX_JSON_MAX};
	int r = pm_keyex_client_new(&client);

	if (r < 0)
		return r;
	pm_keyex_client_request(client, json);
	ask.json = pm_view(json, strlen(json));
	r = pm_ask(&server, &ask, report, &response);
	if (r < 0)
		return r;
	return verify(op, options, client, pm_view(response.body, response.len), report);
}

int pm_operator_new(const char *url, const struct pm_operator_options *options,
	struct pm_report *report, struct pm_operator **ret_operator)
{
	pm_cleanup(pm_operator) struct pm_operator *op = NULL;
	int r;

	if (options->size != sizeof(*options) || !options->mesh_ca || !options->manifest_hash)
		return PM_E_ARG;
	op = pm_alloc(sizeof(*op));
	if (!op)
		return PM_E_NOMEM;
	op->connect_ms = options->connect_ms ? options->connect_ms : CONNECT_MS;
	op->total_ms = options->total_ms ? options->total_ms : TOTAL_MS;
	r = pm_ask_copy_url(url, PM_OPERATOR_URL_MAX, report, &op->url);
	if (r == PM_OK)
		r = pm_ask_copy_text(options->ca_file, &op->ca_file);
	if (r == PM_OK)
		r = agree(op, options, report);
	if (r < 0)
		return r;
	*ret_operator = pm_steal(op);
	return PM_OK;
}

/* --- asking ---------------------------------------------------------------------------------- */

/* Room that is wiped when it goes. */
struct room {
	uint8_t *ptr;
	size_t len, size;
};

static void pm_cleanup_room(struct room *room)
{
	if (room->ptr)
		pm_wipe(room->ptr, room->size);
	free(room->ptr);
}

static int add(struct room *room, const uint8_t *bytes, size_t len, size_t max)
{
	size_t size = room->size ? room->size : 65536;
	uint8_t *more;

	if (len > max || room->len > max - len)
		return PM_E_LIMIT;
	while (size < room->len + len + 1)
		size *= 2;
	if (size > room->size) {
		more = pm_alloc(size);
		if (!more)
			return PM_E_NOMEM;
		pm_copy(more, room->ptr, room->len);
		pm_cleanup_room(room);
		room->ptr = more;
		room->size = size;
	}
	pm_copy(room->ptr + room->len, bytes, len);
	room->len += len;
	return PM_OK;
}

static int seal(struct pm_exchange_client *client, const char *method, const char *path,
	struct pm_view body, struct pm_report *report, struct room *ret)
{
	const struct pm_sealed_request head = {.method = method,
		.path = path,
		.content_type = PM_ASK_JSON,
		.issued_at = pm_net_system_clock.wall(NULL)};
	const uint8_t *frames;
	size_t len;
	int r = pm_exchange_client_send_head(client, &head, 0, report, &frames, &len);

	if (r == PM_OK)
		r = add(ret, frames, len, SIZE_MAX / 4);
	if (r == PM_OK)
		r = pm_exchange_client_send_body(client, body.ptr, body.len, 1, &frames, &len);
	return r == PM_OK ? add(ret, frames, len, SIZE_MAX / 4) : r;
}

static int take_event(const struct pm_exchange_event *event, struct room *body, int *ret_status)
{
	if (event->type == PM_EXCHANGE_HEAD)
		*ret_status = event->response->status;
	if (event->type == PM_EXCHANGE_BODY)
		return add(body, event->body, event->body_len, PM_OPERATOR_ANSWER_MAX);
	return PM_OK;
}

static int open_answer(struct pm_exchange_client *client, const struct pm_http_response *response,
	struct pm_report *report, struct room *body, int *ret_status)
{
	const uint8_t *bytes = response->body;
	size_t left = response->len, used;
	struct pm_exchange_event event;
	int r = pm_exchange_client_begin(
		client, (int)response->status, response->content_type, report);

	if (r < 0)
		return r;
	do {
		r = pm_exchange_client_receive(client, bytes, left, report, &used, &event);
		if (r == PM_OK)
			r = take_event(&event, body, ret_status);
		if (r < 0)
			return r;
		bytes += used;
		left -= used;
	} while (event.type != PM_EXCHANGE_MORE);
	return pm_exchange_client_end(client, report);
}

static int post(const struct pm_operator *op, const struct room *sealed, struct pm_report *report,
	struct pm_http_response *ret)
{
	char url[PM_OPERATOR_URL_MAX + sizeof(PM_OPERATOR_ADMIN_PATH)];
	const struct pm_http_request request = {
		.url = url,
		.ca_file = op->ca_file,
		.post = pm_view(sealed->ptr, sealed->len),
		.content_type = PM_SEALED_CONTENT_TYPE,
		.secret_id = op->id,
		.body_max = (size_t)PM_OPERATOR_ANSWER_MAX * ANSWER_FACTOR,
		.connect_ms = op->connect_ms,
		.total_ms = op->total_ms,
	};
	struct pm_wr wr = pm_wr((uint8_t *)url, sizeof(url));
	int r;

	pm_ask_put_text(&wr, op->url);
	pm_ask_put_text(&wr, PM_OPERATOR_ADMIN_PATH);
	pm_wr_bytes(&wr, pm_view("", 1));
	r = pm_http_ask(&request, ret);
	if (r == PM_E_NOMEM)
		return r;
	return r < 0 ? pm_fail(report, r, CHECK, "an answer", "%s: %s", url, ret->error) : PM_OK;
}

int pm_operator_ask(struct pm_operator *op, const char *method, const char *path, const void *body,
	size_t len, struct pm_report *report, struct pm_operator_answer *ret_answer)
{
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *client = NULL;
	pm_cleanup(http_response) struct pm_http_response response = {0};
	pm_cleanup(room) struct room sealed = {0}, answer = {0};
	const struct pm_ask_server server = {.url = op->url, .name = CHECK};
	int r, status = 0;

	if (len > PM_OPERATOR_REQUEST_MAX)
		return PM_E_LIMIT;
	r = pm_exchange_client_new(op->key, "", NULL, BUCKET, &client);
	if (r == PM_OK)
		r = seal(client, method, path, pm_view(body, len), report, &sealed);
	if (r == PM_OK)
		r = post(op, &sealed, report, &response);
	if (r < 0)
		return r;
	if (response.status != 200) /* of who refused on the way, or could not open what we sent */
		return pm_ask_refuse(&server, PM_E_NET, &response, report);
	r = open_answer(client, &response, report, &answer, &status);
	if (r == PM_OK)
		r = add(&answer, (const uint8_t *)"", 1, SIZE_MAX / 4);
	if (r < 0)
		return r;
	*ret_answer = (struct pm_operator_answer){
		.status = status, .body = answer.ptr, .len = answer.len - 1};
	answer = (struct room){0};
	return PM_OK;
}
