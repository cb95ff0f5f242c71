/* SPDX-License-Identifier: Apache-2.0 */
#include "common/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pm/error.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024

static int parse_unix(const char *path, struct address *ret)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&ret->socket;
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(un->sun_path))
		return PM_E_FORMAT;
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, len + 1);
	ret->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
	return PM_OK;
}

static int parse_port(const char *text, in_port_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long port = strtoul(text, NULL, 10);

	if (!digits || digits > 5 || text[digits] || port > 65535)
		return PM_E_FORMAT;
	*ret = htons((uint16_t)port);
	return PM_OK;
}

static int parse_v4(const char *host, in_port_t port, struct address *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&ret->socket;

	*v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
	ret->len = sizeof(*v4);
	return inet_pton(AF_INET, host, &v4->sin_addr) == 1 ? PM_OK : PM_E_FORMAT;
}

static int parse_v6(const char *host, in_port_t port, struct address *ret)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&ret->socket;

	*v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
	ret->len = sizeof(*v6);
	return inet_pton(AF_INET6, host, &v6->sin6_addr) == 1 ? PM_OK : PM_E_FORMAT;
}

int address_parse(const char *text, struct address *ret)
{
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2];
	in_port_t port;
	size_t len;

	*ret = (struct address){0};
	if (!strncmp(text, "unix:", 5))
		return parse_unix(text + 5, ret);
	len = colon ? (size_t)(colon - text) : sizeof(host);
	if (len >= sizeof(host) || parse_port(colon + 1, &port) < 0)
		return PM_E_FORMAT;
	memcpy(host, text, len);
	host[len] = '\0';
	if (len == 0)
		return parse_v6("::", port, ret);
	if (strcmp(host, "localhost") == 0)
		return parse_v4("127.0.0.1", port, ret);
	if (host[0] != '[' || host[len - 1] != ']')
		return parse_v4(host, port, ret);
	host[len - 1] = '\0';
	return parse_v6(host + 1, port, ret);
}

bool address_is_local(const struct address *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address->socket;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->socket;

	switch (address->socket.ss_family) {
	case AF_UNIX:
		return true;
	case AF_INET:
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	case AF_INET6:
		return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
	default:
		return false;
	}
}

void address_print(const struct address *address, char ret[ADDRESS_TEXT_SIZE])
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&address->socket;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address->socket;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->socket;
	char host[INET6_ADDRSTRLEN] = "?";

	switch (address->socket.ss_family) {
	case AF_UNIX:
		snprintf(ret, ADDRESS_TEXT_SIZE, "unix:%.*s", (int)sizeof(un->sun_path),
			un->sun_path);
		break;
	case AF_INET:
		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
		snprintf(ret, ADDRESS_TEXT_SIZE, "%s:%u", host, ntohs(v4->sin_port));
		break;
	default:
		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
		snprintf(ret, ADDRESS_TEXT_SIZE, "[%s]:%u", host, ntohs(v6->sin6_port));
	}
}

/* Nobody answers there, so it is a leftover. */
static void remove_leftover(const struct address *address)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&address->socket;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)&address->socket, address->len) < 0 &&
		errno == ECONNREFUSED && lstat(un->sun_path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(un->sun_path);
	close(fd);
}

static int prepare(int fd, struct address *address)
{
	const int on = 1, off = 0;

	if (address->socket.ss_family == AF_UNIX) {
		remove_leftover(address);
		return 0;
	}
	if (address->socket.ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -1;
	return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
}

int address_listen(struct address *address)
{
	int fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int saved;

	if (fd < 0)
		return PM_E_SYS;
	if (prepare(fd, address) == 0 &&
		bind(fd, (struct sockaddr *)&address->socket, address->len) == 0 &&
		listen(fd, BACKLOG) == 0 &&
		(address->socket.ss_family == AF_UNIX ||
			getsockname(fd, (struct sockaddr *)&address->socket, &address->len) == 0))
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return PM_E_SYS;
}
