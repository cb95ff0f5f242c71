/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-agent/status.h"

#include <pm/pm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "pm-agent/file.h"

static const char *text_of(const json_t *status, const char *key)
{
	const char *text = json_string_value(json_object_get(status, key));

	return text ? text : "";
}

json_t *status_failed(const char *why, int ready)
{
	char now[PM_TIME_TEXT_SIZE];

	pm_time_format(time(NULL), now);
	return json_pack("{s:i, s:s, s:s, s:o, s:b, s:s, s:[], s:[]}", "version", 1, "verdict",
		"error", "time", now, "ready", ready < 0 ? json_null() : json_boolean(ready),
		"test_root", 0, "reason", why, "devices", "checks");
}

int status_exit(const json_t *status)
{
	const char *verdict = text_of(status, "verdict");

	if (!strcmp(verdict, "verified") || !strcmp(verdict, "cleared"))
		return AGENT_OK;
	return !strcmp(verdict, "rejected") ? AGENT_REJECTED : AGENT_USAGE;
}

void status_forget(const struct agent_options *o)
{
	struct stat st;

	/* No device that somebody named. */
	if (o->status && !lstat(o->status, &st) && S_ISREG(st.st_mode))
		(void)unlink(o->status);
}

int status_write(const struct agent_options *o, const json_t *status)
{
	struct note note = {0};
	char *text;
	size_t len;
	int r;

	if (!o->status)
		return AGENT_OK;
	text = json_dumps(status, JSON_INDENT(2));
	if (!text) {
		status_forget(o);
		return AGENT_USAGE;
	}
	len = strlen(text);
	text[len] = '\n'; /* in the place of the final NUL */
	r = file_write(o->status, text, len + 1, &note);
	free(text);
	if (r == PM_OK)
		return AGENT_OK;
	status_forget(o); /* it tells of another round */
	log_event(LOG_LEVEL_ERROR, "failed", "what", "status", "reason", note.text, NULL);
	return AGENT_USAGE;
}

/* --- standard output ------------------------------------------------------------------------- */

static void print_device(const json_t *device)
{
	bool verified = !strcmp(text_of(device, "verdict"), "verified");

	printf("%s %s: %s", verified ? "✓" : "✗", text_of(device, "name"),
		text_of(device, "verdict"));
	if (verified)
		printf(", %s, driver %s, VBIOS %s\n", text_of(device, "hwmodel"),
			text_of(device, "driver"), text_of(device, "vbios"));
	else
		printf("%s%s\n", text_of(device, "reason")[0] ? ": " : "",
			text_of(device, "reason"));
}

static void print_verdict(const json_t *status)
{
	const char *device = text_of(status, "device");
	const json_t *ready = json_object_get(status, "ready");

	if (json_is_true(json_object_get(status, "test_root")))
		printf("TEST ROOT: accepted under a root that is not NVIDIA's; nothing is proved "
		       "about real hardware\n");
	if (status_exit(status) == AGENT_OK)
		printf("%s",
			strcmp(text_of(status, "verdict"), "cleared") ? "VERIFIED" : "CLEARED");
	else
		printf("%s: %s%s%s",
			status_exit(status) == AGENT_REJECTED ? "REJECTED" : "NOT VERIFIED", device,
			device[0] ? ": " : "", text_of(status, "reason"));
	printf("\nready: %s\n", json_is_true(ready) ? "yes" : json_is_false(ready) ? "no" : "?");
}

void status_print(const struct agent_options *o, const json_t *status)
{
	const json_t *devices = json_object_get(status, "devices");

	if (o->json) {
		json_dumpf(status, stdout, JSON_INDENT(2));
		putchar('\n');
		return;
	}
	for (size_t i = 0; i < json_array_size(devices); i++)
		print_device(json_array_get(devices, i));
	print_verdict(status);
}

void status_log(const json_t *status)
{
	const json_t *ready = json_object_get(status, "ready");
	bool good = status_exit(status) == AGENT_OK;

	log_event(good ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "round", "verdict",
		text_of(status, "verdict"), "ready",
		json_is_true(ready)    ? "1"
		: json_is_false(ready) ? "0"
				       : "unknown",
		"device", good ? NULL : text_of(status, "device"), "reason",
		good ? NULL : text_of(status, "reason"), NULL);
}
