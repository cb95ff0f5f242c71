/* SPDX-License-Identifier: Apache-2.0 */
/* A session with a mesh: the coordinator proves the mesh CA, and that the secret service. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "mesh_world.h"
#include "policy/verdict.h"
#include "sessions.h"
#include "testing.h"

static struct mesh_world world, stranger;

static void new_session(void)
{
	make_session(NULL, world.manifest);
}

static void set_up(void)
{
	world_init(&world);
	sessions_set_up(world.now);
	options.coordinator = options.secrets = peer_server_url(world.server);
	new_session();
}

static void tear_down(void)
{
	sessions_tear_down();
	world_free(&world);
}

static void refused(int error, const char *part)
{
	ck_pm(get(), error);
	ck_assert_ptr_null(pm_session_peek(session));
	ck_assert_msg(strstr(pm_report_reason(report), part) != NULL, "'%s' lacks '%s'",
		pm_report_reason(report), part);
}

/* --- agreement ------------------------------------------------------------------------------- */

START_TEST(agrees_with_the_mesh_that_was_proved)
{
	pm_cleanup(pm_session_key) struct pm_session_key *key = NULL;

	ck_pm(pm_session_renew(session, verdict, report), PM_OK);
	ck_assert(pm_verdict_is_accepted(verdict));
	ck_pm(pm_session_get(session, report, &key), PM_OK);
	check_key(key, world.secret_id, world.secret);
	ck_assert_str_eq(pm_session_key_appraised(key)->claims.role, "coordinator");
	ck_assert_ptr_nonnull(pm_session_key_deployment(key));
	ck_pm(get(), PM_OK);
	ck_assert_uint_eq(world.attested, 1);
	ck_assert_uint_eq(world.agreed, 1);
	pm_session_free(session);
	session = NULL;
	check_key(key, world.secret_id, world.secret);
	ck_assert_str_eq(pm_deployment_appraised(pm_session_key_deployment(key))->claims.role,
		"coordinator");
}
END_TEST

START_TEST(the_secret_service_at_the_session_s_own_address)
{
	options.secrets = NULL;
	pm_session_free(session);
	session = NULL;
	ck_pm(pm_session_new(
		      peer_server_url(world.server), world.manifest, &options, report, &session),
		PM_OK);
	pm_session_set_clock(session, &fake_clock);
	ck_pm(get(), PM_OK);
}
END_TEST

START_TEST(attests_and_no_more)
{
	const struct pm_appraised *appraised = NULL;

	ck_pm(pm_session_attest(session, verdict, report, &appraised), PM_OK);
	ck_assert_str_eq(appraised->claims.role, "coordinator");
	ck_assert_uint_eq(world.agreed, 0);
	pm_appraised_free(appraised);
}
END_TEST

START_TEST(wrong_options)
{
	struct pm_session *s = NULL;

	options.role = "worker";
	ck_pm(pm_session_new(NULL, world.manifest, &options, NULL, &s), PM_E_ARG);
	options.role = NULL;
	options.model = "tiny";
	ck_pm(pm_session_new(NULL, world.manifest, &options, NULL, &s), PM_E_ARG);
	options.model = NULL;
	options.secrets = NULL;
	ck_pm(pm_session_new(NULL, world.manifest, &options, NULL, &s), PM_E_ARG);
	options.secrets = "http://h";
	options.coordinator = NULL;
	ck_pm(pm_session_new("http://h", world.manifest, &options, NULL, &s), PM_E_ARG);
	options.coordinator = "ftp://h";
	ck_pm(pm_session_new(NULL, world.manifest, &options, NULL, &s), PM_E_FORMAT);
	options.coordinator = "http://h";
	options.size -= 1;
	ck_pm(pm_session_new("http://h", world.manifest, &options, NULL, &s), PM_E_ARG);
	/* As a program that was compiled before there were meshes: direct mode. */
	options.size = offsetof(struct pm_session_options, coordinator);
	ck_pm(pm_session_new("http://h", world.manifest, &options, NULL, &s), PM_OK);
	ck_assert_ptr_null(s->coordinator);
	pm_session_free(s);
}
END_TEST

/* --- refusals -------------------------------------------------------------------------------- */

START_TEST(another_coordinator)
{
	world.stage.snp.report[0x090] ^= 1;
	refused(PM_E_REJECTED, "MEASUREMENT");
	ck_assert_uint_eq(world.agreed, 0);
	world.stage.snp.report[0x090] ^= 1;
	world.state = "stale";
	refused(PM_E_STATE, "found stale");
	ck_assert_uint_eq(world.agreed, 0);
}
END_TEST

/* A worker of the mesh is not its secret service, nor is a key for TLS. */
START_TEST(another_secret_service)
{
	static const char *const roles[] = {"worker", "coordinator"};

	for (size_t i = 0; i < PM_ARRAY_LEN(roles); i++) {
		snprintf(world.secrets.role, sizeof(world.secrets.role), "%s", roles[i]);
		refused(PM_E_REJECTED, "MeshCert.role");
	}
	snprintf(world.secrets.role, sizeof(world.secrets.role), "secrets");
	world.secrets.purpose = PM_MESH_TLS;
	refused(PM_E_REJECTED, "MeshCert.role");
	world.secrets.purpose = PM_MESH_SIGN;
	world.signer_lifetime = 10;
	wall_now += 50;
	world.now = wall_now;
	refused(PM_E_STALE, "MeshCert.validity");
	wall_now -= 50;
	world.now = wall_now;
	ck_pm(get(), PM_OK);
}
END_TEST

/* Its certificate is another mesh's, with the same roles under the same manifest. */
START_TEST(another_mesh)
{
	world_init(&stranger);
	world.signer_authority = stranger.authority;
	refused(PM_E_REJECTED, "MeshCert.issuer");
	world_free(&stranger);
}
END_TEST

static void swap_signature(struct mesh_world *w, json_t *reply)
{
	struct pm_view encapsulated;

	(void)w;
	if (!json_object_get(reply, "EncapsulatedKey"))
		return;
	encapsulated = world_bytes(reply, "EncapsulatedKey");
	((uint8_t *)encapsulated.ptr)[3] ^= 1;
	json_object_set_new(
		reply, "EncapsulatedKey", world_base64(encapsulated.ptr, encapsulated.len));
	test_free(encapsulated);
}

START_TEST(a_changed_exchange)
{
	world.change_reply = swap_signature;
	refused(PM_E_REJECTED, "Signature");
}
END_TEST

static const struct {
	int status;
	const char *type;
	int error;
	const char *part;
} replies[] = {
	{503, "application/json", PM_E_NET, "secret service"},
	{404, "application/json", PM_E_NET, "secret service"},
	{200, "text/html", PM_E_FORMAT, "found text/html"},
	{200, "application/json", PM_E_FORMAT, "keyex.json"},
	{0, NULL, PM_E_NET, "secret service"},
};

START_TEST(bad_answers)
{
	world.path = "/privatemode/v1/secret";
	world.reply = (struct peer_reply){
		.status = replies[_i].status, .type = replies[_i].type, .body = pm_view("{}", 2)};
	refused(replies[_i].error, replies[_i].part);
}
END_TEST

/* --- renewal --------------------------------------------------------------------------------- */

START_TEST(renews)
{
	pm_cleanup(pm_session_key) struct pm_session_key *old = NULL;

	ck_pm(pm_session_get(session, report, &old), PM_OK);
	pass_seconds(PM_SESSION_RENEW - 1);
	ck_pm(get(), PM_OK);
	ck_assert_uint_eq(world.attested, 1);
	pass_seconds(1);
	ck_pm(get(), PM_OK);
	ck_assert_uint_eq(world.attested, 2);
	ck_assert_uint_eq(world.agreed, 2);
	ck_assert_str_ne(pm_session_key_id(old), world.secret_id);
}
END_TEST

/* Either of the two out of reach: the old secret serves to its end. What is refused ends it. */
START_TEST(serves_on_while_out_of_reach)
{
	static const char *const paths[] = {"/pm/v1/attest", "/privatemode/v1/secret"};

	ck_pm(get(), PM_OK);
	world.path = paths[_i];
	pass_seconds(PM_SESSION_RENEW);
	ck_pm(get(), PM_OK);
	ck_pm(get(), PM_OK);
	ck_assert_uint_eq(world.attested, _i ? 2 : 1);
	pass_seconds(PM_SESSION_END - PM_SESSION_RENEW);
	ck_pm(get(), PM_E_NET);
	world.path = NULL;
	ck_pm(get(), PM_OK);
	world.secrets.purpose = PM_MESH_TLS;
	pass_seconds(PM_SESSION_RENEW);
	refused(PM_E_REJECTED, "MeshCert.role");
}
END_TEST

/* A coordinator that was started anew, and waits for shares. */
START_TEST(serves_on_while_the_coordinator_is_sealed)
{
	ck_pm(get(), PM_OK);
	world.state = "sealed";
	pass_seconds(PM_SESSION_RENEW);
	ck_pm(get(), PM_OK);
	ck_assert_uint_eq(world.attested, 2);
	pass_seconds(PM_SESSION_END - PM_SESSION_RENEW);
	refused(PM_E_STATE, "found sealed");
}
END_TEST

START_TEST(distrusts)
{
	pm_cleanup(pm_session_key) struct pm_session_key *old = NULL;

	ck_pm(pm_session_get(session, report, &old), PM_OK);
	pm_session_distrust(session, old);
	ck_assert_ptr_null(pm_session_peek(session));
	ck_pm(get(), PM_OK);
	ck_assert_uint_eq(world.agreed, 2);
}
END_TEST

/* The owners moved on: the coordinator shows the next manifest, and this session ends. */
START_TEST(ends_when_the_manifest_is_replaced)
{
	struct pm_manifest *old = NULL;
	struct stat st;

	options.memory_file = memory;
	ck_pm(pm_manifest_parse(world.manifest_text, strlen(world.manifest_text), NULL, &old),
		PM_OK);
	pm_session_free(session);
	session = NULL;
	ck_pm(pm_session_new(NULL, old, &options, report, &session), PM_OK);
	pm_session_set_clock(session, &fake_clock);
	ck_pm(get(), PM_OK);
	ck_assert_int_eq(stat(memory, &st), 0);
	world_next_manifest(&world);
	pass_seconds(PM_SESSION_RENEW);
	refused(PM_E_REJECTED, "document.manifest");
	new_session();
	ck_pm(get(), PM_OK);
	pm_manifest_free(old);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("session_mesh");
	TCase *t = tcase_create("session_mesh");

	tcase_add_unchecked_fixture(t, scene_make_keys, scene_free_keys);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, agrees_with_the_mesh_that_was_proved);
	tcase_add_test(t, the_secret_service_at_the_session_s_own_address);
	tcase_add_test(t, attests_and_no_more);
	tcase_add_test(t, wrong_options);
	tcase_add_test(t, another_coordinator);
	tcase_add_test(t, another_secret_service);
	tcase_add_test(t, another_mesh);
	tcase_add_test(t, a_changed_exchange);
	tcase_add_loop_test(t, bad_answers, 0, PM_ARRAY_LEN(replies));
	tcase_add_test(t, renews);
	tcase_add_loop_test(t, serves_on_while_out_of_reach, 0, 2);
	tcase_add_test(t, serves_on_while_the_coordinator_is_sealed);
	tcase_add_test(t, distrusts);
	tcase_add_test(t, ends_when_the_manifest_is_replaced);
	suite_add_tcase(s, t);
	return test_main(s);
}
