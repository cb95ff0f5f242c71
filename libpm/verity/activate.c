/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dm-verity through libcryptsetup, which sees no superblock: it gets each parameter from the caller
 * (CRYPT_VERITY_NO_HEADER). What is active then is asked of the kernel.
 */
#include "verity/activate.h"

#include <errno.h>
#include <fcntl.h>
#include <libcryptsetup.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "verity/mount.h"

#define MESSAGE_SIZE 192

PM_OWNER(crypt_device, crypt_free);

/* --- libcryptsetup's words ------------------------------------------------------------------- */

struct words {
	char text[MESSAGE_SIZE];
};

/* The first error says most; those that follow come of it. */
static void listen(int level, const char *message, void *arg)
{
	struct words *words = arg;

	if (level != CRYPT_LOG_ERROR || words->text[0])
		return;
	snprintf(words->text, sizeof(words->text), "%s", message);
	words->text[strcspn(words->text, "\n")] = '\0';
}

static int complain(
	struct pm_report *report, const char *name, int error, const struct words *words)
{
	int code = PM_E_SYS;

	if (error == -ENOMEM)
		code = PM_E_NOMEM;
	else if (error == -EBUSY || error == -EEXIST)
		code = PM_E_STATE;
	return pm_fail(report, code, name, "", "%s",
		words->text[0] ? words->text : pm_verity_errno(-error));
}

/* --- status ---------------------------------------------------------------------------------- */

static bool is_active(const char *name)
{
	crypt_status_info info = crypt_status(NULL, name);

	return info == CRYPT_ACTIVE || info == CRYPT_BUSY;
}

/* A device of another kind that happens to have the name is none of our business. */
static int load_active(const char *name, struct pm_report *report, struct words *words,
	struct crypt_device **ret_cd)
{
	pm_cleanup(crypt_device) struct crypt_device *cd = NULL;
	const char *type;
	int r;

	if (!is_active(name))
		return pm_fail(
			report, PM_E_STATE, "device", "an active disk", "%s is not active", name);
	r = crypt_init_by_name(&cd, name);
	if (r < 0)
		return complain(report, "device", r, words);
	crypt_set_log_callback(cd, listen, words);
	type = crypt_get_type(cd);
	if (!type || strcmp(type, CRYPT_VERITY))
		return pm_fail(report, PM_E_UNSUPPORTED, "device", "dm-verity",
			"%s is of another kind", name);
	*ret_cd = pm_steal(cd);
	return PM_OK;
}

static int take_info(
	struct crypt_device *cd, struct pm_report *report, struct pm_verity_status *status)
{
	struct crypt_params_verity info = {0};
	int r = crypt_get_verity_info(cd, &info);

	if (r < 0)
		return pm_fail(report, PM_E_SYS, "table", "", "%s", pm_verity_errno(-r));
	if (!info.hash_name || strcmp(info.hash_name, "sha256") || info.hash_type != 1)
		return pm_fail(report, PM_E_UNSUPPORTED, "table.hash", "sha256, type 1",
			"%s, type %u", info.hash_name ? info.hash_name : "none", info.hash_type);
	if (info.salt_size > sizeof(status->salt))
		return pm_fail(report, PM_E_UNSUPPORTED, "table.salt_size", "at most 256", "%u",
			info.salt_size);
	pm_copy(status->salt, info.salt, info.salt_size);
	status->salt_size = info.salt_size;
	status->data_blocks = info.data_size;
	/* Of an active device libcryptsetup tells blocks, as veritysetup's status knows. */
	status->tree_offset = info.hash_area_offset * info.hash_block_size;
	status->data_block_size = info.data_block_size;
	status->hash_block_size = info.hash_block_size;
	return PM_OK;
}

static int take_root(
	struct crypt_device *cd, struct pm_report *report, struct pm_verity_status *status)
{
	size_t size = sizeof(status->root_hash);
	int r = crypt_volume_key_get(cd, CRYPT_ANY_SLOT, (char *)status->root_hash, &size, NULL, 0);

	if (r < 0)
		return pm_fail(report, PM_E_SYS, "table.root_hash", "", "%s", pm_verity_errno(-r));
	if (size != sizeof(status->root_hash))
		return pm_fail(
			report, PM_E_UNSUPPORTED, "table.root_hash", "32 bytes", "%zu", size);
	return PM_OK;
}

static int take_flags(struct crypt_device *cd, const char *name, struct pm_report *report,
	struct pm_verity_status *status)
{
	struct crypt_active_device active;
	int r = crypt_get_active_device(cd, name, &active);

	if (r < 0)
		return pm_fail(report, PM_E_SYS, "table", "", "%s", pm_verity_errno(-r));
	if (active.flags & CRYPT_ACTIVATE_IGNORE_CORRUPTION)
		return pm_fail(report, PM_E_UNSUPPORTED, "table.on_corruption", "an error",
			"damage is ignored");
	/* The host could change a block after its first reading. */
	if (active.flags & CRYPT_ACTIVATE_CHECK_AT_MOST_ONCE)
		return pm_fail(report, PM_E_UNSUPPORTED, "table.check_at_most_once",
			"each reading verified", "the first one only");
	status->on_corruption = PM_VERITY_FAIL;
	if (active.flags & CRYPT_ACTIVATE_PANIC_ON_CORRUPTION)
		status->on_corruption = PM_VERITY_PANIC;
	if (active.flags & CRYPT_ACTIVATE_RESTART_ON_CORRUPTION)
		status->on_corruption = PM_VERITY_RESTART;
	status->corrupted = active.flags & CRYPT_ACTIVATE_CORRUPTED;
	return PM_OK;
}

int pm_verity_status(
	const char *name, struct pm_report *report, struct pm_verity_status *ret_status)
{
	pm_cleanup(crypt_device) struct crypt_device *cd = NULL;
	struct pm_verity_status status = {0};
	struct pm_verity_node node;
	struct words words = {0};
	int r = pm_verity_check_name(report, name, &node);

	if (r < 0)
		return r;
	r = load_active(name, report, &words, &cd);
	if (r < 0)
		return r;
	r = take_info(cd, report, &status);
	if (r < 0)
		return r;
	r = take_root(cd, report, &status);
	if (r < 0)
		return r;
	r = take_flags(cd, name, report, &status);
	if (r < 0)
		return r;
	*ret_status = status;
	return PM_OK;
}

/* --- close ----------------------------------------------------------------------------------- */

int pm_verity_close(const char *name, struct pm_report *report)
{
	pm_cleanup(crypt_device) struct crypt_device *cd = NULL;
	struct pm_verity_node node;
	struct words words = {0};
	int r = pm_verity_check_name(report, name, &node);

	if (r < 0)
		return r;
	r = load_active(name, report, &words, &cd);
	if (r < 0)
		return r;
	r = crypt_deactivate(cd, name);
	if (r < 0)
		return complain(report, "device", r, &words);
	return PM_OK;
}

/* --- open ------------------------------------------------------------------------------------ */

static uint32_t activation_flags(enum pm_verity_on_corruption on_corruption)
{
	switch (on_corruption) {
	case PM_VERITY_PANIC:
		return CRYPT_ACTIVATE_READONLY | CRYPT_ACTIVATE_PANIC_ON_CORRUPTION;
	case PM_VERITY_RESTART:
		return CRYPT_ACTIVATE_READONLY | CRYPT_ACTIVATE_RESTART_ON_CORRUPTION;
	case PM_VERITY_FAIL:
		break;
	}
	return CRYPT_ACTIVATE_READONLY;
}

/* Without a superblock libcryptsetup writes nothing here: the parameters go into cd alone. */
static int give_params(struct crypt_device *cd, const char *device,
	const struct pm_verity_params *params, uint64_t tree_offset)
{
	struct crypt_params_verity p = {
		.hash_name = "sha256",
		.data_device = device,
		.salt = (const char *)params->salt,
		.salt_size = params->salt_size,
		.hash_type = 1,
		.data_block_size = params->data_block_size,
		.hash_block_size = params->hash_block_size,
		.data_size = params->data_blocks,
		.hash_area_offset = tree_offset,
		.flags = CRYPT_VERITY_NO_HEADER,
	};

	return crypt_format(cd, CRYPT_VERITY, NULL, NULL, NULL, NULL, 0, &p);
}

static int activate(const char *name, const char *device, const struct pm_verity_params *params,
	const uint8_t *root_hash, enum pm_verity_on_corruption on_corruption,
	struct pm_report *report)
{
	pm_cleanup(crypt_device) struct crypt_device *cd = NULL;
	struct pm_verity_layout layout;
	struct words words = {0};
	int r = pm_verity_layout_of(params, report, &layout);

	if (r < 0)
		return r;
	r = crypt_init(&cd, device);
	if (r < 0)
		return complain(report, "device", r, &words);
	crypt_set_log_callback(cd, listen, &words);
	r = give_params(cd, device, params, layout.tree_offset);
	if (r < 0)
		return complain(report, "activation", r, &words);
	r = crypt_activate_by_volume_key(cd, name, (const char *)root_hash, PM_VERITY_DIGEST_SIZE,
		activation_flags(on_corruption));
	if (r < 0)
		return complain(report, "activation", r, &words);
	return PM_OK;
}

/* The kernel verifies when it reads, not before. */
static int check_first_block(
	const char *node, const struct pm_verity_params *params, struct pm_report *report)
{
	pm_cleanup(fd) int fd = open(node, O_RDONLY | O_CLOEXEC);
	uint8_t block[PM_VERITY_BLOCK_MAX];
	ssize_t n;

	if (fd < 0)
		return pm_fail(
			report, PM_E_SYS, "device", "", "%s: %s", node, pm_verity_errno(errno));
	n = pread(fd, block, params->data_block_size, 0);
	if (n < 0 && errno == EIO)
		return pm_fail(report, PM_E_REJECTED, "data.first_block",
			"one that verifies under the root hash", "a damaged one, in data or tree");
	if (n != (ssize_t)params->data_block_size)
		return pm_fail(report, PM_E_SYS, "data.first_block", "", "%s: %s", node,
			n < 0 ? pm_verity_errno(errno) : "too short");
	pm_pass(report, "data.first_block", "verified by the kernel");
	return PM_OK;
}

static int check_active(const char *name, const char *node, const struct pm_verity_params *params,
	const uint8_t *root_hash, enum pm_verity_on_corruption on_corruption,
	struct pm_report *report)
{
	struct pm_verity_status status;
	int r = pm_verity_status(name, report, &status);

	if (r < 0)
		return r;
	r = pm_verity_status_check(&status, params, root_hash, report);
	if (r < 0)
		return r;
	if (status.on_corruption != (int)on_corruption)
		return pm_fail(report, PM_E_REJECTED, "table.on_corruption", "what was asked for",
			"%d instead of %d", status.on_corruption, (int)on_corruption);
	return check_first_block(node, params, report);
}

static int check_source(const char *device, const struct pm_verity_params *params,
	const uint8_t *root_hash, struct pm_report *report)
{
	/* O_NONBLOCK: a named pipe shall not make us wait. */
	pm_cleanup(fd) int fd = open(device, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return pm_fail(
			report, PM_E_SYS, "device", "", "%s: %s", device, pm_verity_errno(errno));
	return pm_verity_check_disk(fd, params, root_hash, report);
}

static bool is_action(enum pm_verity_on_corruption on_corruption)
{
	return on_corruption == PM_VERITY_FAIL || on_corruption == PM_VERITY_PANIC ||
	       on_corruption == PM_VERITY_RESTART;
}

int pm_verity_open(const char *name, const char *device, const struct pm_verity_params *params,
	const uint8_t *root_hash, enum pm_verity_on_corruption on_corruption,
	struct pm_report *report)
{
	struct pm_verity_node node;
	int r = pm_verity_check_name(report, name, &node);

	if (r < 0)
		return r;
	if (!is_action(on_corruption))
		return pm_fail(report, PM_E_ARG, "on_corruption", "0 to 2", "%d", on_corruption);
	r = check_source(device, params, root_hash, report);
	if (r < 0)
		return r;
	if (is_active(name))
		return pm_fail(report, PM_E_STATE, "device", "no active disk of this name",
			"%s is active already", name);
	r = activate(name, device, params, root_hash, on_corruption, report);
	if (r < 0)
		return r;
	r = check_active(name, node.path, params, root_hash, on_corruption, report);
	if (r < 0) {
		(void)crypt_deactivate(NULL, name); /* r is the error to tell of */
		return r;
	}
	return PM_OK;
}
