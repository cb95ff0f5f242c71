/* SPDX-License-Identifier: Apache-2.0 */
#include "common/store_options.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include <pm/error.h>

#include "common/log.h"
#include "common/whole_file.h"

#define FILE_SIZE_MAX 1048576

/* --- options --------------------------------------------------------------------------------- */

bool store_is_option(int id)
{
	return id >= STORE_OPTION_URL && id <= STORE_OPTION_CA;
}

int store_option(struct store_options *o, int id, const char *value)
{
	switch (id) {
	case STORE_OPTION_URL:
		o->url = value;
		return 0;
	case STORE_OPTION_CERT:
		o->cert = value;
		return 0;
	case STORE_OPTION_KEY:
		o->key = value;
		return 0;
	default:
		o->ca = value;
		return 0;
	}
}

int store_options_check(const struct store_options *o)
{
	if (!o->cert == !o->key)
		return 0;
	warnx("--store-cert and --store-key go together");
	return 2;
}

/* --- what they name -------------------------------------------------------------------------- */

int store_files_read(const struct store_options *o, struct store_files *ret)
{
	size_t len;
	int r;

	*ret = (struct store_files){0};
	r = whole_file_read(o->cert, FILE_SIZE_MAX, &ret->cert, &len);
	if (r == 0)
		r = whole_file_read(o->key, FILE_SIZE_MAX, &ret->key, &len);
	return r == 0 ? whole_file_read(o->ca, FILE_SIZE_MAX, &ret->ca, &len) : r;
}

void store_files_clear(struct store_files *files)
{
	if (files->key)
		explicit_bzero(files->key, strlen(files->key));
	free(files->cert);
	free(files->key);
	free(files->ca);
	*files = (struct store_files){0};
}

int store_open_by_options(struct loop *loop, const struct store_options *o,
	const struct store_files *files, struct store **ret_store)
{
	const struct store_tls tls = {files->cert, files->key, files->ca};
	const char *reason = "";
	int r = store_open(loop, o->url, &tls, &reason, ret_store);

	if (r < 0)
		log_event(LOG_LEVEL_ERROR, "failed", "what", "store", "which", o->url, "reason",
			*reason ? reason : pm_strerror(r), NULL);
	return r;
}
