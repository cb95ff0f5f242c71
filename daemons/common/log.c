/* SPDX-License-Identifier: Apache-2.0 */
#include "common/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_SIZE 2048
/* Of one value, in bytes: the reason of a report is the longest. */
#define VALUE_MAX 640

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static struct {
	bool json;
	enum log_level most;
} setup = {false, LOG_LEVEL_INFO};

struct line {
	char text[LINE_MAX_SIZE];
	size_t len;
};

void log_setup(bool json, enum log_level most)
{
	setup.json = json;
	setup.most = most;
}

int log_level_of(const char *name)
{
	for (int i = 0; i < (int)(sizeof(level_names) / sizeof(level_names[0])); i++)
		if (!strcmp(level_names[i], name))
			return i;
	return -1;
}

bool log_is_on(enum log_level level)
{
	return level <= setup.most;
}

/* Room is kept for what ends the line. */
static void put(struct line *line, const char *text, size_t len)
{
	if (len > sizeof(line->text) - 4 - line->len)
		return;
	memcpy(line->text + line->len, text, len);
	line->len += len;
}

static void put_text(struct line *line, const char *text)
{
	put(line, text, strlen(text));
}

/* A JSON string; bytes outside ASCII become escapes of Latin-1, so the line is always valid. */
static void put_quoted(struct line *line, const char *text)
{
	char escape[8];
	size_t n = 0;

	put(line, "\"", 1);
	for (; *text && n < VALUE_MAX; text++, n++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\') {
			escape[0] = '\\';
			escape[1] = (char)c;
			put(line, escape, 2);
		} else if (c < ' ' || c >= 0x7f) {
			put(line, escape, (size_t)snprintf(escape, sizeof(escape), "\\u%04x", c));
		} else {
			put(line, text, 1);
		}
	}
	put(line, "\"", 1);
}

static bool is_plain(const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c >= 0x7f || *c == '"' || *c == '\\' || *c == '=')
			return false;
	return *text && strlen(text) <= VALUE_MAX;
}

static void put_value(struct line *line, const char *name, const char *value)
{
	if (setup.json) {
		put_text(line, ",");
		put_quoted(line, name);
		put_text(line, ":");
		put_quoted(line, value);
		return;
	}
	put_text(line, " ");
	put_text(line, name);
	put_text(line, "=");
	if (is_plain(value))
		put_text(line, value);
	else
		put_quoted(line, value);
}

static void begin(struct line *line, enum log_level level, const char *event)
{
	char stamp[40];
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(stamp + strlen(stamp), 8, ".%03dZ", (int)(now.tv_nsec / 1000000));
	line->len = 0;
	if (!setup.json) {
		put_text(line, stamp);
		put_text(line, " ");
		put_text(line, level_names[level]);
		put_text(line, " ");
		put_text(line, event);
		return;
	}
	put_text(line, "{\"time\":");
	put_quoted(line, stamp);
	put_value(line, "level", level_names[level]);
	put_value(line, "event", event);
}

void log_event(enum log_level level, const char *event, ...)
{
	struct line line;
	const char *name;
	va_list args;

	if (!log_is_on(level))
		return;
	begin(&line, level, event);
	va_start(args, event);
	while ((name = va_arg(args, const char *))) {
		const char *value = va_arg(args, const char *);

		if (value)
			put_value(&line, name, value);
	}
	va_end(args);
	if (setup.json)
		line.text[line.len++] = '}';
	line.text[line.len++] = '\n';
	if (write(STDERR_FILENO, line.text, line.len) < 0)
		return; /* nobody is left to tell */
}
