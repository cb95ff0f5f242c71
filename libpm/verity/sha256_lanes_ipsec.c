/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libipsec-mb: its job manager fills the lanes of AVX-512, AVX2 or SSE, or uses SHA-NI, by what
 * the processor has. The interface for bursts of hashes does not know plain SHA-256 in version
 * 1.3, so each message is a job.
 */
#include "verity/sha256_lanes.h"

#include <intel-ipsec-mb.h>

static int ipsec_make(void **ret_state)
{
	IMB_MGR *mgr = alloc_mb_mgr(0);

	if (!mgr)
		return PM_E_NOMEM;
	init_mb_mgr_auto(mgr, NULL);
	if (imb_get_errno(mgr)) {
		free_mb_mgr(mgr);
		return PM_E_UNSUPPORTED;
	}
	*ret_state = mgr;
	return PM_OK;
}

static void ipsec_free(void *state)
{
	free_mb_mgr(state);
}

static void fill(IMB_JOB *job, const uint8_t *message, size_t len, uint8_t *digest)
{
	job->cipher_direction = IMB_DIR_ENCRYPT;
	job->chain_order = IMB_ORDER_HASH_CIPHER;
	job->cipher_mode = IMB_CIPHER_NULL;
	job->hash_alg = IMB_AUTH_SHA_256;
	job->src = message;
	job->hash_start_src_offset_in_bytes = 0;
	job->msg_len_to_hash_in_bytes = len;
	job->auth_tag_output = digest;
	job->auth_tag_output_len_in_bytes = PM_SHA256_SIZE;
}

/* Counts what came out, and only what came out well. */
static size_t done(const IMB_JOB *job)
{
	return job && job->status == IMB_STATUS_COMPLETED ? 1 : 0;
}

static int ipsec_hash(void *state, const struct pm_lanes_input *input, uint8_t *ret)
{
	IMB_MGR *mgr = state;
	size_t finished = 0;
	IMB_JOB *job;

	for (size_t i = 0; i < input->count; i++) {
		fill(IMB_GET_NEXT_JOB(mgr), input->messages + i * input->stride, input->len,
			ret + i * PM_SHA256_SIZE);
		for (job = IMB_SUBMIT_JOB(mgr); job; job = IMB_GET_COMPLETED_JOB(mgr))
			finished += done(job);
	}
	while ((job = IMB_FLUSH_JOB(mgr)))
		finished += done(job);
	return finished == input->count ? PM_OK : PM_E_CRYPTO;
}

const struct pm_lanes_backend pm_lanes_ipsec = {
	.name = "libipsec-mb",
	.make = ipsec_make,
	.free = ipsec_free,
	.hash = ipsec_hash,
};
