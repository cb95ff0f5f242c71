/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sizes of the public structs on 64-bit machines. A program compiled against an older header holds
 * memory of the size that it knew: a change here is a change of the ABI, so the version of the
 * shared library moves with it.
 */
#include <stddef.h>
#include <stdio.h>

#include <pm/pm.h>

#define SIZE(type, bytes)                                                                          \
	{                                                                                          \
#type, sizeof(type), bytes                                                         \
	}

static const struct {
	const char *type;
	size_t found, wanted;
} rows[] = {
	SIZE(struct pm_appraisal, 88),
	SIZE(struct pm_appraised, 7192),
	SIZE(struct pm_audit_field, 16),
	SIZE(struct pm_audit_head, 48),
	SIZE(struct pm_body_cipher, 24),
	SIZE(struct pm_bundle_content, 672),
	SIZE(struct pm_bundle_gpu, 40),
	SIZE(struct pm_bundle_nonce, 556),
	SIZE(struct pm_bytes, 16),
	SIZE(struct pm_check, 32),
	SIZE(struct pm_claims, 7112),
	SIZE(struct pm_claims_model, 161),
	SIZE(struct pm_collect_options, 48),
	SIZE(struct pm_command_demands, 56),
	SIZE(struct pm_command_statement, 88),
	SIZE(struct pm_coordinator_change, 68144),
	SIZE(struct pm_coordinator_options, 40),
	SIZE(struct pm_coordinator_share, 2128),
	SIZE(struct pm_coordinator_status, 104),
	SIZE(struct pm_coordinator_trust, 32),
	SIZE(struct pm_coordinator_worker, 96),
	SIZE(struct pm_eat_device, 644),
	SIZE(struct pm_eat_facts, 336),
	SIZE(struct pm_exchange_event, 40),
	SIZE(struct pm_gpu_bus_id, 8),
	SIZE(struct pm_gpu_device, 116),
	SIZE(struct pm_gpu_facts, 4664),
	SIZE(struct pm_gpu_fields, 3616),
	SIZE(struct pm_gpu_golden, 12),
	SIZE(struct pm_gpu_host_state, 104),
	SIZE(struct pm_history_link, 224),
	SIZE(struct pm_id_block, 96),
	SIZE(struct pm_id_signers, 100),
	SIZE(struct pm_join_options, 88),
	SIZE(struct pm_join_request, 48),
	SIZE(struct pm_keyex_signer, 48),
	SIZE(struct pm_keyex_trust, 56),
	SIZE(struct pm_manifest_gpu, 8),
	SIZE(struct pm_manifest_model, 336),
	SIZE(struct pm_manifest_owner, 176),
	SIZE(struct pm_manifest_share_owner, 1256),
	SIZE(struct pm_memory, 80),
	SIZE(struct pm_mesh_identity, 4336),
	SIZE(struct pm_ocsp_policy, 16),
	SIZE(struct pm_ocsp_status, 16),
	SIZE(struct pm_recover_consent, 24),
	SIZE(struct pm_operator_answer, 24),
	SIZE(struct pm_operator_options, 48),
	SIZE(struct pm_request_facts, 280),
	SIZE(struct pm_sealed_field, 16),
	SIZE(struct pm_sealed_frame, 16),
	SIZE(struct pm_sealed_request, 48),
	SIZE(struct pm_sealed_response, 32),
	SIZE(struct pm_sign_public, 168),
	SIZE(struct pm_session_options, 72),
	SIZE(struct pm_signature, 152),
	SIZE(struct pm_snp_facts, 808),
	SIZE(struct pm_snp_fields, 648),
	SIZE(struct pm_snp_firmware, 3),
	SIZE(struct pm_snp_tcb, 5),
	SIZE(struct pm_usage, 48),
	SIZE(struct pm_verdict_node, 48),
	SIZE(struct pm_verity_io, 48),
	SIZE(struct pm_verity_layout, 40),
	SIZE(struct pm_verity_options, 32),
	SIZE(struct pm_verity_params, 296),
	SIZE(struct pm_verity_status, 328),
};

int main(void)
{
	int failed = 0;

	if (sizeof(void *) != 8) {
		puts("skipped: the sizes are those of 64-bit machines");
		return 77;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].found == rows[i].wanted)
			continue;
		printf("%s: %zu bytes, was %zu\n", rows[i].type, rows[i].found, rows[i].wanted);
		failed = 1;
	}
	return failed;
}
