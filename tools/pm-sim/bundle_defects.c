/* SPDX-License-Identifier: Apache-2.0 */
/* What can be wrong with a bundle, one deviation each; all are to be refused. */
#include "pm-sim/sim_bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what the worker says --------------------------------------------------------------------- */

static int other_role(struct sim_bundle *b)
{
	strcpy(b->claims.role, "no-such-role");
	return TOOL_OK;
}

static int needs_model(const struct sim_bundle *b)
{
	return b->claims.model_count ? TOOL_OK : sim_fail("this defect needs --model");
}

static int other_root_hash(struct sim_bundle *b)
{
	b->claims.models[0].root_hash[0] ^= 1;
	return needs_model(b);
}

static int other_model(struct sim_bundle *b)
{
	strcpy(b->claims.models[0].name, "!no-such-model");
	return needs_model(b);
}

static int future_claims(struct sim_bundle *b)
{
	b->claims.issued_at += 3600;
	return TOOL_OK;
}

static int old_claims(struct sim_bundle *b)
{
	b->claims.issued_at -= 400 * SIM_DAY;
	b->claims.gpu_time -= b->claims.gpu_time ? 400 * SIM_DAY : 0;
	return TOOL_OK;
}

static int extra_claim(struct sim_bundle *b)
{
	b->extra_claim = true;
	return TOOL_OK;
}

static int other_label(struct sim_bundle *b)
{
	b->other_label = true;
	return TOOL_OK;
}

static int needs_gpus(const struct sim_bundle *b, size_t count)
{
	if (b->device_count < count)
		return sim_fail("this defect needs %zu GPUs at least; see: pm-sim gpu init", count);
	return TOOL_OK;
}

static int gpu_old(struct sim_bundle *b)
{
	b->claims.gpu_time -= 30 * SIM_DAY;
	return needs_gpus(b, 1);
}

static int gpu_after_claims(struct sim_bundle *b)
{
	b->claims.gpu_time++;
	return needs_gpus(b, 1);
}

static int gpu_other_epoch(struct sim_bundle *b)
{
	b->asked_epoch[0] ^= 1;
	return needs_gpus(b, 1);
}

/* --- GPU entries that the claims then name ---------------------------------------------------- */

static int gpu_twice(struct sim_bundle *b)
{
	if (b->content.gpu_count == PM_BUNDLE_GPUS_MAX)
		return sim_fail("too many GPUs");
	b->entries[b->content.gpu_count++] = b->entries[0];
	return needs_gpus(b, 1);
}

static int gpu_in_place_of_another(struct sim_bundle *b)
{
	b->entries[1] = b->entries[0];
	return needs_gpus(b, 2);
}

static int gpu_fewer(struct sim_bundle *b)
{
	int r = needs_gpus(b, 2);

	b->content.gpu_count -= r == TOOL_OK;
	return r;
}

static int gpu_other_arch(struct sim_bundle *b)
{
	b->entries[0].arch = b->entries[0].arch % 3 + 1;
	return needs_gpus(b, 1);
}

/* --- behind the processor's back -------------------------------------------------------------- */

static int other_nonce(struct sim_bundle *b)
{
	b->content.nonce.nonce[0] ^= 1;
	return TOOL_OK;
}

/* Replaces the claims by those of a worker with another key. */
static int other_key(struct sim_bundle *b)
{
	b->claims.key[b->claims.key_len - 1] ^= 1;
	return sim_bundle_encode_claims(b);
}

static int other_tls(struct sim_bundle *b)
{
	b->claims.has_tls = true;
	b->claims.tls_spki_sha256[0] ^= 1;
	return sim_bundle_encode_claims(b);
}

static int younger_claims(struct sim_bundle *b)
{
	b->claims.issued_at++;
	return sim_bundle_encode_claims(b);
}

static int gpu_left_out(struct sim_bundle *b)
{
	int r = needs_gpus(b, 1);

	b->content.gpu_count -= r == TOOL_OK;
	return r;
}

static int gpu_swapped(struct sim_bundle *b)
{
	struct pm_bundle_gpu first = b->entries[0];

	b->entries[0] = b->entries[1];
	b->entries[1] = first;
	return needs_gpus(b, 2);
}

static int gpu_repeated(struct sim_bundle *b)
{
	b->entries[1] = b->entries[0];
	return needs_gpus(b, 2);
}

static int no_certs(struct sim_bundle *b)
{
	b->content.cert_count = 0;
	return TOOL_OK;
}

static int no_crl(struct sim_bundle *b)
{
	b->content.crl_count = 0;
	return TOOL_OK;
}

static int no_rims(struct sim_bundle *b)
{
	b->content.rim_count = 0;
	return needs_gpus(b, 1);
}

static int no_ocsp(struct sim_bundle *b)
{
	b->content.ocsp_count = 0;
	return needs_gpus(b, 1);
}

static const uint8_t nonsense[] = "<nonsense/>";

/* What nobody needs must be good too. */
static int more_rims(struct sim_bundle *b)
{
	b->rim_list[b->content.rim_count++] = (struct pm_bytes){nonsense, sizeof(nonsense) - 1};
	return needs_gpus(b, 1);
}

static int more_ocsp(struct sim_bundle *b)
{
	if (b->content.ocsp_count == PM_BUNDLE_OCSP_MAX)
		return sim_fail("no room for another OCSP response");
	b->ocsp_list[b->content.ocsp_count++] = (struct pm_bytes){nonsense, sizeof(nonsense) - 1};
	return needs_gpus(b, 1);
}

static int needs_tree(const struct sim_bundle *b)
{
	return b->content.nonce.depth ? TOOL_OK : sim_fail("this defect needs --tree 2 or more");
}

static int tree_path(struct sim_bundle *b)
{
	b->content.nonce.path[0][0] ^= 1;
	return needs_tree(b);
}

static int tree_index(struct sim_bundle *b)
{
	b->content.nonce.index ^= 1;
	return needs_tree(b);
}

static int tree_cut(struct sim_bundle *b)
{
	int r = needs_tree(b);

	b->content.nonce.depth -= r == TOOL_OK;
	b->content.nonce.index &= (1u << b->content.nonce.depth) - 1;
	return r;
}

static int tree_left(struct sim_bundle *b)
{
	b->content.nonce.in_tree = false;
	return needs_tree(b);
}

/* --- bytes ------------------------------------------------------------------------------------ */

/* The bytes anew, with some put in place of the first ones. */
static int replace_head(struct sim_bundle *b, size_t drop, const void *head, size_t len)
{
	sim_cleanup_buf struct sim_bytes old = b->bytes;

	b->bytes = (struct sim_bytes){malloc(old.len + len), old.len - drop + len};
	if (!b->bytes.ptr)
		return sim_fail("out of memory");
	memcpy(b->bytes.ptr, head, len);
	memcpy(b->bytes.ptr + len, old.ptr + drop, old.len - drop);
	return TOOL_OK;
}

/* replace_head() leaves room for a byte. */
static int trailing(struct sim_bundle *b)
{
	int r = replace_head(b, 1, "\xa6", 1);

	if (r == TOOL_OK)
		b->bytes.ptr[b->bytes.len++] = 0;
	return r;
}

static int long_form(struct sim_bundle *b)
{
	return replace_head(b, 3, "\xa6\x01\x18\x01", 4);
}

static int version_2(struct sim_bundle *b)
{
	return replace_head(b, 3, "\xa6\x01\x02", 3);
}

static int tagged(struct sim_bundle *b)
{
	return replace_head(b, 1, "\xd9\xd9\xf7\xa6", 4);
}

static int key_twice(struct sim_bundle *b)
{
	return replace_head(b, 3, "\xa7\x01\x01\x01\x01", 5);
}

static int cut(struct sim_bundle *b)
{
	b->bytes.len--;
	return TOOL_OK;
}

/* --- the list --------------------------------------------------------------------------------- */

static const struct sim_bundle_defect defects[] = {
	{"other-role", "claims a role that the manifest does not have", SIM_BUNDLE_CLAIMS,
		other_role},
	{"other-root-hash", "mounted another disk", SIM_BUNDLE_CLAIMS, other_root_hash},
	{"other-model", "serves a model that the manifest does not have", SIM_BUNDLE_CLAIMS,
		other_model},
	{"future-claims", "claims from the future", SIM_BUNDLE_CLAIMS, future_claims},
	{"old-claims", "claims of last year", SIM_BUNDLE_CLAIMS, old_claims},
	{"extra-claim", "a claim that the format does not have", SIM_BUNDLE_CLAIMS, extra_claim},
	{"other-label", "REPORT_DATA of another protocol", SIM_BUNDLE_CLAIMS, other_label},
	{"gpu-old", "GPU evidence of last month", SIM_BUNDLE_CLAIMS, gpu_old},
	{"gpu-after-claims", "GPU evidence younger than the claims that name it", SIM_BUNDLE_CLAIMS,
		gpu_after_claims},
	{"gpu-other-epoch", "GPU evidence for another nonce", SIM_BUNDLE_CLAIMS, gpu_other_epoch},
	{"gpu-twice", "a GPU more, which is the first again; the claims name it",
		SIM_BUNDLE_ENTRIES, gpu_twice},
	{"gpu-in-place", "the first GPU in place of the second; the claims name it",
		SIM_BUNDLE_ENTRIES, gpu_in_place_of_another},
	{"gpu-fewer", "the last GPU is missing, in the claims too", SIM_BUNDLE_ENTRIES, gpu_fewer},
	{"gpu-other-arch", "an entry names another architecture", SIM_BUNDLE_ENTRIES,
		gpu_other_arch},
	{"other-nonce", "the bundle names another nonce", SIM_BUNDLE_CONTENT, other_nonce},
	{"other-key", "another key, put in later", SIM_BUNDLE_CONTENT, other_key},
	{"other-tls", "another TLS key, put in later", SIM_BUNDLE_CONTENT, other_tls},
	{"younger-claims", "a later time, put in later", SIM_BUNDLE_CONTENT, younger_claims},
	{"gpu-left-out", "the last GPU that the claims name is missing", SIM_BUNDLE_CONTENT,
		gpu_left_out},
	{"gpu-swapped", "the first two GPUs in the other order", SIM_BUNDLE_CONTENT, gpu_swapped},
	{"gpu-repeated", "the first GPU in place of the second", SIM_BUNDLE_CONTENT, gpu_repeated},
	{"no-certs", "no certificates of the processor", SIM_BUNDLE_CONTENT, no_certs},
	{"no-crl", "no revocation list", SIM_BUNDLE_CONTENT, no_crl},
	{"no-rims", "no golden measurements", SIM_BUNDLE_CONTENT, no_rims},
	{"no-ocsp", "no OCSP responses", SIM_BUNDLE_CONTENT, no_ocsp},
	{"more-rims", "nonsense behind the golden measurements", SIM_BUNDLE_CONTENT, more_rims},
	{"more-ocsp", "nonsense behind the OCSP responses", SIM_BUNDLE_CONTENT, more_ocsp},
	{"tree-path", "another digest in the nonce's path", SIM_BUNDLE_CONTENT, tree_path},
	{"tree-index", "another leaf of the nonce tree", SIM_BUNDLE_CONTENT, tree_index},
	{"tree-cut", "the nonce's path is one digest short", SIM_BUNDLE_CONTENT, tree_cut},
	{"tree-left", "the path is left out", SIM_BUNDLE_CONTENT, tree_left},
	{"long-form", "a number in two bytes that needs one", SIM_BUNDLE_BYTES, long_form},
	{"version-2", "a version from the future", SIM_BUNDLE_BYTES, version_2},
	{"tagged", "a tag in front", SIM_BUNDLE_BYTES, tagged},
	{"key-twice", "a key twice", SIM_BUNDLE_BYTES, key_twice},
	{"trailing", "a byte behind the end", SIM_BUNDLE_BYTES, trailing},
	{"cut", "one byte short", SIM_BUNDLE_BYTES, cut},
};

#define DEFECTS (sizeof(defects) / sizeof(defects[0]))

const struct sim_bundle_defect *sim_bundle_defect_find(const char *name)
{
	for (size_t i = 0; i < DEFECTS; i++)
		if (strcmp(defects[i].name, name) == 0)
			return &defects[i];
	return NULL;
}

void sim_bundle_defect_list(void)
{
	for (size_t i = 0; i < DEFECTS; i++)
		printf("%-18s %s\n", defects[i].name, defects[i].text);
}

int sim_bundle_apply(struct sim_bundle *b, enum sim_bundle_stage stage)
{
	int r = TOOL_OK;

	for (size_t i = 0; r == TOOL_OK && i < b->wish->defect_count; i++)
		if (b->wish->defects[i]->stage == stage)
			r = b->wish->defects[i]->apply(b);
	return r;
}
