/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a join share. */
#ifndef PM_NET_JOIN_H
#define PM_NET_JOIN_H

#include <pm/authority.h>
#include <pm/join.h>

#include "mesh/mesh.h"
#include "net/coordinator.h"

#define PM_JOIN_CHECK "join"

struct pm_membership {
	bool is_coordinator; /* a peer: no certificate */
	struct pm_mesh_identity identity;
	struct pm_mesh_key *key;
	char *certificate;   /* PEM */
	struct pm_blob leaf; /* of it, DER */
	struct pm_blob mesh_ca, root_ca, manifest_bytes;
	struct pm_manifest *manifest;
	int64_t expires;
	struct pm_secret secret; /* of the workload; or seed, and the mesh CA's key */
	struct pm_secret seed, mesh_key;
	struct pm_deployment *deployment; /* or NULL */
};

PM_OWNER(pm_membership, pm_membership_free);
PM_OWNER(pm_box_key, pm_box_key_free);

/* What an answer must be. */
struct pm_join_wanted {
	const char *role;
	enum pm_mesh_purpose purpose;
	const uint8_t *nonce;
	const struct pm_box_key *box_key;
	int64_t now;
};

/* An answer as it is sent: {"Answer", "Signature", "Signer"}. */
struct pm_join_envelope {
	struct pm_blob answer, signature, signer;
};

void pm_join_envelope_clear(struct pm_join_envelope *envelope);

static inline void pm_cleanup_join_envelope(struct pm_join_envelope *envelope)
{
	pm_join_envelope_clear(envelope);
}

/*
 * Is it the coordinator's answer to this join? Fills in the membership, whose key is set, and whose
 * deployment is where the coordinator was attested. As pm_join().
 */
int pm_join_accept(const struct pm_join_envelope *envelope, const struct pm_join_wanted *wanted,
	struct pm_report *report, struct pm_membership *membership) PM_MUST_USE;

/* pm_join() by another clock, for tests. */
int pm_join_by_clock(const char *url, const struct pm_join_options *options,
	const struct pm_net_clock *clock, struct pm_verdict *verdict, struct pm_report *report,
	struct pm_membership **ret_membership) PM_MUST_USE;

/*
 * What lies in the box of an answer, which is for this key, nonce and mesh CA. PM_E_REJECTED for a
 * box that does not open, PM_E_FORMAT, PM_E_LIMIT, PM_E_NOMEM, PM_E_CRYPTO.
 */
int pm_join_open(struct pm_view box, struct pm_view mesh_ca, const struct pm_join_wanted *wanted,
	struct pm_report *report, struct pm_membership *membership) PM_MUST_USE;

/* The plaintext of a box, by what the membership is. PM_E_FORMAT, PM_E_NOMEM, PM_E_CRYPTO. */
int pm_join_read_secrets(struct pm_view text, struct pm_report *report,
	struct pm_membership *membership) PM_MUST_USE;

#endif
