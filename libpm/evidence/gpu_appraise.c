/* SPDX-License-Identifier: Apache-2.0 */
/* Facts in, verdict out. Every demand is looked at, so that a refusal tells all reasons. */
#include "evidence/gpu_appraise.h"

#include <string.h>

#include "base/report.h"

struct appraisal {
	const struct pm_gpu_facts *facts;
	const struct pm_gpu_policy *policy;
	struct pm_report *report;
};

static int appraise_nonce(const struct appraisal *a)
{
	const uint8_t *found = a->facts->fields.nonce;

	if (a->policy->has_nonce)
		return pm_check_bytes(
			a->report, "nonce", a->policy->nonce, found, PM_GPU_NONCE_SIZE);
	pm_skip(a->report, "nonce", "any");
	return PM_OK;
}

static int appraise_arch(const struct appraisal *a)
{
	const char *found = pm_gpu_arch_text((int)a->facts->arch);

	if (!a->policy->archs) {
		pm_skip(a->report, "kind of device", "%s, %s", found, a->facts->chip);
		return PM_OK;
	}
	if (!(a->policy->archs & 1u << a->facts->arch))
		return pm_fail(a->report, PM_E_REJECTED, "kind of device", "one that is allowed",
			"%s", found);
	pm_pass(a->report, "kind of device", "%s, %s", found, a->facts->chip);
	return PM_OK;
}

static const char *mode_text(int mode)
{
	static const char *const names[] = {
		"not told", "single GPU passthrough", "multiple GPUs", "protected PCIe"};

	return names[mode];
}

static int appraise_mode(const struct appraisal *a)
{
	const char *found = mode_text(a->facts->mode);

	if (a->facts->arch == PM_GPU_LS10)
		return PM_OK;
	if (!a->policy->modes) {
		pm_skip(a->report, "mode", "%s", found);
		return PM_OK;
	}
	if (!(a->policy->modes & 1u << a->facts->mode))
		return pm_fail(
			a->report, PM_E_REJECTED, "mode", "one that is allowed", "%s", found);
	pm_pass(a->report, "mode", "%s", found);
	return PM_OK;
}

static bool has_parts(const struct pm_gpu_version *v)
{
	return !pm_is_zero(v->parts, sizeof(v->parts));
}

/* What is demanded of a version, and what was found. */
struct demand {
	const char *name, *min_name;
	const struct pm_list *list;
	const struct pm_gpu_version *min;
	const char *found;
	int base;
};

static int appraise_list(const struct appraisal *a, const struct demand *d)
{
	char padded[PM_GPU_VERSION_SIZE] = {0};

	pm_copy(padded, d->found, strlen(d->found));
	if (!d->list->count) {
		pm_skip(a->report, d->name, "%s", d->found);
		return PM_OK;
	}
	if (!pm_list_has(d->list, (const uint8_t *)padded))
		return pm_fail(
			a->report, PM_E_REJECTED, d->name, "one that is allowed", "%s", d->found);
	pm_pass(a->report, d->name, "%s", d->found);
	return PM_OK;
}

static int appraise_min(const struct appraisal *a, const struct demand *d)
{
	struct pm_gpu_version v;

	if (!has_parts(d->min))
		return PM_OK;
	if (pm_gpu_version_parse(pm_view(d->found, strlen(d->found)), d->base, &v) < 0 ||
		pm_gpu_version_compare(&v, d->min) < 0)
		return pm_fail(a->report, PM_E_REJECTED, d->min_name, d->min->text, "%s", d->found);
	pm_pass(a->report, d->min_name, "%s", d->found);
	return PM_OK;
}

static int first_failure(int a, int b)
{
	return a < 0 ? a : b;
}

static int appraise_driver(const struct appraisal *a)
{
	const struct demand d = {"driver", "least driver", &a->policy->drivers,
		&a->policy->min_driver[PM_GPU_ARCH_INDEX(a->facts->arch)], a->facts->fields.driver,
		10};

	if (a->facts->arch == PM_GPU_LS10)
		return PM_OK;
	return first_failure(appraise_list(a, &d), appraise_min(a, &d));
}

static int appraise_vbios(const struct appraisal *a)
{
	const struct demand d = {"VBIOS", "least VBIOS", &a->policy->vbioses,
		&a->policy->min_vbios[PM_GPU_ARCH_INDEX(a->facts->arch)], a->facts->fields.vbios,
		16};

	return first_failure(appraise_list(a, &d), appraise_min(a, &d));
}

static int appraise_unknown_opaque(const struct appraisal *a)
{
	const struct pm_gpu_fields *f = &a->facts->fields;

	if (!f->unknown_opaque)
		return PM_OK;
	if (!(a->policy->permissions & PM_GPU_PERMIT_UNKNOWN_OPAQUE))
		return pm_fail(a->report, PM_E_REJECTED, "opaque fields", "known types", "type %u",
			f->first_unknown_opaque);
	pm_skip(a->report, "opaque fields", "%zu of unknown types, the first is %u",
		f->unknown_opaque, f->first_unknown_opaque);
	return PM_OK;
}

static int appraise_switch_lock(const struct appraisal *a)
{
	int lock = a->facts->fields.switch_lock;

	if (a->facts->arch != PM_GPU_LS10)
		return PM_OK;
	if (!(a->policy->requirements & PM_GPU_REQUIRE_SWITCH_LOCK)) {
		pm_skip(a->report, "switch lock", "%s", lock == 1 ? "locked" : "not locked");
		return PM_OK;
	}
	if (lock != 1)
		return pm_fail(a->report, PM_E_REJECTED, "switch lock", "locked", "%s",
			lock < 0 ? "not told" : "not locked");
	pm_pass(a->report, "switch lock", "locked");
	return PM_OK;
}

int pm_gpu_appraise(const struct pm_gpu_facts *facts, const struct pm_gpu_policy *policy,
	struct pm_report *report)
{
	static int (*const steps[])(const struct appraisal *a) = {appraise_nonce, appraise_arch,
		appraise_mode, appraise_driver, appraise_vbios, appraise_unknown_opaque,
		appraise_switch_lock};
	const struct appraisal a = {facts, policy, report};
	int result = PM_OK;

	for (size_t i = 0; i < PM_ARRAY_LEN(steps); i++)
		result = first_failure(result, steps[i](&a));
	return result;
}
