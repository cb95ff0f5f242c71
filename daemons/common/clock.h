/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The time by which what is kept begins and ends. It is the system's clock as long as that passes
 * as time does; when somebody sets it, by hours and perhaps back again, our time follows slowly: so
 * that no life ends early by it, and none comes back. It never goes back.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Of so many parts of the time that passes we spend one to come nearer to the system's clock. */
#define CLOCK_PACE 10
/* Further apart than this many nanoseconds the clock was set, and somebody should know. */
#define CLOCK_STEP 2000000000

/* Seconds since 1970. From any thread. */
int64_t clock_seconds(void);

/* --- how it is done, for tests --------------------------------------------------------------- */

/* Begin with zeros. Nanoseconds: since 1970, and of a clock that only passes. */
struct clock_pace {
	int64_t time, passed;
	bool has_begun;
};

/*
 * Our time in nanoseconds since 1970, when the system's clock says wall and the other one passed.
 * *ret_off: how far the system's clock is ahead of it.
 */
int64_t clock_pace(struct clock_pace *pace, int64_t wall, int64_t passed, int64_t *ret_off);

#endif
