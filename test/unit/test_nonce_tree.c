/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of nonces, and what binds a bundle together. Expected values: Python's hashlib, from the
 * formulas in pm/bundle.h.
 */
#include <stdlib.h>
#include <string.h>

#include <pm/bundle.h>

#include "evidence/bundle.h"
#include "testing.h"

PM_OWNER(pm_nonce_tree, pm_nonce_tree_free);

#define SIZE PM_BUNDLE_NONCE_SIZE

/* Nonce i is the number i in 32 bits, most significant byte first, eight times. */
static uint8_t *number_nonces(size_t count)
{
	uint8_t *nonces = pm_alloc(count * SIZE);

	ck_assert_ptr_nonnull(nonces);
	for (size_t i = 0; i < count * SIZE; i++)
		nonces[i] = (uint8_t)(i / SIZE >> (24 - 8 * (i % 4)));
	return nonces;
}

static struct pm_nonce_tree *tree_of(size_t count)
{
	pm_cleanup(free) uint8_t *nonces = number_nonces(count);
	struct pm_nonce_tree *tree = NULL;

	ck_pm(pm_nonce_tree_new(nonces, count, &tree), PM_OK);
	return tree;
}

static void is_hex(const uint8_t *found, const char *want_hex)
{
	struct pm_view want = test_hex(want_hex);

	ck_assert_mem_eq(found, want.ptr, want.len);
	test_free(want);
}

static const struct {
	size_t count;
	uint32_t depth;
	const char *root;
} roots[] = {
	{1, 0, "7f9c9e31ac8256ca2f258583df262dbc7d6f68f2a03043d5c99a4ae5a7396ce9"},
	{2, 1, "cdcbbe2edb959de753954802f60eb72f65bc5cb62956d0c96d8ee0764813d893"},
	{3, 2, "8bf2ca8fe754cf80b8ecf18a6682683e4b47a17f5c0fd75e58aca41ada66c0ef"},
	{5, 3, "825fe3636a8128567d1325ff9d11ea1cec9f5776b7004b785215e25ba1f14a61"},
	{8, 3, "71871e08574535306171d14f0375648a9cd83d17d039aea68c3dcc70898968eb"},
	{1000, 10, "d9ac1c8107fa88604f39f98c35d05060e71ab688d159fad6ae33d3e67e1d7f72"},
};

START_TEST(roots_are_the_formula)
{
	pm_cleanup(pm_nonce_tree) struct pm_nonce_tree *tree = tree_of(roots[_i].count);
	struct pm_bundle_nonce n;

	is_hex(pm_nonce_tree_root(tree), roots[_i].root);
	ck_pm(pm_nonce_tree_path(tree, 0, &n), PM_OK);
	ck_assert_uint_eq(n.depth, roots[_i].depth);
}
END_TEST

/* The path of each nonce leads to the root, and nothing else does that is one change away. */
static void check_path(const struct pm_nonce_tree *tree, const struct pm_bundle_nonce *good)
{
	const uint8_t *root = pm_nonce_tree_root(tree);
	struct pm_bundle_nonce bad = *good;
	uint8_t found[SIZE];

	ck_pm(pm_bundle_challenge(good, found), PM_OK);
	ck_assert_mem_eq(found, root, SIZE);
	bad.nonce[good->index % SIZE] ^= 1;
	ck_pm(pm_bundle_challenge(&bad, found), PM_OK);
	ck_assert_mem_ne(found, root, SIZE);
	for (uint32_t i = 0; i < good->depth; i++) {
		bad = *good;
		bad.path[i][i] ^= 0x80;
		ck_pm(pm_bundle_challenge(&bad, found), PM_OK);
		ck_assert_mem_ne(found, root, SIZE);
		bad = *good;
		bad.index ^= 1u << i;
		ck_pm(pm_bundle_challenge(&bad, found), PM_OK);
		ck_assert_mem_ne(found, root, SIZE);
	}
}

START_TEST(each_path_leads_to_the_root)
{
	static const size_t counts[] = {1, 2, 3, 4, 6, 7, 9, 31, 33, 100};
	size_t count = counts[_i];
	pm_cleanup(pm_nonce_tree) struct pm_nonce_tree *tree = tree_of(count);
	pm_cleanup(free) uint8_t *nonces = number_nonces(count);
	struct pm_bundle_nonce n;

	for (size_t i = 0; i < count; i++) {
		ck_pm(pm_nonce_tree_path(tree, i, &n), PM_OK);
		ck_assert(n.in_tree);
		ck_assert_uint_eq(n.index, i);
		ck_assert_mem_eq(n.nonce, nonces + i * SIZE, SIZE);
		check_path(tree, &n);
	}
	ck_pm(pm_nonce_tree_path(tree, count, &n), PM_E_ARG);
}
END_TEST

START_TEST(trees_are_bounded)
{
	pm_cleanup(pm_nonce_tree) struct pm_nonce_tree *full = tree_of(PM_NONCE_TREE_LEAVES_MAX);
	pm_cleanup(free) uint8_t *many = number_nonces(PM_NONCE_TREE_LEAVES_MAX + 1);
	struct pm_nonce_tree *tree = NULL;
	struct pm_bundle_nonce n;
	uint8_t found[SIZE];

	ck_pm(pm_nonce_tree_path(full, PM_NONCE_TREE_LEAVES_MAX - 1, &n), PM_OK);
	ck_assert_uint_eq(n.depth, PM_NONCE_TREE_DEPTH_MAX);
	ck_pm(pm_bundle_challenge(&n, found), PM_OK);
	ck_assert_mem_eq(found, pm_nonce_tree_root(full), SIZE);
	ck_pm(pm_nonce_tree_new(many, 0, &tree), PM_E_ARG);
	ck_pm(pm_nonce_tree_new(many, PM_NONCE_TREE_LEAVES_MAX + 1, &tree), PM_E_LIMIT);
	ck_assert_ptr_null(tree);
}
END_TEST

/* A path fixes the depth, the depth bounds the index. */
START_TEST(paths_are_bounded)
{
	struct pm_bundle_nonce n = {.in_tree = true, .depth = PM_NONCE_TREE_DEPTH_MAX};
	uint8_t found[SIZE];

	n.index = PM_NONCE_TREE_LEAVES_MAX - 1;
	ck_pm(pm_bundle_challenge(&n, found), PM_OK);
	n.index++;
	ck_pm(pm_bundle_challenge(&n, found), PM_E_FORMAT);
	n.index = 0;
	n.depth++;
	ck_pm(pm_bundle_challenge(&n, found), PM_E_FORMAT);
	n.depth = 0;
	ck_pm(pm_bundle_challenge(&n, found), PM_OK);
	n.index = 1;
	ck_pm(pm_bundle_challenge(&n, found), PM_E_FORMAT);
	n.in_tree = false; /* then neither means anything */
	n.nonce[0] = 7;
	ck_pm(pm_bundle_challenge(&n, found), PM_OK);
	ck_assert_mem_eq(found, n.nonce, SIZE);
}
END_TEST

START_TEST(bindings_are_the_formulas)
{
	uint8_t challenge[SIZE], found[PM_BUNDLE_REPORT_DATA_SIZE], ones[300];
	const struct pm_bundle_gpu gpu = {
		.report = {ones, sizeof(ones)},
		.certs = {(const uint8_t *)"-----BEGIN", 10},
		.arch = 1,
	};

	for (size_t i = 0; i < SIZE; i++)
		challenge[i] = (uint8_t)i;
	ck_pm(pm_bundle_report_data(challenge, (const uint8_t *)"claims", 6, found), PM_OK);
	is_hex(found, "506056adcb4c25b62b14100f048f0b83206b596fb19c1d811de2c62fc8e32ee9"
		      "b7f4864f73c56706c20f50abf93d008f8bbc75e390d66f8c1b778eaeba17c7ee");
	ck_pm(pm_bundle_gpu_nonce(challenge, (const uint8_t *)"key", 3, found), PM_OK);
	is_hex(found, "ee6fa1c47f9c2257a100bdd22533e953560dcec4ab041dae9e0fb9e8882ea851");
	memset(ones, 0x31, sizeof(ones));
	ck_pm(pm_bundle_gpu_digest(&gpu, found), PM_OK);
	is_hex(found, "e8cac35705875da8e3c5963d078b9d4f100e4d8996741ba1687db6a277926e0b");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("nonce_tree");
	TCase *t = tcase_create("nonce_tree");

	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, roots_are_the_formula, 0, PM_ARRAY_LEN(roots));
	tcase_add_loop_test(t, each_path_leads_to_the_root, 0, 10);
	tcase_add_test(t, trees_are_bounded);
	tcase_add_test(t, paths_are_bounded);
	tcase_add_test(t, bindings_are_the_formulas);
	suite_add_tcase(s, t);
	return test_main(s);
}
