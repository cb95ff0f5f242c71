/* SPDX-License-Identifier: Apache-2.0 */
#include "common/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME_SIZE 128

void metrics_begin(struct evbuffer *out, const char *name, const char *type, const char *help)
{
	evbuffer_add_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Backslash, quote and the end of a line are escaped. */
static void add_label(struct evbuffer *out, const char *label, const char *value)
{
	evbuffer_add_printf(out, "%s=\"", label);
	for (; *value; value++) {
		if (*value == '\n') {
			evbuffer_add(out, "\\n", 2);
			continue;
		}
		if (*value == '"' || *value == '\\')
			evbuffer_add(out, "\\", 1);
		evbuffer_add(out, value, 1);
	}
	evbuffer_add(out, "\"", 1);
}

void metrics_sample(struct evbuffer *out, const char *name, const char *label, const char *value,
	int64_t number)
{
	evbuffer_add(out, name, strlen(name));
	if (label) {
		evbuffer_add(out, "{", 1);
		add_label(out, label, value);
		evbuffer_add(out, "}", 1);
	}
	evbuffer_add_printf(out, " %" PRId64 "\n", number);
}

void metrics_sample2(struct evbuffer *out, const char *name, const char *const labels[2],
	const char *const values[2], int64_t number)
{
	evbuffer_add_printf(out, "%s{", name);
	add_label(out, labels[0], values[0]);
	evbuffer_add(out, ",", 1);
	add_label(out, labels[1], values[1]);
	evbuffer_add_printf(out, "} %" PRId64 "\n", number);
}

void metrics_single(
	struct evbuffer *out, const char *name, const char *type, const char *help, int64_t number)
{
	metrics_begin(out, name, type, help);
	metrics_sample(out, name, NULL, NULL, number);
}

static void responses(struct evbuffer *out, const char *prefix, const struct http_counts *counts)
{
	char name[NAME_SIZE], code[8];

	snprintf(name, sizeof(name), "%s_http_responses_total", prefix);
	metrics_begin(out, name, "counter", "Responses by class of status.");
	for (int i = 2; i < 6; i++) {
		snprintf(code, sizeof(code), "%dxx", i);
		metrics_sample(out, name, "code", code,
			(int64_t)atomic_load_explicit(&counts->responses[i], memory_order_relaxed));
	}
}

void metrics_http(struct evbuffer *out, const char *prefix, const struct http_counts *counts)
{
	const struct {
		const char *name, *type, *help;
		int64_t number;
	} all[] = {
		{"connections_total", "counter", "Connections accepted.",
			(int64_t)atomic_load(&counts->connections_total)},
		{"connections", "gauge", "Connections open.", atomic_load(&counts->connections)},
		{"requests_total", "counter", "Requests whose head was taken.",
			(int64_t)atomic_load(&counts->requests_total)},
		{"requests", "gauge", "Requests under way.", atomic_load(&counts->requests)},
		{"aborted_total", "counter", "Requests that did not end whole.",
			(int64_t)atomic_load(&counts->aborted)},
		{"refused_total", "counter", "Heads and handshakes that were refused.",
			(int64_t)atomic_load(&counts->refused)},
		{"received_bytes_total", "counter", "Bytes received.",
			(int64_t)atomic_load(&counts->bytes_in)},
		{"sent_bytes_total", "counter", "Bytes sent.",
			(int64_t)atomic_load(&counts->bytes_out)},
	};
	char name[NAME_SIZE];

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		snprintf(name, sizeof(name), "%s_http_%s", prefix, all[i].name);
		metrics_single(out, name, all[i].type, all[i].help, all[i].number);
	}
	responses(out, prefix, counts);
}
