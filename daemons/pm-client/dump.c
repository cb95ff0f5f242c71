/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and answers in plaintext, for who asked for that by --dump; without keys. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/log.h"
#include "pm-client/job.h"

#define PATH_SIZE 4096

/* Never a file that is there. */
static int create(const struct job *job, const char *what)
{
	char path[PATH_SIZE];
	int n = snprintf(path, sizeof(path), "%s/%s-%s", job->client->options->dump,
		http_id(job->exchange), what);
	int fd = -1;

	if (n > 0 && (size_t)n < sizeof(path))
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		log_event(LOG_LEVEL_WARN, "not dumped", "id", http_id(job->exchange), NULL);
	return fd;
}

void dump_open(struct job *job)
{
	if (!job->client->options->dump)
		return;
	job->dump_request = create(job, "request");
	job->dump_answer = create(job, "answer");
}

void dump_write(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (fd >= 0 && len) {
		ssize_t n = write(fd, at, len);

		if (n <= 0)
			return;
		at += n;
		len -= (size_t)n;
	}
}

void dump_close(struct job *job)
{
	if (job->dump_request >= 0)
		close(job->dump_request);
	if (job->dump_answer >= 0)
		close(job->dump_answer);
}
