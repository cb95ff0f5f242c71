/* SPDX-License-Identifier: Apache-2.0 */
/** @file error.h
 * Error codes. Each fallible function of libpm returns 0 or one negative enum pm_error, nothing
 * else: no errno, no code of another library. The codes are grouped by what the caller does next.
 * The reason (which field, the value found, the value wanted) goes to a struct pm_report (report.h)
 * that the caller may pass.
 */
#ifndef PM_ERROR_H
#define PM_ERROR_H

#include <pm/api.h>

PM_BEGIN_DECLS

enum pm_error {
	/** Done, and the answer is yes. */
	PM_OK = 0,
	/** The caller broke the contract of the function: a bug to mend. */
	PM_E_ARG = -1,
	/** No memory. Nothing was changed. */
	PM_E_NOMEM = -2,
	/** The operating system refused: the report names the call, the object and the reason. */
	PM_E_SYS = -3,
	/** The input is malformed: it can't be what it claims to be. */
	PM_E_FORMAT = -4,
	/** Well formed, but of a version or kind that this library does not know. */
	PM_E_UNSUPPORTED = -5,
	/** A named maximum (length, count) was exceeded. */
	PM_E_LIMIT = -6,
	/** The cryptographic library failed; says nothing about the input. */
	PM_E_CRYPTO = -7,
	/** Well formed, checked, and the answer is no. */
	PM_E_REJECTED = -8,
	/** Expired, not yet valid, or too old: fetch fresh collateral and try again. */
	PM_E_STALE = -9,
	/** The object is not in a state that allows the call. */
	PM_E_STATE = -10,
	/** Something needed was not given (a certificate, say): fetch it and try again. */
	PM_E_MISSING = -11,
	/** A server could not be reached or answered with an error. */
	PM_E_NET = -12
};

/**
 * pm_strerror - a short English text for an error code
 * @error: value that a function of libpm returned
 *
 * Return: static text, never NULL, also for an unknown code. Thread safe.
 */
PM_API const char *pm_strerror(int error);

PM_END_DECLS

#endif
