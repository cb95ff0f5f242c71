/* SPDX-License-Identifier: Apache-2.0 */
#include "common/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "common/log.h"

#define NANOSECONDS 1000000000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct clock_pace system_pace;
static bool is_off; /* it was said that the clock was set */

static int64_t read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * NANOSECONDS + now.tv_nsec;
}

int64_t clock_pace(struct clock_pace *pace, int64_t wall, int64_t passed, int64_t *ret_off)
{
	int64_t since = pace->has_begun ? passed - pace->passed : 0, most = since / CLOCK_PACE;
	int64_t time = pace->has_begun ? pace->time + since : wall, off = wall - time;

	if (off > most)
		off = most;
	else if (off < -most)
		off = -most;
	*pace = (struct clock_pace){time + off, passed, true};
	*ret_off = wall - pace->time;
	return pace->time;
}

static void tell(int64_t off)
{
	char seconds[24];

	snprintf(seconds, sizeof(seconds), "%lld", (long long)(off / NANOSECONDS));
	log_event(LOG_LEVEL_WARN, "clock was set: lives of secrets follow it slowly", "seconds",
		seconds, NULL);
}

int64_t clock_seconds(void)
{
	int64_t time, off;
	bool is_new;

	pthread_mutex_lock(&lock);
	/* Time in which the machine slept has passed, too. */
	time = clock_pace(
		&system_pace, read_clock(CLOCK_REALTIME), read_clock(CLOCK_BOOTTIME), &off);
	is_new = !is_off && (off > CLOCK_STEP || off < -CLOCK_STEP);
	is_off = off > CLOCK_STEP || off < -CLOCK_STEP;
	pthread_mutex_unlock(&lock);
	if (is_new)
		tell(off);
	return time / NANOSECONDS;
}
