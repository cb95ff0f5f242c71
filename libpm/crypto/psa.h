/* SPDX-License-Identifier: Apache-2.0 */
/* What the users of mbedTLS's PSA functions share. */
#ifndef PM_CRYPTO_PSA_H
#define PM_CRYPTO_PSA_H

#include <psa/crypto.h>

#include <pm/error.h>

/* PM_E_FORMAT for bytes that are no key; PM_E_NOMEM, PM_E_CRYPTO. */
static inline int pm_psa_error(psa_status_t status)
{
	if (status == PSA_ERROR_INSUFFICIENT_MEMORY)
		return PM_E_NOMEM;
	if (status == PSA_ERROR_INVALID_ARGUMENT)
		return PM_E_FORMAT;
	return status == PSA_SUCCESS ? PM_OK : PM_E_CRYPTO;
}

#endif
