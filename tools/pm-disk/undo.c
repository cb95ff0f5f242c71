/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-disk/undo.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

/* Read by a handler of signals: set one after the other, the switch last. */
static const char *volatile remove_path;
static volatile int shrink_fd = -1;
static volatile off_t shrink_size;
static volatile sig_atomic_t armed;

void undo_run(void)
{
	if (!armed)
		return;
	armed = 0;
	if (remove_path)
		(void)unlink(remove_path);
	if (shrink_fd >= 0 && ftruncate(shrink_fd, shrink_size))
		return; /* there is nobody left to tell */
}

static void on_signal(int number)
{
	undo_run();
	(void)raise(number); /* SA_RESETHAND: the default follows */
}

static void arm(void)
{
	static const int numbers[] = {SIGHUP, SIGINT, SIGTERM};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND}, old;

	armed = 1;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!sigaction(numbers[i], NULL, &old) && old.sa_handler == SIG_DFL)
			(void)sigaction(numbers[i], &action, NULL);
	}
}

void undo_remove(const char *path)
{
	remove_path = path;
	arm();
}

void undo_shrink(int fd, uint64_t size)
{
	shrink_size = (off_t)size;
	shrink_fd = fd;
	arm();
}

void undo_forget(void)
{
	armed = 0;
	remove_path = NULL;
	shrink_fd = -1;
}
