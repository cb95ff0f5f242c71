/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>

#include <pm/text.h>

#include "common/mesh.h"

bool mesh_is_option(int id)
{
	return id >= MESH_OPTION_COORDINATOR && id <= MESH_OPTION_FILES;
}

int mesh_option(struct mesh_options *o, int id, const char *value)
{
	switch (id) {
	case MESH_OPTION_COORDINATOR:
		o->coordinator = value;
		return 0;
	case MESH_OPTION_CA:
		o->ca_file = value;
		return 0;
	case MESH_OPTION_FILES:
		o->files = value;
		return 0;
	default:
		o->has_hash = true;
		if (pm_hex_decode(value, o->manifest_hash, sizeof(o->manifest_hash)) == PM_OK)
			return 0;
		warnx("--manifest-hash: '%s' is not 64 hexadecimal digits", value);
		return 2;
	}
}
