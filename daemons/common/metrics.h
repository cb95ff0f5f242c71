/* SPDX-License-Identifier: Apache-2.0 */
/* Figures for Prometheus, in its text format (version 0.0.4). */
#ifndef COMMON_METRICS_H
#define COMMON_METRICS_H

#include <event2/buffer.h>
#include <stdint.h>

#include "common/http_server.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The two lines that stand before the samples of one name; type such as "counter". */
void metrics_begin(struct evbuffer *out, const char *name, const char *type, const char *help);

/* A sample, with one label where label is not NULL; its value may be any text. */
void metrics_sample(struct evbuffer *out, const char *name, const char *label, const char *value,
	int64_t number);

/* A sample with two labels. */
void metrics_sample2(struct evbuffer *out, const char *name, const char *const labels[2],
	const char *const values[2], int64_t number);

/* One name with one sample. */
void metrics_single(
	struct evbuffer *out, const char *name, const char *type, const char *help, int64_t number);

/* All figures of HTTP servers; names begin with prefix. */
void metrics_http(struct evbuffer *out, const char *prefix, const struct http_counts *counts);

#endif
