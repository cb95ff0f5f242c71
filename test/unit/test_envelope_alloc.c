/* SPDX-License-Identifier: Apache-2.0 */
/* Envelope encryption without memory: see alloc.h. */
#include <string.h>

#include <pm/direct.h>
#include <pm/field.h>
#include <pm/keyex.h>
#include <pm/rules.h>

#include "alloc.h"
#include "crypto/crypto.h"
#include "envelope/box.h"
#include "envelope/field.h"
#include "envelope/keyex.h"
#include "testing.h"

/* 2026-03-01. */
#define NOW INT64_C(1772323200)

/* More messages than a requester first has room to remember. */
#define MESSAGES 40

/* More requests than a key first has room to remember. */
#define REQUESTS 70

static const uint8_t secret[PM_FIELD_SECRET_SIZE] = {7};

PM_OWNER(pm_shard, pm_shard_free);

static struct pm_view request, response;

static void read_corpus(void)
{
	request = test_read(PM_CORPUS "/keyex/request");
	response = test_read(PM_CORPUS "/keyex/response");
	ck_pm(pm_crypto_init(), PM_OK);
}

static void free_corpus(void)
{
	test_free(request);
	test_free(response);
}

/* A message from one side to the other. */
static int pass(struct pm_field_exchange *from, struct pm_field_exchange *to)
{
	char message[256];
	uint8_t plain[256];
	size_t len;
	int r = pm_field_seal(from, secret, 3, message, sizeof(message), &len);

	if (r < 0)
		return r;
	r = pm_field_open(to, message, len, plain, sizeof(plain), &len, NULL);
	return r < 0 ? ALLOC_WRONG : PM_OK; /* opening allocates nothing */
}

static int exchange_fields(void)
{
	pm_cleanup(pm_field_key) struct pm_field_key *key = NULL;
	pm_cleanup(pm_field_exchange) struct pm_field_exchange *client = NULL, *server = NULL;
	int r = pm_field_key_new("id", secret, &key);

	if (r < 0)
		return key ? ALLOC_WRONG : r;
	r = pm_field_requester_new(key, &client);
	if (r < 0)
		return client ? ALLOC_WRONG : r;
	r = pm_field_responder_new(key, &server);
	if (r < 0)
		return server ? ALLOC_WRONG : r;
	for (int i = 0; r == PM_OK && i < MESSAGES; i++)
		r = pass(client, server);
	return r == PM_OK ? pass(server, client) : r;
}

/* Each request is remembered, which takes memory now and then. */
static int answer_one(struct pm_field_key *key, uint8_t number)
{
	pm_cleanup(pm_field_exchange) struct pm_field_exchange *server = NULL;
	const uint8_t nonce[PM_FIELD_NONCE_SIZE] = {number};
	char message[256];
	uint8_t plain[256];
	size_t len;
	int r = pm_field_responder_new(key, &server);

	if (r < 0)
		return r;
	r = pm_field_seal_at(key, nonce, 0, secret, 3, message, sizeof(message), &len);
	if (r < 0)
		return ALLOC_WRONG;
	r = pm_field_open(server, message, len, plain, sizeof(plain), &len, NULL);
	if (r < 0)
		return pm_field_exchange_nonce(server) ? ALLOC_WRONG : r;
	return PM_OK;
}

static int answer_each_once(void)
{
	pm_cleanup(pm_field_key) struct pm_field_key *key = NULL;
	int r = pm_field_key_new("id", secret, &key);

	if (r < 0)
		return r;
	r = pm_field_key_serve(key, REQUESTS);
	for (uint8_t i = 0; r == PM_OK && i < REQUESTS; i++)
		r = answer_one(key, i);
	return r;
}

static int ask_for_key(void)
{
	pm_cleanup(pm_keyex_client) struct pm_keyex_client *client = NULL;
	char text[PM_KEYEX_REQUEST_SIZE];
	int r = pm_keyex_client_new(&client);

	if (r < 0)
		return client ? ALLOC_WRONG : r;
	pm_keyex_client_request(client, text);
	return strlen(text) == PM_KEYEX_REQUEST_SIZE - 1 ? PM_OK : ALLOC_WRONG;
}

static int meet_directly(void)
{
	char text[PM_DIRECT_REQUEST_SIZE], id[PM_DIRECT_ID_SIZE];
	uint8_t ours[PM_DIRECT_SECRET_SIZE], theirs[PM_DIRECT_SECRET_SIZE];
	struct pm_direct_key *key = NULL;
	int r = pm_direct_key_new(&key);

	if (r < 0)
		return key ? ALLOC_WRONG : r;
	r = pm_direct_offer(pm_direct_key_public(key), text, id, ours, NULL);
	if (r == PM_OK)
		r = pm_direct_accept(key, text, strlen(text), id, theirs, NULL);
	pm_direct_key_free(key);
	if (r < 0)
		return r;
	return pm_ct_equal(ours, theirs, sizeof(ours)) ? PM_OK : ALLOC_WRONG;
}

static int sign_zeros(const uint8_t *digest, uint8_t *ret_signature, size_t *ret_len, void *arg)
{
	(void)digest;
	(void)arg;
	memset(ret_signature, 0, 70);
	*ret_len = 70;
	return PM_OK;
}

static int answer(void)
{
	struct pm_keyex_signer signer = {
		sizeof(signer), secret, sizeof(secret), sign_zeros, NULL, NULL};
	char text[4096], id[PM_KEYEX_ID_SIZE];
	uint8_t out[PM_KEYEX_SECRET_SIZE];

	if (pm_keyex_response_room(sizeof(secret)) > sizeof(text))
		return ALLOC_WRONG;
	return pm_keyex_respond(
		(const char *)request.ptr, request.len, &signer, text, id, out, NULL);
}

static int no_role(const uint8_t *cert, size_t cert_len, void *arg)
{
	(void)cert;
	(void)cert_len;
	(void)arg;
	return PM_E_REJECTED;
}

/* The corpus's response is signed by nobody: with and without memory it is never accepted. */
static int refuse_response(void)
{
	static struct pm_keyex_client client; /* its key is not reached */
	struct pm_keyex_trust trust = {
		sizeof(trust), secret, sizeof(secret), NOW, no_role, NULL, NULL};
	uint8_t out[PM_KEYEX_SECRET_SIZE] = {0};
	int r = pm_keyex_client_finish(
		&client, (const char *)response.ptr, response.len, &trust, out, NULL);

	if (r == PM_OK || !pm_is_zero(out, sizeof(out)))
		return ALLOC_WRONG;
	return r == PM_E_FORMAT ? PM_OK : r;
}

static int make_shard_key(void)
{
	static const uint8_t content[1000];
	pm_cleanup(pm_shard) struct pm_shard *shard = NULL;
	int r = pm_shard_new("salt", 4, &shard);

	if (r < 0)
		return shard ? ALLOC_WRONG : r;
	r = pm_shard_add(shard, content, sizeof(content));
	if (r < 0)
		return r;
	return strlen(pm_shard_key(shard)) == 16 + 1 + 15 ? PM_OK : ALLOC_WRONG;
}

/* A key to its text and back, a box to the key and open again. */
static int pass_a_box(void)
{
	pm_cleanup(pm_box_key) struct pm_box_key *key = NULL, *same = NULL;
	uint8_t public[PM_BOX_PUBLIC_SIZE], box[PM_BOX_OVERHEAD + 3], plain[3];
	char private_pem[PM_BOX_PEM_SIZE], public_pem[PM_BOX_PUBLIC_PEM_SIZE];
	int r = pm_box_key_new(&key);

	if (r == PM_OK)
		r = pm_box_key_pem(key, private_pem);
	if (r == PM_OK)
		r = pm_box_key_parse(private_pem, strlen(private_pem), NULL, &same);
	if (r == PM_OK)
		r = pm_box_public_pem(pm_box_key_public(key), public_pem);
	if (r == PM_OK)
		r = pm_box_public_parse(public_pem, strlen(public_pem), NULL, public);
	if (r == PM_OK)
		r = pm_box_seal(public, "label", NULL, 0, "abc", 3, box);
	if (r == PM_OK)
		r = pm_box_open(same, "label", NULL, 0, box, sizeof(box), plain);
	if (r < 0)
		return r;
	return pm_view_equal(pm_view(plain, 3), VIEW("abc")) ? PM_OK : ALLOC_WRONG;
}

START_TEST(fields_without_memory)
{
	ck_assert_uint_ge(alloc_walk("pm_field", exchange_fields, ALLOC_NOMEM), 6);
	ck_assert_uint_ge(alloc_walk("pm_field_key_serve", answer_each_once, ALLOC_NOMEM), 75);
}
END_TEST

START_TEST(keyex_without_memory)
{
	ck_assert_uint_ge(alloc_walk("pm_keyex_client_new", ask_for_key, ALLOC_LOSSY), 2);
	ck_assert_uint_ge(alloc_walk("pm_keyex_respond", answer, ALLOC_LOSSY), 4);
	ck_assert_uint_ge(alloc_walk("pm_direct", meet_directly, ALLOC_LOSSY), 5);
	ck_assert_uint_ge(alloc_walk("pm_keyex_client_finish", refuse_response, ALLOC_LOSSY), 2);
}
END_TEST

START_TEST(boxes_without_memory)
{
	ck_assert_uint_ge(alloc_walk("pm_box", pass_a_box, ALLOC_LOSSY), 15);
}
END_TEST

START_TEST(rules_without_memory)
{
	ck_assert_uint_ge(alloc_walk("pm_shard", make_shard_key, ALLOC_LOSSY), 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("envelope_alloc");
	TCase *t = tcase_create("envelope_alloc");

	tcase_add_checked_fixture(t, read_corpus, free_corpus);
	tcase_set_timeout(t, 100);
	tcase_add_test(t, fields_without_memory);
	tcase_add_test(t, keyex_without_memory);
	tcase_add_test(t, boxes_without_memory);
	tcase_add_test(t, rules_without_memory);
	suite_add_tcase(s, t);
	return test_main(s);
}
