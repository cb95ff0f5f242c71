/* SPDX-License-Identifier: Apache-2.0 */
#include <pm/error.h>

const char *pm_strerror(int error)
{
	switch (error) {
	case PM_OK:
		return "success";
	case PM_E_ARG:
		return "invalid argument";
	case PM_E_NOMEM:
		return "out of memory";
	case PM_E_SYS:
		return "the operating system refused";
	case PM_E_FORMAT:
		return "malformed input";
	case PM_E_UNSUPPORTED:
		return "unsupported version or kind";
	case PM_E_LIMIT:
		return "a limit was exceeded";
	case PM_E_CRYPTO:
		return "the cryptographic library failed";
	case PM_E_REJECTED:
		return "rejected";
	case PM_E_STALE:
		return "expired, not yet valid, or too old";
	case PM_E_STATE:
		return "not possible in this state";
	case PM_E_MISSING:
		return "something needed was not given";
	case PM_E_NET:
		return "a server failed or could not be reached";
	default:
		return "unknown error";
	}
}

#define STRING2(x) #x
#define STRING(x)  STRING2(x)

const char *pm_version(void)
{
	return STRING(PM_VERSION_MAJOR) "." STRING(PM_VERSION_MINOR) "." STRING(PM_VERSION_PATCH);
}
