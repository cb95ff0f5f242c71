/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target on each file of the folders named: each finding of the past stays found. */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

/* Exactly as large as the file, so that a sanitizer sees the byte after the end. */
static uint8_t *read_file(const char *path, size_t *ret_size)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	uint8_t *bytes = NULL;

	if (!f)
		return NULL;
	if (fstat(fileno(f), &st) == 0)
		bytes = malloc((size_t)st.st_size);
	if (bytes && fread(bytes, 1, (size_t)st.st_size, f) != (size_t)st.st_size) {
		free(bytes);
		bytes = NULL;
	}
	fclose(f);
	*ret_size = (size_t)st.st_size;
	return bytes;
}

static int replay_file(const char *folder, const char *name)
{
	char path[4096];
	uint8_t *bytes;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	bytes = read_file(path, &size);
	if (!bytes) {
		printf("can't read %s\n", path);
		return -1;
	}
	/* A crash shall leave the name of the input behind. */
	fprintf(stderr, "%s\n", path);
	(void)LLVMFuzzerTestOneInput(bytes, size);
	free(bytes);
	return 0;
}

/* The number of files, or -1. */
static int replay_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int count = 0, r = 0;

	if (!dir)
		return -1;
	while (r == 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		r = replay_file(folder, entry->d_name);
		count++;
	}
	closedir(dir);
	return r < 0 ? r : count;
}

int main(int argc, char **argv)
{
	int total = 0;

	(void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++) {
		int count = replay_folder(argv[i]);

		if (count <= 0) {
			printf("%s: %s\n", argv[i], count ? "can't be read" : "no inputs");
			return EXIT_FAILURE;
		}
		total += count;
	}
	printf("%d inputs\n", total);
	return total ? EXIT_SUCCESS : EXIT_FAILURE;
}
