/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for libcuda.so.1 in tests. The places of the GPUs are the lines of the file "cuda" in
 * the folder PM_FAKE_NVML; without that file they are those of the fake NVML. As the real one, it
 * does nothing before the ready state is set.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

enum { NO_DEVICE = 100, INVALID_DEVICE = 101, NOT_READY = 802 };

static FILE *open_file(const char *name)
{
	const char *folder = getenv("PM_FAKE_NVML");
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "/nonexistent", name);
	return fopen(path, "r");
}

static int is_ready(void)
{
	FILE *f = open_file("ready");
	int c = f ? fgetc(f) : EOF;

	if (f)
		fclose(f);
	return c == '1';
}

static int exists(int gpu)
{
	char name[64];
	FILE *f;

	snprintf(name, sizeof(name), "gpu-%d/certs.pem", gpu);
	f = open_file(name);
	if (f)
		fclose(f);
	return f != NULL;
}

/* The place of the GPU, or "" past the last. */
static void place(int gpu, char *ret, size_t size)
{
	FILE *f = open_file("cuda");

	ret[0] = '\0';
	if (!f && exists(gpu))
		snprintf(ret, size, "0000:%02x:00.0", (gpu + 1) & 255);
	if (!f)
		return;
	for (int i = 0; i <= gpu; i++) {
		ret[0] = '\0';
		if (!fgets(ret, (int)size, f))
			break;
	}
	fclose(f);
	ret[strcspn(ret, "\n")] = '\0';
}

EXPORT int cuInit(unsigned int flags);
EXPORT int cuInit(unsigned int flags)
{
	char text[64];

	(void)flags;
	if (!is_ready())
		return NOT_READY;
	place(0, text, sizeof(text));
	if (!strcmp(text, "fail"))
		return 999;
	return text[0] ? 0 : NO_DEVICE;
}

EXPORT int cuDeviceGetCount(int *count);
EXPORT int cuDeviceGetCount(int *count)
{
	char text[64];

	for (*count = 0;; ++*count) {
		place(*count, text, sizeof(text));
		if (!strcmp(text, "absurd"))
			*count = INT_MAX;
		if (!text[0] || *count == INT_MAX)
			return 0;
	}
}

EXPORT int cuDeviceGet(int *device, int ordinal);
EXPORT int cuDeviceGet(int *device, int ordinal)
{
	*device = ordinal;
	return 0;
}

EXPORT int cuDeviceGetPCIBusId(char *text, int size, int device);
EXPORT int cuDeviceGetPCIBusId(char *text, int size, int device)
{
	char at[64];

	place(device, at, sizeof(at));
	if (!at[0])
		return INVALID_DEVICE;
	snprintf(text, (size_t)size, "%s", at);
	return 0;
}
