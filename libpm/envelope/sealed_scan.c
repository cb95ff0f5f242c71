/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/report.h"
#include "envelope/sealed_frame.h"

struct pm_sealed_scan {
	struct pm_frames frames;
	uint64_t count;
	bool final;
	int error; /* stays */
};

int pm_sealed_scan_new(struct pm_sealed_scan **ret_scan)
{
	struct pm_sealed_scan *scan = pm_alloc(sizeof(*scan));

	if (!scan)
		return PM_E_NOMEM;
	*ret_scan = scan;
	return PM_OK;
}

void pm_sealed_scan_free(struct pm_sealed_scan *scan)
{
	if (!scan)
		return;
	pm_frames_free(&scan->frames);
	free(scan);
}

static int take_message(struct pm_sealed_scan *scan, struct pm_view message,
	struct pm_report *report, struct pm_sealed_frame *ret)
{
	if (message.ptr[0] > PM_OAE_FINAL)
		return pm_fail(report, PM_E_FORMAT, "sealed.flag", "0 or 1", "%u", message.ptr[0]);
	scan->final = message.ptr[0] == PM_OAE_FINAL;
	ret->index = scan->count++;
	ret->length = (uint32_t)message.len;
	ret->final = scan->final;
	return PM_OK;
}

static int next(struct pm_sealed_scan *scan, struct pm_view bytes, struct pm_report *report,
	size_t *ret_used, struct pm_sealed_frame *ret_frame)
{
	enum pm_unit unit = PM_UNIT_HEADER;
	struct pm_view whole;
	size_t used = 0, n;
	int r;

	if (scan->final && bytes.len)
		return pm_fail(report, PM_E_FORMAT, "sealed.end", "nothing after the final frame",
			"%zu bytes", bytes.len);
	do {
		r = pm_frames_next(&scan->frames,
			pm_view(bytes.ptr ? bytes.ptr + used : NULL, bytes.len - used), report, &n,
			&unit, &whole);
		if (r < 0)
			return r;
		used += n;
	} while (whole.len && unit != PM_UNIT_MESSAGE);
	*ret_used = used;
	return whole.len ? take_message(scan, whole, report, ret_frame) : PM_OK;
}

int pm_sealed_scan_next(struct pm_sealed_scan *scan, const uint8_t *bytes, size_t len,
	struct pm_report *report, size_t *ret_used, struct pm_sealed_frame *ret_frame)
{
	struct pm_sealed_frame frame = {0};

	if (!scan->error)
		scan->error = next(scan, pm_view(bytes, len), report, ret_used, &frame);
	if (!scan->error)
		*ret_frame = frame;
	return scan->error;
}

int pm_sealed_scan_end(const struct pm_sealed_scan *scan, struct pm_report *report)
{
	if (scan->error)
		return scan->error;
	if (!scan->final)
		return pm_fail(report, PM_E_MISSING, "sealed.end", "a final frame", "%s",
			pm_frames_place(&scan->frames));
	return PM_OK;
}
