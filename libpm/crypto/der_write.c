/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/time.h"
#include "crypto/der.h"

/* Longest beginning of an element: tag and a length of 16 bits. */
#define HEAD_MAX 4

/* Last second that UTCTime is written for (2049), and the first and last that is written at all. */
#define UTC_TIME_MAX INT64_C(2524607999)
#define TIME_MIN     INT64_C(0)
#define TIME_MAX     INT64_C(253402300799)

void pm_der_wrap(struct pm_wr *wr, size_t at, int tag)
{
	size_t len = wr->len - at;
	uint8_t bytes[HEAD_MAX];
	struct pm_wr head = pm_wr(bytes, sizeof(bytes));

	if (len > UINT16_MAX)
		wr->failed = true;
	pm_wr_u8(&head, (uint8_t)tag);
	if (len >= 0x100) {
		pm_wr_u8(&head, 0x82);
		pm_wr_be16(&head, (uint16_t)len);
	} else if (len >= 0x80) {
		pm_wr_u8(&head, 0x81);
		pm_wr_u8(&head, (uint8_t)len);
	} else {
		pm_wr_u8(&head, (uint8_t)len);
	}
	pm_wr_insert(wr, at, pm_view(bytes, head.len));
}

void pm_der_put(struct pm_wr *wr, int tag, struct pm_view content)
{
	size_t at = wr->len;

	pm_wr_bytes(wr, content);
	pm_der_wrap(wr, at, tag);
}

/* "2026-01-31T12:00:00Z" without what stands between, and for UTCTime without the century. */
void pm_der_put_time(struct pm_wr *wr, int64_t time)
{
	bool utc = time <= UTC_TIME_MAX;
	struct pm_time_text text = pm_time(time);
	size_t at = wr->len;

	if (time < TIME_MIN || time > TIME_MAX)
		wr->failed = true;
	for (size_t i = utc ? 2 : 0; text.s[i]; i++) {
		if (!strchr("-:T", text.s[i]))
			pm_wr_u8(wr, (uint8_t)text.s[i]);
	}
	pm_der_wrap(wr, at, utc ? PM_DER_UTC_TIME : PM_DER_GENERALIZED_TIME);
}
