/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frames of a stream are the same in any chunking. First byte: size of the pieces; the rest is
 * the stream.
 */
#include <pm/sealed.h>

#include "fuzz.h"

struct result {
	int error, end;
	uint64_t frames;
	uint64_t lengths; /* a sum that depends on the order */
};

/* Returns whether the scan goes on. */
static int take(struct pm_sealed_scan *scan, struct pm_view piece, struct result *ret)
{
	size_t at = 0, used;

	while (ret->error == PM_OK && at < piece.len) {
		struct pm_sealed_frame frame = {0};

		ret->error = pm_sealed_scan_next(
			scan, piece.ptr + at, piece.len - at, NULL, &used, &frame);
		if (ret->error < 0)
			return 0;
		FUZZ_CHECK(used > 0 && used <= piece.len - at);
		at += used;
		if (!frame.length)
			continue;
		FUZZ_CHECK(frame.index == ret->frames);
		FUZZ_CHECK(frame.length >= PM_SEALED_MESSAGE_MIN &&
			   frame.length <= PM_SEALED_MESSAGE_MAX);
		ret->frames++;
		ret->lengths = 31 * ret->lengths + 2 * frame.length + (uint64_t)frame.final;
	}
	return 1;
}

static struct result scan_in(struct pm_view bytes, size_t size)
{
	struct pm_sealed_scan *scan = NULL;
	struct result result = {0};
	size_t at = 0, n;

	FUZZ_CHECK(pm_sealed_scan_new(&scan) == PM_OK);
	for (; at < bytes.len; at += n) {
		n = bytes.len - at < size ? bytes.len - at : size;
		if (!take(scan, pm_view(bytes.ptr + at, n), &result))
			break;
	}
	result.end = pm_sealed_scan_end(scan, NULL);
	FUZZ_CHECK(!result.error || result.end == result.error);
	pm_sealed_scan_free(scan);
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pm_view bytes = pm_view(data + !!size, size - !!size);
	struct result whole = scan_in(bytes, SIZE_MAX);
	struct result parts = scan_in(bytes, size ? data[0] + 1u : 1);

	FUZZ_CHECK(whole.error == parts.error && whole.end == parts.end);
	FUZZ_CHECK(whole.frames == parts.frames && whole.lengths == parts.lengths);
	return 0;
}
