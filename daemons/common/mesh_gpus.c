/* SPDX-License-Identifier: Apache-2.0 */
#include "common/mesh_gpus.h"

#include <err.h>

#include <pm/error.h>

#include "common/gpu_folder.h"
#include "common/log.h"
#include "common/public_file.h"

int mesh_gpus_init(struct mesh_gpus *gpus, const char *folder, const char *public_key)
{
	const uint8_t *spki;
	size_t len;

	if (!folder)
		return 0;
	if (pm_mesh_key_new(&gpus->key) < 0) {
		warnx("out of memory, or no random bytes");
		return 2;
	}
	gpus->folder = folder;
	spki = pm_mesh_key_spki(gpus->key, &len);
	return public_file_write(public_key, spki, len);
}

void mesh_gpus_done(struct mesh_gpus *gpus)
{
	pm_mesh_key_free(gpus->key);
	*gpus = (struct mesh_gpus){0};
}

static const char *reason_of(int error)
{
	switch (error) {
	case PM_E_MISSING:
		return "there is none yet";
	case PM_E_REJECTED:
		return "it is for another key";
	default:
		return pm_strerror(error);
	}
}

static void tell(const struct mesh_gpus *gpus)
{
	if (gpus->found < 0)
		log_event(LOG_LEVEL_WARN, "waiting for GPU evidence", "folder", gpus->folder,
			"reason", reason_of(gpus->found), NULL);
	else
		log_event(LOG_LEVEL_INFO, "GPU evidence came", "folder", gpus->folder, NULL);
}

bool mesh_gpus_are_there(struct mesh_gpus *gpus)
{
	struct gpu_folder folder = {0};
	const uint8_t *spki;
	size_t len;
	int r;

	if (!gpus->folder)
		return true;
	spki = pm_mesh_key_spki(gpus->key, &len);
	r = gpu_folder_read(&folder, gpus->folder, spki, len);
	gpu_folder_free(&folder);
	if (r != gpus->found) {
		gpus->found = r;
		tell(gpus);
	}
	return r == PM_OK;
}
