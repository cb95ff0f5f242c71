/* SPDX-License-Identifier: Apache-2.0 */
/** @file api.h
 * Version and the attributes that the other headers use. Every header of libpm compiles alone, as
 * C99 and as C++, and names no type of another library.
 */
#ifndef PM_API_H
#define PM_API_H

#define PM_VERSION_MAJOR 0
#define PM_VERSION_MINOR 1
#define PM_VERSION_PATCH 0

/** Marks what libpm exports. */
#define PM_API __attribute__((visibility("default")))

/** The result must be looked at: ignoring an error of a security library is a bug. */
#define PM_MUST_USE __attribute__((warn_unused_result))

#ifdef __cplusplus
#define PM_BEGIN_DECLS extern "C" {
#define PM_END_DECLS   }
#else
#define PM_BEGIN_DECLS
#define PM_END_DECLS
#endif

PM_BEGIN_DECLS

/**
 * pm_version - the version of the library that runs, which may be newer than the headers
 *
 * Return: "MAJOR.MINOR.PATCH", static. Thread safe.
 */
PM_API const char *pm_version(void);

PM_END_DECLS

#endif
