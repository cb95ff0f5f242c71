/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of work of bench_envelope, and what they share. */
#ifndef PM_BENCH_ENVELOPE_H
#define PM_BENCH_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#include <pm/pm.h>

#define MIB ((size_t)1 << 20)

struct row {
	const char *name;
	size_t size;  /* bytes of plaintext; 0: none */
	size_t calls; /* in one round */
	void (*prepare)(size_t size);
	void (*run)(size_t size);
	void (*finish)(void);
};

struct rows {
	const struct row *list;
	size_t count;
};

extern const struct rows field_rows, exchange_rows;

extern const uint8_t secret[PM_FIELD_SECRET_SIZE];
extern uint8_t *plain; /* MIB bytes */

/* Ends the program on failure. */
void must(int r, const char *what);

/* Zeros; ends the program without memory. */
void *room(size_t size);

#endif
