/* SPDX-License-Identifier: Apache-2.0 */
/* The collector of GPU evidence without memory. */
#include <pm/gpu_collect.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "base/mem.h"
#include "testing.h"

PM_OWNER(pm_gpu_host, pm_gpu_host_close);

static char folder[64];

static void put(const char *name, const void *bytes, size_t n)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/gpu-0/%s", folder, name);
	f = fopen(path, "wb");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

static void set_up(void)
{
	static const uint8_t request[] = {0x11, 0xe0, 1, 0xff};
	static const uint8_t response[] = {0x11, 0x60};
	uint8_t transcript[37 + 8 + 34 + 96] = {0};
	char path[80];

	snprintf(folder, sizeof(folder), "/tmp/pm-test-gpu-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	setenv("PM_FAKE_NVML", folder, 1);
	snprintf(path, sizeof(path), "%s/gpu-0", folder);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	memcpy(transcript, request, sizeof(request));
	memcpy(transcript + 37, response, sizeof(response));
	put("report", transcript, sizeof(transcript));
	put("certs.pem", "PEM", 3);
}

static void tear_down(void)
{
	static const char *const names[] = {"gpu-0/report", "gpu-0/certs.pem"};
	char path[128];

	for (size_t i = 0; i < PM_ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/gpu-0", folder);
	rmdir(path);
	rmdir(folder);
}

static int collect(void)
{
	static const uint8_t nonce[PM_GPU_HOST_NONCE_SIZE] = {1};
	pm_cleanup(pm_gpu_host) struct pm_gpu_host *host = NULL;
	struct pm_gpu_collected *c;
	int r = pm_gpu_host_open(PM_FAKE_FOLDER "/libnvidia-ml.so.1", NULL, &host);

	if (r == PM_OK)
		r = pm_gpu_host_collect(host, 0, nonce, NULL, &c);
	if (r < 0)
		return r;
	pm_gpu_collected_free(c);
	return pm_gpu_host_check_same(host, NULL);
}

START_TEST(collector_without_memory)
{
	ck_pm(collect(), PM_OK); /* the linker keeps what it learned of the library */
	ck_assert_uint_ge(alloc_walk("collector", collect, ALLOC_NOMEM), 7);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gpu_collect_alloc");
	TCase *t = tcase_create("gpu_collect_alloc");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, collector_without_memory);
	suite_add_tcase(s, t);
	return test_main(s);
}
