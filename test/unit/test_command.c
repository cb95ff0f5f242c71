/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of owners: what is refused, one change at a time. */
#include <stdlib.h>
#include <string.h>

#include <pm/text.h>

#include "base/base64.h"
#include "manifest_doc.h"
#include "policy/command.h"
#include "testing.h"

#define NOW 1780000000 /* within the validity of the table's base */

#define EXCHANGE "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define OTHER	 "BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static const uint8_t content[PM_COMMAND_DIGEST_SIZE] = {1}, other_content[32] = {2};

/* Two of three owners decide; the fourth key is a stranger's. */
struct scene {
	struct pm_sign_key *keys[4];
	struct pm_manifest *m;
	uint8_t hash[PM_MANIFEST_HASH_SIZE];
	struct pm_command_statement put;
	struct pm_command_demands demands;
};

static json_t *owner_json(const char *name, const struct pm_sign_key *key)
{
	const struct pm_sign_public *public = pm_sign_key_public(key);
	char text[PM_BASE64_SIZE(PM_SIGN_SPKI_MAX)];

	ck_pm(pm_base64_encode(pm_view(public->spki, public->spki_size), text, sizeof(text)),
		PM_OK);
	return json_pack("{s:s, s:s}", "name", name, "key", text);
}

static void make_manifest(struct scene *s)
{
	json_t *table = doc_table(), *base = json_object_get(table, "base");
	struct pm_view text;

	doc_set(base, "owners",
		json_pack("{s:i, s:[o, o, o]}", "threshold", 2, "keys", owner_json("a", s->keys[0]),
			owner_json("b", s->keys[1]), owner_json("c", s->keys[2])));
	text = doc_text(base, 0);
	ck_pm(pm_manifest_parse(text.ptr, text.len, NULL, &s->m), PM_OK);
	pm_manifest_hash(s->m, s->hash);
	test_free(text);
	json_decref(table);
}

static struct scene *scene_new(void)
{
	struct scene *s = calloc(1, sizeof(*s));

	ck_assert_ptr_nonnull(s);
	for (size_t i = 0; i < 4; i++)
		ck_pm(pm_sign_key_new(i % 2 ? PM_SIGN_P384 : PM_SIGN_ED25519, &s->keys[i]), PM_OK);
	make_manifest(s);
	s->put = (struct pm_command_statement){.op = PM_COMMAND_PUT,
		.id = "weights/key-1",
		.exchange = EXCHANGE,
		.manifest = s->hash,
		.content = content,
		.issued = NOW,
		.expires = NOW + 86400};
	s->demands = (struct pm_command_demands){.size = sizeof(s->demands),
		.manifest = s->m,
		.op = PM_COMMAND_PUT,
		.id = "weights/key-1",
		.exchange = EXCHANGE,
		.content = content,
		.now = NOW + 5};
	return s;
}

static void scene_free(struct scene *s)
{
	for (size_t i = 0; i < 4; i++)
		pm_sign_key_free(s->keys[i]);
	pm_manifest_free(s->m);
	free(s);
}

/* Signed by the keys whose digits the text has, and as it comes out of a file. */
static struct pm_command *make(
	const struct scene *s, const struct pm_command_statement *statement, const char *who)
{
	struct pm_command *command, *again;
	char *text = malloc(PM_COMMAND_SIZE_MAX);
	size_t len = 0;

	ck_assert_ptr_nonnull(text);
	ck_pm(pm_command_new(statement, NULL, &command), PM_OK);
	for (; *who; who++)
		ck_pm(pm_command_sign(command, s->keys[*who - '0']), PM_OK);
	ck_pm(pm_command_text(command, text, &len), PM_OK);
	ck_assert_uint_eq(strlen(text), len);
	ck_pm(pm_command_parse(text, len, NULL, &again), PM_OK);
	pm_command_free(command);
	free(text);
	return again;
}

static int verify(const struct scene *s, const struct pm_command_statement *statement,
	const struct pm_command_demands *demands, const char *who)
{
	struct pm_command *command = make(s, statement, who);
	int r = pm_command_verify(command, demands, NULL);

	pm_command_free(command);
	return r;
}

START_TEST(test_owners_decide)
{
	struct scene *s = scene_new();

	ck_pm(verify(s, &s->put, &s->demands, "01"), PM_OK);
	ck_pm(verify(s, &s->put, &s->demands, "201"), PM_OK);
	ck_pm(verify(s, &s->put, &s->demands, "013"), PM_OK);
	ck_pm(verify(s, &s->put, &s->demands, ""), PM_E_REJECTED);
	ck_pm(verify(s, &s->put, &s->demands, "0"), PM_E_REJECTED);
	ck_pm(verify(s, &s->put, &s->demands, "03"), PM_E_REJECTED);
	s->demands.size--;
	ck_pm(verify(s, &s->put, &s->demands, "01"), PM_E_ARG);
	scene_free(s);
}
END_TEST

/* Each thing that a statement names must be what is asked for. */
START_TEST(test_statement_is_for_one_thing)
{
	struct scene *s = scene_new();
	struct pm_command_demands d = s->demands;

	d.op = PM_COMMAND_REVOKE;
	ck_pm(verify(s, &s->put, &d, "01"), PM_E_REJECTED);
	d = s->demands;
	d.id = "weights/key-2";
	ck_pm(verify(s, &s->put, &d, "01"), PM_E_REJECTED);
	d = s->demands;
	d.exchange = OTHER;
	ck_pm(verify(s, &s->put, &d, "01"), PM_E_REJECTED);
	d = s->demands;
	d.content = other_content;
	ck_pm(verify(s, &s->put, &d, "01"), PM_E_REJECTED);
	d.content = NULL;
	ck_pm(verify(s, &s->put, &d, "01"), PM_E_REJECTED);
	s->hash[0] ^= 1; /* of another manifest */
	ck_pm(verify(s, &s->put, &s->demands, "01"), PM_E_REJECTED);
	scene_free(s);
}
END_TEST

START_TEST(test_times)
{
	struct scene *s = scene_new();
	struct pm_command_demands d = s->demands;

	d.now = NOW - PM_COMMAND_SKEW;
	ck_pm(verify(s, &s->put, &d, "01"), PM_OK);
	d.now--;
	ck_pm(verify(s, &s->put, &d, "01"), PM_E_STALE);
	d.now = NOW + PM_COMMAND_AGE_MAX;
	ck_pm(verify(s, &s->put, &d, "01"), PM_OK);
	d.now++;
	ck_pm(verify(s, &s->put, &d, "01"), PM_E_STALE);
	scene_free(s);
}
END_TEST

/* From one second to thirty days; never without an end, never with one that was. */
START_TEST(test_lives)
{
	struct scene *s = scene_new();
	struct pm_command *command;

	s->put.expires = s->demands.now + 1;
	ck_pm(verify(s, &s->put, &s->demands, "01"), PM_OK);
	s->put.expires--;
	ck_pm(verify(s, &s->put, &s->demands, "01"), PM_E_REJECTED);
	s->put.expires = s->demands.now + PM_COMMAND_TTL_MAX;
	ck_pm(verify(s, &s->put, &s->demands, "01"), PM_OK);
	s->put.expires++;
	ck_pm(verify(s, &s->put, &s->demands, "01"), PM_E_REJECTED);
	s->put.expires = 0;
	ck_pm(pm_command_new(&s->put, NULL, &command), PM_E_FORMAT);
	s->put.expires = -5;
	ck_pm(pm_command_new(&s->put, NULL, &command), PM_E_FORMAT);
	scene_free(s);
}
END_TEST

START_TEST(test_clients_secrets)
{
	struct scene *s = scene_new();
	struct pm_command_statement revoke = {.op = PM_COMMAND_REVOKE,
		.id = "inference/" OTHER,
		.exchange = EXCHANGE,
		.manifest = s->hash,
		.issued = NOW};

	s->put.id = s->demands.id = "inference/" OTHER;
	ck_pm(verify(s, &s->put, &s->demands, "01"), PM_E_REJECTED);
	s->demands.op = PM_COMMAND_REVOKE;
	s->demands.content = NULL;
	ck_pm(verify(s, &revoke, &s->demands, "01"), PM_OK);
	/* Nor does anybody put one that commands come under. */
	s->demands = (struct pm_command_demands){.size = sizeof(s->demands),
		.manifest = s->m,
		.op = PM_COMMAND_PUT,
		.exchange = EXCHANGE,
		.content = content,
		.now = NOW + 5};
	s->put.id = s->demands.id = "operator/" OTHER;
	ck_pm(verify(s, &s->put, &s->demands, "01"), PM_E_REJECTED);
	s->put.id = s->demands.id = "operators";
	ck_pm(verify(s, &s->put, &s->demands, "01"), PM_OK);
	scene_free(s);
}
END_TEST

START_TEST(test_rules)
{
	static const char *const worker[] = {"worker"}, *const both[] = {"worker", "nobody"};
	static const char *const tiny[] = {"tiny"}, *const none[] = {"tiny", "none"};
	struct scene *s = scene_new();
	const struct pm_command_statement *found;
	struct pm_command *command;

	s->put.roles = worker;
	s->put.role_count = 1;
	s->put.models = tiny;
	s->put.model_count = 1;
	ck_pm(verify(s, &s->put, &s->demands, "01"), PM_OK);
	command = make(s, &s->put, "");
	found = pm_command_statement(command);
	ck_assert_uint_eq(found->role_count, 1);
	ck_assert_str_eq(found->roles[0], "worker");
	ck_assert_uint_eq(found->model_count, 1);
	ck_assert_str_eq(found->models[0], "tiny");
	pm_command_free(command);
	s->put.roles = both;
	s->put.role_count = 2;
	ck_pm(verify(s, &s->put, &s->demands, "01"), PM_E_REJECTED);
	s->put.role_count = 1;
	s->put.models = none;
	s->put.model_count = 2;
	ck_pm(verify(s, &s->put, &s->demands, "01"), PM_E_REJECTED);
	scene_free(s);
}
END_TEST

/* --- files ----------------------------------------------------------------------------------- */

#define HEX "abababababababababababababababababababababababababababababababab"

static int parse(const char *statement)
{
	struct pm_command *command;
	char text[2048];
	int r;

	snprintf(text, sizeof(text), "{\"statement\": {%s}, \"signatures\": []}", statement);
	r = pm_command_parse(text, strlen(text), NULL, &command);
	if (r == PM_OK)
		pm_command_free(command);
	return r;
}

#define HEAD(version, op, id)                                                                      \
	"\"version\":" version ",\"op\":\"" op "\",\"id\":" id ",\"exchange\":\"" EXCHANGE         \
	"\",\"manifest\":\"" HEX "\",\"issued\":\"2026-11-23T10:00:00Z\","
#define TAIL(content, expires, roles, models)                                                      \
	"\"content\":" content ",\"expires\":" expires ",\"roles\":" roles ",\"models\":" models
#define DIGEST "\"" HEX "\""
#define END    "\"2026-12-01T00:00:00Z\""

START_TEST(test_files)
{
	static const struct {
		const char *statement;
		int want;
	} rows[] = {
		{HEAD("1", "put", "\"a\"") TAIL(DIGEST, END, "null", "null"), PM_OK},
		{HEAD("1", "put", "\"a\"") TAIL(DIGEST, END, "[\"r\"]", "[\"m\"]"), PM_OK},
		{HEAD("1", "revoke", "\"a\"") TAIL("null", "null", "null", "null"), PM_OK},
		{HEAD("1", "log", "null") TAIL("null", "null", "null", "null"), PM_OK},
		{HEAD("2", "put", "\"a\"") TAIL(DIGEST, END, "null", "null"), PM_E_UNSUPPORTED},
		{HEAD("1", "get", "\"a\"") TAIL(DIGEST, END, "null", "null"), PM_E_FORMAT},
		{HEAD("1", "put", "\"a*\"") TAIL(DIGEST, END, "null", "null"), PM_E_FORMAT},
		{HEAD("1", "put", "\"\"") TAIL(DIGEST, END, "null", "null"), PM_E_FORMAT},
		{HEAD("1", "put", "7") TAIL(DIGEST, END, "null", "null"), PM_E_FORMAT},
		{HEAD("1", "put", "null") TAIL(DIGEST, END, "null", "null"), PM_E_FORMAT},
		{HEAD("1", "put", "\"a\"") TAIL("null", END, "null", "null"), PM_E_FORMAT},
		{HEAD("1", "put", "\"a\"") TAIL(DIGEST, "null", "null", "null"), PM_E_FORMAT},
		{HEAD("1", "put", "\"a\"") TAIL(DIGEST, "17", "null", "null"), PM_E_FORMAT},
		{HEAD("1", "put", "\"a\"") TAIL(DIGEST, END, "[]", "null"), PM_E_FORMAT},
		{HEAD("1", "put", "\"a\"") TAIL(DIGEST, END, "[\"R\"]", "null"), PM_E_FORMAT},
		{HEAD("1", "put", "\"a\"") TAIL(DIGEST, END, "[\"r\",\"r\"]", "null"), PM_E_FORMAT},
		{HEAD("1", "put", "\"a\"") TAIL(DIGEST, END, "null", "[]"), PM_E_FORMAT},
		{HEAD("1", "put", "\"a\"") TAIL(DIGEST, END, "null", "[\"../m\"]"), PM_E_FORMAT},
		{HEAD("1", "revoke", "\"a\"") TAIL(DIGEST, "null", "null", "null"), PM_E_FORMAT},
		{HEAD("1", "revoke", "\"a\"") TAIL("null", END, "null", "null"), PM_E_FORMAT},
		{HEAD("1", "revoke", "\"a\"") TAIL("null", "null", "[\"r\"]", "null"), PM_E_FORMAT},
		{HEAD("1", "rotate", "\"a\"") TAIL("null", "null", "null", "null"), PM_E_FORMAT},
		{HEAD("1", "put", "\"a\"") "\"content\":" DIGEST, PM_E_FORMAT},
		{HEAD("1", "put", "\"a\"") TAIL(DIGEST, END, "null", "null") ",\"x\":1",
			PM_E_FORMAT},
	};

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++)
		ck_assert_msg(parse(rows[i].statement) == rows[i].want, "row %zu: %d", i,
			parse(rows[i].statement));
}
END_TEST

/* White space and the order of keys don't count; all else does. */
START_TEST(test_message)
{
	struct scene *s = scene_new();
	struct pm_command *a = make(s, &s->put, "0"), *b;
	uint8_t x[PM_COMMAND_MESSAGE_SIZE], y[PM_COMMAND_MESSAGE_SIZE];

	pm_command_message(a, x);
	ck_assert_str_eq((const char *)x, "libpm secrets command v1");
	b = make(s, &s->put, "");
	pm_command_message(b, y);
	ck_assert_mem_eq(x, y, sizeof(x));
	pm_command_free(b);
	s->put.expires++;
	b = make(s, &s->put, "1");
	pm_command_message(b, y);
	ck_assert_mem_ne(x, y, sizeof(x));
	ck_pm(pm_command_merge(a, b), PM_E_REJECTED);
	pm_command_free(b);
	pm_command_free(a);
	scene_free(s);
}
END_TEST

START_TEST(test_merge)
{
	struct scene *s = scene_new();
	struct pm_command *a = make(s, &s->put, "0"), *b = make(s, &s->put, "01");

	ck_pm(pm_command_verify(a, &s->demands, NULL), PM_E_REJECTED);
	ck_pm(pm_command_merge(a, b), PM_OK);
	ck_pm(pm_command_merge(a, b), PM_OK);
	ck_assert_uint_eq(a->signatures.count, 2);
	ck_pm(pm_command_verify(a, &s->demands, NULL), PM_OK);
	ck_pm(pm_command_sign(a, s->keys[1]), PM_E_STATE);
	pm_command_free(a);
	pm_command_free(b);
	scene_free(s);
}
END_TEST

START_TEST(test_content)
{
	uint8_t salt[32] = {0}, a[32], b[32];

	ck_pm(pm_command_content(salt, "x", 1, a), PM_OK);
	ck_pm(pm_command_content(salt, "y", 1, b), PM_OK);
	ck_assert_mem_ne(a, b, sizeof(a));
	ck_pm(pm_command_salt(salt), PM_OK);
	ck_assert(!pm_is_zero(salt, sizeof(salt)));
	ck_pm(pm_command_content(salt, "x", 1, b), PM_OK);
	ck_assert_mem_ne(a, b, sizeof(a));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("command");
	TCase *tc = tcase_create("command");

	tcase_add_test(tc, test_owners_decide);
	tcase_add_test(tc, test_statement_is_for_one_thing);
	tcase_add_test(tc, test_times);
	tcase_add_test(tc, test_lives);
	tcase_add_test(tc, test_clients_secrets);
	tcase_add_test(tc, test_rules);
	tcase_add_test(tc, test_files);
	tcase_add_test(tc, test_message);
	tcase_add_test(tc, test_merge);
	tcase_add_test(tc, test_content);
	suite_add_tcase(suite, tc);
	return test_main(suite);
}
