/* SPDX-License-Identifier: Apache-2.0 */
/* A worker that says nothing for too long is given up. */
#include "pm-client/job.h"

static void plan(struct job *job, int64_t milliseconds)
{
	struct timeval time = loop_time(milliseconds);

	evtimer_add(job->silence, &time);
}

/* While the application does not read, it is us who do not listen. */
static void on_time(evutil_socket_t fd, short what, void *arg)
{
	struct job *job = arg;
	int64_t most = job->client->options->stream_time;
	int64_t left = job->heard + most - loop_now();

	(void)fd;
	(void)what;
	if (!job->upstream || job->is_over)
		return;
	if (left <= 0 && !http_is_full(job->exchange)) {
		job_fail(job, 504, "pm-client", "silent", "the worker said nothing for too long");
		return;
	}
	plan(job, left > 0 ? left : most);
}

void silence_begin(struct job *job)
{
	int64_t most = job->client->options->stream_time;

	if (!most)
		return;
	job->heard = loop_now();
	if (!job->silence)
		job->silence = evtimer_new(http_loop(job->exchange)->base, on_time, job);
	if (job->silence)
		plan(job, most);
}

/* The timer looks at it when its time has come: nothing is set for each piece. */
void silence_hear(struct job *job)
{
	if (job->silence)
		job->heard = loop_now();
}

void silence_end(struct job *job)
{
	if (job->silence)
		event_free(job->silence);
	job->silence = NULL;
}
