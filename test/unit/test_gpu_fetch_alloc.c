/* SPDX-License-Identifier: Apache-2.0 */
/* The client of NVIDIA's services without memory. */
#include <pm/gpu_fetch.h>

#include <stdlib.h>

#include "alloc.h"
#include "base/mem.h"
#include "net/gpu_fetch.h"
#include "testing.h"

PM_OWNER(pm_gpu_fetch, pm_gpu_fetch_free);

static struct pm_view json;

static int make_client(void)
{
	pm_cleanup(pm_gpu_fetch) struct pm_gpu_fetch *fetch = NULL;
	int r = pm_gpu_fetch_new(&fetch);

	if (r == PM_OK)
		r = pm_gpu_fetch_set_cache(fetch, "/nonexistent");
	if (r == PM_OK)
		r = pm_gpu_fetch_set_ca_file(fetch, "/nonexistent");
	if (r == PM_OK)
		r = pm_gpu_fetch_add_server(
			fetch, PM_GPU_SERVICE_RIM, "https://mirror.example", "/nonexistent", NULL);
	if (r == PM_OK)
		r = pm_gpu_fetch_add_server(
			fetch, PM_GPU_SERVICE_OCSP, "https://mirror.example", NULL, NULL);
	return r;
}

static int unwrap(void)
{
	uint8_t *bytes = NULL;
	size_t len;
	int r = pm_rim_unwrap(json, "NV_GPU_DRIVER_GH100_1", NULL, &bytes, &len);

	free(bytes);
	return r;
}

START_TEST(client_without_memory)
{
	json = test_read(PM_CORPUS "/rim_json/good");
	ck_assert_uint_ge(alloc_walk("pm_gpu_fetch", make_client, ALLOC_NOMEM), 8);
	ck_assert_uint_ge(alloc_walk("pm_rim_unwrap", unwrap, ALLOC_NOMEM), 1);
	test_free(json);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gpu_fetch_alloc");
	TCase *t = tcase_create("gpu_fetch_alloc");

	tcase_add_test(t, client_without_memory);
	suite_add_tcase(s, t);
	return test_main(s);
}
