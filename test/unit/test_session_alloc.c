/* SPDX-License-Identifier: Apache-2.0 */
/* A session is made without memory. What it does with the network is the tests' of its parts. */
#include <pm/session.h>

#include <stdlib.h>

#include "alloc.h"
#include "net/session.h"
#include "policy/manifest.h"
#include "stage.h"
#include "testing.h"

static struct pm_manifest *manifest;

static int make_session(void)
{
	const struct pm_session_options options = {
		.size = sizeof(options),
		.role = "worker",
		.model = "tiny",
		.ca_file = "/nonexistent",
	};
	pm_cleanup(pm_session) struct pm_session *session = NULL;

	return pm_session_new("https://worker.example/", manifest, &options, NULL, &session);
}

START_TEST(session_without_memory)
{
	struct stage stage;
	char *text;

	stage_init(&stage);
	text = json_dumps(stage.manifest, 0);
	ck_pm(pm_manifest_parse(text, strlen(text), NULL, &manifest), PM_OK);
	free(text);
	ck_assert_uint_ge(alloc_walk("pm_session_new", make_session, ALLOC_NOMEM), 8);
	pm_manifest_free(manifest);
	stage_free(&stage);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("session_alloc");
	TCase *t = tcase_create("session_alloc");

	tcase_add_unchecked_fixture(t, scene_make_keys, scene_free_keys);
	tcase_add_test(t, session_without_memory);
	suite_add_tcase(s, t);
	return test_main(s);
}
