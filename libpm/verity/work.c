/* SPDX-License-Identifier: Apache-2.0 */
#include "verity/work.h"

#include <pthread.h>
#include <signal.h>

struct pool {
	const struct pm_work *work;
	pthread_mutex_t lock;
	uint64_t next; /* task to be handed out */
	uint64_t done;
	uint64_t failed_task;
	void *failed;
	int error;
};

struct thread {
	struct pool *pool;
	void *worker;
	pthread_t id;
};

static bool take(struct pool *p, uint64_t *ret_task)
{
	bool any;

	pthread_mutex_lock(&p->lock);
	any = p->error == PM_OK && p->next < p->work->tasks;
	if (any)
		*ret_task = p->next++;
	pthread_mutex_unlock(&p->lock);
	return any;
}

static void finish(struct pool *p, void *worker, uint64_t task, int r)
{
	pthread_mutex_lock(&p->lock);
	if (r < 0 && (p->error == PM_OK || task < p->failed_task)) {
		p->error = r;
		p->failed_task = task;
		p->failed = worker;
	}
	p->done++;
	if (p->error == PM_OK && p->work->progress)
		p->work->progress(p->work->progress_arg, p->done);
	pthread_mutex_unlock(&p->lock);
}

static void *work_on(void *arg)
{
	const struct thread *t = arg;
	uint64_t task;
	int r = PM_OK;

	while (r == PM_OK && take(t->pool, &task)) {
		r = t->pool->work->run(t->worker, task);
		finish(t->pool, t->worker, task, r);
	}
	return NULL;
}

/* How many threads beside the calling one could be made. The program's signals are not for them. */
static size_t start(struct thread *threads, size_t count)
{
	sigset_t all, before;
	size_t made = 1;

	sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before))
		return 0;
	while (made < count && !pthread_create(&threads[made].id, NULL, work_on, &threads[made]))
		made++;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return made - 1;
}

int pm_work_run(const struct pm_work *work, void **ret_failed)
{
	struct pool pool = {.work = work, .lock = PTHREAD_MUTEX_INITIALIZER};
	struct thread threads[PM_VERITY_THREADS_MAX];
	size_t count = work->worker_count < work->tasks ? work->worker_count : (size_t)work->tasks;
	size_t others;

	for (size_t i = 0; i < count; i++)
		threads[i] = (struct thread){.pool = &pool, .worker = work->workers[i]};
	if (!count)
		return PM_OK;
	others = start(threads, count);
	(void)work_on(&threads[0]);
	for (size_t i = 1; i <= others; i++)
		(void)pthread_join(threads[i].id, NULL);
	pthread_mutex_destroy(&pool.lock);
	if (pool.error < 0)
		*ret_failed = pool.failed;
	return pool.error;
}
