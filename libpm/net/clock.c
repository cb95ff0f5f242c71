/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <time.h>

#include "net/client.h"

static int64_t system_wall(void *arg)
{
	(void)arg;
	return time(NULL);
}

static int64_t system_ticks_ms(void *arg)
{
	struct timespec now = {0};

	(void)arg;
	(void)clock_gettime(CLOCK_BOOTTIME, &now); /* can't fail for this clock */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void system_sleep_ms(void *arg, int64_t ms)
{
	struct timespec left = {ms / 1000, (long)(ms % 1000) * 1000000};

	(void)arg;
	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

const struct pm_net_clock pm_net_system_clock = {
	.wall = system_wall,
	.ticks_ms = system_ticks_ms,
	.sleep_ms = system_sleep_ms,
};
