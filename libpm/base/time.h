/* SPDX-License-Identifier: Apache-2.0 */
/* Calendar arithmetic. Nothing here knows what time it is: that is a parameter everywhere. */
#ifndef PM_BASE_TIME_H
#define PM_BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* A moment in UTC, proleptic Gregorian; month and day from 1. */
struct pm_civil {
	int year, month, day, hour, minute, second;
};

/* Seconds since 1970; false for a day or hour that does not exist. */
bool pm_time_from_civil(const struct pm_civil *civil, int64_t *ret);

/* Text for messages: pm_time(t).s lives as long as the expression it stands in. */
struct pm_time_text {
	char s[24];
};

struct pm_time_text pm_time(int64_t time);

#endif
