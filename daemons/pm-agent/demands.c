/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-agent/demands.h"

#include <err.h>
#include <pm/pm.h>
#include <stdlib.h>
#include <string.h>

#include "common/options.h"
#include "pm-agent/file.h"
#include "pm-agent/note.h"

bool demand_is(int id)
{
	return id > DEMAND_FIRST && id < DEMAND_LAST;
}

static int bad(const char *option, const char *value, const char *expected)
{
	warnx("--%s: found '%s', expected %s", option, value, expected);
	return AGENT_USAGE;
}

static int result(int error, const char *option, const char *value, const char *expected)
{
	if (error == PM_E_ARG)
		return bad(option, value, expected);
	if (error < 0)
		warnx("--%s: %s", option, pm_strerror(error));
	return error < 0 ? AGENT_USAGE : AGENT_OK;
}

/* 1 for the first of three names, and so on; 0 for none. */
static int find_name(const char *value, const char *const *names)
{
	for (int i = 0; i < 3; i++) {
		if (!strcmp(value, names[i]))
			return i + 1;
	}
	return 0;
}

static int set_arch(struct agent_options *o, const char *value)
{
	static const char *const names[] = {"hopper", "blackwell", "ls10"};
	int arch = find_name(value, names);

	if (!arch)
		return bad("arch", value, "hopper, blackwell or ls10");
	return result(
		pm_gpu_policy_allow_arch(o->policy, (enum pm_gpu_arch)arch), "arch", value, "");
}

static int set_mode(struct agent_options *o, const char *value)
{
	static const char *const names[] = {"spt", "mpt", "ppcie"};
	int mode = find_name(value, names);

	if (!mode)
		return bad("mode", value, "spt, mpt or ppcie");
	return result(
		pm_gpu_policy_allow_mode(o->policy, (enum pm_gpu_mode)mode), "mode", value, "");
}

/* The command line names no kind of device, so the demand holds for each. */
static int set_min_vbios(struct agent_options *o, const char *value)
{
	int r = PM_OK;

	for (int arch = PM_GPU_HOPPER; r == PM_OK && arch <= PM_GPU_LS10; arch++)
		r = pm_gpu_policy_min_vbios(o->policy, (enum pm_gpu_arch)arch, value);
	return result(r, "min-vbios", value, "a version as 96.00.9F.00.01");
}

static int set_version(struct agent_options *o, int id, const char *value)
{
	static const char driver[] = "a version as 550.90.07";

	if (id == DEMAND_MIN_VBIOS)
		return set_min_vbios(o, value);
	if (id == DEMAND_VBIOS)
		return result(pm_gpu_policy_allow_vbios(o->policy, value), "vbios", value,
			"a version as 96.00.9F.00.01");
	if (id == DEMAND_DRIVER)
		return result(
			pm_gpu_policy_allow_driver(o->policy, value), "driver", value, driver);
	return result(pm_gpu_policy_min_driver(o->policy, 0, value), "min-driver", value, driver);
}

static int set_hold(struct agent_options *o, const char *value)
{
	uint64_t seconds;
	int r = option_number("--allow-hold", value, UINT32_MAX, &seconds);

	if (r)
		return r;
	r = pm_gpu_policy_permit(o->policy, PM_GPU_PERMIT_HOLD);
	if (r == PM_OK)
		r = pm_gpu_policy_ocsp_grace(o->policy, (int64_t)seconds);
	return result(r, "allow-hold", value, "seconds");
}

static int set_root(struct agent_options *o, int id, const char *value)
{
	bool is_rim = id == DEMAND_TEST_RIM_ROOT;
	const char *option = is_rim ? "test-rim-root" : "test-root";
	uint8_t sha256[32];

	if (pm_hex_decode(value, sha256, sizeof(sha256)) < 0)
		return bad(option, value, "64 hexadecimal digits");
	return result(pm_gpu_policy_add_test_root(
			      o->policy, is_rim ? PM_GPU_ROOT_RIM : PM_GPU_ROOT_DEVICE, sha256),
		option, value, "");
}

static int permit(struct agent_options *o, unsigned int what)
{
	return result(pm_gpu_policy_permit(o->policy, what), "allow", "", "");
}

static int require(struct agent_options *o, unsigned int what)
{
	return result(pm_gpu_policy_require(o->policy, what), "require", "", "");
}

static int set_permission(struct agent_options *o, int id)
{
	switch (id) {
	case DEMAND_ALLOW_UNKNOWN:
		return permit(o, PM_GPU_PERMIT_OCSP_UNKNOWN);
	case DEMAND_ALLOW_OPAQUE:
		return permit(o, PM_GPU_PERMIT_UNKNOWN_OPAQUE);
	case DEMAND_ALLOW_TOPOLOGY:
		o->set_flags |= PM_GPU_SET_ANY_TOPOLOGY;
		return AGENT_OK;
	case DEMAND_REQUIRE_FWID:
		return require(o, PM_GPU_REQUIRE_FWID);
	case DEMAND_REQUIRE_GOLDEN:
		return require(o, PM_GPU_REQUIRE_ALL_GOLDEN);
	default:
		return require(o, PM_GPU_REQUIRE_SWITCH_LOCK);
	}
}

int demand_set(struct agent_options *o, int id, const char *value)
{
	o->has_demands = true;
	switch (id) {
	case DEMAND_ARCH:
		return set_arch(o, value);
	case DEMAND_MODE:
		return set_mode(o, value);
	case DEMAND_DRIVER:
	case DEMAND_VBIOS:
	case DEMAND_MIN_DRIVER:
	case DEMAND_MIN_VBIOS:
		return set_version(o, id, value);
	case DEMAND_ALLOW_HOLD:
		return set_hold(o, value);
	case DEMAND_TEST_ROOT:
	case DEMAND_TEST_RIM_ROOT:
		return set_root(o, id, value);
	default:
		return set_permission(o, id);
	}
}

/* --- the manifest ---------------------------------------------------------------------------- */

static int take_role(const struct agent_options *o, const struct pm_manifest *manifest,
	struct note *note, struct pm_gpu_policy **ret_policy, size_t *ret_min_count)
{
	const struct pm_manifest_role *role = pm_manifest_role(manifest, o->role);
	const struct pm_manifest_gpu *gpu = role ? pm_manifest_role_gpu(role) : NULL;

	if (!gpu)
		return note_fail(
			note, PM_E_MISSING, "", "%s: no role '%s' with GPUs", o->manifest, o->role);
	*ret_min_count = gpu->min_count;
	return pm_manifest_role_gpu_policy(manifest, role, ret_policy);
}

static int take_manifest(const struct agent_options *o, const struct pm_manifest *manifest,
	int64_t now, struct note *note, struct pm_gpu_policy **ret_policy, size_t *ret_min_count)
{
	struct pm_report *report = pm_report_new();
	int r = pm_manifest_check_time(manifest, now, report);

	if (r < 0)
		note_report(note, r, "", report);
	pm_report_free(report);
	return r < 0 ? r : take_role(o, manifest, note, ret_policy, ret_min_count);
}

static int read_manifest(const struct agent_options *o, struct note *note, const uint8_t *bytes,
	size_t size, struct pm_manifest **ret)
{
	struct pm_report *report = pm_report_new();
	int r = pm_manifest_parse(bytes, size, report, ret);

	if (r < 0)
		note_fail(note, r, "", "%s: %s", o->manifest,
			report ? pm_report_reason(report) : pm_strerror(r));
	pm_report_free(report);
	return r;
}

static int load_manifest(const struct agent_options *o, int64_t now, struct note *note,
	struct pm_gpu_policy **ret_policy, size_t *ret_min_count)
{
	struct pm_manifest *manifest = NULL;
	uint8_t *bytes = NULL;
	size_t size;
	int r = file_read(o->manifest, PM_MANIFEST_SIZE_MAX, note, &bytes, &size);

	if (r == PM_OK)
		r = read_manifest(o, note, bytes, size, &manifest);
	free(bytes);
	if (r == PM_OK)
		r = take_manifest(o, manifest, now, note, ret_policy, ret_min_count);
	pm_manifest_free(manifest);
	return r;
}

/* The options' own policy is handed out once: a round is a process. */
static int take_own(struct agent_options *o, struct pm_gpu_policy **ret_policy)
{
	unsigned int waivers =
		(o->no_rim ? PM_GPU_WAIVE_RIM : 0u) | (o->no_ocsp ? PM_GPU_WAIVE_OCSP : 0u);
	int r = pm_gpu_policy_waive(o->policy, waivers);

	if (r < 0)
		return r;
	*ret_policy = o->policy;
	o->policy = NULL;
	return PM_OK;
}

int demands_load(struct agent_options *o, int64_t now, struct note *note,
	struct pm_gpu_policy **ret_policy, size_t *ret_min_count)
{
	int r;

	*ret_min_count = 1;
	r = o->manifest ? load_manifest(o, now, note, ret_policy, ret_min_count)
			: take_own(o, ret_policy);
	return r < 0 ? note_fail(note, r, "", "%s", pm_strerror(r)) : PM_OK;
}
