/* SPDX-License-Identifier: Apache-2.0 */
#include "common/loop.h"

#include <pthread.h>
#include <pm/error.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

struct task {
	struct task *next;
	void (*run)(void *arg);
	void *arg;
};

struct loop_inbox {
	pthread_mutex_t lock;
	struct task *first, **last;
	int fd;
	struct event *wakeup;
};

static struct task *take_all(struct loop_inbox *inbox)
{
	struct task *first;

	pthread_mutex_lock(&inbox->lock);
	first = inbox->first;
	inbox->first = NULL;
	inbox->last = &inbox->first;
	pthread_mutex_unlock(&inbox->lock);
	return first;
}

static void on_wakeup(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	struct task *task;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) < 0)
		return; /* another wake-up took it */
	task = take_all(loop->inbox);
	while (task) {
		struct task *next = task->next;

		task->run(task->arg);
		free(task);
		task = next;
	}
}

int loop_post(struct loop *loop, void (*run)(void *arg), void *arg)
{
	const uint64_t one = 1;
	struct task *task = malloc(sizeof(*task));

	if (!task)
		return PM_E_NOMEM;
	*task = (struct task){.run = run, .arg = arg};
	pthread_mutex_lock(&loop->inbox->lock);
	*loop->inbox->last = task;
	loop->inbox->last = &task->next;
	pthread_mutex_unlock(&loop->inbox->lock);
	/* It fails only when the counter is full, and then the loop wakes up anyway. */
	return write(loop->inbox->fd, &one, sizeof(one)) < 0 ? PM_OK : PM_OK;
}

static int open_inbox(struct loop *loop)
{
	struct loop_inbox *inbox = calloc(1, sizeof(*inbox));

	if (!inbox)
		return PM_E_NOMEM;
	loop->inbox = inbox;
	pthread_mutex_init(&inbox->lock, NULL);
	inbox->last = &inbox->first;
	inbox->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (inbox->fd < 0)
		return PM_E_SYS;
	inbox->wakeup = event_new(loop->base, inbox->fd, EV_READ | EV_PERSIST, on_wakeup, loop);
	return inbox->wakeup && !event_add(inbox->wakeup, NULL) ? PM_OK : PM_E_NOMEM;
}

/* The loops have their own bases: no lock is needed around any of them. */
static struct event_base *new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config && !event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK))
		base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	return base;
}

int loop_new(int index, struct loop **ret_loop)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int r;

	if (!loop)
		return PM_E_NOMEM;
	loop->index = index;
	loop->base = new_base();
	loop->scratch = malloc(LOOP_SCRATCH_SIZE);
	r = loop->base && loop->scratch ? open_inbox(loop) : PM_E_NOMEM;
	if (r == PM_OK && getrandom(&loop->id_base, sizeof(loop->id_base), 0) < 0)
		r = PM_E_SYS;
	if (r < 0) {
		loop_free(loop);
		return r;
	}
	*ret_loop = loop;
	return PM_OK;
}

static void close_inbox(struct loop_inbox *inbox)
{
	for (struct task *task = take_all(inbox), *next; task; task = next) {
		next = task->next;
		free(task);
	}
	if (inbox->wakeup)
		event_free(inbox->wakeup);
	if (inbox->fd >= 0)
		close(inbox->fd);
	pthread_mutex_destroy(&inbox->lock);
	free(inbox);
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	if (loop->inbox)
		close_inbox(loop->inbox);
	if (loop->base)
		event_base_free(loop->base);
	free(loop->scratch);
	free(loop);
}

void loop_run(struct loop *loop)
{
	event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

void loop_stop(struct loop *loop)
{
	event_base_loopbreak(loop->base);
}

struct timeval loop_time(int64_t milliseconds)
{
	return (struct timeval){milliseconds / 1000, (milliseconds % 1000) * 1000};
}

int64_t loop_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
