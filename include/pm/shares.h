/* SPDX-License-Identifier: Apache-2.0 */
/** @file shares.h
 * Shares of a secret: any of them up to a threshold, less one, tell nothing of it, and a threshold
 * of them give it back (A. Shamir, "How to share a secret", 1979). The polynomials are over
 * GF(2^8) with x^8 + x^4 + x^3 + x^2 + 1, one for each byte of the secret, by libgfshare.
 *
 * A share is its number, from 1, which is the place where the polynomials were evaluated (1 byte),
 * and the values there (32 bytes). It has no checksum: whoever combines shares compares what comes
 * out with a commitment that he trusts (authority.h), for a wrong share gives a wrong secret and no
 * error.
 *
 * libgfshare keeps its coefficients in ordinary memory, which it overwrites when done, and looks up
 * tables by them: do this where nobody else shares the processor's caches, or accept that.
 *
 * Thread safe.
 */
#ifndef PM_SHARES_H
#define PM_SHARES_H

#include <stddef.h>
#include <stdint.h>
#include <pm/api.h>
#include <pm/error.h>

PM_BEGIN_DECLS

/** Bytes of a secret that is shared. */
#define PM_SHARES_SECRET_SIZE 32

/** Bytes of a share. */
#define PM_SHARE_SIZE 33

/** Most shares of one secret. */
#define PM_SHARES_MAX 32

/**
 * pm_shares_split - share a secret
 * @secret: PM_SHARES_SECRET_SIZE bytes
 * @threshold: how many shares give it back, 1 to count
 * @count: how many shares there are, at most PM_SHARES_MAX
 * @ret_shares: receives count times PM_SHARE_SIZE bytes, one share after the other, which the
 * caller wipes; they are numbered from 1
 *
 * Return: 0; PM_E_ARG for another threshold or count; PM_E_UNSUPPORTED in a build without
 * libgfshare; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_shares_split(
	const uint8_t *secret, size_t threshold, size_t count, uint8_t *ret_shares) PM_MUST_USE;

/**
 * pm_shares_combine - take the secret back out of its shares
 * @shares: count times PM_SHARE_SIZE bytes, one share after the other, in any order
 * @count: how many: the threshold or more
 * @ret_secret: receives PM_SHARES_SECRET_SIZE bytes, which the caller wipes; whether they are the
 * secret is for him to check
 *
 * Return: 0; PM_E_ARG for no share; PM_E_LIMIT for more than PM_SHARES_MAX; PM_E_FORMAT for a share
 * of number 0 and for two of one number; PM_E_UNSUPPORTED in a build without libgfshare;
 * PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_shares_combine(const uint8_t *shares, size_t count, uint8_t *ret_secret) PM_MUST_USE;

PM_END_DECLS

#endif
