/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as the command line has them: HOST:PORT, [HOST]:PORT, :PORT, unix:PATH. */
#ifndef COMMON_ADDRESS_H
#define COMMON_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#define ADDRESS_TEXT_SIZE 128

struct address {
	struct sockaddr_storage socket;
	socklen_t len;
};

/* Numbers only for the host, and no host is every address; no name is looked up. 0; PM_E_FORMAT. */
int address_parse(const char *text, struct address *ret);

/* Does only this machine reach it? */
bool address_is_local(const struct address *address);

/* As it is written. */
void address_print(const struct address *address, char ret[ADDRESS_TEXT_SIZE]);

/*
 * A listening socket, non-blocking; for IP it may be opened several times, one for each loop. A
 * Unix socket that a dead process left is replaced. *address then has the port that was taken.
 * The descriptor, or PM_E_SYS with errno.
 */
int address_listen(struct address *address);

#endif
