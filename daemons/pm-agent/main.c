/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pm/pm.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/log.h"
#include "pm-agent/figures.h"
#include "pm-agent/options.h"
#include "pm-agent/round.h"
#include "pm-agent/status.h"
#include "pm-agent/watch.h"
#include "pm-agent/worker.h"

/* The ready state is one for the machine, and so is the agent. The lock ends with the process. */
static int take_lock(const struct agent_options *o)
{
	int fd = open(o->lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);

	if (fd < 0) {
		warn("%s", o->lock);
		return AGENT_USAGE;
	}
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return AGENT_OK;
	if (errno == EWOULDBLOCK)
		warnx("%s: another pm-agent is at work", o->lock);
	else
		warn("%s", o->lock);
	close(fd);
	return AGENT_USAGE;
}

static volatile sig_atomic_t asked_to_end;

/*
 * The first process of a container has no default action. What the round had done by then nobody
 * knows, so it is ended and the GPUs are set not ready, as after a round that hung; whoever asks
 * twice does not get that.
 */
static void on_terminate(int signal)
{
	static const char text[] = "pm-agent: ended by a signal\n";

	(void)signal;
	if (!asked_to_end) {
		asked_to_end = 1;
		worker_stop();
		return;
	}
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(AGENT_USAGE);
	_exit(AGENT_USAGE);
}

static int run_once(struct agent_options *o)
{
	bool clear = o->action == AGENT_CLEAR;
	struct figures figures = {0};
	const char *why;
	json_t *status;
	int64_t begin = process_now();
	int r;

	asked_to_end = clear; /* that alone has nothing to take back */
	signal(SIGTERM, on_terminate);
	signal(SIGINT, on_terminate);
	status = worker_run(o, clear, clear ? WORKER_CLEAR_TIME : o->timeout, &why);
	if (!status && asked_to_end && !clear)
		why = "ended by a signal";
	if (!status)
		status = clear ? status_failed(why, -1) : worker_give_up(o, why);
	r = status_write(o, status);
	figures_add(&figures, status, process_now() - begin);
	if (r == AGENT_OK && !clear)
		r = figures_write(o, &figures);
	status_print(o, status);
	if (r == AGENT_OK)
		r = status_exit(status);
	json_decref(status);
	return fflush(stdout) ? AGENT_USAGE : r;
}

static int run(struct agent_options *o)
{
	int r;

	log_setup(o->log_json, (enum log_level)o->log_level);
	if (o->action == AGENT_LIST_CUDA)
		return cuda_list(o);
	if (o->worker_fd >= 0)
		return worker_main(o);
	r = take_lock(o);
	if (r != AGENT_OK)
		return r;
	status_forget(o); /* of an agent that is no more */
	return o->watch && o->action == AGENT_ATTEST ? watch_run(o) : run_once(o);
}

int main(int argc, char **argv)
{
	struct agent_options o;
	int r = agent_options_parse(argc, argv, &o);

	if (r == AGENT_OK && o.action == AGENT_HELP)
		agent_help();
	else if (r == AGENT_OK && o.action == AGENT_VERSION)
		printf("pm-agent %s\n", pm_version());
	else if (r == AGENT_OK)
		r = run(&o);
	agent_options_free(&o);
	return r;
}
