/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any form with the boundary B: what seals opens to the same parts, in the same places, and so
 * again. The input up to the first NUL, if there is one, is the Content-Type.
 */
#include <string.h>

#include <pm/rules.h>

#include "envelope/form_parse.h"
#include "fuzz_body.h"

struct form {
	char type[PM_FORM_CONTENT_TYPE_SIZE];
	struct pm_view body;
};

struct parts {
	struct pm_form_part list[PM_FORM_PARTS_MAX];
	size_t count;
};

static int keep(const struct pm_form_part *part, void *arg)
{
	struct parts *parts = arg;

	FUZZ_CHECK(parts->count < PM_FORM_PARTS_MAX);
	fuzz_touch(part->content);
	parts->list[parts->count++] = *part;
	return PM_OK;
}

static int parse(const char *type, struct pm_view body, struct parts *parts)
{
	struct pm_form_type parsed;
	int r = pm_form_type_parse(type, &parsed);

	parts->count = 0;
	return r < 0 ? r : pm_form_each(&parsed, body, keep, parts, NULL);
}

static int run(struct fuzz_body *b, const char *type, struct pm_view in, struct form *ret)
{
	return pm_body_form(
		b->body, type, in.ptr, in.len, NULL, &ret->body.ptr, &ret->body.len, ret->type);
}

static void check_same(const struct parts *a, const struct parts *b)
{
	FUZZ_CHECK(a->count == b->count);
	for (size_t i = 0; i < a->count; i++) {
		FUZZ_CHECK(a->list[i].file == b->list[i].file);
		FUZZ_CHECK(pm_view_equal(a->list[i].name, b->list[i].name));
		FUZZ_CHECK(pm_view_equal(a->list[i].content, b->list[i].content));
	}
}

/* The model that is read before is the one that is read after, and a name. */
static void check_models(const struct form *before, const struct form *after)
{
	struct pm_request_facts a = {.size = sizeof(a)}, b = {.size = sizeof(b)};
	int r = pm_request_read_form(before->type, before->body.ptr, before->body.len, &a, NULL);

	FUZZ_CHECK(
		r == pm_request_read_form(after->type, after->body.ptr, after->body.len, &b, NULL));
	FUZZ_CHECK(r == PM_OK || r == PM_E_FORMAT || r == PM_E_LIMIT);
	FUZZ_CHECK(strcmp(a.model, b.model) == 0);
	for (const char *c = a.model; *c; c++)
		FUZZ_CHECK(*c >= ' ' && *c <= '~');
}

static void check(const char *type, struct pm_view in)
{
	static struct parts before, after;
	struct fuzz_body sealer, opener;
	struct form sealed, opened;
	int r;

	fuzz_body_new(&sealer, PM_ENDPOINT_TRANSCRIPTIONS, PM_BODY_REQUEST, PM_BODY_SEAL, 0);
	fuzz_body_new(&opener, PM_ENDPOINT_TRANSCRIPTIONS, PM_BODY_REQUEST, PM_BODY_OPEN, 0);
	r = run(&sealer, type, in, &sealed);
	FUZZ_CHECK(r == parse(type, in, &before));
	if (r == PM_OK) {
		FUZZ_CHECK(run(&opener, sealed.type, sealed.body, &opened) == PM_OK);
		FUZZ_CHECK(parse(opened.type, opened.body, &after) == PM_OK);
		check_same(&before, &after);
		check_models(&sealed, &opened);
	}
	pm_body_free(sealer.body);
	pm_body_free(opener.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, 0, size) : NULL;
	size_t skip = end ? (size_t)(end - data) + 1 : 0;

	check(end ? (const char *)data : "multipart/form-data; boundary=B",
		pm_view(data + skip, size - skip));
	return 0;
}
