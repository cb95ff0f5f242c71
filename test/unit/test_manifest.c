/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests: the table of bad and good ones, their one form and hash, and what they say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/report.h"
#include "crypto/crypto.h"
#include "evidence/snp_policy.h"
#include "manifest_doc.h"
#include "policy/manifest.h"
#include "testing.h"

static int parse(struct pm_view text, struct pm_report *report, struct pm_manifest **ret)
{
	return pm_manifest_parse(text.ptr, text.len, report, ret);
}

static struct pm_manifest *parse_doc(json_t *doc, size_t flags)
{
	struct pm_report *report = pm_report_new();
	struct pm_view text = doc_text(doc, flags);
	struct pm_manifest *m = NULL;
	int r = parse(text, report, &m);

	ck_assert_msg(r == PM_OK, "%d: %s", r, pm_report_reason(report));
	test_free(text);
	pm_report_free(report);
	return m;
}

static struct pm_manifest *parse_base(void)
{
	json_t *table = doc_table();
	struct pm_manifest *m = parse_doc(json_object_get(table, "base"), 0);

	json_decref(table);
	return m;
}

/* --- the table ------------------------------------------------------------------------------- */

static int wanted_error(json_t *item)
{
	const char *error = json_string_value(json_object_get(item, "error"));

	if (!error)
		return PM_OK;
	if (!strcmp(error, "format"))
		return PM_E_FORMAT;
	return strcmp(error, "limit") ? PM_E_UNSUPPORTED : PM_E_LIMIT;
}

static void check_case(json_t *base, json_t *item)
{
	const char *name = json_string_value(json_object_get(item, "name"));
	const char *at = json_string_value(json_object_get(item, "at"));
	json_t *doc = doc_change(base, item);
	struct pm_report *report = pm_report_new();
	struct pm_view text = doc_text(doc, 0);
	struct pm_manifest *m = NULL, *again = NULL;
	int r = parse(text, report, &m), want = wanted_error(item);

	ck_assert_msg(
		r == want, "%s: got %d, want %d: %s", name, r, want, pm_report_reason(report));
	ck_assert_msg(parse(text, NULL, &again) == want, "%s: without a report", name);
	if (want) {
		const char *found = pm_report_failure(report)->found,
			   *place = strstr(found, " at $");

		ck_assert_ptr_null(m);
		ck_assert_msg(place && !strncmp(place + 4, at, strlen(at)), "%s: %s, not at %s",
			name, found, at);
	}
	pm_manifest_free(m);
	pm_manifest_free(again);
	test_free(text);
	pm_report_free(report);
	json_decref(doc);
}

START_TEST(test_table)
{
	json_t *table = doc_table(), *item;
	size_t i;

	json_array_foreach(json_object_get(table, "cases"), i, item)
		check_case(json_object_get(table, "base"), item);
	ck_assert_uint_gt(i, 500);
	json_decref(table);
}
END_TEST

/* What no edit of a document can say. */
START_TEST(test_text)
{
	static const struct {
		const char *text;
		int error;
		const char *says;
	} rows[] = {
		{"", PM_E_FORMAT, "line 1"},
		{"{", PM_E_FORMAT, "line 1"},
		{"[]", PM_E_FORMAT, "an empty array at $"},
		{"null", PM_E_FORMAT, "line 1"},
		{"{} {}", PM_E_FORMAT, "end of file expected"},
		{"{\"version\": 1, \"version\": 1}", PM_E_FORMAT, "duplicate object key"},
		{"{\"a\": {\"b\": 1, \"b\": 1}}", PM_E_FORMAT, "duplicate object key"},
		{"{\"a\": \"\\u0000\"}", PM_E_FORMAT, "line 1"},
		{"{\"a\": \"\xff\"}", PM_E_FORMAT, "line 1"},
		{"{\"a\": \"\\u00e9\"}", PM_E_FORMAT, "at $.a"},
		{"{\"a\": 1.0}", PM_E_FORMAT, "a number that is not an integer at $.a"},
		{"{\"a\": 99999999999999999999}", PM_E_FORMAT, "line 1"},
		{"{\"a\\\"b\": 1}", PM_E_FORMAT, "at $.a"},
		{"{\"a\": [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}", PM_E_LIMIT, "deeper"},
		{"{\"a\": \"[[[[[[[[[[[[[[[[[[[\\\"[[\"}", PM_E_FORMAT, "at $.a"},
	};

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		struct pm_report *report = pm_report_new();
		struct pm_manifest *m = NULL;
		int r = pm_manifest_parse(rows[i].text, strlen(rows[i].text), report, &m);

		ck_assert_msg(r == rows[i].error, "%s: %d", rows[i].text, r);
		ck_assert_msg(strstr(pm_report_reason(report), rows[i].says), "%s: %s",
			rows[i].text, pm_report_reason(report));
		pm_report_free(report);
	}
}
END_TEST

START_TEST(test_size)
{
	char *big = malloc(PM_MANIFEST_SIZE_MAX + 1);
	struct pm_manifest *m = NULL;

	memset(big, ' ', PM_MANIFEST_SIZE_MAX + 1);
	ck_pm(pm_manifest_parse(big, PM_MANIFEST_SIZE_MAX, NULL, &m), PM_E_FORMAT);
	ck_pm(pm_manifest_parse(big, PM_MANIFEST_SIZE_MAX + 1, NULL, &m), PM_E_LIMIT);
	free(big);
}
END_TEST

/* --- one form, one hash ---------------------------------------------------------------------- */

static struct pm_hex_text hash_of(const struct pm_manifest *m)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE];

	pm_manifest_hash(m, hash);
	return pm_hex(hash, sizeof(hash));
}

/* Computed by Python's json and hashlib from test/manifest/cases.py. */
#define BASE_HASH "57a7169658dd4d3039de6ed78d94c2608ee65849f4924944744e1006c9b257ec"

START_TEST(test_hash_vector)
{
	struct pm_manifest *m = parse_base();

	ck_assert_str_eq(hash_of(m).s, BASE_HASH);
	pm_manifest_free(m);
}
END_TEST

START_TEST(test_canonical)
{
	static const char begin[] = "{\"extra_roots\":{\"gpu_device\":[\"66";
	struct pm_manifest *m = parse_base(), *again = NULL;
	size_t len = 0;
	const char *text = pm_manifest_canonical(m, &len);

	ck_assert_uint_eq(len, strlen(text));
	ck_assert_int_eq(strncmp(text, begin, strlen(begin)), 0);
	ck_assert_ptr_null(strpbrk(text, " \n\t\\"));
	ck_pm(pm_manifest_parse(text, len, NULL, &again), PM_OK);
	ck_assert_str_eq(hash_of(m).s, hash_of(again).s);
	ck_assert_str_eq(pm_manifest_canonical(again, &len), text);
	pm_manifest_free(again);
	pm_manifest_free(m);
}
END_TEST

/* The same members in another order, at each level. */
static json_t *shuffled(json_t *value)
{
	json_t *copy, *member;
	const char *key;
	size_t i;

	if (json_is_array(value)) {
		copy = json_array();
		json_array_foreach(value, i, member) json_array_append_new(copy, shuffled(member));
		return copy;
	}
	if (!json_is_object(value))
		return json_incref(value);
	copy = json_object();
	for (int turn = 0; turn < 2; turn++) {
		json_object_foreach(value, key, member)
		{
			bool late = rand() % 2; /* decided anew: the first to come stays */

			if ((turn || late) && !json_object_get(copy, key))
				json_object_set_new(copy, key, shuffled(member));
		}
	}
	return copy;
}

/* Order of keys and white space never count; each good case has a hash of its own. */
START_TEST(test_hash_properties)
{
	json_t *table = doc_table(), *base = json_object_get(table, "base"), *item;
	struct pm_hex_text seen[32];
	size_t i, count = 0;

	srand(1);
	json_array_foreach(json_object_get(table, "cases"), i, item)
	{
		json_t *doc, *other;
		struct pm_manifest *m, *again;

		if (wanted_error(item) != PM_OK)
			continue;
		doc = doc_change(base, item);
		other = shuffled(doc);
		m = parse_doc(doc, JSON_COMPACT);
		again = parse_doc(other, JSON_INDENT(3));
		ck_assert_str_eq(hash_of(m).s, hash_of(again).s);
		for (size_t k = 0; k < count; k++)
			ck_assert_str_ne(seen[k].s, hash_of(m).s);
		ck_assert_uint_lt(count, PM_ARRAY_LEN(seen));
		seen[count++] = hash_of(m);
		pm_manifest_free(m);
		pm_manifest_free(again);
		json_decref(doc);
		json_decref(other);
	}
	ck_assert_uint_gt(count, 10);
	json_decref(table);
}
END_TEST

/* Changes one leaf of the document in place, the nth of them; false past the last. */
static bool change_leaf(json_t *at, size_t *left)
{
	json_t *member;
	const char *key;
	size_t i;

	if (json_is_string(at) && !(*left)--) {
		char *text = strdup(json_string_value(at));
		size_t len = strlen(text);

		if (len)
			text[len - 1] = text[len - 1] == '1' ? '2' : '1';
		json_string_set(at, len ? text : "00");
		free(text);
		return true;
	}
	if (json_is_integer(at) && !(*left)--)
		return !json_integer_set(at, json_integer_value(at) + 1);
	json_array_foreach(at, i, member)
	{
		if (change_leaf(member, left))
			return true;
	}
	json_object_foreach(at, key, member)
	{
		if (change_leaf(member, left))
			return true;
	}
	return false;
}

/* Whatever is changed, the manifest is refused or has another hash. */
START_TEST(test_each_change_counts)
{
	json_t *table = doc_table(), *base = json_object_get(table, "base");
	struct pm_manifest *m = parse_doc(base, 0);
	size_t accepted = 0, n = 0;

	for (;; n++) {
		json_t *doc = json_deep_copy(base);
		struct pm_manifest *other = NULL;
		struct pm_view text;
		size_t left = n;
		bool changed = change_leaf(doc, &left);

		text = doc_text(doc, 0);
		if (changed && parse(text, NULL, &other) == PM_OK) {
			ck_assert_str_ne(hash_of(m).s, hash_of(other).s);
			accepted++;
		}
		pm_manifest_free(other);
		test_free(text);
		json_decref(doc);
		if (!changed)
			break;
	}
	ck_assert_uint_gt(n, 100);
	ck_assert_uint_gt(accepted, 50);
	pm_manifest_free(m);
	json_decref(table);
}
END_TEST

/* --- what it says ---------------------------------------------------------------------------- */

START_TEST(test_top)
{
	struct pm_manifest *m = parse_base();
	uint8_t previous[PM_MANIFEST_HASH_SIZE];

	memset(previous, 0xab, sizeof(previous));
	ck_assert_uint_eq(pm_manifest_serial(m), 2);
	ck_assert_mem_eq(pm_manifest_previous(m), previous, sizeof(previous));
	ck_assert_int_eq(pm_manifest_not_before(m), 1767225600);
	ck_assert_int_eq(pm_manifest_not_after(m), 1798761600);
	ck_assert(pm_manifest_test_root(m));
	pm_manifest_free(m);
}
END_TEST

START_TEST(test_validity)
{
	struct pm_manifest *m = parse_base();

	ck_pm(pm_manifest_check_time(m, 1767225599, NULL), PM_E_STALE);
	ck_pm(pm_manifest_check_time(m, 1767225600, NULL), PM_OK);
	ck_pm(pm_manifest_check_time(m, 1798761600, NULL), PM_OK);
	ck_pm(pm_manifest_check_time(m, 1798761601, NULL), PM_E_STALE);
	ck_pm(pm_manifest_check_time(m, INT64_MIN, NULL), PM_E_STALE);
	pm_manifest_free(m);
}
END_TEST

START_TEST(test_roles)
{
	struct pm_manifest *m = parse_base();
	const struct pm_manifest_role *worker = pm_manifest_role(m, "worker");
	const struct pm_manifest_role *coordinator = pm_manifest_role_at(m, 0);

	ck_assert_ptr_nonnull(worker);
	ck_assert_ptr_eq(pm_manifest_role_at(m, 1), worker);
	ck_assert_ptr_null(pm_manifest_role_at(m, 2));
	ck_assert_ptr_null(pm_manifest_role(m, "work"));
	ck_assert_str_eq(pm_manifest_role_name(coordinator), "coordinator");
	ck_assert(pm_manifest_role_may_call(worker, "coordinator"));
	ck_assert(!pm_manifest_role_may_call(coordinator, "worker"));
	ck_assert(pm_manifest_role_workload_secret(worker));
	ck_assert(!pm_manifest_role_workload_secret(coordinator));
	ck_assert_str_eq(pm_manifest_role_model_at(worker, 0), "meta-llama/Llama-3.3-70B");
	ck_assert_ptr_null(pm_manifest_role_model_at(worker, 1));
	ck_assert(pm_manifest_role_has_model(worker, "meta-llama/Llama-3.3-70B"));
	ck_assert(!pm_manifest_role_has_model(worker, "tiny"));
	ck_assert_uint_eq(pm_manifest_role_gpu(worker)->min_count, 8);
	ck_assert_uint_eq(pm_manifest_role_gpu(worker)->max_age, 600);
	ck_assert_ptr_null(pm_manifest_role_gpu(coordinator));
	pm_manifest_free(m);
}
END_TEST

START_TEST(test_models)
{
	struct pm_manifest *m = parse_base();
	const struct pm_manifest_model *model = pm_manifest_model(m, "meta-llama/Llama-3.3-70B");

	ck_assert_ptr_eq(pm_manifest_model_at(m, 0), model);
	ck_assert_ptr_nonnull(pm_manifest_model_at(m, 1));
	ck_assert_ptr_null(pm_manifest_model_at(m, 2));
	ck_assert_ptr_null(pm_manifest_model(m, "llama"));
	ck_assert_uint_eq(model->root_hash[31], 0x33);
	ck_assert_uint_eq(model->params.size, sizeof(model->params));
	ck_assert_uint_eq(model->params.data_blocks, 10);
	ck_assert_uint_eq(model->params.hash_offset, 40960);
	ck_assert_uint_eq(model->params.salt_size, 2);
	ck_assert_uint_eq(model->params.salt[1], 0xff);
	ck_assert_uint_eq(model->params.data_block_size, 4096);
	ck_assert_uint_eq(pm_manifest_model(m, "tiny")->params.hash_block_size, 1024);
	pm_manifest_free(m);
}
END_TEST

START_TEST(test_owners)
{
	struct pm_manifest *m = parse_base();
	const struct pm_manifest_owners *owners = pm_manifest_owners(m);
	const struct pm_manifest_owner *bob = pm_manifest_owner_at(owners, 1);
	uint8_t id[PM_SHA256_SIZE];

	ck_assert_uint_eq(pm_manifest_owners_threshold(owners), 2);
	ck_assert_int_eq(pm_manifest_owner_at(owners, 0)->key.type, PM_SIGN_ED25519);
	ck_assert_str_eq(bob->name, "bob");
	ck_assert_int_eq(bob->key.type, PM_SIGN_P384);
	ck_assert_uint_eq(bob->key.spki_size, 120);
	ck_pm(pm_hash(PM_SHA256, pm_view(bob->key.spki, bob->key.spki_size), id), PM_OK);
	ck_assert_mem_eq(bob->key.id, id, sizeof(id));
	ck_assert_ptr_nonnull(pm_manifest_owner_at(owners, 2));
	ck_assert_ptr_null(pm_manifest_owner_at(owners, 3));
	pm_manifest_free(m);
}
END_TEST

START_TEST(test_share_owners)
{
	struct pm_manifest *m = parse_base();
	const struct pm_manifest_share_owners *owners = pm_manifest_seed_share_owners(m);
	const struct pm_manifest_share_owner *dave = pm_manifest_share_owner_at(owners, 0);
	uint8_t id[PM_BOX_ID_SIZE], box[PM_BOX_OVERHEAD];

	ck_assert_uint_eq(pm_manifest_share_owners_threshold(owners), 1);
	ck_assert_str_eq(dave->name, "dave");
	ck_pm(pm_box_public_id(dave->key, id), PM_OK);
	ck_assert_mem_eq(dave->id, id, sizeof(id));
	ck_pm(pm_box_seal(dave->key, "label", NULL, 0, NULL, 0, box), PM_OK);
	ck_assert_ptr_null(pm_manifest_share_owner_at(owners, 1));
	pm_manifest_free(m);
}
END_TEST

START_TEST(test_secrets)
{
	static const char llama[] = "meta-llama/Llama-3.3-70B";
	static const struct {
		const char *id, *role, *model;
		bool yes;
	} rows[] = {
		{"inference/1", "worker", llama, true},
		{"inference/", "worker", llama, true},
		{"inference", "worker", llama, false},
		{"inference/1", "worker", "tiny", false},
		{"inference/1", "worker", NULL, false},
		{"tls", "worker", NULL, true},
		{"tls", "worker", "tiny", true},
		{"tls2", "worker", llama, false},
		{"tl", "worker", llama, false},
		{"anything", "coordinator", NULL, true},
		{"", "coordinator", NULL, true},
		{"tls", "work", NULL, false},
	};
	struct pm_manifest *m = parse_base();

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++)
		ck_assert_msg(pm_manifest_secret_allowed(
				      m, rows[i].id, rows[i].role, rows[i].model) == rows[i].yes,
			"row %zu", i);
	pm_manifest_free(m);
}
END_TEST

/* --- policies -------------------------------------------------------------------------------- */

static struct pm_snp_policy *snp_policy(const struct pm_manifest *m, const char *role)
{
	struct pm_snp_policy *policy = NULL;

	ck_pm(pm_manifest_role_snp_policy(m, pm_manifest_role(m, role), &policy), PM_OK);
	return policy;
}

/* All that the manifest says has reached the policy, and nothing that it does not say. */
START_TEST(test_snp_policy_full)
{
	struct pm_manifest *m = parse_base();
	struct pm_snp_policy *p = snp_policy(m, "worker");

	ck_assert_uint_eq(p->waivers, 0);
	ck_assert_uint_eq(p->permissions, 15);
	ck_assert_uint_eq(p->requirements, 15);
	ck_assert(!p->has_report_data);
	for (size_t i = 0; i < PM_SNP_FIELD_COUNT; i++)
		ck_assert_uint_eq(p->fields[i].count, i == PM_SNP_MEASUREMENT ? 2 : 1);
	ck_assert_uint_eq(p->fields[PM_SNP_MEASUREMENT].values[95], 2);
	ck_assert_uint_eq(p->csp_ids.count, 1);
	ck_assert_uint_eq(p->test_roots.count, 1);
	ck_assert_uint_eq(p->test_roots.values[0], 0x55);
	ck_assert_uint_eq(p->policy_set, 0x30000);
	ck_assert_uint_eq(p->policy_clear, 0x100000);
	ck_assert_uint_eq(p->platform_set, 0x21);
	ck_assert_uint_eq(p->platform_clear, 2);
	ck_assert_uint_eq(p->abi_major * 256u + p->abi_minor, 0x133);
	ck_assert_uint_eq(p->min_firmware.build, 29);
	ck_assert_uint_eq(p->min_guest_svn, 1);
	ck_assert_uint_eq(p->min_version, 3);
	ck_assert_uint_eq(p->mit_launch, 3);
	ck_assert_uint_eq(p->mit_current, 1);
	ck_assert_uint_eq(p->vmpls, 3);
	ck_assert_uint_eq(p->products, 14);
	ck_assert_uint_eq(p->signers, 6);
	ck_assert_int_eq(p->max_crl_age, 604800);
	pm_snp_policy_free(p);
	pm_manifest_free(m);
}
END_TEST

START_TEST(test_snp_policy_tcb)
{
	struct pm_manifest *m = parse_base();
	struct pm_snp_policy *p = snp_policy(m, "worker");
	const struct pm_snp_min_tcb *turin =
		&p->min_tcb[PM_SNP_TCB_REPORTED][PM_SNP_PRODUCT_INDEX(PM_SNP_TURIN)];

	for (size_t kind = 0; kind < PM_SNP_TCB_KINDS; kind++) {
		for (size_t i = 0; i < PM_SNP_PRODUCT_COUNT; i++)
			ck_assert_int_eq(
				p->min_tcb[kind][i].set, kind == PM_SNP_TCB_REPORTED || i == 0);
	}
	ck_assert_uint_eq(turin->tcb.fmc, 1);
	ck_assert_uint_eq(turin->tcb.snp, 4);
	ck_assert_uint_eq(turin->tcb.microcode, 80);
	ck_assert_uint_eq(p->min_tcb[PM_SNP_TCB_REPORTED][0].tcb.microcode, 219);
	ck_assert_uint_eq(p->min_tcb[PM_SNP_TCB_LAUNCH][0].tcb.snp, 22);
	pm_snp_policy_free(p);
	pm_manifest_free(m);
}
END_TEST

/* What is not set is the safe default, and REPORT_DATA is still to be demanded. */
START_TEST(test_snp_policy_least)
{
	struct pm_manifest *m = parse_base();
	struct pm_snp_policy *p = snp_policy(m, "coordinator");
	uint8_t data[PM_SNP_REPORT_DATA_SIZE] = {0};

	ck_assert_uint_eq(p->permissions | p->waivers | p->requirements, 0);
	ck_assert_uint_eq(p->vmpls, 0);
	ck_assert_uint_eq(p->signers, 1u << PM_SNP_VCEK);
	ck_assert_uint_eq(p->fields[PM_SNP_HOST_DATA].count, 0);
	ck_pm(pm_snp_policy_check_complete(p, NULL), PM_E_ARG);
	ck_pm(pm_snp_policy_expect_report_data(p, data), PM_OK);
	ck_pm(pm_snp_policy_check_complete(p, NULL), PM_OK);
	pm_snp_policy_free(p);
	pm_manifest_free(m);
}
END_TEST

static struct pm_gpu_policy *gpu_policy(const struct pm_manifest *m, const char *role)
{
	struct pm_gpu_policy *policy = NULL;

	ck_pm(pm_manifest_role_gpu_policy(m, pm_manifest_role(m, role), &policy), PM_OK);
	return policy;
}

START_TEST(test_gpu_policy_full)
{
	struct pm_manifest *m = parse_base();
	struct pm_gpu_policy *p = gpu_policy(m, "worker");
	struct pm_gpu_version v;

	ck_assert_uint_eq(p->waivers, 0);
	ck_assert_uint_eq(p->permissions, 7);
	ck_assert_uint_eq(p->requirements, 7);
	ck_assert_uint_eq(p->archs, 14);
	ck_assert_uint_eq(p->modes, 1u << PM_GPU_MODE_SPT | 1u << PM_GPU_MODE_PPCIE);
	ck_assert_uint_eq(p->drivers.count, 1);
	ck_assert_uint_eq(p->vbioses.count, 1);
	ck_assert_int_eq(p->ocsp_grace, 86400);
	ck_pm(pm_gpu_version_parse(VIEW("550.54.15"), 10, &v), PM_OK);
	ck_assert_int_eq(pm_gpu_version_compare(&p->min_driver[0], &v), 0);
	ck_assert_uint_eq(p->min_driver[1].parts[0], 0);
	ck_pm(pm_gpu_version_parse(VIEW("96.10.55.00.01"), 16, &v), PM_OK);
	ck_assert_int_eq(pm_gpu_version_compare(&p->min_vbios[2], &v), 0);
	ck_assert_uint_eq(p->test_roots[PM_GPU_ROOT_DEVICE].values[0], 0x66);
	ck_assert_uint_eq(p->test_roots[PM_GPU_ROOT_RIM].values[0], 0x77);
	ck_pm(pm_gpu_policy_check_complete(p, NULL), PM_E_ARG);
	pm_gpu_policy_free(p);
	pm_manifest_free(m);
}
END_TEST

/* null and false loosen what they name; nothing else does. */
START_TEST(test_gpu_policy_least)
{
	json_t *table = doc_table(), *base = json_object_get(table, "base");
	json_t *gpu = json_pack("{s:i, s:i, s:[s], s:n, s:n, s:n, s:b, s:b}", "min_count", 1,
		"max_age", 1, "archs", "blackwell", "modes", "drivers", "vbios", "require_rim", 0,
		"require_ocsp", 1);
	struct pm_gpu_policy *p;
	struct pm_manifest *m;

	doc_set(base, "roles worker gpu", gpu);
	json_object_del(base, "extra_roots");
	m = parse_doc(base, 0);
	p = gpu_policy(m, "worker");
	ck_assert_uint_eq(p->waivers, PM_GPU_WAIVE_RIM);
	ck_assert_uint_eq(p->permissions | p->requirements, 0);
	ck_assert_uint_eq(p->archs, 1u << PM_GPU_BLACKWELL);
	ck_assert_uint_eq(p->modes, 0);
	ck_assert_uint_eq(p->drivers.count + p->vbioses.count, 0);
	ck_assert_uint_eq(p->test_roots[0].count + p->test_roots[1].count, 0);
	ck_assert(!pm_manifest_test_root(m));
	pm_gpu_policy_free(p);
	p = NULL;
	ck_pm(pm_manifest_role_gpu_policy(m, pm_manifest_role(m, "coordinator"), &p), PM_E_MISSING);
	ck_assert_ptr_null(p);
	pm_manifest_free(m);
	json_decref(table);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("manifest");
	TCase *tcase = tcase_create("manifest");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_table);
	tcase_add_test(tcase, test_text);
	tcase_add_test(tcase, test_size);
	tcase_add_test(tcase, test_hash_vector);
	tcase_add_test(tcase, test_canonical);
	tcase_add_test(tcase, test_hash_properties);
	tcase_add_test(tcase, test_each_change_counts);
	tcase_add_test(tcase, test_top);
	tcase_add_test(tcase, test_validity);
	tcase_add_test(tcase, test_roles);
	tcase_add_test(tcase, test_models);
	tcase_add_test(tcase, test_owners);
	tcase_add_test(tcase, test_share_owners);
	tcase_add_test(tcase, test_secrets);
	tcase_add_test(tcase, test_snp_policy_full);
	tcase_add_test(tcase, test_snp_policy_tcb);
	tcase_add_test(tcase, test_snp_policy_least);
	tcase_add_test(tcase, test_gpu_policy_full);
	tcase_add_test(tcase, test_gpu_policy_least);
	suite_add_tcase(suite, tcase);
	return test_main(suite);
}
