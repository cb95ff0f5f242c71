/* SPDX-License-Identifier: Apache-2.0 */
#include "common/gpu_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pm/gpu_policy.h>
#include <pm/text.h>

#include "common/whole_file.h"

#define INDEX	  "evidence.json"
#define INDEX_MAX 1048576
#define VERSION	  1

/* What one reading needs. */
struct reading {
	struct gpu_folder *folder;
	int fd;
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE]; /* that each device must answer */
};

/* --- files ----------------------------------------------------------------------------------- */

static int read_open(int fd, size_t max, struct pm_bytes *ret)
{
	char *bytes = NULL;
	size_t len = 0;
	int r = whole_file_read_fd(fd, max, &bytes, &len);

	if (r == PM_OK && len) {
		*ret = (struct pm_bytes){(uint8_t *)bytes, len};
		return PM_OK;
	}
	free(bytes);
	return r < 0 ? r : PM_E_FORMAT;
}

/* A file of the folder itself, whatever its name tries. */
static int read_file(const struct reading *r, const json_t *name, size_t max, struct pm_bytes *ret)
{
	const char *text = json_string_value(name);
	int fd, error;

	if (!text || !*text || *text == '.' || strchr(text, '/'))
		return PM_E_FORMAT;
	fd = openat(r->fd, text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return PM_E_SYS;
	error = read_open(fd, max, ret);
	close(fd);
	return error;
}

/* --- the index ------------------------------------------------------------------------------- */

static bool read_hex(const json_t *value, uint8_t ret[PM_BUNDLE_NONCE_SIZE])
{
	const char *text = json_string_value(value);

	return text && pm_hex_decode(text, ret, PM_BUNDLE_NONCE_SIZE) == PM_OK;
}

static uint32_t arch_of(const json_t *value)
{
	static const struct {
		const char *name;
		uint32_t arch;
	} all[] = {
		{"hopper", PM_GPU_HOPPER}, {"blackwell", PM_GPU_BLACKWELL}, {"ls10", PM_GPU_LS10}};
	const char *text = json_string_value(value);

	for (size_t i = 0; text && i < 3; i++)
		if (!strcmp(text, all[i].name))
			return all[i].arch;
	return 0;
}

static int read_device(struct reading *r, const json_t *device)
{
	struct gpu_folder *f = r->folder;
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE];
	struct pm_bundle_gpu *gpu;
	int error;

	if (f->gpu_count == PM_BUNDLE_GPUS_MAX)
		return PM_E_LIMIT;
	if (!read_hex(json_object_get(device, "nonce"), nonce))
		return PM_E_FORMAT;
	if (memcmp(nonce, r->nonce, sizeof(nonce)) != 0)
		return PM_E_REJECTED;
	gpu = &f->gpus[f->gpu_count++];
	gpu->arch = arch_of(json_object_get(device, "arch"));
	if (!gpu->arch)
		return PM_E_FORMAT;
	error = read_file(
		r, json_object_get(device, "report"), PM_BUNDLE_GPU_SIZE_MAX, &gpu->report);
	if (error == PM_OK)
		error = read_file(
			r, json_object_get(device, "certs"), PM_BUNDLE_GPU_SIZE_MAX, &gpu->certs);
	return error;
}

static int read_devices(struct reading *r, const json_t *devices)
{
	const json_t *device;
	size_t i;
	int error = json_array_size(devices) ? PM_OK : PM_E_FORMAT;

	json_array_foreach(devices, i, device)
	{
		if (error == PM_OK)
			error = read_device(r, device);
	}
	return error;
}

static int read_list(const struct reading *r, const json_t *names, size_t size_max, size_t most,
	struct pm_bytes *list, size_t *count)
{
	const json_t *name;
	size_t i;
	int error = json_array_size(names) <= most ? PM_OK : PM_E_LIMIT;

	json_array_foreach(names, i, name)
	{
		if (error == PM_OK)
			error = read_file(r, name, size_max, &list[*count]);
		if (error == PM_OK)
			(*count)++;
	}
	return error;
}

static int read_members(struct reading *r, const json_t *index, const uint8_t *key, size_t key_len)
{
	struct gpu_folder *f = r->folder;
	int error;

	if (json_integer_value(json_object_get(index, "version")) != VERSION ||
		!json_is_integer(json_object_get(index, "time")))
		return PM_E_FORMAT;
	/* Without an epoch nonce the evidence was made for no key at all. */
	if (!read_hex(json_object_get(index, "epoch_nonce"), f->epoch_nonce))
		return PM_E_REJECTED;
	f->time = json_integer_value(json_object_get(index, "time"));
	error = pm_bundle_gpu_nonce(f->epoch_nonce, key, key_len, r->nonce);
	if (error == PM_OK)
		error = read_devices(r, json_object_get(index, "devices"));
	if (error == PM_OK)
		error = read_list(r, json_object_get(index, "rim"), PM_BUNDLE_RIM_SIZE_MAX,
			PM_BUNDLE_RIMS_MAX, f->rims, &f->rim_count);
	if (error == PM_OK)
		error = read_list(r, json_object_get(index, "ocsp"), PM_BUNDLE_OCSP_SIZE_MAX,
			PM_BUNDLE_OCSP_MAX, f->ocsp, &f->ocsp_count);
	return error;
}

static int read_index(struct reading *r, const uint8_t *key, size_t key_len)
{
	struct pm_bytes bytes = {0};
	json_t *index;
	int fd = openat(r->fd, INDEX, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int error = fd < 0 ? PM_E_MISSING : read_open(fd, INDEX_MAX, &bytes);

	if (fd >= 0)
		close(fd);
	if (error < 0)
		return error;
	index = json_loadb((const char *)bytes.ptr, bytes.len, JSON_REJECT_DUPLICATES, NULL);
	free((void *)(uintptr_t)bytes.ptr);
	error = index ? read_members(r, index, key, key_len) : PM_E_FORMAT;
	json_decref(index);
	return error;
}

/* --- the folder ------------------------------------------------------------------------------ */

static void free_list(const struct pm_bytes *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free((void *)(uintptr_t)list[i].ptr);
}

void gpu_folder_free(struct gpu_folder *folder)
{
	for (size_t i = 0; i < folder->gpu_count; i++) {
		free((void *)(uintptr_t)folder->gpus[i].report.ptr);
		free((void *)(uintptr_t)folder->gpus[i].certs.ptr);
	}
	free_list(folder->rims, folder->rim_count);
	free_list(folder->ocsp, folder->ocsp_count);
	*folder = (struct gpu_folder){0};
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

int gpu_folder_read(struct gpu_folder *folder, const char *path, const uint8_t *key, size_t key_len)
{
	struct reading r = {.folder = folder};
	struct stat st;
	int error;

	r.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r.fd < 0 || fstat(r.fd, &st) < 0) {
		error = errno == ENOENT ? PM_E_MISSING : PM_E_SYS;
		if (r.fd >= 0)
			close(r.fd);
		gpu_folder_free(folder);
		return error;
	}
	if (folder->gpu_count && is_same(&st, &folder->seen)) {
		close(r.fd);
		return PM_OK;
	}
	gpu_folder_free(folder);
	error = read_index(&r, key, key_len);
	close(r.fd);
	folder->seen = st;
	if (error < 0)
		gpu_folder_free(folder);
	return error;
}
