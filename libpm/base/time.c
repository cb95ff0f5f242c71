/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <pm/error.h>
#include <pm/text.h>

static const int days_before_month[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
	int days = days_before_month[month] - days_before_month[month - 1];

	return days + (month == 2 && is_leap(year));
}

bool pm_time_from_civil(const struct pm_civil *c, int64_t *ret)
{
	int64_t y = c->year - 1, days;

	if (c->year < 1 || c->year > 9999 || c->month < 1 || c->month > 12)
		return false;
	if (c->day < 1 || c->day > days_in_month(c->year, c->month))
		return false;
	if (c->hour < 0 || c->hour > 23 || c->minute < 0 || c->minute > 59)
		return false;
	if (c->second < 0 || c->second > 60)
		return false;
	days = 365 * y + y / 4 - y / 100 + y / 400 + days_before_month[c->month - 1] + c->day - 1 +
	       (c->month > 2 && is_leap(c->year));
	days -= 719162; /* days from 0001-01-01 to 1970-01-01 */
	*ret = days * 86400 + c->hour * 3600 + c->minute * 60 + c->second;
	return true;
}

/* "[.digits](Z|+hh:mm|-hh:mm)" after the seconds; the offset in seconds. */
static bool parse_zone(const char *s, int *ret_offset)
{
	int hours, minutes, used = 0;
	char sign;

	if (*s == '.') {
		size_t digits = strspn(s + 1, "0123456789");

		if (!digits)
			return false;
		s += 1 + digits;
	}
	*ret_offset = 0;
	if (!strcmp(s, "Z") || !strcmp(s, "z"))
		return true;
	if (strlen(s) != 6 || strspn(s + 1, "0123456789:") != 5)
		return false;
	if (sscanf(s, "%c%2d:%2d%n", &sign, &hours, &minutes, &used) != 3 || used != 6)
		return false;
	if ((sign != '+' && sign != '-') || hours > 23 || minutes > 59)
		return false;
	*ret_offset = (hours * 60 + minutes) * 60 * (sign == '-' ? -1 : 1);
	return true;
}

/* The fixed part has digits exactly where RFC 3339 has them: sscanf alone would take "+1". */
static bool has_shape(const char *s)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd";

	for (size_t i = 0; shape[i]; i++) {
		bool digit = s[i] >= '0' && s[i] <= '9';

		if (shape[i] == 'd' ? !digit
				    : (s[i] != shape[i] && !(shape[i] == 'T' && s[i] == 't')))
			return false;
	}
	return true;
}

int pm_time_parse(const char *text, int64_t *ret_time)
{
	struct pm_civil c;
	int offset, used = 0;
	int64_t t;

	if (!has_shape(text))
		return PM_E_FORMAT;
	if (sscanf(text, "%4d-%2d-%2d%*c%2d:%2d:%2d%n", &c.year, &c.month, &c.day, &c.hour,
		    &c.minute, &c.second, &used) != 6)
		return PM_E_FORMAT;
	if (!parse_zone(text + used, &offset) || !pm_time_from_civil(&c, &t))
		return PM_E_FORMAT;
	*ret_time = t - offset;
	return PM_OK;
}

void pm_time_format(int64_t time, char *ret_text)
{
	time_t t = (time_t)time;
	struct tm tm;

	if (time < -30610224000 || time > 253402300799 || !gmtime_r(&t, &tm)) {
		snprintf(ret_text, PM_TIME_TEXT_SIZE, "(out of range)");
		return;
	}
	strftime(ret_text, PM_TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

struct pm_time_text pm_time(int64_t time)
{
	struct pm_time_text t;

	pm_time_format(time, t.s);
	return t;
}
