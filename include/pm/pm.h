/* SPDX-License-Identifier: Apache-2.0 */
/** @file pm.h
 * All of libpm.
 */
#ifndef PM_PM_H
#define PM_PM_H

#include <pm/api.h>
#include <pm/appraise.h>
#include <pm/audit.h>
#include <pm/authority.h>
#include <pm/body.h>
#include <pm/box.h>
#include <pm/bundle.h>
#include <pm/collect.h>
#include <pm/command.h>
#include <pm/coordinator.h>
#include <pm/direct.h>
#include <pm/eat.h>
#include <pm/envelope.h>
#include <pm/error.h>
#include <pm/exchange.h>
#include <pm/field.h>
#include <pm/gpu.h>
#include <pm/gpu_collateral.h>
#include <pm/gpu_collect.h>
#include <pm/gpu_fetch.h>
#include <pm/gpu_list.h>
#include <pm/gpu_policy.h>
#include <pm/history.h>
#include <pm/idblock.h>
#include <pm/join.h>
#include <pm/kds.h>
#include <pm/key.h>
#include <pm/keyex.h>
#include <pm/manifest.h>
#include <pm/measure.h>
#include <pm/memory_file.h>
#include <pm/mesh.h>
#include <pm/ocsp.h>
#include <pm/operator.h>
#include <pm/recover.h>
#include <pm/report.h>
#include <pm/rim.h>
#include <pm/rules.h>
#include <pm/seal.h>
#include <pm/sealed.h>
#include <pm/session.h>
#include <pm/shares.h>
#include <pm/signatures.h>
#include <pm/snp.h>
#include <pm/snp_policy.h>
#include <pm/table.h>
#include <pm/text.h>
#include <pm/verdict.h>
#include <pm/verity.h>
#include <pm/verity_mount.h>

#endif
