/* SPDX-License-Identifier: Apache-2.0 */
#include "store_tls.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 65536

static char *read_text(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, TEXT_MAX);

	if (!f || !text || !fread(text, 1, TEXT_MAX - 1, f))
		err(1, "%s", path);
	fclose(f);
	return text;
}

struct store_tls store_tls_read(char *const files[3])
{
	return (struct store_tls){read_text(files[0]), read_text(files[1]), read_text(files[2])};
}

struct store_tls store_tls_take(int *argc, char ***argv)
{
	struct store_tls tls = {0};

	if (*argc > 4 && !strcmp((*argv)[1], "--tls")) {
		tls = store_tls_read(*argv + 2);
		*argc -= 4;
		*argv += 4;
	}
	return tls;
}

void store_tls_free(struct store_tls *tls)
{
	free((char *)tls->cert);
	free((char *)tls->key);
	free((char *)tls->ca);
}
