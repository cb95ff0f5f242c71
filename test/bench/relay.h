/* SPDX-License-Identifier: Apache-2.0 */
/* What any program between two others costs: bytes from one connection to another, and no more. */
#ifndef BENCH_RELAY_H
#define BENCH_RELAY_H

#include <stdint.h>
#include <sys/types.h>

struct bench_relay {
	pid_t pid;
	uint16_t port;
};

/* In a process of its own on that processor; what comes goes to the port, and back. */
struct bench_relay bench_relay_start(int cpu, uint16_t port);
void bench_relay_stop(const struct bench_relay *relay);

#endif
