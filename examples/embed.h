/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two embedding examples share, in place of your HTTP stack: messages on standard input
 * and output, each a length (32 bits, big endian) and so many bytes. An empty one ends a body.
 * Compiles as C and as C++.
 */
#ifndef EMBED_H
#define EMBED_H

#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <pm/pm.h>

/* Ends the program when a call of libpm failed. */
static inline void must(int r, const char *what, const struct pm_report *report)
{
	if (r < 0)
		errx(1, "%s: %s %s", what, pm_strerror(r), report ? pm_report_reason(report) : "");
}

/* The inference secret, 32 bytes in a file. In earnest it comes of a key exchange: pm/keyex.h. */
static inline struct pm_exchange_key *read_key(int argc, char **argv)
{
	struct pm_exchange_key *key = NULL;
	uint8_t secret[PM_SEALED_SECRET_SIZE];
	FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;

	if (!f || fread(secret, 1, sizeof(secret), f) != sizeof(secret))
		errx(2, "usage: %s FILE-OF-32-BYTES", argv[0]);
	fclose(f);
	must(pm_exchange_key_new("example", secret, &key), "key", NULL);
	return key;
}

static inline void put_all(const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t done = write(1, p, n);

		if (done <= 0)
			errx(2, "can't write");
		p += done;
		n -= (size_t)done;
	}
}

static inline void get_all(uint8_t *p, size_t n)
{
	while (n) {
		ssize_t done = read(0, p, n);

		if (done <= 0)
			errx(2, "the other side hung up");
		p += done;
		n -= (size_t)done;
	}
}

static inline void put(const void *bytes, size_t n)
{
	const uint8_t head[4] = {
		(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};

	put_all(head, sizeof(head));
	put_all((const uint8_t *)bytes, n);
}

static inline void put_text(const char *text)
{
	put(text, strlen(text));
}

/* One message, with a NUL behind it. */
static inline size_t get(uint8_t *ret, size_t room)
{
	uint8_t h[4];
	size_t n;

	get_all(h, sizeof(h));
	n = (size_t)h[0] << 24 | (size_t)h[1] << 16 | (size_t)h[2] << 8 | h[3];
	if (n >= room)
		errx(2, "a message of %zu bytes", n);
	get_all(ret, n);
	ret[n] = 0;
	return n;
}

#endif
