/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies without memory; and that an event allocates none once the first went through. */
#include <string.h>

#include <pm/error.h>

#include "alloc.h"
#include "crypto/crypto.h"
#include "testing.h"
#include "toy_cipher.h"

static const char document[] =
	"{\"model\":\"m\",\"stream\":true,\"x\":{\"a\":1,\"b\":[2]},\"y\":\"z\"}";
static const char event[] =
	"data: {\"id\":\"c\",\"choices\":[{\"delta\":\"x\"}],\"usage\":{\"a\":1}}\n\n";
static const char form[] = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--B--";

PM_OWNER(pm_body, pm_body_free);

static struct toy toy;

static int new_body(enum pm_endpoint endpoint, enum pm_body_side side, enum pm_body_way way,
	struct pm_body **ret)
{
	struct pm_body_cipher cipher = toy_cipher(&toy, way);

	toy.seq = 0;
	return pm_body_new(endpoint, side, way, &cipher, ret);
}

static int json_both_ways(void)
{
	pm_cleanup(pm_body) struct pm_body *sealer = NULL, *opener = NULL;
	const uint8_t *sealed, *opened;
	size_t len;
	int r = new_body(PM_ENDPOINT_CHAT, PM_BODY_REQUEST, PM_BODY_SEAL, &sealer);

	if (r == PM_OK)
		r = pm_body_json(sealer, document, strlen(document), NULL, &sealed, &len);
	if (r == PM_OK)
		r = new_body(PM_ENDPOINT_CHAT, PM_BODY_REQUEST, PM_BODY_OPEN, &opener);
	if (r < 0)
		return r;
	pm_body_ask_usage(opener);
	pm_body_forbid_cache(opener);
	r = pm_body_json(opener, sealed, len, NULL, &opened, &len);
	if (r < 0)
		return r;
	return len > strlen(document) ? PM_OK : ALLOC_WRONG;
}

static int form_once(void)
{
	pm_cleanup(pm_body) struct pm_body *body = NULL;
	char type[PM_FORM_CONTENT_TYPE_SIZE];
	const uint8_t *out;
	size_t len;
	int r = new_body(PM_ENDPOINT_TRANSCRIPTIONS, PM_BODY_REQUEST, PM_BODY_SEAL, &body);

	if (r < 0)
		return r;
	return pm_body_form(body, "multipart/form-data; boundary=B", form, strlen(form), NULL, &out,
		&len, type);
}

/* The event in two pieces, so that the line is kept. */
static int stream_event(struct pm_body *body)
{
	const uint8_t *out;
	size_t len;
	int r = pm_body_sse(body, event, 20, NULL, &out, &len);

	return r < 0 ? r : pm_body_sse(body, event + 20, strlen(event) - 20, NULL, &out, &len);
}

static int stream_once(void)
{
	pm_cleanup(pm_body) struct pm_body *body = NULL;
	int r = new_body(PM_ENDPOINT_CHAT, PM_BODY_RESPONSE, PM_BODY_SEAL, &body);

	return r < 0 ? r : stream_event(body);
}

static struct pm_body *warm;

static int stream_on(void)
{
	return stream_event(warm);
}

START_TEST(bodies_without_memory)
{
	ck_pm(pm_crypto_init(), PM_OK);
	ck_assert_uint_ge(alloc_walk("pm_body_json", json_both_ways, ALLOC_NOMEM), 8);
	ck_assert_uint_ge(alloc_walk("pm_body_form", form_once, ALLOC_NOMEM), 5);
	ck_assert_uint_ge(alloc_walk("pm_body_sse", stream_once, ALLOC_NOMEM), 6);
}
END_TEST

START_TEST(an_event_needs_no_memory)
{
	ck_pm(new_body(PM_ENDPOINT_CHAT, PM_BODY_RESPONSE, PM_BODY_SEAL, &warm), PM_OK);
	ck_pm(stream_event(warm), PM_OK);
	ck_assert_uint_eq(alloc_walk("pm_body_sse", stream_on, ALLOC_NOMEM), 0);
	pm_body_free(warm);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("body_alloc");
	TCase *tc = tcase_create("body_alloc");

	tcase_add_test(tc, bodies_without_memory);
	tcase_add_test(tc, an_event_needs_no_memory);
	suite_add_tcase(suite, tc);
	return test_main(suite);
}
