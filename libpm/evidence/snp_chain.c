/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/snp_chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/report.h"
#include "evidence/snp_roots.h"
#include "evidence/validity.h"

/* AMD's keys above the VEK. */
#define CA_BITS 4096

/* The certificates of the evidence, parsed. */
struct pm_snp_parsed {
	struct pm_cert *certs[PM_SNP_CERTS_MAX];
	size_t count;
};

static void free_parsed(struct pm_snp_parsed *p)
{
	for (size_t i = 0; i < p->count; i++)
		pm_cert_free(p->certs[i]);
}

static inline void pm_cleanup_parsed(struct pm_snp_parsed *p)
{
	free_parsed(p);
}

static void destroy(struct pm_shared *shared)
{
	struct pm_snp_chain *chain = (struct pm_snp_chain *)shared; /* its first member */

	pm_cert_free(chain->vek);
	pm_cert_free(chain->intermediate);
	pm_cert_free(chain->root);
	pm_pubkey_free(chain->vek_key);
	pm_pubkey_free(chain->root_key);
	free(chain);
}

void pm_snp_chain_unref(struct pm_snp_chain *chain)
{
	if (chain)
		pm_shared_unref(&chain->shared);
}

static int parse_all(
	const struct pm_snp_evidence *ev, struct pm_report *report, struct pm_snp_parsed *ret)
{
	for (size_t i = 0; i < ev->cert_count; i++) {
		int r = pm_cert_parse(ev->certs[i], &ret->certs[ret->count]);

		if (r < 0)
			return pm_fail(report, r, "certificate",
				"a DER certificate, nothing behind it, no unknown critical "
				"extension",
				"%zu bytes that are not one", ev->certs[i].len);
		ret->count++;
	}
	return PM_OK;
}

/* Takes a certificate out of the list; the others keep their order. */
static struct pm_cert *take_at(struct pm_snp_parsed *p, size_t i)
{
	struct pm_cert *cert = p->certs[i];

	for (p->count--; i < p->count; i++)
		p->certs[i] = p->certs[i + 1];
	return cert;
}

/* Takes the first certificate for which fits() says so. */
static struct pm_cert *take(struct pm_snp_parsed *p, const void *arg,
	bool (*fits)(const struct pm_cert *cert, const void *arg))
{
	for (size_t i = 0; i < p->count; i++) {
		if (fits(p->certs[i], arg))
			return take_at(p, i);
	}
	return NULL;
}

static bool has_name(const struct pm_cert *cert, const void *name)
{
	return pm_cert_is_named(cert, name);
}

/* Is the certificate by its name what signed arg? */
static bool is_issuer(const struct pm_cert *cert, const void *arg)
{
	const struct pm_cert *child = arg;

	return pm_view_equal(pm_cert_subject(cert), pm_cert_issuer(child));
}

/* What the search for a root looks for: its name, and a hash that somebody trusts. */
struct root_query {
	const struct pm_cert *child;
	const struct pm_snp_policy *policy;
	bool any; /* though nobody trusts it: for a clear refusal */
};

static bool hash_cert(const struct pm_cert *cert, uint8_t *ret)
{
	return pm_hash(PM_SHA256, pm_cert_der(cert), ret) == PM_OK;
}

static bool is_root(const struct pm_cert *cert, const void *arg)
{
	const struct root_query *q = arg;
	uint8_t sha256[PM_SHA256_SIZE];

	if (!is_issuer(cert, q->child) || !is_issuer(cert, cert) || !hash_cert(cert, sha256))
		return false;
	return q->any || pm_snp_root_product(sha256) || pm_list_has(&q->policy->test_roots, sha256);
}

static struct pm_cert *take_root(
	struct pm_snp_parsed *p, const struct pm_cert *child, const struct pm_snp_policy *policy)
{
	struct root_query q = {child, policy, false};
	struct pm_cert *root = take(p, &q, is_root);

	q.any = true;
	return root ? root : take(p, &q, is_root);
}

static int missing(struct pm_report *report, const char *name, const char *what)
{
	return pm_fail(report, PM_E_MISSING, name, what, "none");
}

/* Sorts the certificates into the chain by their names. */
static int pick(struct pm_snp_chain *c, struct pm_snp_parsed *p, enum pm_snp_signer signer,
	const struct pm_snp_policy *policy, struct pm_report *report)
{
	const char *name = pm_snp_vek_name(signer);

	c->vek = take(p, name, has_name);
	if (!c->vek)
		return missing(report, "VEK", name);
	c->intermediate = take(p, c->vek, is_issuer);
	if (!c->intermediate)
		return missing(report, "intermediate",
			signer == PM_SNP_VLEK ? "the ASVK that signed the VLEK"
					      : "the ASK that signed the VCEK");
	c->root = take_root(p, c->intermediate, policy);
	if (!c->root)
		return missing(report, "root", "the ARK that signed the intermediate");
	if (!hash_cert(c->root, c->root_sha256))
		return PM_E_CRYPTO;
	return PM_OK;
}

/* "ARK-" and a product. */
static int product_of_root(const struct pm_cert *root, struct pm_report *report, int *ret)
{
	static const char prefix[] = "ARK-";
	const size_t n = sizeof(prefix) - 1;
	struct pm_view cn = pm_cert_common_name(root);

	*ret = 0;
	if (cn.len > n && pm_view_equal(pm_view(cn.ptr, n), pm_view(prefix, n)))
		*ret = pm_snp_product_by_name(pm_view(cn.ptr + n, cn.len - n));
	if (!*ret)
		return pm_fail(report, PM_E_REJECTED, "root, common name",
			"ARK-Milan, ARK-Genoa or ARK-Turin", "%.*s", (int)cn.len,
			(const char *)cn.ptr);
	return PM_OK;
}

/* "SEV-Milan" for VCEKs, "SEV-VLEK-Milan" for VLEKs: neither may sign the other's. */
static int check_intermediate_name(const struct pm_snp_chain *c, enum pm_snp_signer signer,
	int product, struct pm_report *report)
{
	struct pm_view cn = pm_cert_common_name(c->intermediate);
	char name[32];

	snprintf(name, sizeof(name), "SEV-%s%s", signer == PM_SNP_VLEK ? "VLEK-" : "",
		pm_snp_product_name(product));
	if (!pm_cert_is_named(c->intermediate, name))
		return pm_fail(report, PM_E_REJECTED, "intermediate, common name", name, "%.*s",
			(int)cn.len, (const char *)cn.ptr);
	return PM_OK;
}

static int load_ca_key(const struct pm_cert *cert, const char *name, struct pm_report *report,
	struct pm_pubkey **ret)
{
	int r = pm_cert_pubkey(cert, ret);

	if (r == PM_E_NOMEM)
		return r;
	if (r < 0 || pm_pubkey_type(*ret) != PM_KEY_RSA || pm_pubkey_bits(*ret) != CA_BITS)
		return pm_fail(
			report, r < 0 ? r : PM_E_REJECTED, name, "RSA, 4096 bits", "another key");
	return PM_OK;
}

static int check_signature(const struct pm_cert *cert, const struct pm_cert *issuer,
	const struct pm_pubkey *key, int cas_below, const char *name, struct pm_report *report)
{
	int r = PM_E_UNSUPPORTED;

	if (pm_cert_signed_with(cert, PM_SHA384))
		r = pm_cert_check_issuer(cert, issuer, key, cas_below);
	if (r == PM_E_UNSUPPORTED)
		return pm_fail(report, r, name, "RSASSA-PSS with SHA-384", "another algorithm");
	if (r < 0)
		return pm_fail(report, r, name, "issued and signed by the certificate above it",
			"a signature or issuer that is not");
	return PM_OK;
}

static int check_signatures(struct pm_snp_chain *c, struct pm_report *report)
{
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
	int r = load_ca_key(c->root, "root, public key", report, &c->root_key);

	if (r < 0)
		return r;
	r = load_ca_key(c->intermediate, "intermediate, public key", report, &key);
	if (r < 0)
		return r;
	r = check_signature(
		c->intermediate, c->root, c->root_key, 1, "intermediate, signature", report);
	if (r < 0)
		return r;
	return check_signature(c->vek, c->intermediate, key, 0, "VEK, signature", report);
}

static int read_vek(
	struct pm_snp_chain *c, enum pm_snp_signer signer, int product, struct pm_report *report)
{
	int r = pm_cert_pubkey(c->vek, &c->vek_key);

	if (r == PM_E_NOMEM)
		return r;
	if (r < 0)
		return pm_fail(report, r, "VEK public key", "a point on P-384", "another key");
	return pm_snp_vek_read(
		c->vek, c->vek_key, signer, (enum pm_snp_product)product, report, &c->facts);
}

/* The root is refused here already when nobody trusts it: no work for strangers' chains. */
static int verify(struct pm_snp_chain *c, enum pm_snp_signer signer,
	const struct pm_snp_policy *policy, struct pm_report *report)
{
	bool test_root;
	int product, r;

	r = product_of_root(c->root, report, &product);
	if (r < 0)
		return r;
	c->facts.product = (enum pm_snp_product)product;
	r = pm_snp_chain_check_root(c, policy, report, &test_root);
	if (r < 0)
		return r;
	r = check_intermediate_name(c, signer, product, report);
	if (r < 0)
		return r;
	r = check_signatures(c, report);
	if (r < 0)
		return r;
	return read_vek(c, signer, product, report);
}

int pm_snp_chain_build(const struct pm_snp_evidence *evidence, const struct pm_snp_policy *policy,
	struct pm_report *report, struct pm_snp_chain **ret)
{
	__attribute__((cleanup(pm_cleanup_parsed))) struct pm_snp_parsed parsed = {0};
	pm_cleanup(pm_snp_chain) struct pm_snp_chain *chain = NULL;
	enum pm_snp_signer signer = evidence->fields.signing_key;
	int r = parse_all(evidence, report, &parsed);

	if (r < 0)
		return r;
	chain = pm_alloc(sizeof(*chain));
	if (!chain)
		return PM_E_NOMEM;
	pm_shared_init(&chain->shared, destroy);
	r = pick(chain, &parsed, signer, policy, report);
	if (r < 0)
		return r;
	r = verify(chain, signer, policy, report);
	if (r < 0)
		return r;
	*ret = pm_steal(chain);
	return PM_OK;
}

int pm_snp_chain_check_root(const struct pm_snp_chain *chain, const struct pm_snp_policy *policy,
	struct pm_report *report, bool *ret_test_root)
{
	int pinned = pm_snp_root_product(chain->root_sha256);
	bool test = !pinned && pm_list_has(&policy->test_roots, chain->root_sha256);

	if ((!pinned && !test) || (pinned && pinned != (int)chain->facts.product))
		return pm_fail(report, PM_E_REJECTED, "root", "an ARK of AMD",
			"SHA-256 %s, not trusted", pm_hex(chain->root_sha256, PM_SHA256_SIZE).s);
	*ret_test_root = test;
	return PM_OK;
}

int pm_snp_chain_check_times(
	const struct pm_snp_chain *chain, int64_t now, struct pm_report *report, int64_t *ret_until)
{
	int64_t until = INT64_MAX;
	int r = pm_check_validity(chain->root, "root, validity", now, report, &until);

	if (r < 0)
		return r;
	r = pm_check_validity(chain->intermediate, "intermediate, validity", now, report, &until);
	if (r < 0)
		return r;
	r = pm_check_validity(chain->vek, "VEK, validity", now, report, &until);
	if (r < 0)
		return r;
	*ret_until = until;
	return PM_OK;
}
