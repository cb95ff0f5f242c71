/* SPDX-License-Identifier: Apache-2.0 */
#include "verity/sha256_lanes.h"

const struct pm_lanes_backend *const pm_lanes_backends[] = {&pm_lanes_plain, NULL};
