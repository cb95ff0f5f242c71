/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/sig.h"

const struct pm_sig_backend *const pm_sig_backends[] = {&pm_sig_mbedtls, NULL};
