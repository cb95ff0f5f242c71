/* SPDX-License-Identifier: Apache-2.0 */
/* Seeds, authorities and mesh certificates without memory: see alloc.h. */
#include <string.h>

#include "alloc.h"
#include "mesh/authority.h"
#include "mesh_scene.h"
#include "testing.h"

static struct mesh_scene scene;
static struct pm_mesh_identity worker;
static char *pem;

static int make_seed(void)
{
	pm_cleanup(pm_seed) struct pm_seed *seed = NULL;
	uint8_t commitment[PM_SEED_COMMITMENT_SIZE];
	int r = pm_seed_new(&seed);

	return r < 0 ? r : pm_seed_commitment(seed, commitment);
}

static int make_authority(void)
{
	pm_cleanup(pm_authority) struct pm_authority *a = NULL;

	return pm_authority_new(scene.seed, scene.manifest, NULL, NULL, 0, MESH_NOW, NULL, &a);
}

static int adopt_authority(void)
{
	pm_cleanup(pm_authority) struct pm_authority *a = NULL;
	struct pm_view ca = mesh_ca(scene.authority);

	return pm_authority_new(scene.seed, scene.manifest, pm_authority_mesh_key(scene.authority),
		ca.ptr, ca.len, MESH_NOW, NULL, &a);
}

static int issue(void)
{
	char *made = NULL;
	int r = pm_authority_issue(scene.authority, scene.key->spki, sizeof(scene.key->spki),
		&worker, MESH_NOW, 60, NULL, &made, NULL);

	pm_authority_pem_free(made);
	return r;
}

static int verify(void)
{
	struct pm_view ca = mesh_ca(scene.authority);
	struct pm_mesh_identity who;

	return pm_mesh_verify(pem, strlen(pem), ca.ptr, ca.len, MESH_NOW, NULL, &who);
}

static int use_key(void)
{
	pm_cleanup(pm_mesh_key) struct pm_mesh_key *key = NULL, *copy = NULL;
	uint8_t signature[PM_MESH_SIGNATURE_MAX];
	char text[PM_MESH_KEY_PEM_SIZE];
	size_t len;
	int r = pm_mesh_key_new(&key);

	if (r == PM_OK)
		r = pm_mesh_key_copy(key, &copy);
	if (r == PM_OK)
		r = pm_mesh_key_pem(copy, text);
	return r < 0 ? r : pm_mesh_sign(copy, "label", "", 0, signature, &len);
}

static uint8_t signature[PM_MESH_SIGNATURE_MAX];
static size_t signature_len;

static int verify_signature(void)
{
	return pm_mesh_verify_signature(
		pem, strlen(pem), "label", "", 0, signature, signature_len, NULL);
}

static void set_up(void)
{
	scene = mesh_scene_new();
	worker = mesh_identity("worker", "a", PM_MESH_SIGN);
	pem = mesh_issue(&scene, &worker);
	ck_pm(pm_mesh_sign(scene.key, "label", "", 0, signature, &signature_len), PM_OK);
}

static void tear_down(void)
{
	pm_authority_pem_free(pem);
	mesh_scene_free(&scene);
}

START_TEST(without_memory)
{
	ck_assert_uint_ge(alloc_walk("seed", make_seed, ALLOC_LOSSY), 2);
	ck_assert_uint_ge(alloc_walk("authority", make_authority, ALLOC_LOSSY), 20);
	ck_assert_uint_ge(alloc_walk("adopted authority", adopt_authority, ALLOC_LOSSY), 20);
	ck_assert_uint_ge(alloc_walk("issue", issue, ALLOC_LOSSY), 5);
	ck_assert_uint_ge(alloc_walk("verify", verify, ALLOC_LOSSY), 10);
	ck_assert_uint_ge(alloc_walk("key", use_key, ALLOC_LOSSY), 5);
	ck_assert_uint_ge(alloc_walk("signature", verify_signature, ALLOC_LOSSY), 5);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mesh_alloc");
	TCase *t = tcase_create("mesh_alloc");

	tcase_set_timeout(t, 300);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, without_memory);
	suite_add_tcase(s, t);
	return test_main(s);
}
