/* SPDX-License-Identifier: Apache-2.0 */
#include "mesh_scene.h"

#include <stdio.h>
#include <string.h>

#include "manifest_doc.h"
#include "testing.h"

/* Roles that the table's manifest lacks, made of one that it has. */
static void add_roles(json_t *base)
{
	json_t *roles = json_object_get(base, "roles");

	json_object_set_new(
		roles, "secrets", json_deep_copy(json_object_get(roles, "coordinator")));
	json_object_set_new(
		roles, "zone.worker", json_deep_copy(json_object_get(roles, "coordinator")));
}

struct pm_manifest *mesh_manifest(int mark)
{
	json_t *table = doc_table(), *base = json_object_get(table, "base");
	struct pm_manifest *m = NULL;
	struct pm_view text;

	add_roles(base);
	doc_set(base, "serial", json_integer(1));
	doc_set(base, "previous", json_null());
	doc_set(base, "models tiny data_blocks", json_integer(1 + mark));
	text = doc_text(base, 0);
	ck_pm(pm_manifest_parse(text.ptr, text.len, NULL, &m), PM_OK);
	test_free(text);
	json_decref(table);
	return m;
}

struct mesh_scene mesh_scene_new(void)
{
	struct mesh_scene s = {.manifest = mesh_manifest(0)};

	ck_pm(pm_seed_new(&s.seed), PM_OK);
	ck_pm(pm_authority_new(s.seed, s.manifest, NULL, NULL, 0, MESH_NOW, NULL, &s.authority),
		PM_OK);
	ck_pm(pm_mesh_key_new(&s.key), PM_OK);
	return s;
}

void mesh_scene_free(struct mesh_scene *s)
{
	pm_mesh_key_free(s->key);
	pm_authority_free(s->authority);
	pm_manifest_free(s->manifest);
	pm_seed_free(s->seed);
}

struct pm_mesh_identity mesh_identity(
	const char *role, const char *replica, enum pm_mesh_purpose purpose)
{
	struct pm_mesh_identity who = {.purpose = purpose};

	snprintf(who.role, sizeof(who.role), "%s", role);
	snprintf(who.replica, sizeof(who.replica), "%s", replica);
	if (!strcmp(role, "worker")) {
		who.model_count = 1;
		snprintf(who.models[0], sizeof(who.models[0]), "%s", MESH_MODEL);
	}
	return who;
}

char *mesh_issue(const struct mesh_scene *s, const struct pm_mesh_identity *who)
{
	char *pem = NULL;

	ck_pm(pm_authority_issue(s->authority, pm_mesh_key_spki(s->key, NULL), PM_MESH_SPKI_SIZE,
		      who, MESH_NOW, 3600, NULL, &pem, NULL),
		PM_OK);
	return pem;
}

struct pm_view mesh_ca(const struct pm_authority *authority)
{
	size_t len;
	const uint8_t *der = pm_authority_mesh_ca(authority, &len);

	return pm_view(der, len);
}
