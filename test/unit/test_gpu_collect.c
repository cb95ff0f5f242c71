/* SPDX-License-Identifier: Apache-2.0 */
/* What the collector makes of NVML and of CUDA's driver, well and badly behaved. */
#include <pm/gpu_collect.h>

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "evidence/gpu_nvml.h"
#include "testing.h"

#define OLD  PM_FAKE_FOLDER "/libnvidia-ml-old.so.1"
#define NEW  PM_FAKE_FOLDER "/libnvidia-ml.so.1"
#define CUDA PM_FAKE_FOLDER "/libcuda.so.1"

static const char certs[] = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";
static const uint8_t nonce[32] = {1, 2, 3, [31] = 32};
static char folder[64];
static struct pm_report *report;
static struct pm_gpu_host *host;
static uint8_t transcript[37 + 8 + 55 + 34 + 6 + 96];

/* --- what each test has ---------------------------------------------------------------------- */

static void put(const char *name, const void *bytes, size_t n)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "wb");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

static void put_text(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

static void fault(const char *name)
{
	put_text("fault", name);
}

/* A transcript with one block and one piece of opaque data, filled with sevens. */
static void make_transcript(void)
{
	static const uint8_t request[] = {0x11, 0xe0, 1, 0xff};
	static const uint8_t response[] = {0x11, 0x60, 0, 0, 1, 55, 0, 0};

	memset(transcript, 7, sizeof(transcript));
	memcpy(transcript, request, sizeof(request));
	memcpy(transcript + 37, response, sizeof(response));
	transcript[37 + 8 + 55 + 32] = 6;
	transcript[37 + 8 + 55 + 33] = 0;
}

static void add_gpu(unsigned int index)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/gpu-%u", folder, index);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "gpu-%u/certs.pem", index);
	put_text(path, certs);
	snprintf(path, sizeof(path), "gpu-%u/report", index);
	put(path, transcript, sizeof(transcript));
}

static void set_up(void)
{
	snprintf(folder, sizeof(folder), "/tmp/pm-test-gpu-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	setenv("PM_FAKE_NVML", folder, 1);
	make_transcript();
	add_gpu(0);
	add_gpu(1);
	report = pm_report_new();
	host = NULL;
}

static void remove_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		char inner[PATH_MAX];

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(inner, sizeof(inner), "%s/%s", path, e->d_name);
		if (unlink(inner))
			remove_folder(inner);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}

static void tear_down(void)
{
	pm_gpu_host_close(host);
	pm_report_free(report);
	remove_folder(folder);
}

static void open_host(void)
{
	ck_pm(pm_gpu_host_open(NEW, report, &host), PM_OK);
}

static bool reason_has(const char *text)
{
	return strstr(pm_report_reason(report), text) != NULL;
}

/* Opening under a fault fails in this way, with this in the reason. */
static void refuse(const char *name, int want, const char *reason)
{
	pm_report_reset(report);
	fault(name);
	ck_pm(pm_gpu_host_open(NEW, report, &host), want);
	ck_assert_ptr_null(host);
	ck_assert_msg(reason_has(reason), "%s: %s", name, pm_report_reason(report));
}

/* --- opening --------------------------------------------------------------------------------- */

START_TEST(gpus_are_listed)
{
	const struct pm_gpu_device *d;

	put_text("gpu-1/arch", "10");
	add_gpu(2);
	put_text("gpu-2/arch", "13");
	open_host();
	ck_assert_uint_eq(pm_gpu_host_count(host), 3);
	d = pm_gpu_host_device(host, 0);
	ck_assert_str_eq(d->uuid, "GPU-00000000-0000-4000-8000-000000000000");
	ck_assert_int_eq(d->arch, 1);
	ck_assert_uint_eq(d->nvml_arch, 9);
	ck_assert_uint_eq(d->bus_id.bus, 1);
	d = pm_gpu_host_device(host, 1);
	ck_assert_int_eq(d->arch, 2);
	ck_assert_uint_eq(d->index, 1);
	ck_assert_uint_eq(d->bus_id.bus, 2);
	ck_assert_int_eq(pm_gpu_host_device(host, 2)->arch, 0);
	ck_assert_ptr_null(pm_gpu_host_device(host, 3));
	ck_pm(pm_gpu_host_check_same(host, report), PM_OK);
}
END_TEST

START_TEST(no_driver_is_told_apart)
{
	ck_pm(pm_gpu_host_open("libpm-no-such-library.so.1", report, &host), PM_E_MISSING);
	ck_assert(reason_has("libpm-no-such-library.so.1"));
	pm_report_reset(report);
	ck_pm(pm_gpu_host_open(CUDA, report, &host), PM_E_UNSUPPORTED);
	ck_assert(reason_has("no function nvmlInit_v2"));
	refuse("init", PM_E_MISSING, "nvmlInit_v2: error 9 (fake error)");
	fault("");
	remove_folder(folder);
	ck_assert_int_eq(mkdir(folder, 0700), 0);
	open_host();
	ck_assert_uint_eq(pm_gpu_host_count(host), 0);
}
END_TEST

START_TEST(odd_lists_are_refused)
{
	refuse("count-absurd", PM_E_LIMIT, "found 4294967295, expected at most 64");
	refuse("uuid-endless", PM_E_FORMAT, "nvmlDeviceGetUUID: none");
	refuse("uuid-escape", PM_E_FORMAT, "?[2J");
	refuse("uuid-twice", PM_E_FORMAT, "GPU 0 and 1");
	refuse("place-twice", PM_E_FORMAT, "GPU 0 and 1");
	refuse("place-odd", PM_E_FORMAT, "somewhere");
	refuse("place-endless", PM_E_FORMAT, "expected a place");
}
END_TEST

START_TEST(places_have_one_form)
{
	static const char *const bad[] = {"", "0000:65:00", "0000:65:00.00", "000:65:00.0",
		"000000000:65:00.0", "0000-65:00.0", "0000:65-00.0", "0000:65:00:0", "0000:6g:00.0",
		" 000:65:00.0", "0000:65:00.0\n"};
	struct pm_gpu_bus_id id;

	for (size_t i = 0; i < PM_ARRAY_LEN(bad); i++)
		ck_assert_msg(
			pm_gpu_bus_id_parse(pm_view(bad[i], strlen(bad[i])), &id) == PM_E_FORMAT,
			"%s", bad[i]);
	ck_pm(pm_gpu_bus_id_parse(VIEW("0001aBcD:fE:1f.7"), &id), PM_OK);
	ck_assert_uint_eq(id.domain, 0x1abcd);
	ck_assert_uint_eq(id.bus, 0xfe);
	ck_assert_uint_eq(id.device, 0x1f);
	ck_assert_uint_eq(id.function, 7);
	ck_assert_str_eq(pm_gpu_bus_id(&id).s, "0001abcd:fe:1f.7");
}
END_TEST

START_TEST(gpus_stay_the_same)
{
	static const char *const faults[] = {"count-shrinks", "uuid-changes"};
	struct pm_gpu_collected *c;

	open_host();
	fault(faults[_i]);
	ck_pm(pm_gpu_host_check_same(host, report), PM_OK);
	ck_pm(pm_gpu_host_collect(host, 0, nonce, report, &c), PM_OK);
	pm_gpu_collected_free(c);
	ck_pm(pm_gpu_host_check_same(host, report), PM_E_REJECTED);
	ck_assert(reason_has(_i ? "GPU 0 is GPU-" : "1 GPUs instead of 2"));
}
END_TEST

START_TEST(another_gpu_slips_in)
{
	open_host();
	add_gpu(2);
	ck_pm(pm_gpu_host_check_same(host, report), PM_E_REJECTED);
	ck_assert(reason_has("3 GPUs instead of 2"));
}
END_TEST

START_TEST(exchanged_architecture_is_noticed)
{
	open_host();
	put_text("gpu-1/arch", "10");
	ck_pm(pm_gpu_host_check_same(host, report), PM_E_REJECTED);
}
END_TEST

/* --- state ----------------------------------------------------------------------------------- */

static const struct mode {
	const char *library, *fault;
	int state, mode;
	const char *reason;
} modes[] = {
	{NEW, "", PM_OK, PM_OK, ""},
	{OLD, "", PM_OK, PM_OK, ""},
	{NEW, "settings-unsupported", PM_OK, PM_OK, ""},
	{NEW, "ppcie", PM_OK, PM_OK, ""},
	{OLD, "ppcie", PM_OK, PM_E_REJECTED, "gpu.cc"},
	{NEW, "cc-off", PM_OK, PM_E_REJECTED, "gpu.cc: found off"},
	{OLD, "cc-off", PM_OK, PM_E_REJECTED, "gpu.cc: found off"},
	{NEW, "settings-cc-off", PM_OK, PM_E_REJECTED, "gpu.cc: found off"},
	{NEW, "devtools", PM_OK, PM_E_REJECTED, "gpu.devtools: found on"},
	{OLD, "devtools", PM_OK, PM_E_REJECTED, "gpu.devtools: found on"},
	{NEW, "settings-devtools", PM_OK, PM_E_REJECTED, "gpu.devtools: found on"},
	{OLD, "sim", PM_OK, PM_E_REJECTED, "gpu.environment: found 1"},
	{NEW, "sim", PM_OK, PM_E_REJECTED, "gpu.environment: found 1"},
	{NEW, "settings-environment", PM_OK, PM_E_REJECTED, "gpu.environment: found 1"},
	{NEW, "settings-fail", PM_E_SYS, 0, "nvmlSystemGetConfComputeSettings: error 999"},
	{NEW, "state-unsupported", PM_E_UNSUPPORTED, 0, "nvmlSystemGetConfComputeState: error 3"},
	{NEW, "driver-text", PM_E_FORMAT, 0, "nvmlSystemGetDriverVersion: none"},
};

START_TEST(modes_are_judged)
{
	const struct mode *m = &modes[_i];
	struct pm_gpu_host_state state;

	ck_pm(pm_gpu_host_open(m->library, report, &host), PM_OK);
	fault(m->fault);
	ck_pm(pm_gpu_host_state(host, report, &state), m->state);
	if (m->state == PM_OK)
		ck_pm(pm_gpu_host_check_mode(&state, report), m->mode);
	ck_assert_msg(reason_has(m->reason), "%s", pm_report_reason(report));
	if (m->state == PM_OK)
		ck_assert_str_eq(state.driver, "550.90.07");
}
END_TEST

START_TEST(ready_is_read_back)
{
	struct pm_gpu_host_state state;

	open_host();
	ck_pm(pm_gpu_host_set_ready(host, 1, report), PM_OK);
	ck_pm(pm_gpu_host_state(host, report, &state), PM_OK);
	ck_assert_int_eq(state.ready, 1);
	fault("ready-ignored");
	ck_pm(pm_gpu_host_set_ready(host, 0, report), PM_E_STATE);
	ck_assert(reason_has("gpu.ready: found 1, expected 0"));
	pm_report_reset(report);
	fault("ready-denied");
	ck_pm(pm_gpu_host_set_ready(host, 0, report), PM_E_SYS);
	ck_assert(reason_has("error 4"));
	fault("");
	ck_pm(pm_gpu_host_set_ready(host, 2, report), PM_E_ARG);
	ck_pm(pm_gpu_host_set_ready(host, 0, report), PM_OK);
	ck_pm(pm_gpu_host_state(host, report, &state), PM_OK);
	ck_assert_int_eq(state.ready, 0);
}
END_TEST

START_TEST(ready_is_cleared_without_a_host)
{
	struct pm_gpu_host_state state;

	open_host();
	ck_pm(pm_gpu_host_set_ready(host, 1, report), PM_OK);
	fault("lost-handle");
	ck_pm(pm_gpu_host_clear_ready(NEW, NULL), PM_OK);
	fault("");
	ck_pm(pm_gpu_host_state(host, report, &state), PM_OK);
	ck_assert_int_eq(state.ready, 0);
	ck_pm(pm_gpu_host_set_ready(host, 1, report), PM_OK);
	fault("ready-ignored");
	ck_pm(pm_gpu_host_clear_ready(NEW, report), PM_E_STATE);
	fault("ready-denied");
	ck_pm(pm_gpu_host_clear_ready(NEW, report), PM_E_SYS);
	fault("init");
	ck_pm(pm_gpu_host_clear_ready(NEW, report), PM_E_MISSING);
	ck_pm(pm_gpu_host_clear_ready("/nonexistent", report), PM_E_MISSING);
}
END_TEST

/* --- evidence -------------------------------------------------------------------------------- */

static const struct answer {
	const char *fault;
	int want;
	const char *reason;
} answers[] = {
	{"", PM_OK, ""},
	{"report-nul", PM_OK, ""},
	{"certs-nul", PM_OK, ""},
	{"report-huge", PM_E_LIMIT, "found 4294967295, expected at most 8192"},
	{"report-too-long", PM_E_LIMIT, "found 8193"},
	{"report-none", PM_E_FORMAT, "0 bytes of something else"},
	{"report-cut", PM_E_FORMAT, "235 bytes of something else"},
	{"report-more", PM_E_FORMAT, "expected nothing behind the signature"},
	{"report-version", PM_E_FORMAT, "of something else"},
	{"report-unsupported", PM_E_UNSUPPORTED, "AttestationReport: error 3"},
	{"wrong-nonce", PM_E_REJECTED, "gpu.collect.nonce: found 00"},
	{"lost", PM_E_SYS, "error 15 (GPU is lost)"},
	{"lost-certs", PM_E_SYS, "GpuCertificate: error 15 (GPU is lost)"},
	{"certs-huge", PM_E_LIMIT, "gpu.collect.certs: found 4294967295"},
	{"certs-none", PM_E_FORMAT, "gpu.collect.certs: found none"},
};

START_TEST(evidence_is_checked)
{
	const struct answer *a = &answers[_i];
	struct pm_gpu_collected *c = NULL;
	const uint8_t *bytes;
	size_t size;

	open_host();
	fault(a->fault);
	ck_pm(pm_gpu_host_collect(host, 1, nonce, report, &c), a->want);
	ck_assert_msg(reason_has(a->reason), "%s", pm_report_reason(report));
	if (a->want != PM_OK) {
		ck_assert_ptr_null(c);
		return;
	}
	bytes = pm_gpu_collected_report(c, &size);
	memcpy(transcript + 4, nonce, sizeof(nonce));
	ck_assert(pm_view_equal(pm_view(bytes, size), pm_view(transcript, sizeof(transcript))));
	bytes = pm_gpu_collected_certs(c, &size);
	ck_assert(pm_view_equal(pm_view(bytes, size), VIEW(certs)));
	pm_gpu_collected_free(c);
}
END_TEST

START_TEST(index_is_checked)
{
	struct pm_gpu_collected *c;

	open_host();
	ck_pm(pm_gpu_host_collect(host, 2, nonce, report, &c), PM_E_ARG);
	pm_gpu_collected_free(NULL);
	pm_gpu_host_close(NULL);
}
END_TEST

/* --- CUDA ------------------------------------------------------------------------------------ */

static const struct {
	const char *list; /* or NULL: those of NVML */
	int enumerate, check;
	const char *reason;
} lists[] = {
	{NULL, PM_OK, PM_OK, ""},
	{"00000000:02:00.0\n0000:01:00.0\n", PM_OK, PM_OK, ""},
	{"0000:01:00.0\n", PM_OK, PM_E_REJECTED, "1 GPUs instead of 2"},
	{"0000:01:00.0\n0000:01:00.0\n", PM_OK, PM_E_REJECTED, "not once: the one at 00000000:01"},
	{"0000:01:00.0\n0000:03:00.0\n", PM_OK, PM_E_REJECTED, "not once: the one at 00000000:02"},
	{"0000:01:00.0\n0000:02:00.1\n", PM_OK, PM_E_REJECTED, "not once"},
	{"0000:01:00.0\n0001:02:00.0\n", PM_OK, PM_E_REJECTED, "not once"},
	{"0000:01:00.0\n0000:02:00.0\n0000:03:00.0\n", PM_OK, PM_E_REJECTED, "3 GPUs instead"},
	{"", PM_OK, PM_E_REJECTED, "0 GPUs instead of 2"},
	{"absurd\n", PM_E_LIMIT, 0, "2147483647 of 64"},
	{"odd\n", PM_E_FORMAT, 0, "found odd"},
	{"0000:01:00.0000000000000000000000000000000\n", PM_E_FORMAT, 0, "gpu.cuda"},
	{"fail\n", PM_E_SYS, 0, "cuInit: error 999"},
};

START_TEST(cuda_sees_the_same)
{
	struct pm_gpu_bus_id ids[PM_GPU_HOST_DEVICES_MAX];
	size_t count;

	open_host();
	put_text("ready", "1");
	if (lists[_i].list)
		put_text("cuda", lists[_i].list);
	ck_pm(pm_gpu_cuda_enumerate(CUDA, report, ids, PM_ARRAY_LEN(ids), &count),
		lists[_i].enumerate);
	if (lists[_i].enumerate == PM_OK)
		ck_pm(pm_gpu_host_check_cuda(host, ids, count, report), lists[_i].check);
	ck_assert_msg(reason_has(lists[_i].reason), "%s", pm_report_reason(report));
}
END_TEST

START_TEST(cuda_needs_ready_gpus)
{
	struct pm_gpu_bus_id ids[1];
	size_t count;

	ck_pm(pm_gpu_cuda_enumerate(CUDA, report, ids, 1, &count), PM_E_STATE);
	put_text("ready", "1");
	ck_pm(pm_gpu_cuda_enumerate(CUDA, report, ids, 1, &count), PM_E_LIMIT);
	ck_pm(pm_gpu_cuda_enumerate(NEW, report, ids, 1, &count), PM_E_UNSUPPORTED);
	ck_pm(pm_gpu_cuda_enumerate("libpm-none.so", report, ids, 1, &count), PM_E_MISSING);
}
END_TEST

START_TEST(built_without_cuda)
{
	struct pm_gpu_bus_id ids[1];
	size_t count;

	ck_pm(pm_gpu_cuda_enumerate(CUDA, report, ids, 1, &count), PM_E_MISSING);
	ck_assert(reason_has("built without"));
}
END_TEST

static void add_cuda(TCase *t)
{
	if (!PM_HAS_CUDA) {
		tcase_add_test(t, built_without_cuda);
		return;
	}
	tcase_add_loop_test(t, cuda_sees_the_same, 0, PM_ARRAY_LEN(lists));
	tcase_add_test(t, cuda_needs_ready_gpus);
}

int main(void)
{
	Suite *s = suite_create("gpu_collect");
	TCase *t = tcase_create("gpu_collect");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, gpus_are_listed);
	tcase_add_test(t, no_driver_is_told_apart);
	tcase_add_test(t, odd_lists_are_refused);
	tcase_add_test(t, places_have_one_form);
	tcase_add_loop_test(t, gpus_stay_the_same, 0, 2);
	tcase_add_test(t, another_gpu_slips_in);
	tcase_add_test(t, exchanged_architecture_is_noticed);
	tcase_add_loop_test(t, modes_are_judged, 0, PM_ARRAY_LEN(modes));
	tcase_add_test(t, ready_is_read_back);
	tcase_add_test(t, ready_is_cleared_without_a_host);
	tcase_add_loop_test(t, evidence_is_checked, 0, PM_ARRAY_LEN(answers));
	tcase_add_test(t, index_is_checked);
	add_cuda(t);
	suite_add_tcase(s, t);
	return test_main(s);
}
