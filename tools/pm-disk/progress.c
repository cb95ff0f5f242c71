/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-disk/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define WIDTH	    30
#define INTERVAL_MS 100

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void draw(const struct progress *p, uint64_t done, uint64_t total, int64_t now)
{
	static const char bar[] = "##############################";
	double part = total ? (double)done / (double)total : 1;
	double seconds = (double)(now - p->started_ms) / 1000;
	int filled = (int)(part * WIDTH);

	fprintf(stderr, "\r%s [%.*s%*s] %3d %%  %.2f GB/s ", p->what, filled, bar, WIDTH - filled,
		"", (int)(part * 100), seconds > 0 ? (double)done / 1e9 / seconds : 0);
}

static void update(void *arg, uint64_t done, uint64_t total)
{
	struct progress *p = arg;
	int64_t now = now_ms();

	if (now - p->shown_ms < INTERVAL_MS)
		return;
	p->shown_ms = now;
	p->drawn = true;
	draw(p, done, total, now);
}

struct pm_verity_options progress_options(
	struct progress *p, const char *what, uint32_t threads, bool quiet)
{
	struct pm_verity_options options = {.size = sizeof(options), .threads = threads};

	*p = (struct progress){.what = what, .started_ms = now_ms()};
	if (!quiet && isatty(STDERR_FILENO)) {
		options.progress = update;
		options.progress_arg = p;
	}
	return options;
}

void progress_end(struct progress *p)
{
	if (p->drawn)
		fprintf(stderr, "\r\033[K");
	p->drawn = false;
}
