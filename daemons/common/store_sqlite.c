/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store in a file of SQLite. For each file a process has two threads with a connection each: one
 * writes what waits in one transaction, which costs one sync to the disk for all of it; one reads,
 * and looks ten times a second whether another process has changed the file. Its log is written
 * ahead (WAL), so that readers and the writer don't wait for each other.
 */
#include "common/store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <pm/error.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MILLISECONDS 100
/* Of one transaction. */
#define BATCH_OPS   256
#define BATCH_BYTES (16 << 20)
/* Of one look at the file: their results are in memory at the same time. */
#define READS 64

struct file {
	struct file *next;
	size_t references; /* under registry_lock, as next */
	dev_t device;
	ino_t inode;
	struct sqlite_db *write_db, *read_db;
	pthread_t writer, reader;
	bool has_writer, has_reader;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t for_writer, for_reader;
	bool is_ending, has_changed;
	struct store_ops writes, reads;
	struct store_ops waiting; /* for changes; op->backend is the file while it is in here */
};

/*
 * Closing any descriptor of a file drops the locks that SQLite has on it in this process: a file is
 * opened once, and closed wholly before it is opened again.
 */
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct file *files;

/* --- the writer ------------------------------------------------------------------------------ */

static void mail_all(struct store_ops *ops)
{
	struct store_op *op;

	while ((op = TAILQ_FIRST(ops))) {
		TAILQ_REMOVE(ops, op, queue);
		store_op_mail(op);
	}
}

/* The lock is held. */
static void take_batch(struct file *file, struct store_ops *batch)
{
	size_t bytes = 0;
	struct store_op *op;

	TAILQ_INIT(batch);
	for (int i = 0; i < BATCH_OPS && bytes < BATCH_BYTES; i++) {
		op = TAILQ_FIRST(&file->writes);
		if (!op)
			return;
		TAILQ_REMOVE(&file->writes, op, queue);
		TAILQ_INSERT_TAIL(batch, op, queue);
		bytes += op->len;
	}
}

static void *write_run(void *arg)
{
	struct file *file = arg;
	struct store_ops batch;
	bool has_changed;

	pthread_mutex_lock(&file->lock);
	while (!file->is_ending) {
		if (TAILQ_EMPTY(&file->writes)) {
			pthread_cond_wait(&file->for_writer, &file->lock);
			continue;
		}
		take_batch(file, &batch);
		pthread_mutex_unlock(&file->lock);
		has_changed = sqlite_db_write(file->write_db, &batch);
		mail_all(&batch);
		pthread_mutex_lock(&file->lock);
		file->has_changed |= has_changed;
		if (has_changed)
			pthread_cond_signal(&file->for_reader);
	}
	pthread_mutex_unlock(&file->lock);
	return NULL;
}

/* --- the reader ------------------------------------------------------------------------------ */

/* The lock is held. Until there is something to do, or it is time to look. */
static void wait_for_work(struct file *file)
{
	struct timespec until;

	if (TAILQ_EMPTY(&file->waiting)) {
		pthread_cond_wait(&file->for_reader, &file->lock);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LOOK_MILLISECONDS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_cond_timedwait(&file->for_reader, &file->lock, &until);
}

/* The lock is held: back to where it waits, unless it was found or cancelled meanwhile. */
static void put_back(struct file *file, struct store_op *op, bool is_found)
{
	if (is_found || op->is_unwanted) {
		store_op_mail(op);
		return;
	}
	op->backend = file;
	TAILQ_INSERT_TAIL(&file->waiting, op, queue);
}

/* The lock is held, and let go meanwhile. */
static void look_for_changes(struct file *file)
{
	struct store_ops looked = TAILQ_HEAD_INITIALIZER(looked);
	struct store_op *op;

	TAILQ_CONCAT(&looked, &file->waiting, queue);
	for (op = TAILQ_FIRST(&looked); op; op = TAILQ_NEXT(op, queue))
		op->backend = NULL;
	while ((op = TAILQ_FIRST(&looked))) {
		bool is_found;

		TAILQ_REMOVE(&looked, op, queue);
		pthread_mutex_unlock(&file->lock);
		is_found = sqlite_db_changes(file->read_db, op);
		pthread_mutex_lock(&file->lock);
		put_back(file, op, is_found);
	}
}

/* The lock is held, and let go meanwhile. */
static void read_all(struct file *file)
{
	struct store_ops reads = TAILQ_HEAD_INITIALIZER(reads);
	struct store_op *op;

	for (int i = 0; i < READS && (op = TAILQ_FIRST(&file->reads)); i++) {
		TAILQ_REMOVE(&file->reads, op, queue);
		TAILQ_INSERT_TAIL(&reads, op, queue);
	}
	if (TAILQ_EMPTY(&reads))
		return;
	pthread_mutex_unlock(&file->lock);
	sqlite_db_read(file->read_db, &reads);
	mail_all(&reads);
	pthread_mutex_lock(&file->lock);
}

/* The lock is held. */
static bool has_work(const struct file *file)
{
	return !TAILQ_EMPTY(&file->reads) || (file->has_changed && !TAILQ_EMPTY(&file->waiting));
}

static void *read_run(void *arg)
{
	struct file *file = arg;
	int64_t seen = -1;

	pthread_mutex_lock(&file->lock);
	while (!file->is_ending) {
		int64_t version;

		if (!has_work(file))
			wait_for_work(file);
		read_all(file);
		if (TAILQ_EMPTY(&file->waiting)) {
			file->has_changed = false; /* nobody wants to hear of it */
			continue;
		}
		version = sqlite_db_version(file->read_db);
		if (file->has_changed || version != seen || version < 0) {
			file->has_changed = false;
			look_for_changes(file);
		}
		seen = version;
	}
	pthread_mutex_unlock(&file->lock);
	return NULL;
}

/* --- operations ------------------------------------------------------------------------------ */

static void start(struct store_op *op)
{
	struct file *file = op->store->self;

	pthread_mutex_lock(&file->lock);
	switch (op->kind) {
	case STORE_GET:
	case STORE_LIST:
		TAILQ_INSERT_TAIL(&file->reads, op, queue);
		pthread_cond_signal(&file->for_reader);
		break;
	case STORE_CHANGES:
		op->backend = file;
		file->has_changed = true; /* since then, perhaps */
		TAILQ_INSERT_TAIL(&file->waiting, op, queue);
		pthread_cond_signal(&file->for_reader);
		break;
	default:
		TAILQ_INSERT_TAIL(&file->writes, op, queue);
		pthread_cond_signal(&file->for_writer);
	}
	pthread_mutex_unlock(&file->lock);
}

static bool cancel(struct store_op *op)
{
	struct file *file = op->store->self;
	bool is_waiting;

	if (op->kind != STORE_CHANGES)
		return false;
	pthread_mutex_lock(&file->lock);
	is_waiting = op->backend != NULL;
	if (is_waiting)
		TAILQ_REMOVE(&file->waiting, op, queue);
	op->is_unwanted = true;
	pthread_mutex_unlock(&file->lock);
	return is_waiting;
}

/* --- files ----------------------------------------------------------------------------------- */

/* What nobody did any more. */
static void drop_all(struct store_ops *ops)
{
	struct store_op *op;

	for (op = TAILQ_FIRST(ops); op; op = TAILQ_NEXT(op, queue))
		store_op_fail(op, PM_E_STATE, "the store was closed");
	mail_all(ops);
}

static void end_threads(struct file *file)
{
	pthread_mutex_lock(&file->lock);
	file->is_ending = true;
	pthread_cond_signal(&file->for_writer);
	pthread_cond_signal(&file->for_reader);
	pthread_mutex_unlock(&file->lock);
	if (file->has_writer)
		pthread_join(file->writer, NULL);
	if (file->has_reader)
		pthread_join(file->reader, NULL);
}

static void free_file(struct file *file)
{
	end_threads(file);
	drop_all(&file->writes);
	drop_all(&file->reads);
	drop_all(&file->waiting);
	if (file->read_db)
		sqlite_db_close(file->read_db);
	if (file->write_db)
		sqlite_db_close(file->write_db);
	pthread_cond_destroy(&file->for_writer);
	pthread_cond_destroy(&file->for_reader);
	pthread_mutex_destroy(&file->lock);
	free(file);
}

static struct file *new_file(const struct stat *status)
{
	struct file *file = calloc(1, sizeof(*file));
	pthread_condattr_t attr;

	if (!file)
		return NULL;
	file->device = status->st_dev;
	file->inode = status->st_ino;
	file->references = 1;
	TAILQ_INIT(&file->writes);
	TAILQ_INIT(&file->reads);
	TAILQ_INIT(&file->waiting);
	pthread_mutex_init(&file->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&file->for_writer, &attr);
	pthread_cond_init(&file->for_reader, &attr);
	pthread_condattr_destroy(&attr);
	return file;
}

/* Signals are the business of other threads. */
static bool start_threads(struct file *file)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	file->has_writer = !pthread_create(&file->writer, NULL, write_run, file);
	file->has_reader = !pthread_create(&file->reader, NULL, read_run, file);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return file->has_writer && file->has_reader;
}

static int open_file(const char *path, const struct stat *status, char reason[STORE_REASON_SIZE],
	struct file **ret_file)
{
	struct file *file = new_file(status);
	int r = PM_E_NOMEM;

	if (file)
		r = sqlite_db_open(path, reason, &file->write_db);
	if (r == PM_OK)
		r = sqlite_db_open(path, reason, &file->read_db);
	if (r == PM_OK && !start_threads(file)) {
		snprintf(reason, STORE_REASON_SIZE, "no thread can be started");
		r = PM_E_SYS;
	}
	if (r < 0) {
		if (file)
			free_file(file);
		return r;
	}
	*ret_file = file;
	return PM_OK;
}

/* The file's name in its folder outlives a crash too. */
static int sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = strndup(path, slash ? (size_t)(slash - path) + 1 : 0);
	int fd = folder ? open(*folder ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int r = fd < 0 ? -1 : fsync(fd);

	if (fd >= 0)
		close(fd);
	free(folder);
	return r;
}

/* An empty file for its owner alone, if there is none; what it is. */
static int make_file(const char *path, struct stat *ret_status, char reason[STORE_REASON_SIZE])
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0) {
		close(fd);
		if (sync_folder(path) < 0)
			fd = -1;
	}
	if ((fd < 0 && errno != EEXIST) || stat(path, ret_status) < 0) {
		snprintf(reason, STORE_REASON_SIZE, "%.300s: %s", path, strerrordesc_np(errno));
		return errno == ENOSPC || errno == EDQUOT ? PM_E_LIMIT : PM_E_SYS;
	}
	if (!S_ISREG(ret_status->st_mode)) {
		snprintf(reason, STORE_REASON_SIZE, "%.300s: not a file", path);
		return PM_E_SYS;
	}
	return PM_OK;
}

/* registry_lock is held. */
static int get_file(const char *path, char reason[STORE_REASON_SIZE], struct file **ret_file)
{
	struct stat status;
	struct file *file;
	int r = make_file(path, &status, reason);

	if (r < 0)
		return r;
	for (file = files; file; file = file->next)
		if (file->device == status.st_dev && file->inode == status.st_ino)
			break;
	if (file) {
		file->references++;
		*ret_file = file;
		return PM_OK;
	}
	r = open_file(path, &status, reason, &file);
	if (r < 0)
		return r;
	file->next = files;
	files = file;
	*ret_file = file;
	return PM_OK;
}

static int open_store(struct store *store, const char *place, const struct store_tls *tls,
	char reason[STORE_REASON_SIZE])
{
	struct file *file = NULL;
	int r;

	(void)tls;
	pthread_mutex_lock(&registry_lock);
	r = get_file(place, reason, &file);
	pthread_mutex_unlock(&registry_lock);
	store->self = file;
	return r;
}

static void close_store(struct store *store)
{
	struct file *file = store->self, **at = &files;

	pthread_mutex_lock(&registry_lock);
	if (--file->references == 0) {
		while (*at != file)
			at = &(*at)->next;
		*at = file->next;
		free_file(file);
	}
	pthread_mutex_unlock(&registry_lock);
}

const struct store_backend store_sqlite = {
	.open = open_store,
	.close = close_store,
	.start = start,
	.cancel = cancel,
	.needs_sweep = true,
};
