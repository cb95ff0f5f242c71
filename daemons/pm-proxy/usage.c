/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-proxy/usage.h"

#include <pm/error.h>
#include <pm/rules.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/metrics.h"

#define NAME_SIZE 128

enum kind { PROMPT = 0, CACHED, CACHE_WRITTEN, COMPLETION, AUDIO, REQUESTS, KINDS };

struct model {
	char name[PM_REQUEST_MODEL_SIZE];
	uint64_t counts[KINDS];
};

struct usage_table {
	pthread_mutex_t lock;
	size_t count;
	struct model models[USAGE_MODELS_MAX + 1]; /* the last is "other" */
};

int usage_new(struct usage_table **ret_table)
{
	struct usage_table *table = calloc(1, sizeof(*table));

	if (!table)
		return PM_E_NOMEM;
	pthread_mutex_init(&table->lock, NULL);
	strcpy(table->models[USAGE_MODELS_MAX].name, "other");
	*ret_table = table;
	return PM_OK;
}

void usage_free(struct usage_table *table)
{
	if (!table)
		return;
	pthread_mutex_destroy(&table->lock);
	free(table);
}

static struct model *find(struct usage_table *table, const char *name, bool may_add)
{
	for (size_t i = 0; i < table->count; i++)
		if (!strcmp(table->models[i].name, name))
			return &table->models[i];
	if (!may_add || table->count == USAGE_MODELS_MAX)
		return &table->models[USAGE_MODELS_MAX];
	snprintf(table->models[table->count].name, PM_REQUEST_MODEL_SIZE, "%s", name);
	return &table->models[table->count++];
}

void usage_add(
	struct usage_table *table, const char *model, bool served, const struct pm_usage *usage)
{
	struct model *m;

	pthread_mutex_lock(&table->lock);
	m = find(table, *model ? model : "unknown", served);
	m->counts[PROMPT] += usage->prompt_tokens;
	m->counts[CACHED] += usage->cached_tokens;
	m->counts[CACHE_WRITTEN] += usage->cache_written_tokens;
	m->counts[COMPLETION] += usage->completion_tokens;
	m->counts[AUDIO] += usage->audio_seconds;
	m->counts[REQUESTS]++;
	pthread_mutex_unlock(&table->lock);
}

static void write_kind(const struct usage_table *table, struct evbuffer *out, const char *prefix,
	enum kind kind, const char *help)
{
	static const char *const names[KINDS] = {"prompt_tokens", "cached_tokens",
		"cache_written_tokens", "completion_tokens", "audio_seconds", "model_requests"};
	char name[NAME_SIZE];

	snprintf(name, sizeof(name), "%s_%s_total", prefix, names[kind]);
	metrics_begin(out, name, "counter", help);
	for (size_t i = 0; i <= USAGE_MODELS_MAX; i++) {
		const struct model *m = &table->models[i];

		if (i < table->count || m->counts[REQUESTS])
			metrics_sample(out, name, "model", m->name, (int64_t)m->counts[kind]);
	}
}

void usage_write(struct usage_table *table, struct evbuffer *out, const char *prefix)
{
	pthread_mutex_lock(&table->lock);
	write_kind(table, out, prefix, PROMPT, "Tokens of prompts that were computed.");
	write_kind(table, out, prefix, CACHED, "Tokens of prompts that came from a cache.");
	write_kind(table, out, prefix, CACHE_WRITTEN, "Tokens of prompts written to a cache.");
	write_kind(table, out, prefix, COMPLETION, "Tokens of answers.");
	write_kind(table, out, prefix, AUDIO, "Seconds of audio.");
	write_kind(table, out, prefix, REQUESTS, "Requests that the inference server answered.");
	pthread_mutex_unlock(&table->lock);
}
