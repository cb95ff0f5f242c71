/* SPDX-License-Identifier: Apache-2.0 */
/* A time that is written reads back; a text that reads is, in UTC, a time that is written. */
#include <string.h>

#include <pm/error.h>
#include <pm/text.h>

#include "base/rd.h"
#include "fuzz.h"

/* The years 1000 to 9999. */
#define FIRST INT64_C(-30610224000)
#define LAST  INT64_C(253402300799)

static void number_round_trip(int64_t time)
{
	char text[PM_TIME_TEXT_SIZE];
	int64_t back = 0;

	pm_time_format(time, text);
	if (time < FIRST || time > LAST) {
		FUZZ_CHECK(!strcmp(text, "(out of range)"));
		return;
	}
	FUZZ_CHECK(strlen(text) == PM_TIME_TEXT_SIZE - 1);
	FUZZ_CHECK(pm_time_parse(text, &back) == PM_OK && back == time);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pm_cleanup(free) char *text = malloc(size + 1);
	struct pm_rd rd = pm_rd(pm_view(data, size));
	uint64_t number = pm_rd_le64(&rd);
	int64_t time = 42;

	FUZZ_CHECK(text);
	pm_copy(text, data, size);
	text[size] = '\0';
	if (pm_time_parse(text, &time) == PM_OK)
		number_round_trip(time);
	else
		FUZZ_CHECK(time == 42);
	number_round_trip((int64_t)number);
	number_round_trip(FIRST + (int64_t)(number % (uint64_t)(LAST - FIRST + 1)));
	return 0;
}
