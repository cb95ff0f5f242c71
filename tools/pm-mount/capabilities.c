/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-mount/capabilities.h"

#include <err.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/file.h"

#define NEEDED ((UINT32_C(1) << CAP_SYS_ADMIN) | (UINT32_C(1) << CAP_MKNOD))

/* Past the highest that any kernel knows; prctl() tells where this one's end. */
#define CAPABILITY_MAX 63

/* Only who holds CAP_SETPCAP may do this; who does not has less to lose. */
static void drop_bounding(void)
{
	for (unsigned int cap = 0; cap <= CAPABILITY_MAX; cap++) {
		if ((cap >= 32 || !(NEEDED >> cap & 1)) && prctl(PR_CAPBSET_READ, cap) == 1)
			(void)prctl(PR_CAPBSET_DROP, cap);
	}
}

int capabilities_drop(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	drop_bounding();
	if (syscall(SYS_capget, &header, data)) {
		warn("capabilities");
		return TOOL_USAGE;
	}
	data[0].permitted &= NEEDED;
	data[0].effective = data[0].permitted;
	data[0].inheritable = 0;
	data[1] = (struct __user_cap_data_struct){0};
	if (syscall(SYS_capset, &header, data) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		warn("capabilities");
		return TOOL_USAGE;
	}
	return TOOL_OK;
}
