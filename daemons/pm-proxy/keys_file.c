/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets from a file, for tests and static deployments: an id and 64 hexadecimal digits a line. */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include <pm/text.h>

#include "pm-proxy/proxy.h"

#define LINE_SIZE 512

static int bad(const char *path, unsigned int number, const char *why)
{
	warnx("%s:%u: %s", path, number, why);
	return 2;
}

static int take_line(
	const char *path, unsigned int number, char *line, struct keys *keys, int64_t now)
{
	uint8_t secret[PM_FIELD_SECRET_SIZE];
	char *rest, *id = strtok_r(line, " \t\r\n", &rest);
	char *hex = id ? strtok_r(NULL, " \t\r\n", &rest) : NULL;
	int r;

	if (!id || *id == '#')
		return 0;
	if (!hex || strtok_r(NULL, " \t\r\n", &rest) ||
		pm_hex_decode(hex, secret, sizeof(secret)) < 0)
		return bad(path, number, "expected an id and 64 hexadecimal digits");
	r = keys_insert(keys, id, secret, KEYS_FOREVER, now);
	explicit_bzero(secret, sizeof(secret));
	return r < 0 ? bad(path, number, pm_strerror(r)) : 0;
}

int keys_file_read(const char *path, struct keys *keys, int64_t now)
{
	FILE *file = fopen(path, "re");
	char line[LINE_SIZE];
	unsigned int number = 0;
	int r = 0;

	if (!file) {
		warn("%s", path);
		return 2;
	}
	setvbuf(file, NULL, _IONBF, 0); /* no copy of a secret stays in a buffer */
	while (r == 0 && fgets(line, sizeof(line), file)) {
		number++;
		r = strchr(line, '\n') || feof(file) ? take_line(path, number, line, keys, now)
						     : bad(path, number, "the line is too long");
	}
	explicit_bzero(line, sizeof(line));
	fclose(file);
	return r;
}
