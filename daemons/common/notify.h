/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd is told, and the sockets it hands over (sd_notify(3), sd_listen_fds(3)). */
#ifndef COMMON_NOTIFY_H
#define COMMON_NOTIFY_H

/* Most sockets that are taken over. */
#define NOTIFY_SOCKETS_MAX 16

/* "READY=1", "STOPPING=1"; nothing happens where nobody listens. */
void notify_send(const char *state);

/* Sockets that were handed to this process: how many, from descriptor 3 on. */
int notify_sockets(void);

#endif
