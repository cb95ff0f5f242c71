/* SPDX-License-Identifier: Apache-2.0 */
/* What coordinators say, read and judged without memory: see alloc.h. */
#include <stdlib.h>

#include "alloc.h"
#include "mesh_world.h"
#include "net/join.h"
#include "testing.h"

static struct mesh_world world;
static struct pm_view document;
static struct pm_join_envelope envelope;
static struct pm_join_wanted wanted;
static struct pm_mesh_key *key;
static struct pm_box_key *box_key;

static struct pm_blob blob(const json_t *object, const char *name)
{
	struct pm_view bytes = world_bytes(object, name);

	return (struct pm_blob){(uint8_t *)bytes.ptr, bytes.len};
}

static void set_up(void)
{
	struct pm_claims claims = {.key_kind = PM_CLAIMS_SPKI, .role = "worker", .has_tls = true};
	json_t *json, *reply;
	char *text;

	scene_make_keys();
	world_init(&world);
	json = world_document(&world);
	text = json_dumps(json, 0);
	document = pm_view(text, strlen(text));
	json_decref(json);
	ck_pm(pm_mesh_key_new(&key), PM_OK);
	ck_pm(pm_box_key_new(&box_key), PM_OK);
	memcpy(claims.key, pm_mesh_key_spki(key, &claims.key_len), PM_MESH_SPKI_SIZE);
	memcpy(world.box_key, pm_box_key_public(box_key), sizeof(world.box_key));
	reply = world_join(&world, &claims);
	envelope = (struct pm_join_envelope){
		blob(reply, "Answer"), blob(reply, "Signature"), blob(reply, "Signer")};
	json_decref(reply);
	wanted = (struct pm_join_wanted){
		.role = "worker",
		.purpose = PM_MESH_TLS,
		.nonce = world.nonce,
		.box_key = box_key,
		.now = WORLD_NOW,
	};
}

static void clean_up(void)
{
	pm_join_envelope_clear(&envelope);
	pm_box_key_free(box_key);
	pm_mesh_key_free(key);
	test_free(document);
	world_free(&world);
	scene_free_keys();
}

static int name_it(void)
{
	const struct pm_coordinator_options options = {
		.size = sizeof(options), .memory_file = "/m", .ca_file = "/c"};
	pm_cleanup(pm_coordinator) struct pm_coordinator *c = NULL;
	int r = pm_coordinator_new("http://coordinator.example/", &options, NULL, &c);

	return (r == PM_OK) == (c != NULL) ? r : ALLOC_WRONG;
}

static int read_document(void)
{
	struct pm_document doc = {0};
	int r = pm_document_parse(document, NULL, &doc);

	if (r == PM_OK)
		pm_document_clear(&doc);
	return r;
}

static int accept_answer(void)
{
	pm_cleanup(pm_membership) struct pm_membership *m = pm_alloc(sizeof(*m));
	bool is_right;
	int r;

	if (!m)
		return PM_E_NOMEM;
	m->key = key;
	r = pm_join_accept(&envelope, &wanted, NULL, m);
	is_right = m->secret.ptr && m->certificate && m->manifest_bytes.ptr;
	m->key = NULL; /* lent */
	return r == PM_OK && !is_right ? ALLOC_WRONG : r;
}

static int write_question(void)
{
	const struct pm_ask_member members[] = {{"A", VIEW("x")}, {"B", VIEW("yz")}};
	pm_cleanup(free) char *text = NULL;
	size_t len;
	int r = pm_ask_json(members, 2, &text, &len);

	if (r < 0)
		return text ? ALLOC_WRONG : r;
	return strcmp(text, "{\"A\":\"eA==\",\"B\":\"eXo=\"}") ? ALLOC_WRONG : PM_OK;
}

START_TEST(without_memory)
{
	ck_assert_uint_ge(alloc_walk("pm_coordinator_new", name_it, ALLOC_NOMEM), 6);
	ck_assert_uint_ge(alloc_walk("pm_ask_json", write_question, ALLOC_NOMEM), 1);
	ck_assert_uint_ge(alloc_walk("pm_document_parse", read_document, ALLOC_LOSSY), 20);
	ck_assert_uint_ge(alloc_walk("pm_join_accept", accept_answer, ALLOC_LOSSY), 50);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("coordinator_alloc");
	TCase *t = tcase_create("coordinator_alloc");

	tcase_add_unchecked_fixture(t, set_up, clean_up);
	tcase_set_timeout(t, 500);
	tcase_add_test(t, without_memory);
	suite_add_tcase(s, t);
	return test_main(s);
}
