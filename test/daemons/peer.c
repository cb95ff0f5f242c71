/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's cryptography for the tests of daemons, which are scripts: messages on standard input
 * and output, each a length (32 bits, big endian) and so many bytes. A call is a verb and its
 * arguments; the answer is "ok" or an error's text, and what there is. See peer.py.
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pm/pm.h>

/* Most arguments of a call. */
#define ARGS_MAX 10

struct arg {
	char *text; /* with a NUL behind it */
	size_t len;
};

struct peer {
	struct arg args[ARGS_MAX];
	struct pm_field_exchange *field;
	struct pm_exchange_client *sealed;
	enum pm_endpoint endpoint;
};

/* --- messages -------------------------------------------------------------------------------- */

static void put(const void *bytes, size_t n)
{
	const uint8_t head[4] = {
		(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};

	if (fwrite(head, 1, 4, stdout) != 4 || fwrite(bytes, 1, n, stdout) != n)
		errx(2, "can't write");
}

static void put_text(const char *text)
{
	put(text, strlen(text));
}

static void put_outcome(int r)
{
	put_text(r == PM_OK ? "ok" : pm_strerror(r));
}

/* False at the end. */
static bool get(struct arg *ret)
{
	uint8_t head[4];

	if (fread(head, 1, 4, stdin) != 4)
		return false;
	ret->len = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
	free(ret->text);
	ret->text = malloc(ret->len + 1);
	if (!ret->text || fread(ret->text, 1, ret->len, stdin) != ret->len)
		errx(2, "can't read");
	ret->text[ret->len] = '\0';
	return true;
}

static void get_args(struct peer *p, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!get(&p->args[i]))
			errx(2, "an argument is missing");
}

static void must(int r, const char *what)
{
	if (r < 0)
		errx(2, "%s: %s", what, pm_strerror(r));
}

static void read_secret(const struct arg *arg, uint8_t ret[32])
{
	must(pm_hex_decode(arg->text, ret, 32), "secret");
}

/* --- field messages -------------------------------------------------------------------------- */

static void begin_field(struct peer *p)
{
	struct pm_field_key *key;
	uint8_t secret[32];

	read_secret(&p->args[1], secret);
	must(pm_field_key_new(p->args[0].text, secret, &key), "key");
	pm_field_exchange_free(p->field);
	must(pm_field_requester_new(key, &p->field), "exchange");
	pm_field_key_free(key);
	must(pm_endpoint_find(p->args[2].text, p->args[3].text, &p->endpoint), "endpoint");
}

/* field ID SECRET METHOD PATH CONTENT-TYPE BODY: CONTENT-TYPE, BODY */
static void seal_field(struct peer *p)
{
	char form_type[PM_FORM_CONTENT_TYPE_SIZE];
	const struct arg *type = &p->args[4], *body = &p->args[5];
	struct pm_body_cipher cipher;
	struct pm_body *b;
	enum pm_body_kind kind;
	const uint8_t *out = NULL;
	size_t n = 0;

	get_args(p, 6);
	begin_field(p);
	pm_body_field_cipher(p->field, PM_BODY_SEAL, &cipher);
	must(pm_body_new(p->endpoint, PM_BODY_REQUEST, PM_BODY_SEAL, &cipher, &b), "body");
	must(pm_endpoint_body_kind(p->endpoint, PM_BODY_REQUEST, type->text, &kind), "kind");
	snprintf(form_type, sizeof(form_type), "%s", type->text);
	if (kind == PM_BODY_FORM)
		must(pm_body_form(b, type->text, body->text, body->len, NULL, &out, &n, form_type),
			"form");
	else if (kind == PM_BODY_RAW)
		must(pm_body_raw(b, body->text, body->len, NULL, &out, &n), "raw");
	else
		must(pm_body_json(b, body->text, body->len, NULL, &out, &n), "json");
	put_text("ok");
	put_text(form_type);
	put(out, n);
	pm_body_free(b);
}

/* field-open CONTENT-TYPE BODY: BODY */
static void open_field(struct peer *p)
{
	const struct arg *body = &p->args[1];
	struct pm_body_cipher cipher;
	struct pm_body *b;
	enum pm_body_kind kind;
	const uint8_t *out = NULL, *rest = NULL;
	size_t n = 0, rest_len = 0;
	int r;

	get_args(p, 2);
	pm_body_field_cipher(p->field, PM_BODY_OPEN, &cipher);
	must(pm_body_new(p->endpoint, PM_BODY_RESPONSE, PM_BODY_OPEN, &cipher, &b), "body");
	must(pm_endpoint_body_kind(p->endpoint, PM_BODY_RESPONSE, p->args[0].text, &kind), "kind");
	if (kind == PM_BODY_SSE)
		r = pm_body_sse(b, body->text, body->len, NULL, &out, &n);
	else
		r = pm_body_json(b, body->text, body->len, NULL, &out, &n);
	put_outcome(r);
	put(r == PM_OK ? out : (const uint8_t *)"", r == PM_OK ? n : 0);
	if (r == PM_OK && kind == PM_BODY_SSE)
		r = pm_body_sse_end(b, NULL, &rest, &rest_len);
	pm_body_free(b);
}

/* --- sealed exchanges ------------------------------------------------------------------------ */

static void begin_sealed(struct peer *p)
{
	struct pm_exchange_key *key;
	uint8_t secret[32];

	read_secret(&p->args[1], secret);
	must(pm_exchange_key_new(p->args[0].text, secret, &key), "key");
	pm_exchange_client_free(p->sealed);
	must(pm_exchange_client_new(key, p->args[2].text, p->args[3].text, 256, &p->sealed),
		"client");
	pm_exchange_key_free(key);
}

/* A field of the head is "name: value", or nothing. */
static void set_field(
	struct arg *arg, struct pm_sealed_request *head, struct pm_sealed_field *field)
{
	char *colon = strstr(arg->text, ": ");

	if (!colon)
		return;
	*colon = '\0';
	*field = (struct pm_sealed_field){arg->text, colon + 2};
	head->fields = field;
	head->field_count = 1;
}

/* sealed ID SECRET MODEL SHARD-KEY METHOD PATH CONTENT-TYPE AGE FIELD BODY: BODY */
static void seal_sealed(struct peer *p)
{
	struct pm_sealed_request head = {0};
	struct pm_sealed_field field;
	const uint8_t *bytes;
	char *all;
	size_t n, len;

	get_args(p, 10);
	begin_sealed(p);
	head.method = p->args[4].text;
	head.path = p->args[5].text;
	head.content_type = p->args[6].text;
	head.issued_at = (int64_t)time(NULL) - strtol(p->args[7].text, NULL, 10);
	set_field(&p->args[8], &head, &field);
	must(pm_exchange_client_send_head(p->sealed, &head, 0, NULL, &bytes, &n), "head");
	all = malloc(n);
	if (!all)
		errx(2, "out of memory");
	memcpy(all, bytes, n);
	len = n;
	must(pm_exchange_client_send_body(
		     p->sealed, (uint8_t *)p->args[9].text, p->args[9].len, 1, &bytes, &n),
		"body");
	all = realloc(all, len + n);
	if (!all)
		errx(2, "out of memory");
	memcpy(all + len, bytes, n);
	put_text("ok");
	put(all, len + n);
	free(all);
}

/* What was opened of a response. */
struct opened {
	char status[12];
	char *content_type;
	char *body;
	size_t len, pieces;
};

static void take_event(struct opened *o, const struct pm_exchange_event *event)
{
	if (event->type == PM_EXCHANGE_HEAD) {
		snprintf(o->status, sizeof(o->status), "%d", event->response->status);
		o->content_type = strdup(event->response->content_type);
	}
	if (event->type != PM_EXCHANGE_BODY)
		return;
	o->body = realloc(o->body, o->len + event->body_len);
	if (!o->body)
		errx(2, "out of memory");
	memcpy(o->body + o->len, event->body, event->body_len);
	o->len += event->body_len;
	o->pieces++;
}

static int receive(struct peer *p, struct opened *o, const uint8_t *bytes, size_t len)
{
	struct pm_exchange_event event;
	size_t used;

	do {
		int r = pm_exchange_client_receive(p->sealed, bytes, len, NULL, &used, &event);

		if (r < 0)
			return r;
		bytes += used;
		len -= used;
		take_event(o, &event);
	} while (event.type != PM_EXCHANGE_MORE);
	return pm_exchange_client_end(p->sealed, NULL);
}

/* sealed-open STATUS CONTENT-TYPE BODY: STATUS, CONTENT-TYPE, PIECES, BODY */
static void open_sealed(struct peer *p)
{
	struct opened o = {0};
	char pieces[24];
	int r;

	get_args(p, 3);
	r = pm_exchange_client_begin(p->sealed, atoi(p->args[0].text), p->args[1].text, NULL);
	if (r == PM_OK)
		r = receive(p, &o, (uint8_t *)p->args[2].text, p->args[2].len);
	put_outcome(r);
	put_text(o.status);
	put_text(o.content_type ? o.content_type : "");
	snprintf(pieces, sizeof(pieces), "%zu", o.pieces);
	put_text(pieces);
	put(o.body ? o.body : "", o.len);
	free(o.content_type);
	free(o.body);
}

/* --- the rest -------------------------------------------------------------------------------- */

/* policy SECRET REVOKED-NOT-BEFORE: HEADER, MAC of a policy that allows GOOD and such REVOKED */
static void make_policy(struct peer *p)
{
	struct pm_ocsp_policy policy = {.allow_good = true, .allow_revoked = true};
	char header[PM_OCSP_HEADER_SIZE], mac[PM_OCSP_MAC_SIZE];
	uint8_t secret[32];

	get_args(p, 2);
	read_secret(&p->args[0], secret);
	policy.revoked_not_before = strtoll(p->args[1].text, NULL, 10);
	must(pm_ocsp_policy_write(&policy, secret, header, mac), "policy");
	put_text("ok");
	put_text(header);
	put_text(mac);
}

/* direct BUNDLE: REQUEST, ID, SECRET for the key of a bundle that somebody else has verified */
static void offer(struct peer *p)
{
	char json[PM_DIRECT_REQUEST_SIZE], id[PM_DIRECT_ID_SIZE];
	char hex[2 * PM_DIRECT_SECRET_SIZE + 1];
	uint8_t secret[PM_DIRECT_SECRET_SIZE];
	struct pm_bundle *bundle;

	get_args(p, 1);
	must(pm_bundle_parse(p->args[0].text, p->args[0].len, NULL, &bundle), "bundle");
	must(pm_direct_offer(pm_bundle_untrusted_claims(bundle)->key, json, id, secret, NULL),
		"offer");
	pm_bundle_free(bundle);
	pm_hex_encode(secret, sizeof(secret), hex);
	put_text("ok");
	put_text(json);
	put_text(id);
	put_text(hex);
}

static const struct {
	const char *verb;
	void (*run)(struct peer *p);
} verbs[] = {
	{"field", seal_field},
	{"field-open", open_field},
	{"sealed", seal_sealed},
	{"sealed-open", open_sealed},
	{"policy", make_policy},
	{"direct", offer},
};

static void run(struct peer *p, const char *verb)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(verbs[i].verb, verb)) {
			verbs[i].run(p);
			fflush(stdout);
			return;
		}
	errx(2, "no verb '%s'", verb);
}

int main(void)
{
	struct peer p = {0};
	struct arg verb = {0};

	while (get(&verb))
		run(&p, verb.text);
	free(verb.text);
	for (size_t i = 0; i < ARGS_MAX; i++)
		free(p.args[i].text);
	pm_field_exchange_free(p.field);
	pm_exchange_client_free(p.sealed);
	return 0;
}
