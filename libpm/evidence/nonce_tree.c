/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of nonces: one report for many verifiers. See pm/bundle.h. */
#include <stdlib.h>

#include <pm/bundle.h>

#include "base/mem.h"
#include "crypto/crypto.h"

#define SIZE PM_BUNDLE_DIGEST_SIZE

_Static_assert(PM_NONCE_TREE_LEAVES_MAX == 1 << PM_NONCE_TREE_DEPTH_MAX, "a full tree");
_Static_assert(PM_BUNDLE_NONCE_SIZE == SIZE, "a nonce is as long as a digest");

struct level {
	uint8_t (*nodes)[SIZE];
	size_t count;
	uint8_t missing[SIZE]; /* what each node behind the last one is */
};

struct pm_nonce_tree {
	uint8_t (*nonces)[SIZE];
	size_t count;
	uint32_t depth;
	struct level levels[PM_NONCE_TREE_DEPTH_MAX + 1]; /* from the leaves to the root */
};

PM_OWNER(pm_nonce_tree, pm_nonce_tree_free);

/* No digest is both a leaf and a node: the first byte of what is hashed tells them apart. */
static int hash_leaf(const uint8_t *nonce, uint8_t *ret)
{
	static const uint8_t mark = 0x00;
	const struct pm_view parts[] = {pm_view(&mark, 1), pm_view(nonce, SIZE)};

	return pm_hash_parts(PM_SHA256, parts, PM_ARRAY_LEN(parts), ret);
}

static int hash_node(const uint8_t *left, const uint8_t *right, uint8_t *ret)
{
	static const uint8_t mark = 0x01;
	const struct pm_view parts[] = {
		pm_view(&mark, 1), pm_view(left, SIZE), pm_view(right, SIZE)};

	return pm_hash_parts(PM_SHA256, parts, PM_ARRAY_LEN(parts), ret);
}

static const uint8_t *node(const struct level *l, size_t index)
{
	return index < l->count ? l->nodes[index] : l->missing;
}

static int make_level(struct level *l, size_t count)
{
	l->nodes = pm_alloc(count * SIZE);
	l->count = count;
	return l->nodes ? PM_OK : PM_E_NOMEM;
}

static int make_leaves(struct pm_nonce_tree *tree)
{
	struct level *l = &tree->levels[0];
	int r = make_level(l, tree->count);

	for (size_t i = 0; r == PM_OK && i < tree->count; i++)
		r = hash_leaf(tree->nonces[i], l->nodes[i]);
	return r;
}

static int make_next(const struct level *below, struct level *l)
{
	int r = make_level(l, (below->count + 1) / 2);

	for (size_t i = 0; r == PM_OK && i < l->count; i++)
		r = hash_node(node(below, 2 * i), node(below, 2 * i + 1), l->nodes[i]);
	return r == PM_OK ? hash_node(below->missing, below->missing, l->missing) : r;
}

static int make_tree(struct pm_nonce_tree *tree)
{
	int r = make_leaves(tree);

	while (r == PM_OK && tree->levels[tree->depth].count > 1) {
		r = make_next(&tree->levels[tree->depth], &tree->levels[tree->depth + 1]);
		tree->depth++;
	}
	return r;
}

int pm_nonce_tree_new(const uint8_t *nonces, size_t count, struct pm_nonce_tree **ret_tree)
{
	pm_cleanup(pm_nonce_tree) struct pm_nonce_tree *tree = NULL;
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	if (!count)
		return PM_E_ARG;
	if (count > PM_NONCE_TREE_LEAVES_MAX)
		return PM_E_LIMIT;
	tree = pm_alloc(sizeof(*tree));
	if (!tree)
		return PM_E_NOMEM;
	tree->count = count;
	tree->nonces = (uint8_t(*)[SIZE])pm_dup(pm_view(nonces, count * SIZE));
	if (!tree->nonces)
		return PM_E_NOMEM;
	r = make_tree(tree);
	if (r == PM_OK)
		*ret_tree = pm_steal(tree);
	return r;
}

void pm_nonce_tree_free(struct pm_nonce_tree *tree)
{
	if (!tree)
		return;
	for (size_t i = 0; i <= PM_NONCE_TREE_DEPTH_MAX; i++)
		free(tree->levels[i].nodes);
	free(tree->nonces);
	free(tree);
}

const uint8_t *pm_nonce_tree_root(const struct pm_nonce_tree *tree)
{
	return tree->levels[tree->depth].nodes[0];
}

int pm_nonce_tree_path(
	const struct pm_nonce_tree *tree, size_t index, struct pm_bundle_nonce *ret_nonce)
{
	struct pm_bundle_nonce n = {.in_tree = true, .depth = tree->depth};

	if (index >= tree->count)
		return PM_E_ARG;
	n.index = (uint32_t)index;
	pm_copy(n.nonce, tree->nonces[index], SIZE);
	for (uint32_t i = 0; i < tree->depth; i++)
		pm_copy(n.path[i], node(&tree->levels[i], (index >> i) ^ 1), SIZE);
	*ret_nonce = n;
	return PM_OK;
}

static int fold(const struct pm_bundle_nonce *n, uint8_t *digest)
{
	int r = hash_leaf(n->nonce, digest);

	for (uint32_t i = 0; r == PM_OK && i < n->depth; i++)
		r = n->index >> i & 1 ? hash_node(n->path[i], digest, digest)
				      : hash_node(digest, n->path[i], digest);
	return r;
}

int pm_bundle_challenge(const struct pm_bundle_nonce *nonce, uint8_t *ret_challenge)
{
	uint8_t root[SIZE];
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	if (!nonce->in_tree) {
		pm_copy(ret_challenge, nonce->nonce, SIZE);
		return PM_OK;
	}
	if (nonce->depth > PM_NONCE_TREE_DEPTH_MAX || nonce->index >> nonce->depth)
		return PM_E_FORMAT;
	r = fold(nonce, root);
	if (r == PM_OK)
		pm_copy(ret_challenge, root, SIZE);
	return r;
}
