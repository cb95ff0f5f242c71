/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of one host together: as many as they seem, and wired to each other alone. */
#include <string.h>

#include <pm/gpu.h>
#include "base/hex.h"
#include "base/mem.h"
#include "base/report.h"

/* What a host in protected PCIe mode has. */
#define PPCIE_GPUS     8
#define PPCIE_SWITCHES 4

struct set {
	const struct pm_gpu_facts *gpus[PM_GPU_SET_MAX];
	const struct pm_gpu_facts *switches[PM_GPU_SET_MAX];
	size_t gpu_count, switch_count;
	bool protected_pcie; /* a GPU is in that mode */
	struct pm_report *report;
};

static void sort(struct set *s, const struct pm_gpu_facts *const *facts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (facts[i]->arch == PM_GPU_LS10)
			s->switches[s->switch_count++] = facts[i];
		else
			s->gpus[s->gpu_count++] = facts[i];
		s->protected_pcie |= facts[i]->mode == PM_GPU_MODE_PPCIE;
	}
}

static bool is_same(const struct pm_gpu_facts *a, const struct pm_gpu_facts *b)
{
	return !strcmp(a->ueid, b->ueid) || pm_ct_equal(a->device_key_sha256, b->device_key_sha256,
						    sizeof(a->device_key_sha256));
}

/* One good device's evidence must not stand for several. */
static int check_distinct(
	const struct pm_gpu_facts *const *facts, size_t count, struct pm_report *report)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < i; k++) {
			if (is_same(facts[i], facts[k]))
				return pm_fail(report, PM_E_REJECTED, "distinct devices",
					"each once", "number %zu and %zu are one, %s", k, i,
					facts[i]->ueid);
		}
	}
	pm_pass(report, "distinct devices", "%zu", count);
	return PM_OK;
}

static int check_count(const struct set *s, size_t min_gpus)
{
	if (s->gpu_count < min_gpus)
		return pm_fail(s->report, PM_E_REJECTED, "number of GPUs", "as many as demanded",
			"%zu of %zu", s->gpu_count, min_gpus);
	pm_pass(s->report, "number of GPUs", "%zu", s->gpu_count);
	return PM_OK;
}

/* A GPU has the bytes of a PDI in the other order than a switch. */
static bool is_pdi_reversed(const uint8_t *le, const uint8_t *be)
{
	uint8_t reversed[PM_GPU_PDI_SIZE];

	for (size_t i = 0; i < sizeof(reversed); i++)
		reversed[i] = le[sizeof(reversed) - 1 - i];
	return pm_view_equal(pm_view(reversed, sizeof(reversed)), pm_view(be, sizeof(reversed)));
}

static bool is_pdi(const uint8_t *a, const uint8_t *b)
{
	return pm_view_equal(pm_view(a, PM_GPU_PDI_SIZE), pm_view(b, PM_GPU_PDI_SIZE));
}

/* The number of the switch that the link leads to, or the number of switches. */
static size_t switch_behind(const struct set *s, const uint8_t *pdi)
{
	size_t i = 0;

	while (i < s->switch_count && !is_pdi_reversed(pdi, s->switches[i]->fields.device_pdi))
		i++;
	return i;
}

/* Each link leads to a switch of the set, and each switch has a link. */
static int check_gpu(const struct set *s, const struct pm_gpu_facts *gpu)
{
	unsigned int reached = 0;

	if (!gpu->has_pdi || !gpu->fields.has_switch_pdis)
		return pm_fail(s->report, PM_E_REJECTED, "topology", "switches named by each GPU",
			"none by %s", gpu->ueid);
	for (size_t i = 0; i < PM_GPU_LINKS; i++) {
		size_t at = switch_behind(s, gpu->fields.switch_pdis[i]);

		if (at == s->switch_count)
			return pm_fail(s->report, PM_E_REJECTED, "topology",
				"links to these switches alone", "GPU %s, link %zu to %s",
				gpu->ueid, i,
				pm_hex(gpu->fields.switch_pdis[i], PM_GPU_PDI_SIZE).s);
		reached |= 1u << at;
	}
	if (reached != (1u << s->switch_count) - 1)
		return pm_fail(s->report, PM_E_REJECTED, "topology", "a link to each switch",
			"GPU %s without one", gpu->ueid);
	return PM_OK;
}

static size_t gpu_at(const struct set *s, const uint8_t *pdi)
{
	size_t i = 0;

	while (i < s->gpu_count && !is_pdi(pdi, s->gpus[i]->pdi))
		i++;
	return i;
}

/* The switch names each GPU of the set, and no other. */
static int check_switch(const struct set *s, const struct pm_gpu_facts *sw)
{
	unsigned int reached = 0;

	if (!sw->fields.has_device_pdi || !sw->fields.has_gpu_pdis)
		return pm_fail(s->report, PM_E_REJECTED, "topology", "GPUs named by each switch",
			"none by %s", sw->ueid);
	for (size_t i = 0; i < PM_GPU_SWITCH_GPUS; i++) {
		size_t at = gpu_at(s, sw->fields.gpu_pdis[i]);

		if (at == s->gpu_count)
			return pm_fail(s->report, PM_E_REJECTED, "topology",
				"switches with these GPUs alone", "switch %s, GPU %s", sw->ueid,
				pm_hex(sw->fields.gpu_pdis[i], PM_GPU_PDI_SIZE).s);
		reached |= 1u << at;
	}
	if (reached != (1u << s->gpu_count) - 1)
		return pm_fail(s->report, PM_E_REJECTED, "topology", "each GPU at each switch",
			"switch %s without one", sw->ueid);
	return PM_OK;
}

static int check_topology(const struct set *s)
{
	int r = PM_OK;

	if (s->gpu_count != PPCIE_GPUS || s->switch_count != PPCIE_SWITCHES)
		return pm_fail(s->report, PM_E_REJECTED, "topology", "8 GPUs and 4 switches",
			"%zu and %zu", s->gpu_count, s->switch_count);
	for (size_t i = 0; r == PM_OK && i < s->gpu_count; i++)
		r = check_gpu(s, s->gpus[i]);
	for (size_t i = 0; r == PM_OK && i < s->switch_count; i++)
		r = check_switch(s, s->switches[i]);
	if (r == PM_OK)
		pm_pass(s->report, "topology", "8 GPUs and 4 switches, linked to each other alone");
	return r;
}

int pm_gpu_verify_set(const struct pm_gpu_facts *const *facts, size_t count, size_t min_gpus,
	unsigned int flags, struct pm_report *report)
{
	struct set s = {.report = report};
	int r;

	if (flags & ~(unsigned int)PM_GPU_SET_ANY_TOPOLOGY)
		return PM_E_ARG;
	if (count > PM_GPU_SET_MAX)
		return pm_fail(report, PM_E_LIMIT, "devices", "at most 64", "%zu", count);
	sort(&s, facts, count);
	r = check_distinct(facts, count, report);
	if (r < 0)
		return r;
	r = check_count(&s, min_gpus);
	if (r < 0)
		return r;
	if (!s.protected_pcie && !s.switch_count)
		return PM_OK;
	if (flags & PM_GPU_SET_ANY_TOPOLOGY) {
		pm_skip(report, "topology", "%zu GPUs, %zu switches", s.gpu_count, s.switch_count);
		return PM_OK;
	}
	return check_topology(&s);
}
