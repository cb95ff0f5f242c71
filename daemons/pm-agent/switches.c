/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence of NVSwitches. The GPUs' driver does not give it: NVIDIA's NSCQ library does, and what
 * NVIDIA's SDK collects with it comes here as that SDK's JSON, out of files or from a command:
 * [{"arch", "nonce", "evidence": base64 report, "certificate": base64 PEM}...].
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pm-agent/file.h"
#include "pm-agent/process.h"
#include "pm-agent/round.h"

#define INPUT_MAX 1048576

/* Milliseconds that the command gets. */
#define COMMAND_TIME 120000

/* A member in base64, freed by the caller; NULL when it is not there or not base64. */
static uint8_t *decode(const json_t *object, const char *key, size_t *ret_len)
{
	const json_t *text = json_object_get(object, key);
	size_t cap = json_string_length(text);
	uint8_t *bytes = json_is_string(text) ? malloc(cap + 1) : NULL;

	if (bytes &&
		pm_text_base64_decode(json_string_value(text), cap, bytes, cap, ret_len) == PM_OK)
		return bytes;
	free(bytes);
	return NULL;
}

static int take(struct round *r, const json_t *object, const uint8_t *nonce)
{
	size_t size = 0, certs_size = 0;
	uint8_t *bytes = decode(object, "evidence", &size);
	uint8_t *certs = decode(object, "certificate", &certs_size);
	struct device *d;
	char name[48];
	int error;

	snprintf(name, sizeof(name), "switch %zu", r->count - r->gpu_count);
	d = round_add_device(r, name);
	if (!d)
		error = r->note.error;
	else if (!bytes || !certs)
		error = note_fail(&r->note, PM_E_FORMAT, name,
			"no \"evidence\" and \"certificate\" in base64");
	else
		error = device_take(r, d, bytes, size, certs, certs_size);
	if (d)
		memcpy(d->nonce, nonce, sizeof(d->nonce));
	free(bytes);
	free(certs);
	return error;
}

static int take_list(
	struct round *r, const char *text, size_t len, const char *from, const uint8_t *nonce)
{
	json_error_t problem;
	json_t *list = json_loadb(text, len, JSON_REJECT_DUPLICATES, &problem);
	size_t count = json_array_size(list);
	int error = PM_OK;

	if (!list)
		error = note_fail(&r->note, PM_E_FORMAT, "", "%s: line %d: %s", from, problem.line,
			problem.text);
	else if (!count)
		error = note_fail(&r->note, PM_E_FORMAT, "", "%s: no list of switches", from);
	for (size_t i = 0; error == PM_OK && i < count; i++)
		error = take(r, json_array_get(list, i), nonce);
	json_decref(list);
	return error;
}

/* --- sources --------------------------------------------------------------------------------- */

static int read_files(struct round *r, const uint8_t *nonce)
{
	int error = PM_OK;

	for (size_t i = 0; error == PM_OK && i < r->o->switches.count; i++) {
		const char *path = r->o->switches.items[i];
		uint8_t *bytes = NULL;
		size_t size;

		error = file_read(path, INPUT_MAX, &r->note, &bytes, &size);
		if (error == PM_OK)
			error = take_list(r, (const char *)bytes, size, path, nonce);
		free(bytes);
	}
	return error;
}

/* COMMAND NONCE, without a shell. */
static int run_command(struct round *r, const uint8_t *nonce)
{
	char hex[2 * PM_GPU_NONCE_SIZE + 1], *text;
	struct process p = {0, -1};
	char *argv[3] = {NULL, hex, NULL};
	size_t len;
	int error, status;

	pm_hex_encode(nonce, PM_GPU_NONCE_SIZE, hex);
	memcpy(&argv[0], &r->o->switch_command, sizeof(argv[0]));
	if (process_start(r->o->switch_command, argv, environ, STDOUT_FILENO, &p))
		return note_fail(
			&r->note, PM_E_SYS, "", "%s: %s", r->o->switch_command, strerror(errno));
	text = process_read(&p, INPUT_MAX, process_now() + COMMAND_TIME, &len);
	status = process_wait(&p);
	if (!text || status)
		error = note_fail(&r->note, PM_E_SYS, "", "%s: %s", r->o->switch_command,
			text ? "it failed" : "no whole answer in time");
	else
		error = take_list(r, text, len, r->o->switch_command, nonce);
	free(text);
	return error;
}

/* Switches get the nonce of the first GPU: with a key it is the one nonce of all devices. */
int switches_collect(struct round *r)
{
	uint8_t nonce[PM_GPU_NONCE_SIZE];

	memcpy(nonce, r->devices[0].nonce, sizeof(nonce));
	if (r->o->switches.count)
		return read_files(r, nonce);
	return r->o->switch_command ? run_command(r, nonce) : PM_OK;
}
