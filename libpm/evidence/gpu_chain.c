/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/gpu_chain.h"

#include <stdlib.h>

#include "base/hex.h"
#include "base/report.h"
#include "evidence/ocsp.h"
#include "evidence/validity.h"

/* Names of checks, by place. */
struct names {
	const char *cert, *key, *signature, *validity, *ocsp;
};

#define NAMES(name)                                                                                \
	{                                                                                          \
		name, name ", public key", name ", signature", name ", validity", name ", OCSP"    \
	}

static const struct names names[PM_GPU_CERTS] = {
	[PM_GPU_LEAF] = NAMES("device"),
	[PM_GPU_BROM] = NAMES("boot ROM"),
	[PM_GPU_ICA] = NAMES("provisioner"),
	[PM_GPU_IDENTITY] = NAMES("identity CA"),
	[PM_GPU_ROOT] = NAMES("root"),
};

static void destroy_issuers(struct pm_shared *shared)
{
	struct pm_gpu_issuers *i = (struct pm_gpu_issuers *)shared; /* its first member */

	pm_cert_free(i->ica);
	pm_cert_free(i->identity);
	pm_cert_free(i->root);
	pm_pubkey_free(i->ica_key);
	pm_pubkey_free(i->identity_key);
	pm_pubkey_free(i->root_key);
	free(i);
}

static void destroy_chain(struct pm_shared *shared)
{
	struct pm_gpu_chain *c = (struct pm_gpu_chain *)shared; /* its first member */

	pm_cert_free(c->leaf);
	pm_cert_free(c->brom);
	pm_pubkey_free(c->leaf_key);
	pm_pubkey_free(c->brom_key);
	pm_gpu_issuers_unref(c->issuers);
	free(c);
}

void pm_gpu_issuers_unref(struct pm_gpu_issuers *issuers)
{
	if (issuers)
		pm_shared_unref(&issuers->shared);
}

void pm_gpu_chain_unref(struct pm_gpu_chain *chain)
{
	if (chain)
		pm_shared_unref(&chain->shared);
}

int pm_gpu_chain_check_count(const struct pm_gpu_evidence *evidence, struct pm_report *report)
{
	if (evidence->cert_count != PM_GPU_CERTS)
		return pm_fail(report, PM_E_MISSING, "certificates",
			"5: the device's first, the root last", "%zu", evidence->cert_count);
	return PM_OK;
}

/* A certificate of the evidence and its key, which must be on the one curve that NVIDIA uses. */
static int load(const struct pm_gpu_evidence *ev, enum pm_gpu_place place, struct pm_report *report,
	struct pm_cert **ret, struct pm_pubkey **ret_key)
{
	int r = pm_cert_parse(ev->certs[place], ret);

	if (r == PM_E_NOMEM)
		return r;
	if (r < 0)
		return pm_fail(report, r, names[place].cert,
			"a DER certificate, nothing behind it, no unknown critical extension",
			"%zu bytes that are not one", ev->certs[place].len);
	r = pm_cert_pubkey(*ret, ret_key);
	if (r == PM_E_NOMEM)
		return r;
	if (r < 0 || pm_pubkey_type(*ret_key) != PM_KEY_P384)
		return pm_fail(report, r < 0 ? r : PM_E_REJECTED, names[place].key,
			"a point on P-384", "another key");
	return PM_OK;
}

/*
 * issuer stands above cert. Nobody but the root may have issued himself: a root that is there twice
 * would move the others down by a place, away from the responses about them.
 */
static int check_link(const struct pm_cert *cert, enum pm_gpu_place place,
	const struct pm_cert *issuer, const struct pm_pubkey *key, struct pm_report *report)
{
	const char *name = names[place].signature;
	int r = PM_E_UNSUPPORTED;

	if (pm_view_equal(pm_cert_subject(cert), pm_cert_issuer(cert)))
		return pm_fail(report, PM_E_REJECTED, name, "issued by the certificate above it",
			"one that issued itself");
	if (pm_cert_signed_with(cert, PM_SHA384))
		r = pm_cert_check_issuer(cert, issuer, key, (int)place);
	if (r == PM_E_NOMEM || r == PM_E_CRYPTO)
		return r;
	if (r == PM_E_UNSUPPORTED)
		return pm_fail(report, r, name, "ECDSA with SHA-384", "another algorithm");
	if (r < 0)
		return pm_fail(report, r, name, "issued and signed by the certificate above it",
			"a signature or issuer that is not");
	return PM_OK;
}

static int load_issuers(
	const struct pm_gpu_evidence *ev, struct pm_report *report, struct pm_gpu_issuers *i)
{
	int r = load(ev, PM_GPU_ROOT, report, &i->root, &i->root_key);

	if (r < 0)
		return r;
	r = pm_hash(PM_SHA256, pm_cert_der(i->root), i->root_sha256);
	if (r < 0)
		return r;
	r = load(ev, PM_GPU_IDENTITY, report, &i->identity, &i->identity_key);
	if (r < 0)
		return r;
	return load(ev, PM_GPU_ICA, report, &i->ica, &i->ica_key);
}

/* The root is refused here already when nobody trusts it: no work for strangers' chains. */
static int verify_issuers(const struct pm_gpu_issuers *i, const struct pm_gpu_policy *policy,
	struct pm_report *report)
{
	bool test_root;
	int r = pm_gpu_issuers_check_root(i, policy, report, &test_root);

	if (r < 0)
		return r;
	r = check_link(i->identity, PM_GPU_IDENTITY, i->root, i->root_key, report);
	if (r < 0)
		return r;
	return check_link(i->ica, PM_GPU_ICA, i->identity, i->identity_key, report);
}

int pm_gpu_issuers_build(const struct pm_gpu_evidence *evidence, const struct pm_gpu_policy *policy,
	struct pm_report *report, struct pm_gpu_issuers **ret)
{
	pm_cleanup(pm_gpu_issuers) struct pm_gpu_issuers *issuers = pm_alloc(sizeof(*issuers));
	int r;

	if (!issuers)
		return PM_E_NOMEM;
	pm_shared_init(&issuers->shared, destroy_issuers);
	r = load_issuers(evidence, report, issuers);
	if (r < 0)
		return r;
	r = verify_issuers(issuers, policy, report);
	if (r < 0)
		return r;
	*ret = pm_steal(issuers);
	return PM_OK;
}

int pm_gpu_issuers_check_root(const struct pm_gpu_issuers *issuers,
	const struct pm_gpu_policy *policy, struct pm_report *report, bool *ret_test_root)
{
	if (!pm_gpu_policy_root(policy, PM_GPU_ROOT_DEVICE, issuers->root_sha256, ret_test_root))
		return pm_fail(report, PM_E_REJECTED, "root", "NVIDIA Device Identity CA",
			"SHA-256 %s, not trusted", pm_hex(issuers->root_sha256, PM_SHA256_SIZE).s);
	return PM_OK;
}

static int load_chain(
	const struct pm_gpu_evidence *ev, struct pm_report *report, struct pm_gpu_chain *c)
{
	int r = load(ev, PM_GPU_BROM, report, &c->brom, &c->brom_key);

	if (r < 0)
		return r;
	r = pm_hash(PM_SHA256, pm_cert_spki(c->brom), c->device_key_sha256);
	if (r < 0)
		return r;
	return load(ev, PM_GPU_LEAF, report, &c->leaf, &c->leaf_key);
}

static int verify_chain(struct pm_gpu_chain *c, struct pm_report *report)
{
	const struct pm_gpu_issuers *i = c->issuers;
	int r = check_link(c->brom, PM_GPU_BROM, i->ica, i->ica_key, report);

	if (r < 0)
		return r;
	r = check_link(c->leaf, PM_GPU_LEAF, c->brom, c->brom_key, report);
	if (r < 0)
		return r;
	return pm_gpu_leaf_read(c->leaf, c->brom, report, &c->facts);
}

int pm_gpu_chain_build(const struct pm_gpu_evidence *evidence, struct pm_gpu_issuers *issuers,
	struct pm_report *report, struct pm_gpu_chain **ret)
{
	pm_cleanup(pm_gpu_chain) struct pm_gpu_chain *chain = pm_alloc(sizeof(*chain));
	int r;

	if (!chain)
		return PM_E_NOMEM;
	pm_shared_init(&chain->shared, destroy_chain);
	pm_shared_ref(&issuers->shared);
	chain->issuers = issuers;
	r = load_chain(evidence, report, chain);
	if (r < 0)
		return r;
	r = verify_chain(chain, report);
	if (r < 0)
		return r;
	*ret = pm_steal(chain);
	return PM_OK;
}

/* The certificate at that place. */
static const struct pm_cert *cert_at(const struct pm_gpu_chain *c, enum pm_gpu_place place)
{
	const struct pm_cert *certs[PM_GPU_CERTS] = {
		[PM_GPU_LEAF] = c->leaf,
		[PM_GPU_BROM] = c->brom,
		[PM_GPU_ICA] = c->issuers->ica,
		[PM_GPU_IDENTITY] = c->issuers->identity,
		[PM_GPU_ROOT] = c->issuers->root,
	};

	return certs[place];
}

int pm_gpu_chain_check_times(
	const struct pm_gpu_chain *chain, int64_t now, struct pm_report *report, int64_t *until)
{
	int r = PM_OK;

	for (int place = PM_GPU_ROOT; r == PM_OK && place >= PM_GPU_LEAF; place--)
		r = pm_check_validity(cert_at(chain, (enum pm_gpu_place)place),
			names[place].validity, now, report, until);
	return r;
}

int pm_gpu_chain_check_revocation(const struct pm_gpu_chain *chain,
	const struct pm_gpu_policy *policy, const struct pm_ocsp_set *ocsp, int64_t now,
	struct pm_report *report, int64_t *until, bool *checked)
{
	const struct pm_pubkey *keys[PM_GPU_CERTS] = {
		[PM_GPU_ICA] = chain->issuers->ica_key,
		[PM_GPU_IDENTITY] = chain->issuers->identity_key,
		[PM_GPU_ROOT] = chain->issuers->root_key,
	};
	int r = PM_OK;

	for (int place = PM_GPU_IDENTITY; r == PM_OK && place >= PM_GPU_BROM; place--)
		r = pm_ocsp_demand(ocsp, cert_at(chain, (enum pm_gpu_place)place),
			cert_at(chain, (enum pm_gpu_place)(place + 1)), keys[place + 1], policy,
			now, names[place].ocsp, report, until, checked);
	return r;
}
