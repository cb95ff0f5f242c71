/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any stream: cut or whole it becomes the same, sealed or opened; what was sealed opens, and what
 * opened and was sealed again opens to the same. The first byte is the length of the pieces.
 */
#include <string.h>

#include "fuzz_body.h"

static int stream(enum pm_body_way way, struct pm_view in, size_t piece, struct pm_grow *out)
{
	struct fuzz_body b;
	struct pm_view bytes;
	int r = PM_OK;

	fuzz_body_new(&b, PM_ENDPOINT_MESSAGES, PM_BODY_RESPONSE, way, 0);
	for (size_t at = 0; r == PM_OK && at < in.len; at += piece) {
		size_t n = in.len - at < piece ? in.len - at : piece;

		r = pm_body_sse(b.body, in.ptr + at, n, NULL, &bytes.ptr, &bytes.len);
		if (r == PM_OK)
			FUZZ_CHECK(pm_grow_add(out, bytes) == PM_OK);
	}
	if (r == PM_OK)
		r = pm_body_sse_end(b.body, NULL, &bytes.ptr, &bytes.len);
	if (r == PM_OK)
		FUZZ_CHECK(pm_grow_add(out, bytes) == PM_OK);
	pm_body_free(b.body);
	return r;
}

static void check_cuts(enum pm_body_way way, struct pm_view in, size_t piece)
{
	struct pm_grow whole = {0}, cut = {0};
	int r = stream(way, in, in.len + 1, &whole);

	FUZZ_CHECK(stream(way, in, piece, &cut) == r);
	if (r == PM_OK)
		FUZZ_CHECK(pm_view_equal(pm_grow_view(&whole), pm_grow_view(&cut)));
	pm_grow_free(&whole);
	pm_grow_free(&cut);
}

static void check_back(struct pm_view in, size_t piece)
{
	struct pm_grow sealed = {0}, opened = {0}, again = {0}, last = {0};

	if (stream(PM_BODY_SEAL, in, piece, &sealed) == PM_OK) {
		FUZZ_CHECK(stream(PM_BODY_OPEN, pm_grow_view(&sealed), piece, &opened) == PM_OK);
		FUZZ_CHECK(stream(PM_BODY_SEAL, pm_grow_view(&opened), 7, &again) == PM_OK);
		FUZZ_CHECK(pm_view_equal(pm_grow_view(&again), pm_grow_view(&sealed)));
		FUZZ_CHECK(stream(PM_BODY_OPEN, pm_grow_view(&again), 9, &last) == PM_OK);
		FUZZ_CHECK(pm_view_equal(pm_grow_view(&last), pm_grow_view(&opened)));
	}
	pm_grow_free(&sealed);
	pm_grow_free(&opened);
	pm_grow_free(&again);
	pm_grow_free(&last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pm_view in;
	size_t piece;

	if (size < 1)
		return 0;
	piece = 1 + (size_t)data[0];
	in = pm_view(data + 1, size - 1);
	check_cuts(PM_BODY_SEAL, in, piece);
	check_cuts(PM_BODY_OPEN, in, piece);
	check_back(in, piece);
	return 0;
}
