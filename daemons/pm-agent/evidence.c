/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder out of which a worker makes its bundle: each device's report and certificates, what
 * was used to verify them, and evidence.json, which tells what is what. It is there only while the
 * last round was accepted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pm-agent/file.h"
#include "pm-agent/round.h"

#define INDEX "evidence.json"

struct folder {
	struct round *r;
	char *path;
	json_t *index;
};

static int put(struct folder *f, const char *name, const void *bytes, size_t size)
{
	char *path;
	int error;

	if (asprintf(&path, "%s/%s", f->path, name) < 0)
		return note_fail(&f->r->note, PM_E_NOMEM, "", "out of memory");
	error = file_write(path, bytes, size, &f->r->note);
	free(path);
	return error;
}

static json_t *hex(const uint8_t *bytes, size_t size)
{
	char text[2 * 64 + 1];

	pm_hex_encode(bytes, size < 64 ? size : 64, text);
	return json_string(text);
}

/* --- devices --------------------------------------------------------------------------------- */

static const char *arch_name(enum pm_gpu_arch arch)
{
	switch (arch) {
	case PM_GPU_HOPPER:
		return "hopper";
	case PM_GPU_BLACKWELL:
		return "blackwell";
	case PM_GPU_LS10:
		break;
	}
	return "ls10";
}

/* With the digest by which the claims of a bundle name the device. */
static json_t *describe(const struct device *d, const char *report_name, const char *certs_name)
{
	struct pm_bundle_gpu entry = {.report = {d->report_bytes, d->report_size},
		.certs = {d->certs, d->certs_size},
		.arch = (uint32_t)d->facts->arch};
	uint8_t digest[PM_BUNDLE_DIGEST_SIZE];

	if (pm_bundle_gpu_digest(&entry, digest) < 0)
		return NULL;
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "report", report_name, "certs",
		certs_name, "arch", arch_name(d->facts->arch), "ueid", d->facts->ueid, "nonce",
		hex(d->nonce, sizeof(d->nonce)), "digest", hex(digest, sizeof(digest)));
}

static int put_device(struct folder *f, size_t index)
{
	const struct device *d = &f->r->devices[index];
	char report_name[48], certs_name[48];
	int error;

	snprintf(report_name, sizeof(report_name), "device-%zu.report", index);
	snprintf(certs_name, sizeof(certs_name), "device-%zu.pem", index);
	error = put(f, report_name, d->report_bytes, d->report_size);
	if (error == PM_OK)
		error = put(f, certs_name, d->certs, d->certs_size);
	if (error == PM_OK && json_array_append_new(json_object_get(f->index, "devices"),
				      describe(d, report_name, certs_name)))
		error = note_fail(&f->r->note, PM_E_NOMEM, "", "out of memory");
	return error;
}

/* --- golden measurements and responses -------------------------------------------------------- */

static int put_list(struct folder *f, const char *list, const char *format,
	const uint8_t *(*at)(const struct pm_gpu_collateral *c, size_t index, size_t *ret_size))
{
	const uint8_t *bytes;
	char name[48];
	size_t size;
	int error = PM_OK;

	for (size_t i = 0; error == PM_OK && (bytes = at(f->r->collateral, i, &size)); i++) {
		snprintf(name, sizeof(name), "%s-%zu.%s", list, i, format);
		error = put(f, name, bytes, size);
		if (error == PM_OK &&
			json_array_append_new(json_object_get(f->index, list), json_string(name)))
			error = note_fail(&f->r->note, PM_E_NOMEM, "", "out of memory");
	}
	return error;
}

/* --- the folder ------------------------------------------------------------------------------ */

static json_t *new_index(const struct round *r)
{
	json_t *index = json_pack("{s:i, s:I, s:[], s:[], s:[]}", "version", 1, "time",
		(json_int_t)r->now, "devices", "rim", "ocsp");

	if (index && r->o->key)
		json_object_set_new(
			index, "epoch_nonce", hex(r->epoch_nonce, sizeof(r->epoch_nonce)));
	return index;
}

static int put_index(struct folder *f)
{
	char *text = json_dumps(f->index, JSON_INDENT(2));
	int error;

	if (!text)
		return note_fail(&f->r->note, PM_E_NOMEM, "", "out of memory");
	error = put(f, INDEX, text, strlen(text));
	free(text);
	return error;
}

static int fill(struct folder *f)
{
	int error = f->index ? PM_OK : note_fail(&f->r->note, PM_E_NOMEM, "", "out of memory");

	for (size_t i = 0; error == PM_OK && i < f->r->count; i++)
		error = put_device(f, i);
	if (error == PM_OK)
		error = put_list(f, "rim", "xml", pm_gpu_collateral_rim_at);
	if (error == PM_OK)
		error = put_list(f, "ocsp", "der", pm_gpu_collateral_ocsp_at);
	return error < 0 ? error : put_index(f);
}

int evidence_write(struct round *r)
{
	struct folder f = {.r = r};
	int error;

	if (!r->o->evidence)
		return PM_OK;
	if (!folder_is_ours(r->o->evidence, INDEX))
		return note_fail(&r->note, PM_E_SYS, "", "%s: holds other files than evidence",
			r->o->evidence);
	error = folder_begin(r->o->evidence, &r->note, &f.path);
	if (error < 0)
		return error;
	f.index = new_index(r);
	error = fill(&f);
	if (error == PM_OK)
		error = folder_put(f.path, r->o->evidence, &r->note);
	if (error < 0)
		folder_remove(f.path);
	json_decref(f.index);
	free(f.path);
	return error;
}

void evidence_remove(const struct agent_options *o)
{
	if (o->evidence && folder_is_ours(o->evidence, INDEX))
		folder_remove(o->evidence);
}
