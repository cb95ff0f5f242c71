/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of one host together, on facts made by hand. */
#include <stdio.h>
#include <string.h>

#include "base/report.h"
#include "testing.h"

#include <pm/gpu.h>

#define GPUS	 8
#define SWITCHES 4
#define DEVICES	 (GPUS + SWITCHES)

struct host {
	struct pm_gpu_facts facts[DEVICES];
	const struct pm_gpu_facts *list[PM_GPU_SET_MAX + 1];
	size_t count, min;
	unsigned int flags;
};

/* GPU i has the identifier "GPU....i", switch i "SWT....i"; of a link the bytes are turned. */
static void set_pdi(uint8_t *pdi, const char *kind, size_t i)
{
	memset(pdi, 0, PM_GPU_PDI_SIZE);
	memcpy(pdi, kind, 3);
	pdi[7] = (uint8_t)i;
}

static void set_link(struct pm_gpu_facts *gpu, size_t link, size_t to)
{
	uint8_t pdi[PM_GPU_PDI_SIZE];

	set_pdi(pdi, "SWT", to);
	for (size_t i = 0; i < sizeof(pdi); i++)
		gpu->fields.switch_pdis[link][i] = pdi[sizeof(pdi) - 1 - i];
}

static void make_gpu(struct pm_gpu_facts *f, size_t i)
{
	f->arch = PM_GPU_HOPPER;
	f->mode = PM_GPU_MODE_PPCIE;
	f->has_pdi = f->fields.has_switch_pdis = true;
	set_pdi(f->pdi, "GPU", i);
	for (size_t k = 0; k < PM_GPU_LINKS; k++)
		set_link(f, k, k % SWITCHES);
}

static void make_switch(struct pm_gpu_facts *f, size_t i)
{
	f->arch = PM_GPU_LS10;
	f->fields.has_device_pdi = f->fields.has_gpu_pdis = true;
	set_pdi(f->fields.device_pdi, "SWT", i);
	for (size_t k = 0; k < GPUS; k++)
		set_pdi(f->fields.gpu_pdis[k], "GPU", GPUS - 1 - k);
}

static void init(struct host *h)
{
	memset(h, 0, sizeof(*h));
	for (size_t i = 0; i < DEVICES; i++) {
		if (i < GPUS)
			make_gpu(&h->facts[i], i);
		else
			make_switch(&h->facts[i], i - GPUS);
		snprintf(h->facts[i].ueid, PM_GPU_UEID_SIZE, "%zu", i);
		h->facts[i].device_key_sha256[31] = (uint8_t)i;
		h->list[i] = &h->facts[i];
	}
	h->count = DEVICES;
	h->min = GPUS;
}

/* --- one thing changed ----------------------------------------------------------------------- */

#define CHANGE(name, statement)                                                                    \
	static void name(struct host *h)                                                           \
	{                                                                                          \
		statement;                                                                         \
	}                                                                                          \
	struct change_##name

static void single(struct host *h, size_t gpus, int mode)
{
	for (size_t i = 0; i < GPUS; i++) {
		h->facts[i].mode = mode;
		h->facts[i].fields.has_switch_pdis = false;
	}
	h->count = h->min = gpus;
}

CHANGE(nothing, (void)h);
CHANGE(one_gpu, single(h, 1, PM_GPU_MODE_SPT));
CHANGE(eight_gpus, single(h, 8, PM_GPU_MODE_MPT));
CHANGE(mode_not_told, single(h, 8, 0));
CHANGE(no_gpu, h->count = h->min = 0);
CHANGE(too_few, (single(h, 7, PM_GPU_MODE_SPT), h->min = 8));
CHANGE(switches_are_no_gpus, h->min = 9);
CHANGE(same_device, h->list[7] = h->list[0]);
CHANGE(same_serial, strcpy(h->facts[7].ueid, "0"));
CHANGE(same_key, h->facts[7].device_key_sha256[31] = 0);
CHANGE(same_switch, h->list[DEVICES - 1] = h->list[GPUS]);
CHANGE(no_switches, h->count = GPUS);
CHANGE(no_switches_permitted, (no_switches(h), h->flags = PM_GPU_SET_ANY_TOPOLOGY));
CHANGE(one_protected, (single(h, 8, 0), h->facts[5].mode = PM_GPU_MODE_PPCIE));
CHANGE(three_switches, h->count = DEVICES - 1);
CHANGE(seven_gpus, (h->list[7] = h->list[--h->count], h->min = 7));
CHANGE(a_switch_alone, (h->list[0] = h->list[GPUS], h->count = 1, h->min = 0));
CHANGE(a_switch_permitted, (a_switch_alone(h), h->flags = PM_GPU_SET_ANY_TOPOLOGY));
CHANGE(link_elsewhere, set_link(&h->facts[3], 17, 4));
CHANGE(link_to_zero, memset(h->facts[3].fields.switch_pdis[0], 0, PM_GPU_PDI_SIZE));
CHANGE(link_not_turned, memcpy(h->facts[3].fields.switch_pdis[0], h->facts[GPUS].fields.device_pdi,
				PM_GPU_PDI_SIZE));
CHANGE(no_link_to_one, {
	for (size_t k = 0; k < PM_GPU_LINKS; k++)
		set_link(&h->facts[3], k, k % (SWITCHES - 1));
});
CHANGE(no_links, h->facts[3].fields.has_switch_pdis = false);
CHANGE(no_pdi, h->facts[3].has_pdi = false);
CHANGE(gpu_elsewhere, set_pdi(h->facts[GPUS + 2].fields.gpu_pdis[5], "GPU", 8));
CHANGE(gpu_twice, set_pdi(h->facts[GPUS + 2].fields.gpu_pdis[5], "GPU", 0));
CHANGE(gpu_is_another, set_pdi(h->facts[3].pdi, "GPU", 9));
CHANGE(gpus_share_pdi, set_pdi(h->facts[3].pdi, "GPU", 4));
CHANGE(switch_no_gpus, h->facts[GPUS].fields.has_gpu_pdis = false);
CHANGE(switch_no_pdi, h->facts[GPUS].fields.has_device_pdi = false);
CHANGE(switches_share_pdi, set_pdi(h->facts[GPUS].fields.device_pdi, "SWT", 1));

/* Four GPUs and two switches that name each other and no other device. */
static void smaller_host(struct host *h)
{
	for (size_t i = 0; i < 4; i++) {
		for (size_t k = 0; k < PM_GPU_LINKS; k++)
			set_link(&h->facts[i], k, k % 2);
		h->list[i] = &h->facts[i];
	}
	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < PM_GPU_SWITCH_GPUS; k++)
			set_pdi(h->facts[GPUS + i].fields.gpu_pdis[k], "GPU", k % 4);
		h->list[4 + i] = &h->facts[GPUS + i];
	}
	h->count = 6;
	h->min = 4;
}

static const struct {
	const char *name;
	void (*change)(struct host *h);
	const char *failure; /* NULL: accepted */
} rows[] = {
	{"a host", nothing, NULL},
	{"one GPU", one_gpu, NULL},
	{"eight GPUs of their own", eight_gpus, NULL},
	{"eight GPUs, mode not told", mode_not_told, NULL},
	{"none demanded", no_gpu, NULL},
	{"too few", too_few, "number of GPUs"},
	{"switches do not count", switches_are_no_gpus, "number of GPUs"},
	{"the same device", same_device, "distinct devices"},
	{"the same serial number", same_serial, "distinct devices"},
	{"the same key", same_key, "distinct devices"},
	{"the same switch", same_switch, "distinct devices"},
	{"no switches", no_switches, "topology"},
	{"no switches, permitted", no_switches_permitted, NULL},
	{"one is protected", one_protected, "topology"},
	{"three switches", three_switches, "topology"},
	{"seven GPUs", seven_gpus, "topology"},
	{"a smaller host", smaller_host, "topology"},
	{"a switch alone", a_switch_alone, "topology"},
	{"a switch alone, permitted", a_switch_permitted, NULL},
	{"a link elsewhere", link_elsewhere, "topology"},
	{"a link to nothing", link_to_zero, "topology"},
	{"a link, not turned", link_not_turned, "topology"},
	{"no link to a switch", no_link_to_one, "topology"},
	{"no links told", no_links, "topology"},
	{"no PDI in the certificate", no_pdi, "topology"},
	{"a GPU elsewhere", gpu_elsewhere, "topology"},
	{"a GPU twice at a switch", gpu_twice, "topology"},
	{"a GPU that no switch names", gpu_is_another, "topology"},
	{"two GPUs of one PDI", gpus_share_pdi, "topology"},
	{"a switch names no GPU", switch_no_gpus, "topology"},
	{"a switch without PDI", switch_no_pdi, "topology"},
	{"two switches of one PDI", switches_share_pdi, "topology"},
};

START_TEST(each_change)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	const struct pm_check *failure;
	struct host h;
	int r;

	init(&h);
	rows[_i].change(&h);
	r = pm_gpu_verify_set(h.list, h.count, h.min, h.flags, report);
	failure = pm_report_failure(report);
	ck_assert_msg(r == (rows[_i].failure ? PM_E_REJECTED : PM_OK), "%s: %d, %s", rows[_i].name,
		r, pm_report_reason(report));
	ck_assert_msg(
		rows[_i].failure ? failure && !strcmp(failure->name, rows[_i].failure) : !failure,
		"%s: %s", rows[_i].name, pm_report_reason(report));
	ck_pm(pm_gpu_verify_set(h.list, h.count, h.min, h.flags, NULL), r);
}
END_TEST

START_TEST(sets_are_bounded)
{
	struct host h;

	init(&h);
	ck_pm(pm_gpu_verify_set(h.list, h.count, 0, 2, NULL), PM_E_ARG);
	ck_pm(pm_gpu_verify_set(h.list, PM_GPU_SET_MAX + 1, 0, 0, NULL), PM_E_LIMIT);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gpu_set");
	TCase *t = tcase_create("gpu_set");

	tcase_add_loop_test(t, each_change, 0, PM_ARRAY_LEN(rows));
	tcase_add_test(t, sets_are_bounded);
	suite_add_tcase(s, t);
	return test_main(s);
}
