/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-agent/note.h"

#include <stdarg.h>
#include <stdio.h>

#include "pm-agent/options.h"

static void make_printable(char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}

int note_fail(struct note *note, int error, const char *device, const char *format, ...)
{
	va_list args;

	if (note->error)
		return error;
	note->error = error;
	snprintf(note->device, sizeof(note->device), "%s", device);
	va_start(args, format);
	vsnprintf(note->text, sizeof(note->text), format, args);
	va_end(args);
	make_printable(note->text);
	make_printable(note->device);
	return error;
}

int note_report(struct note *note, int error, const char *device, const struct pm_report *report)
{
	const char *reason = report ? pm_report_reason(report) : "";

	return note_fail(
		note, error, device, "%s%s%s", pm_strerror(error), reason[0] ? ": " : "", reason);
}

int note_exit_status(int error)
{
	switch (error) {
	case PM_OK:
		return AGENT_OK;
	case PM_E_FORMAT:
	case PM_E_UNSUPPORTED:
	case PM_E_LIMIT:
	case PM_E_REJECTED:
	case PM_E_STALE:
	case PM_E_MISSING:
		return AGENT_REJECTED;
	default:
		return AGENT_USAGE;
	}
}

const char *note_verdict(int error)
{
	static const char *const names[] = {"verified", "rejected", "error"};

	return names[note_exit_status(error)];
}
