/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of evidence as NVIDIA's SDK writes them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/gpu_list.h>
#include <pm/text.h>

#include "gpu_scene.h"
#include "testing.h"

#define DEVICE "{\"evidence\": \"AAEC\", \"certificate\": \"AwQ=\"}"

static int parse(const char *text, struct pm_gpu_list **ret)
{
	char *copy = malloc(strlen(text) + 1); /* without its NUL, so that a sanitizer sees it */
	int r;

	memcpy(copy, text, strlen(text));
	r = pm_gpu_list_parse(copy, strlen(text), NULL, ret);
	free(copy);
	return r;
}

START_TEST(a_list_is_read)
{
	static const char *const texts[] = {"[" DEVICE ", " DEVICE "]",
		"{\"evidences\": [" DEVICE ", " DEVICE
		"], \"result_code\": 0, \"result_message\": \"Ok\"}"};
	struct pm_gpu_list *list;
	const uint8_t *bytes;
	size_t size;

	for (size_t i = 0; i < 2; i++) {
		ck_pm(parse(texts[i], &list), PM_OK);
		ck_assert_uint_eq(pm_gpu_list_count(list), 2);
		bytes = pm_gpu_list_report(list, 1, &size);
		ck_assert(pm_view_equal(pm_view(bytes, size), VIEW("\0\1\2")));
		bytes = pm_gpu_list_certs(list, 1, &size);
		ck_assert(pm_view_equal(pm_view(bytes, size), VIEW("\3\4")));
		pm_gpu_list_free(list);
	}
	pm_gpu_list_free(NULL);
}
END_TEST

#define WRAPPED(list, rest) "{\"evidences\": " list rest "}"
#define MEMBER(text)	    "[{\"evidence\": \"AA==\", \"certificate\": \"AA==\", " text "}]"

static const char *const malformed[] = {"", "[", "[]", "{}", "1", "null", "[1]", "[[]]", "[{}]",
	"[" DEVICE "] ]", "[" DEVICE ", {}]", "[{\"evidence\": \"AA==\"}]",
	"[{\"certificate\": \"AA==\"}]", "[{\"evidence\": \"*\", \"certificate\": \"AA==\"}]",
	"[{\"evidence\": \"AA==\", \"certificate\": \"A\"}]",
	"[{\"evidence\": 1, \"certificate\": \"AA==\"}]", MEMBER("\"evidence\": \"AA==\""),
	MEMBER("\"more\": \"x\""), MEMBER("\"arch\": 1"), MEMBER("\"nonce\": null"), DEVICE,
	WRAPPED("[" DEVICE "]", ""), WRAPPED("[" DEVICE "]", ", \"result_code\": 0"),
	WRAPPED("[" DEVICE "]", ", \"result_code\": 8, \"result_message\": \"no\""),
	WRAPPED("[" DEVICE "]", ", \"result_code\": \"0\", \"result_message\": \"Ok\""),
	WRAPPED("[" DEVICE "]", ", \"result_code\": 0, \"result_message\": \"Ok\", \"x\": 1"),
	WRAPPED("[]", ", \"result_code\": 0, \"result_message\": \"Ok\""),
	WRAPPED(DEVICE, ", \"result_code\": 0, \"result_message\": \"Ok\"")};

START_TEST(nothing_else_is_a_list)
{
	struct pm_gpu_list *list = NULL;

	ck_pm(parse(malformed[_i], &list), PM_E_FORMAT);
	ck_assert_ptr_null(list);
}
END_TEST

START_TEST(a_list_has_an_end)
{
	static char text[PM_GPU_LIST_SIZE_MAX + 2];
	struct pm_gpu_list *list = NULL;
	size_t len = 0;

	for (int i = 0; i < PM_GPU_SET_MAX; i++)
		len += (size_t)sprintf(text + len, "%c" DEVICE, i ? ',' : '[');
	strcpy(text + len, "]");
	ck_pm(parse(text, &list), PM_OK);
	ck_assert_uint_eq(pm_gpu_list_count(list), PM_GPU_SET_MAX);
	pm_gpu_list_free(list);
	strcpy(text + len, "," DEVICE "]");
	ck_pm(parse(text, &list), PM_E_LIMIT);
	strcpy(text, "[" DEVICE "]");
	memset(text + strlen(text), ' ', sizeof(text) - 1 - strlen(text));
	ck_pm(pm_gpu_list_parse(text, PM_GPU_LIST_SIZE_MAX + 1, NULL, &list), PM_E_LIMIT);
	ck_pm(pm_gpu_list_parse(text, PM_GPU_LIST_SIZE_MAX, NULL, &list), PM_OK);
	pm_gpu_list_free(list);
}
END_TEST

/* --- what it tells --------------------------------------------------------------------------- */

/* What a list that tells this of the device is worth. */
static int check(const struct pm_gpu_evidence *ev, const char *member, const char *value)
{
	struct pm_gpu_list *list;
	char text[400];
	int r;

	snprintf(text, sizeof(text), MEMBER("\"%s\": \"%s\""), member, value);
	ck_pm(parse(text, &list), PM_OK);
	r = pm_gpu_list_check(list, 0, ev, NULL);
	pm_gpu_list_free(list);
	return r;
}

START_TEST(what_is_told_is_what_the_report_says)
{
	static struct gpu_scene s;
	struct pm_gpu_evidence *ev = NULL;
	const struct pm_gpu_fields *f;
	char nonce[2 * PM_GPU_NONCE_SIZE + 1];

	gpu_make_keys();
	gpu_scene_init(&s, PM_GPU_HOPPER);
	ck_pm(gpu_scene_make(&s, NULL, &ev), PM_OK);
	f = pm_gpu_evidence_untrusted(ev);
	pm_hex_encode(f->nonce, sizeof(f->nonce), nonce);
	ck_pm(check(ev, "version", "1.0"), PM_OK);
	ck_pm(check(ev, "version", "2.0"), PM_E_FORMAT);
	ck_pm(check(ev, "arch", "hopper"), PM_OK);
	ck_pm(check(ev, "arch", "BLACKWELL"), PM_E_FORMAT);
	ck_pm(check(ev, "nonce", nonce), PM_OK);
	nonce[0] = nonce[0] == 'f' ? 'e' : 'f';
	ck_pm(check(ev, "nonce", nonce), PM_E_FORMAT);
	ck_pm(check(ev, "driver_version", f->driver), PM_OK);
	ck_pm(check(ev, "driver_version", "1"), PM_E_FORMAT);
	ck_pm(check(ev, "vbios_version", f->vbios), PM_OK);
	ck_pm(check(ev, "vbios_version", "1"), PM_E_FORMAT);
	pm_gpu_evidence_free(ev);
	gpu_scene_free(&s);
	gpu_free_keys();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gpu_list");
	TCase *t = tcase_create("gpu_list");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_list_is_read);
	tcase_add_loop_test(t, nothing_else_is_a_list, 0, PM_ARRAY_LEN(malformed));
	tcase_add_test(t, a_list_has_an_end);
	tcase_add_test(t, what_is_told_is_what_the_report_says);
	suite_add_tcase(suite, t);
	return test_main(suite);
}
