/* SPDX-License-Identifier: Apache-2.0 */
#include "common/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify_send(const char *state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (len < 2 || len >= sizeof(address.sun_path) || (*path != '/' && *path != '@'))
		return;
	memcpy(address.sun_path, path, len);
	if (*path == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

static long number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long value;

	if (!text)
		return -1;
	errno = 0;
	value = strtol(text, &end, 10);
	return errno || end == text || *end ? -1 : value;
}

int notify_sockets(void)
{
	long count = number("LISTEN_FDS");

	if (number("LISTEN_PID") != (long)getpid() || count < 1 || count > NOTIFY_SOCKETS_MAX)
		return 0;
	return (int)count;
}
