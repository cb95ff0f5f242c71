/* SPDX-License-Identifier: Apache-2.0 */
#include "common/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <pm/error.h>
#include <pwd.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Past the highest that any kernel knows; prctl() tells where this one's end. */
#define CAPABILITY_MAX 63

static int become(const char *user)
{
	const struct passwd *entry = getpwnam(user);

	if (!entry)
		return PM_E_MISSING;
	if (setgroups(0, NULL) < 0 || setgid(entry->pw_gid) < 0 || setuid(entry->pw_uid) < 0)
		return PM_E_SYS;
	return PM_OK;
}

/* Only who holds CAP_SETPCAP may do this; who does not has less to lose. */
static void drop_bounding(void)
{
	for (unsigned int cap = 0; cap <= CAPABILITY_MAX; cap++)
		if (prctl(PR_CAPBSET_READ, cap) == 1)
			(void)prctl(PR_CAPBSET_DROP, cap);
}

static bool has_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct held[_LINUX_CAPABILITY_U32S_3] = {0};
	unsigned int any = 0;

	if (syscall(SYS_capget, &header, held))
		return true;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		any |= held[i].effective | held[i].permitted | held[i].inheritable;
	return any;
}

/* A unit that gives none may forbid capset() as well (systemd's @privileged). */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	if (!has_capabilities())
		return PM_OK;
	return syscall(SYS_capset, &header, none) ? PM_E_SYS : PM_OK;
}

int privileges_drop(const char *user)
{
	const struct rlimit no_core = {0, 0};
	int r;

	drop_bounding(); /* another user could not */
	r = user ? become(user) : PM_OK;
	if (r == PM_OK)
		r = drop_capabilities();
	if (r < 0)
		return r;
	if (setrlimit(RLIMIT_CORE, &no_core) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ||
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return PM_E_SYS;
	return PM_OK;
}
