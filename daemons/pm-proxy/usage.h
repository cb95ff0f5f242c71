/* SPDX-License-Identifier: Apache-2.0 */
/* What was used, by model. A model's name comes from clients, so the number of them is bounded. */
#ifndef PROXY_USAGE_H
#define PROXY_USAGE_H

#include <event2/buffer.h>

#include <pm/body.h>

/* Further models are counted as "other". */
#define USAGE_MODELS_MAX 64

struct usage_table;

/* 0; PM_E_NOMEM. */
int usage_new(struct usage_table **ret_table);
void usage_free(struct usage_table *table);

/*
 * A request that was forwarded; usage may have found nothing. served: the server did not refuse it,
 * else a model that is not known yet counts as "other": whoever asks for models that there are not
 * shall not take the places. From any thread.
 */
void usage_add(
	struct usage_table *table, const char *model, bool served, const struct pm_usage *usage);

/* As metrics; names begin with prefix. */
void usage_write(struct usage_table *table, struct evbuffer *out, const char *prefix);

#endif
