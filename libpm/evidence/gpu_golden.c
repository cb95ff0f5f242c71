/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/gpu_golden.h"

#include <stdio.h>
#include <strings.h>

#include "base/hex.h"
#include "base/report.h"
#include "base/time.h"

/* The one index that may differ: the video decoder 0 is measured only when it is on. */
#define NVDEC0_INDEX 35

/* A GPU needs two manifests, a switch one. */
#define NEEDED_MAX 2

/* A kind of manifest that the device needs: what it must be for, and the one that was found. */
struct needed {
	enum pm_rim_kind kind;
	const char *name; /* of the check */
	const char *version;
	const struct pm_rim *rim;
};

struct comparing {
	const struct pm_gpu_fields *f;
	const char *product;
	const struct pm_gpu_rims *rims;
	const struct pm_gpu_policy *policy;
	int64_t now; /* for manifests */
	struct pm_report *report;
	struct pm_gpu_compared *c;
	struct needed needed[NEEDED_MAX];
	size_t needed_count;
};

static void set_needed(struct comparing *k, enum pm_gpu_arch arch)
{
	if (arch == PM_GPU_LS10) {
		k->needed[0] = (struct needed){
			PM_RIM_SWITCH, "golden measurements, switch", k->f->vbios, NULL};
		k->needed_count = 1;
		return;
	}
	k->needed[0] =
		(struct needed){PM_RIM_DRIVER, "golden measurements, driver", k->f->driver, NULL};
	k->needed[1] =
		(struct needed){PM_RIM_VBIOS, "golden measurements, VBIOS", k->f->vbios, NULL};
	k->needed_count = 2;
}

/* NVIDIA's own verifiers disregard case here. */
static bool fits(const struct comparing *k, const struct needed *n, const struct pm_rim *rim)
{
	return pm_rim_kind(rim) == n->kind && !strcasecmp(pm_rim_product(rim), k->product) &&
	       !strcasecmp(pm_rim_version(rim), n->version);
}

/* Something of that kind that does not fit, for the reason of a refusal. */
static const struct pm_rim *another(const struct comparing *k, const struct needed *n)
{
	const struct pm_rim *found = NULL;

	for (size_t i = 0; i < k->rims->count; i++) {
		if (pm_rim_kind(k->rims->list[i]) == n->kind)
			found = k->rims->list[i];
	}
	return found;
}

/* None fits: which one is it then? */
static int lack(const struct comparing *k, const struct needed *n)
{
	const struct pm_rim *rim = another(k, n);
	char expected[2 * PM_GPU_TEXT_SIZE], found[128] = "none";

	snprintf(expected, sizeof(expected), "%s %s", k->product, n->version);
	if (rim)
		snprintf(found, sizeof(found), "only %s %s", pm_rim_product(rim),
			pm_rim_version(rim));
	if (k->policy->waivers & PM_GPU_WAIVE_RIM) {
		pm_skip(k->report, n->name, "%s", found);
		return PM_OK;
	}
	return pm_fail(
		k->report, rim ? PM_E_REJECTED : PM_E_MISSING, n->name, expected, "%s", found);
}

/* Another policy, or an earlier time, may have verified it: ours is asked too. */
static int check_rim(const struct comparing *k, const struct needed *n, const struct pm_rim *rim,
	struct pm_report *report, bool *ret_test_root)
{
	int64_t until = pm_rim_valid_until(rim);
	const uint8_t *root = pm_rim_root_sha256(rim);

	if (!pm_gpu_policy_root(k->policy, PM_GPU_ROOT_RIM, root, ret_test_root))
		return pm_fail(report, PM_E_REJECTED, n->name, "NVIDIA CoRIM signing Root CA",
			"root with SHA-256 %s, not trusted", pm_hex(root, 32).s);
	if (k->now > until)
		return pm_fail(report, PM_E_STALE, n->name, pm_time(k->now).s, "valid until %s",
			pm_time(until).s);
	if (!pm_rim_ocsp_checked(rim) && !(k->policy->waivers & PM_GPU_WAIVE_OCSP))
		return pm_fail(report, PM_E_MISSING, n->name, "revocation checked",
			"a manifest whose certificates were not");
	return PM_OK;
}

static int accept(struct comparing *k, const struct needed *n)
{
	int64_t until = pm_rim_valid_until(n->rim);
	bool test_root;
	int r = check_rim(k, n, n->rim, k->report, &test_root);

	if (r < 0)
		return r;
	k->c->test_root |= test_root;
	k->c->ocsp_checked &= pm_rim_ocsp_checked(n->rim);
	if (until < k->c->until)
		k->c->until = until;
	return PM_OK;
}

/* Which of the values is it? -1: none. */
static int find_value(const struct pm_rim_value *v, const uint8_t *measured)
{
	int found = -1;

	for (unsigned int i = 0; i < v->alternatives; i++) {
		if (pm_ct_equal(v->digests[i], measured, PM_GPU_DIGEST_SIZE))
			found = (int)i;
	}
	return found;
}

static bool has_digests(const struct pm_rim_value *a, const struct pm_rim_value *b)
{
	for (unsigned int i = 0; i < a->alternatives; i++) {
		if (find_value(b, a->digests[i]) < 0)
			return false;
	}
	return true;
}

static bool is_same_value(const struct pm_rim_value *a, const struct pm_rim_value *b)
{
	return a->active == b->active && has_digests(a, b) && has_digests(b, a);
}

/* The first index of a that b says something else of, or nothing; -1: none. */
static int find_difference(const struct pm_rim *a, const struct pm_rim *b)
{
	for (size_t i = 0; i < pm_rim_value_count(a); i++) {
		const struct pm_rim_value *v = pm_rim_value_at(a, i);
		const struct pm_rim_value *w = pm_rim_value_of(b, v->index);

		if (!w || !is_same_value(v, w))
			return v->index;
	}
	return -1;
}

/* Under NVIDIA's root rather than a test's, then with revocation checked, then for longer. */
static bool is_better(const struct comparing *k, const struct needed *n, const struct pm_rim *rim)
{
	bool test, test_before;

	if (check_rim(k, n, rim, NULL, &test) < 0)
		return false;
	if (check_rim(k, n, n->rim, NULL, &test_before) < 0)
		return true;
	if (test != test_before)
		return test_before;
	if (pm_rim_ocsp_checked(rim) != pm_rim_ocsp_checked(n->rim))
		return pm_rim_ocsp_checked(rim);
	return pm_rim_valid_until(rim) > pm_rim_valid_until(n->rim);
}

/*
 * A second one that fits: NVIDIA signs manifests again when certificates end, and files are given
 * twice. Of two that state the same the better one is taken; of two that differ each could be the
 * wrong one.
 */
static int take_second(const struct comparing *k, struct needed *n, const struct pm_rim *rim)
{
	int index = find_difference(n->rim, rim);

	if (index < 0)
		index = find_difference(rim, n->rim);
	if (index >= 0)
		return pm_fail(k->report, PM_E_REJECTED, n->name,
			"one manifest, or some that state the same",
			"two for %s %s that differ, first in index %d", k->product, n->version,
			index);
	if (is_better(k, n, rim))
		n->rim = rim;
	return PM_OK;
}

static int choose(struct comparing *k, struct needed *n)
{
	for (size_t i = 0; i < k->rims->count; i++) {
		const struct pm_rim *rim = k->rims->list[i];
		int r = PM_OK;

		if (!fits(k, n, rim))
			continue;
		if (n->rim)
			r = take_second(k, n, rim);
		else
			n->rim = rim;
		if (r < 0)
			return r;
	}
	k->c->complete &= n->rim != NULL;
	return n->rim ? accept(k, n) : lack(k, n);
}

/* Whether the decoder is on must be said where it matters. */
static int differ(struct comparing *k, const struct needed *n, const struct pm_rim_value *v,
	struct pm_gpu_golden *g)
{
	if (v->index == NVDEC0_INDEX && k->f->nvdec0 == PM_GPU_OFF) {
		g->state = PM_GPU_GOLDEN_SKIPPED;
		pm_skip(k->report, "measurement 35",
			"not compared: the video decoder 0 is off (NVDEC0_STATUS)");
		return PM_OK;
	}
	g->state = PM_GPU_GOLDEN_DIFFERS;
	if (v->index >= k->f->measurement_count)
		return pm_fail(k->report, PM_E_REJECTED, n->name, "each index in the report",
			"no index %u", v->index);
	return pm_fail(k->report, PM_E_REJECTED, n->name,
		v->index == NVDEC0_INDEX && !k->f->nvdec0 ? "a golden value, or NVDEC0_STATUS"
							  : "one of the golden values",
		"index %u: %s", v->index,
		pm_hex(k->f->measurements[v->index], PM_GPU_DIGEST_SIZE).s);
}

static int compare_value(struct comparing *k, const struct needed *n, const struct pm_rim_value *v)
{
	struct pm_gpu_golden *g = &k->c->golden[v->index];
	int found = -1;

	if (g->state != PM_GPU_GOLDEN_NONE)
		return pm_fail(k->report, PM_E_REJECTED, "golden measurements",
			"each index in one manifest", "index %u in two", v->index);
	k->c->count++;
	g->kind = (int)n->kind;
	if (v->index < k->f->measurement_count)
		found = find_value(v, k->f->measurements[v->index]);
	if (found < 0)
		return differ(k, n, v, g);
	g->state = PM_GPU_GOLDEN_MATCHED;
	g->alternative = (unsigned int)found;
	k->c->matched++;
	return PM_OK;
}

/* Every value is compared, so that all that differ are told. */
static int compare(struct comparing *k, const struct needed *n)
{
	size_t before = k->c->count, matched = k->c->matched;
	int result = PM_OK;

	for (size_t i = 0; i < pm_rim_value_count(n->rim); i++) {
		const struct pm_rim_value *v = pm_rim_value_at(n->rim, i);
		int r = v->active ? compare_value(k, n, v) : PM_OK;

		result = result < 0 ? result : r;
	}
	if (k->c->count == before)
		return pm_fail(k->report, PM_E_REJECTED, n->name, "an active golden value", "none");
	if (result == PM_OK)
		pm_pass(k->report, n->name, "%s %s: %zu of %zu", pm_rim_product(n->rim),
			pm_rim_version(n->rim), k->c->matched - matched, k->c->count - before);
	return result;
}

/* What was measured and nobody vouches for. */
static int check_unmeasured(const struct comparing *k)
{
	static const char name[] = "measurements without golden";
	size_t count = 0, first = 0;

	for (size_t i = k->f->measurement_count; i-- > 0;) {
		if (k->c->golden[i].state == PM_GPU_GOLDEN_NONE &&
			!pm_is_zero(k->f->measurements[i], PM_GPU_DIGEST_SIZE)) {
			count++;
			first = i;
		}
	}
	if (!count) {
		pm_pass(k->report, name, "none");
		return PM_OK;
	}
	if (k->policy->requirements & PM_GPU_REQUIRE_ALL_GOLDEN)
		return pm_fail(k->report, PM_E_REJECTED, name, "none",
			"%zu, the first is index %zu", count, first);
	pm_skip(k->report, name, "%zu, the first is index %zu", count, first);
	return PM_OK;
}

static int compare_all(struct comparing *k)
{
	int result = PM_OK;

	for (size_t i = 0; i < k->needed_count; i++) {
		int r = choose(k, &k->needed[i]);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < k->needed_count; i++) {
		int r = k->needed[i].rim ? compare(k, &k->needed[i]) : PM_OK;

		result = result < 0 ? result : r;
	}
	if (result < 0)
		return result;
	if (!k->c->complete)
		return PM_OK;
	pm_pass(k->report, "golden measurements", "%zu of %zu", k->c->matched, k->c->count);
	return check_unmeasured(k);
}

int pm_gpu_golden_compare(const struct pm_gpu_fields *fields, enum pm_gpu_arch arch,
	const struct pm_gpu_rims *rims, const struct pm_gpu_policy *policy, int64_t now,
	struct pm_report *report, struct pm_gpu_compared *ret)
{
	struct comparing k = {
		.f = fields,
		.product = pm_gpu_rim_product(fields, arch),
		.rims = rims,
		.policy = policy,
		.now = policy->has_rim_time ? policy->rim_time : now,
		.report = report,
		.c = ret,
	};

	*ret = (struct pm_gpu_compared){.complete = true, .ocsp_checked = true, .until = INT64_MAX};
	set_needed(&k, arch);
	return compare_all(&k);
}
