/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks us, by address: how often he may, and which nonces we gave him. All memory is had at the
 * beginning. An address can push out nothing but its own nonces; a new one takes the place of the
 * one that was here longest ago. An IPv6 network of 64 bits counts as one, as one customer has it.
 */
#ifndef COORDINATOR_VISITORS_H
#define COORDINATOR_VISITORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <pm/bundle.h>

#define VISITORS_MAX	  512
#define VISITORS_NONCES	  64	/* of one visitor, that wait for evidence */
#define VISITORS_LIFETIME 60000 /* of a nonce, in milliseconds */
#define VISITORS_BURST	  5	/* seconds of questions that one may ask at once */
/* Refusals that are written down: so many at once, and one in so many milliseconds. */
#define VISITORS_NOTES	   256
#define VISITORS_NOTE_TIME 10000

struct visitors;

/* rate: questions a second for each address, at least 1. NULL without memory. */
struct visitors *visitors_new(unsigned int rate);
void visitors_free(struct visitors *visitors);

/* May he ask this? Counts it. address may be NULL or of a Unix socket: all of these are one. */
bool visitors_admit(struct visitors *visitors, const struct sockaddr *address, int64_t now);

/*
 * May a refusal be written down, for whomever? Counts it. What anybody can cause must not fill the
 * store.
 */
bool visitors_note(struct visitors *visitors, int64_t now);

/* A nonce for him. PM_OK; PM_E_SYS without random bytes. */
int visitors_nonce(struct visitors *visitors, const struct sockaddr *address, int64_t now,
	uint8_t ret_nonce[PM_BUNDLE_NONCE_SIZE]);

/* Was it given out not too long ago, to whomever? Once only: it is spent by this. */
bool visitors_take(
	struct visitors *visitors, const uint8_t nonce[PM_BUNDLE_NONCE_SIZE], int64_t now);

#endif
