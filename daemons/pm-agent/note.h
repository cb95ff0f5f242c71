/* SPDX-License-Identifier: Apache-2.0 */
/* Why a round failed: the first reason, in words, and the device that it is about. */
#ifndef PM_AGENT_NOTE_H
#define PM_AGENT_NOTE_H

#include <pm/error.h>
#include <pm/report.h>

struct note {
	int error;	  /* PM_OK: nothing failed so far */
	char device[160]; /* "" for the host as a whole */
	char text[768];
};

/* Both return error. The text is made printable. */
int note_fail(struct note *note, int error, const char *device, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* With the first failure of the library's report, where it has one. */
int note_report(struct note *note, int error, const char *device, const struct pm_report *report);

/* The exit status that an error stands for. */
int note_exit_status(int error);

/* "verified", "rejected" or "error". */
const char *note_verdict(int error);

#endif
