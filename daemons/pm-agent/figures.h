/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of all rounds, for Prometheus. */
#ifndef PM_AGENT_FIGURES_H
#define PM_AGENT_FIGURES_H

#include <event2/buffer.h>
#include <jansson.h>
#include <stdint.h>

#include "pm-agent/options.h"

struct figures {
	int64_t rounds[3]; /* by exit status: verified, rejected, error */
	int64_t ready;	   /* 1, 0, or -1: not known */
	int64_t devices, verified;
	int64_t last, last_verified; /* seconds since 1970 */
	int64_t duration;	     /* milliseconds of the last round */
	int64_t valid_until;	     /* seconds since 1970; 0: the last round was not accepted */
};

/* A round has ended. */
void figures_add(struct figures *f, const json_t *status, int64_t milliseconds);

/* In Prometheus's text format. */
void figures_print(const struct figures *f, struct evbuffer *out);

/* Into the file of --metrics-file, where one is wanted. An exit status. */
int figures_write(const struct agent_options *o, const struct figures *f);

#endif
