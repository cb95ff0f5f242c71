/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report with its certificates and lists, right in everything and made of nothing but zeros: the
 * TCB is 0 and the chip is masked. So whatever a verifier forgets to read looks as demanded, and a
 * check that is left out turns a refusal into a yes. A test changes one thing and lets it verify.
 */
#ifndef PM_TEST_SCENE_H
#define PM_TEST_SCENE_H

#include <pm/snp_policy.h>

#include "mint.h"

#define SCENE_NOW  INT64_C(1767225600) /* 2026-01-01 */
#define SCENE_FROM (SCENE_NOW - 1000)
#define SCENE_TO   (SCENE_NOW + 1000)

/* Keys for all scenes of a process; RSA of 4096 bits is slow. */
struct scene_keys {
	EVP_PKEY *ark, *ask; /* RSA, 4096 bits */
	EVP_PKEY *rsa;	     /* 2048 bits: a stranger's */
	EVP_PKEY *vek, *ec;  /* P-384: the right one, and a stranger's */
	EVP_PKEY *p256;
	EVP_PKEY *koblitz; /* secp256k1, which the parser knows and libpm does not */
};

extern struct scene_keys scene_keys;

void scene_make_keys(void);
void scene_free_keys(void);

/* AMD's extensions of the VEK. What does not concern the product or signer is an unknown one. */
enum scene_extension {
	SCENE_STRUCT_VERSION,
	SCENE_PRODUCT_NAME,
	SCENE_BL,
	SCENE_TEE,
	SCENE_SNP,
	SCENE_UCODE,
	SCENE_FMC,
	SCENE_HWID,
	SCENE_CSP_ID,
	SCENE_MORE, /* for a test's own */
	SCENE_EXTENSIONS
};

#define SCENE_OID_UNKNOWN "1.3.6.1.4.1.3704.1.99"
#define SCENE_MORE_MAX	  4

struct scene {
	struct mint_cert ark, ask, vek;
	struct mint_extension extensions[SCENE_EXTENSIONS];
	uint8_t report[PM_SNP_REPORT_SIZE];
	EVP_PKEY *report_key;
	struct pm_view more[SCENE_MORE_MAX]; /* further certificates, owned... */
	size_t more_count;
	bool more_first;	       /* ...before the three, or behind them */
	bool without_ark, without_ask; /* not given */
	struct pm_view trusted;	       /* a further certificate that the policy names as root */
	bool untrusted;		       /* the policy does not name the ARK */
	struct mint_crl lists[PM_SNP_CRLS_MAX];
	bool list_of_table[PM_SNP_CRLS_MAX];
	size_t list_count;
	int (*demand)(struct pm_snp_policy *policy); /* or NULL */
	int64_t now;
	struct pm_snp_evidence *ev; /* of the last verification */
	const struct pm_snp_facts *facts;
};

void scene_init(struct scene *s, enum pm_snp_product product, enum pm_snp_signer signer);
void scene_free(struct scene *s);

/* Gives a further certificate, owned by the scene from now on. */
void scene_add(struct scene *s, struct pm_view der);

/* A list of the ARK's that revokes count serial numbers; they must outlive the scene. */
void scene_add_list(struct scene *s, const long *serials, size_t count);

/* Makes evidence, with the report signed, and a policy that accepts it. The caller frees both. */
void scene_make(
	const struct scene *s, struct pm_snp_evidence **ret_ev, struct pm_snp_policy **ret_policy);

/* Makes evidence and policy, and verifies. */
int scene_verify(struct scene *s, struct pm_snp_cache *cache, struct pm_report *report);

#endif
