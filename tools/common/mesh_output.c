/* SPDX-License-Identifier: Apache-2.0 */
/* What was proved of a deployment, and by what: for people a tree, for programs an object. */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/json.h"
#include "common/mesh.h"
#include "common/verdict.h"

#define HEX_SIZE (2 * PM_MANIFEST_HASH_SIZE + 1)

/* --- text ------------------------------------------------------------------------------------- */

static void print_until(int indent, const char *what, int64_t time)
{
	char text[PM_TIME_TEXT_SIZE];

	pm_time_format(time, text);
	printf("%*s%s %s\n", indent, "", what, text);
}

static void print_links(const struct pm_deployment *d)
{
	const struct pm_history *history = pm_deployment_history(d);
	const struct pm_history_link *link;

	for (size_t i = 0; (link = pm_history_at(history, i)); i++) {
		char hash[HEX_SIZE], when[PM_TIME_TEXT_SIZE];

		pm_hex_encode(link->manifest, sizeof(link->manifest), hash);
		pm_time_format(link->time, when);
		printf("            %llu  %s  %s%s\n", (unsigned long long)link->serial, when, hash,
			i + 1 == pm_history_count(history) ? "  holds now" : "");
	}
}

static void print_history(const struct pm_deployment *d)
{
	const struct pm_sign_public *key = pm_deployment_history_key(d);
	size_t count = pm_history_count(pm_deployment_history(d));
	char id[2 * PM_SIGN_ID_SIZE + 1];

	if (!key) {
		printf("        the history of %zu manifests, unsigned while it is sealed:\n",
			count);
	} else {
		pm_hex_encode(key->id, sizeof(key->id), id);
		printf("        the history of %zu manifests, signed by key %s:\n", count, id);
	}
	print_links(d);
}

/* The mesh CA's certificate stands in the checks; here is what hangs from it. */
static void print_mesh(const struct pm_deployment *d)
{
	char head[HEX_SIZE];
	uint64_t entries;
	const uint8_t *hash = pm_deployment_log(d, &entries);

	if (!hash) {
		printf("        nothing more: a sealed coordinator has no keys\n");
		return;
	}
	pm_hex_encode(hash, PM_MANIFEST_HASH_SIZE, head);
	printf("        the root CA and the mesh CA, which prove each certificate of the mesh\n"
	       "        the log of %llu entries, up to %s\n",
		(unsigned long long)entries, head);
}

static void print_tree(const struct tool_mesh *mesh, const struct pm_deployment *d)
{
	const struct pm_appraised *facts = pm_deployment_appraised(d);
	char hash[HEX_SIZE];

	pm_hex_encode(facts->manifest_hash, sizeof(facts->manifest_hash), hash);
	printf("your manifest, serial %llu, hash %s, proves\n"
	       "    the coordinator %s, on %s, which proves its document:\n",
		(unsigned long long)facts->manifest_serial, hash, mesh->url,
		pm_snp_product_name((int)facts->snp->product));
	print_history(d);
	print_mesh(d);
	print_until(0, "nothing of it expires before", facts->valid_until);
}

void tool_mesh_print(const struct tool_mesh *mesh, const struct tool_mesh_result *result)
{
	tool_print_checks(result->report);
	tool_print_verdict(result->verdict);
	if (!result->deployment) {
		tool_print_refusal(mesh->url, result->error, tool_mesh_reason(result));
		return;
	}
	printf("\n");
	print_tree(mesh, result->deployment);
	if (pm_deployment_appraised(result->deployment)->test_root)
		printf("TEST ROOT: accepted under a root that is not the maker's; nothing is "
		       "proved about real hardware\n");
	printf("VERIFIED: %s: coordinator, %s\n", mesh->url,
		pm_coordinator_state_name((int)pm_deployment_state(result->deployment)));
}

/* --- JSON ------------------------------------------------------------------------------------- */

static json_t *history_json(const struct pm_deployment *d)
{
	const struct pm_history *history = pm_deployment_history(d);
	const struct pm_history_link *link;
	json_t *list = json_array();

	for (size_t i = 0; (link = pm_history_at(history, i)); i++)
		json_array_append_new(
			list, json_pack("{s:I, s:o, s:o, s:o}", "serial", (json_int_t)link->serial,
				      "time", tool_time_json(link->time), "manifest",
				      tool_hex_json(link->manifest, sizeof(link->manifest)), "hash",
				      tool_hex_json(link->hash, sizeof(link->hash))));
	return list;
}

static void set_key(json_t *o, const char *name, const struct pm_sign_public *key)
{
	if (key)
		json_object_set_new(o, name, tool_hex_json(key->id, sizeof(key->id)));
}

static void set_der(json_t *o, const char *name, const uint8_t *der, size_t len)
{
	char text[PM_MESH_CERT_SIZE_MAX * 2];

	if (der && pm_text_base64_encode(der, len, text, sizeof(text)) == PM_OK)
		json_object_set_new(o, name, json_string(text));
}

static void set_log(json_t *o, const struct pm_deployment *d)
{
	uint64_t entries;
	const uint8_t *head = pm_deployment_log(d, &entries);

	if (head)
		json_object_set_new(o, "log",
			json_pack("{s:I, s:o}", "entries", (json_int_t)entries, "head",
				tool_hex_json(head, PM_MANIFEST_HASH_SIZE)));
}

static void set_facts(json_t *o, const struct pm_deployment *d)
{
	const struct pm_appraised *facts = pm_deployment_appraised(d);
	const uint8_t *der;
	size_t len;

	json_object_set_new(
		o, "state", json_string(pm_coordinator_state_name((int)pm_deployment_state(d))));
	json_object_set_new(o, "test_root", json_boolean(facts->test_root));
	json_object_set_new(o, "valid_until", tool_time_json(facts->valid_until));
	json_object_set_new(o, "manifest",
		json_pack("{s:I, s:o}", "serial", (json_int_t)facts->manifest_serial, "hash",
			tool_hex_json(facts->manifest_hash, sizeof(facts->manifest_hash))));
	json_object_set_new(o, "history", history_json(d));
	set_key(o, "history_key", pm_deployment_history_key(d));
	set_key(o, "audit_key", pm_deployment_audit_key(d));
	der = pm_deployment_root_ca(d, &len);
	set_der(o, "root_ca", der, len);
	der = pm_deployment_mesh_ca(d, &len);
	set_der(o, "mesh_ca", der, len);
	json_object_set_new(o, "commitment",
		tool_hex_json(pm_deployment_commitment(d), PM_COORDINATOR_COMMITMENT_SIZE));
	set_log(o, d);
}

json_t *tool_mesh_json(const struct tool_mesh *mesh, const struct tool_mesh_result *result)
{
	json_t *o = json_pack("{s:s, s:s, s:o}", "verdict", tool_verdict_name(result->error),
		"coordinator", mesh->url, "checks", tool_verdict_json(result->verdict));

	if (result->error < 0)
		tool_set_refusal(o, result->error, tool_mesh_reason(result));
	if (result->deployment)
		set_facts(o, result->deployment);
	return o;
}

int tool_mesh_print_json(json_t *json)
{
	int failed = !json || json_dumpf(json, stdout, JSON_INDENT(2));

	json_decref(json);
	putchar('\n');
	if (failed || fflush(stdout)) {
		warnx("standard output: can't write");
		return TOOL_USAGE;
	}
	return TOOL_OK;
}
