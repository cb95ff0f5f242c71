/* SPDX-License-Identifier: Apache-2.0 */
#include "common/public_file.h"

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Others are to read it, whatever the umask is, which a unit has for secrets. */
static int write_new(const char *path, const uint8_t *bytes, size_t len)
{
	FILE *f = fopen(path, "wxe");
	bool good = f && fchmod(fileno(f), 0644) == 0 && fwrite(bytes, 1, len, f) == len;

	if (f && fclose(f) != 0)
		good = false;
	return good ? 0 : -1;
}

int public_file_write(const char *path, const uint8_t *bytes, size_t len)
{
	char *temporary;
	int r;

	if (asprintf(&temporary, "%s.new", path) < 0) {
		warnx("out of memory");
		return 2;
	}
	(void)unlink(temporary); /* of one who died over it */
	r = write_new(temporary, bytes, len);
	if (r == 0)
		r = rename(temporary, path);
	if (r != 0)
		warn("%s", path);
	free(temporary);
	return r == 0 ? 0 : 2;
}
