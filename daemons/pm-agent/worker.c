/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-agent/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "pm-agent/round.h"
#include "pm-agent/status.h"

/* The descriptor through which a worker tells. */
#define WORKER_FD 3

/* --- the supervisor's side ------------------------------------------------------------------- */

int worker_start(const struct agent_options *o, bool clear, struct process *ret)
{
	static char told[] = "--worker-fd=3", cleared[] = "--clear";
	char **argv = calloc((size_t)o->argc + 3, sizeof(*argv));
	int n = o->argc, r;

	if (!argv)
		return -1;
	memcpy(argv, o->argv, (size_t)n * sizeof(*argv));
	argv[n++] = told;
	if (clear)
		argv[n++] = cleared;
	r = process_start(PROCESS_SELF, argv, environ, WORKER_FD, ret);
	free(argv);
	return r;
}

json_t *worker_parse(const char *text, size_t len)
{
	json_t *status = json_loadb(text, len, 0, NULL);

	if (json_is_string(json_object_get(status, "verdict")))
		return status;
	json_decref(status);
	return NULL;
}

/* The round that worker_run() waits for; 0 for none. */
static volatile sig_atomic_t running, stopped;

void worker_stop(void)
{
	stopped = 1;
	if (running > 0)
		kill(running, SIGKILL);
}

json_t *worker_run(
	const struct agent_options *o, bool clear, uint64_t seconds, const char **ret_why)
{
	struct process p = {0, -1};
	json_t *status = NULL;
	char *text;
	size_t len;

	*ret_why = "the round could not be started";
	if (worker_start(o, clear, &p))
		return NULL;
	running = clear ? 0 : p.pid;
	if (stopped) /* before there was a number */
		worker_stop();
	text = process_read(&p, WORKER_OUTPUT_MAX, process_now() + (int64_t)seconds * 1000, &len);
	*ret_why = "the round took too long";
	if (text) {
		*ret_why = "the round ended without a word";
		status = worker_parse(text, len);
	}
	free(text);
	running = 0; /* from here on the number may be another's */
	(void)process_end(&p);
	return status;
}

json_t *worker_give_up(const struct agent_options *o, const char *why)
{
	const char *clear_why;
	json_t *cleared = NULL;
	int ready = -1;

	evidence_remove(o); /* the round did not come to that */
	if (!o->no_ready)
		cleared = worker_run(o, true, WORKER_CLEAR_TIME, &clear_why);
	if (json_is_false(json_object_get(cleared, "ready")))
		ready = 0;
	json_decref(cleared);
	return status_failed(why, ready);
}

/* --- the worker's side ----------------------------------------------------------------------- */

static int tell(const json_t *status)
{
	char *text = status ? json_dumps(status, JSON_COMPACT) : NULL;
	size_t len = text ? strlen(text) : 0, done = 0;

	while (done < len) {
		ssize_t n = write(WORKER_FD, text + done, len - done);

		if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	free(text);
	return text && done == len ? status_exit(status) : AGENT_USAGE;
}

int worker_main(struct agent_options *o)
{
	struct round *r = calloc(1, sizeof(*r));
	json_t *status;
	int exit_status;

	/* Nobody is told when the supervisor is gone; and nobody may then set anything. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!r)
		return AGENT_USAGE;
	if (o->action == AGENT_CLEAR)
		round_clear(o, r);
	else
		round_run(o, r);
	status = round_json(r);
	exit_status = tell(status);
	json_decref(status);
	round_free(r);
	free(r);
	return exit_status;
}
