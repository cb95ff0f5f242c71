/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-agent/figures.h"

#include <pm/text.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/metrics.h"
#include "pm-agent/file.h"
#include "pm-agent/status.h"

static int64_t count_verified(const json_t *devices)
{
	int64_t count = 0;

	for (size_t i = 0; i < json_array_size(devices); i++) {
		const char *verdict =
			json_string_value(json_object_get(json_array_get(devices, i), "verdict"));

		count += verdict && !strcmp(verdict, "verified");
	}
	return count;
}

static int64_t time_of(const json_t *status, const char *key)
{
	const char *text = json_string_value(json_object_get(status, key));
	int64_t time;

	return text && pm_time_parse(text, &time) == 0 ? time : 0;
}

void figures_add(struct figures *f, const json_t *status, int64_t milliseconds)
{
	const json_t *ready = json_object_get(status, "ready");
	const json_t *devices = json_object_get(status, "devices");
	int exit_status = status_exit(status);

	f->rounds[exit_status]++;
	f->ready = json_is_true(ready) ? 1 : json_is_false(ready) ? 0 : -1;
	f->devices = (int64_t)json_array_size(devices);
	f->verified = count_verified(devices);
	f->last = time(NULL);
	if (exit_status == AGENT_OK)
		f->last_verified = f->last;
	f->valid_until = time_of(status, "valid_until");
	f->duration = milliseconds;
}

static void print_rounds(const struct figures *f, struct evbuffer *out)
{
	static const char *const names[] = {"verified", "rejected", "error"};

	metrics_begin(out, "pm_agent_rounds_total", "counter", "Rounds by verdict.");
	for (int i = 0; i < 3; i++)
		metrics_sample(out, "pm_agent_rounds_total", "verdict", names[i], f->rounds[i]);
}

void figures_print(const struct figures *f, struct evbuffer *out)
{
	const struct {
		const char *name, *help;
		int64_t number;
	} all[] = {
		{"pm_agent_ready", "Ready state of the GPUs: 1, 0, or -1 when not known.",
			f->ready},
		{"pm_agent_devices", "GPUs and switches of the last round.", f->devices},
		{"pm_agent_devices_verified", "Of these, verified.", f->verified},
		{"pm_agent_last_round_time_seconds", "When the last round ended.", f->last},
		{"pm_agent_last_verified_time_seconds", "When one was last accepted.",
			f->last_verified},
		{"pm_agent_last_round_milliseconds", "How long it took.", f->duration},
		{"pm_agent_valid_until_seconds",
			"When what the last round relied on ends; 0 when it was not accepted.",
			f->valid_until},
	};

	print_rounds(f, out);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		metrics_single(out, all[i].name, "gauge", all[i].help, all[i].number);
}

int figures_write(const struct agent_options *o, const struct figures *f)
{
	struct evbuffer *out;
	struct note note = {0};
	int r;

	if (!o->metrics_file)
		return AGENT_OK;
	out = evbuffer_new();
	if (!out)
		return AGENT_USAGE;
	figures_print(f, out);
	r = file_write(o->metrics_file, evbuffer_pullup(out, -1), evbuffer_get_length(out), &note);
	evbuffer_free(out);
	if (r == PM_OK)
		return AGENT_OK;
	log_event(LOG_LEVEL_ERROR, "failed", "what", "metrics", "reason", note.text, NULL);
	return AGENT_USAGE;
}
