/* SPDX-License-Identifier: Apache-2.0 */
/* Which chain is taken when the certificates allow several, and what the cache keeps of it. */
#include <string.h>

#include "base/report.h"
#include "evidence/snp_cache.h"
#include "scene.h"
#include "testing.h"

/* --- which certificate is taken --------------------------------------------------------------- */

/* A root of the right name, made by a stranger, first or last: the right one is found. */
START_TEST(a_false_root_beside_the_true_one)
{
	struct scene s;

	for (int first = 0; first < 2; first++) {
		struct mint_cert fake;

		scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
		fake = s.ark;
		fake.key = fake.signer.key = scene_keys.ask;
		scene_add(&s, mint_cert(&fake));
		s.more_first = first;
		ck_pm(scene_verify(&s, NULL, NULL), PM_OK);
		ck_assert(s.facts->test_root && s.facts->product == PM_SNP_MILAN);
		s.without_ark = true;
		ck_pm(scene_verify(&s, NULL, NULL), PM_E_REJECTED);
		scene_free(&s);
	}
}
END_TEST

/* A root that the policy names, but not the one that the intermediate names. */
START_TEST(a_trusted_root_of_another_name)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct mint_cert genoa;
	struct scene s;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	genoa = s.ark;
	genoa.name = genoa.signer.name = "ARK-Genoa";
	s.trusted = mint_cert(&genoa);
	scene_add(&s, mint_join(s.trusted, VIEW("")));
	s.without_ark = true;
	ck_pm(scene_verify(&s, NULL, report), PM_E_MISSING);
	ck_assert_str_eq(pm_report_failure(report)->name, "root");
	scene_free(&s);
}
END_TEST

/* Below a VEK there is nothing: it is no CA, whatever it has signed. */
START_TEST(a_vek_is_no_issuer)
{
	struct mint_cert below;
	struct scene s;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	below = s.vek;
	below.signer = (struct mint_signer){.key = s.vek.key, .name = s.vek.name};
	below.key = scene_keys.ec;
	scene_add(&s, mint_cert(&below));
	s.more_first = true;
	ck_pm(scene_verify(&s, NULL, NULL), PM_OK); /* by the VEK above it */
	s.report_key = scene_keys.ec;
	ck_pm(scene_verify(&s, NULL, NULL), PM_E_REJECTED);
	scene_free(&s);
}
END_TEST

/* One certificate can't be both intermediate and root, nor can two of one name. */
START_TEST(a_root_is_no_intermediate)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct mint_cert twin;
	struct scene s;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	s.vek.signer = s.ark.signer;
	s.without_ask = true;
	ck_pm(scene_verify(&s, NULL, report), PM_E_MISSING);
	ck_assert_str_eq(pm_report_failure(report)->name, "root");
	twin = s.ark;
	twin.serial++;
	s.trusted = mint_cert(&twin);
	scene_add(&s, mint_join(s.trusted, VIEW("")));
	pm_report_reset(report);
	ck_pm(scene_verify(&s, NULL, report), PM_E_REJECTED);
	ck_assert_str_eq(pm_report_failure(report)->name, "intermediate, common name");
	scene_free(&s);
}
END_TEST

/* Verifies with and without a cache, the further certificates in front and behind. */
static void expect(struct scene *s, int error, const char *check)
{
	for (int way = 0; way < 4; way++) {
		pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
		pm_cleanup(pm_snp_cache) struct pm_snp_cache *cache = NULL;
		const struct pm_check *failure;

		s->more_first = way & 1;
		if (way & 2)
			ck_pm(pm_snp_cache_new(2, &cache), PM_OK);
		ck_pm(scene_verify(s, cache, report), error);
		failure = pm_report_failure(report);
		ck_assert_msg(check ? failure && !strcmp(failure->name, check) : !failure,
			"%s, way %d", pm_report_reason(report), way);
		ck_pm(scene_verify(s, cache, NULL), error);
	}
}

/* A stranger's VEK, intermediate or root of the same name is not in the way, nor of any help. */
START_TEST(no_certificate_hides_another)
{
	for (int which = 0; which < 3; which++) {
		struct mint_cert other;
		struct scene s;

		scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
		other = which == 0 ? s.vek : which == 1 ? s.ask : s.ark;
		other.key = other.signer.key = scene_keys.rsa;
		scene_add(&s, mint_cert(&other));
		expect(&s, PM_OK, NULL);
		s.report_key = scene_keys.ec;
		expect(&s, PM_E_REJECTED, "SIGNATURE");
		scene_free(&s);
	}
}
END_TEST

/* A host that was given certificates of several firmwares; AMD reissues them, too. */
START_TEST(a_vek_of_each_firmware)
{
	struct mint_extension newer[SCENE_EXTENSIONS];
	struct mint_cert other;
	struct scene s;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	memcpy(newer, s.extensions, sizeof(newer));
	newer[SCENE_SNP].value = VIEW("\x02\x01\x01");
	other = s.vek;
	other.key = scene_keys.ec;
	other.extensions = newer;
	scene_add(&s, mint_cert(&other));
	expect(&s, PM_OK, NULL);
	s.report[0x186] = s.report[0x1e6] = s.report[0x03e] = 1; /* the newer firmware runs */
	s.report_key = scene_keys.ec;
	expect(&s, PM_OK, NULL);
	s.report_key = scene_keys.vek; /* the older one's key */
	expect(&s, PM_E_REJECTED, "SIGNATURE");
	s.report[0x186] = s.report[0x1e6] = s.report[0x03e] = 2;
	expect(&s, PM_E_REJECTED, "VEK TCB");
	scene_free(&s);
}
END_TEST

/* A certificate that ended, and the one that came in its place. */
START_TEST(what_ended_hides_nothing)
{
	for (int which = 0; which < 2; which++) {
		struct mint_cert old;
		struct scene s;

		scene_init(&s, PM_SNP_MILAN, PM_SNP_VLEK);
		old = which ? s.ask : s.vek;
		old.not_after = SCENE_NOW - 1;
		scene_add(&s, mint_cert(&old));
		expect(&s, PM_OK, NULL);
		s.now = SCENE_TO + 1;
		expect(&s, PM_E_STALE, "root, validity");
		scene_free(&s);
	}
}
END_TEST

/* AMD revoked an intermediate and issued it again, with the same name and key. */
START_TEST(what_was_revoked_hides_nothing)
{
	static const long retired[] = {0x10001}, both[] = {0x10001, 0x10002};
	struct mint_cert again;
	struct scene s;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	again = s.ask;
	again.serial = 0x10002;
	scene_add(&s, mint_cert(&again));
	scene_add_list(&s, retired, 1);
	expect(&s, PM_OK, NULL);
	s.lists[0].serials = both;
	s.lists[0].count = 2;
	expect(&s, PM_E_REJECTED, "intermediate, revocation");
	scene_free(&s);
}
END_TEST

/* Of several refusals that one is told which came furthest. */
START_TEST(the_best_reason_is_told)
{
	struct mint_cert forged;
	struct scene s;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	forged = s.vek;
	forged.signer.key = scene_keys.rsa;
	scene_add(&s, mint_cert(&forged));
	expect(&s, PM_OK, NULL);
	s.extensions[SCENE_UCODE].value = VIEW("\x02\x01\x07");
	expect(&s, PM_E_REJECTED, "VEK TCB");
	s.untrusted = true;
	expect(&s, PM_E_REJECTED, "root");
	scene_free(&s);
}
END_TEST

/* As many as there may be. */
START_TEST(one_among_many)
{
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
	const struct pm_snp_facts *facts = NULL;
	struct pm_snp_policy *p;
	struct scene s;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	scene_make(&s, &ev, &p);
	while (ev->cert_count < PM_SNP_CERTS_MAX) {
		struct mint_cert other = ev->cert_count % 2 ? s.vek : s.ask;
		struct pm_view der, last = ev->certs[ev->cert_count - 1];

		other.signer.key = scene_keys.ask;
		other.key = scene_keys.ask;
		der = mint_cert(&other);
		ck_pm(pm_snp_evidence_add_certs(ev, der.ptr, der.len, NULL), PM_OK);
		test_free(der);
		ev->certs[ev->cert_count - 2] = ev->certs[ev->cert_count - 1]; /* to the front */
		ev->certs[ev->cert_count - 1] = last;
	}
	ck_pm(pm_snp_verify(ev, p, NULL, SCENE_NOW, NULL, &facts), PM_OK);
	ev->signed_bytes[0x50] ^= 1;
	ck_pm(pm_snp_verify(ev, p, NULL, SCENE_NOW, NULL, &facts), PM_E_REJECTED);
	pm_snp_policy_free(p);
}
END_TEST

/* It can't be part of a chain; where there is none without it, it is told. */
START_TEST(a_broken_certificate_is_in_nobodys_way)
{
	struct scene s;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	scene_add(&s, mint_join(VIEW("\x30\x03\x02\x01\x00"), VIEW("")));
	expect(&s, PM_OK, NULL);
	s.without_ask = true;
	expect(&s, PM_E_FORMAT, "certificate");
	scene_free(&s);
}
END_TEST

/* --- the cache -------------------------------------------------------------------------------- */

/* What one policy trusts is nothing to the next. */
START_TEST(a_cached_chain_is_not_trusted_by_all)
{
	pm_cleanup(pm_snp_cache) struct pm_snp_cache *cache = NULL;
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL, *unused = NULL;
	struct pm_snp_policy *trusting, *other;
	const struct pm_snp_facts *facts = NULL;
	struct scene s, t;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	scene_init(&t, PM_SNP_MILAN, PM_SNP_VCEK);
	t.untrusted = true;
	scene_make(&s, &ev, &trusting);
	scene_make(&t, &unused, &other);
	ck_pm(pm_snp_cache_new(4, &cache), PM_OK);
	for (int round = 0; round < 3; round++) {
		ck_pm(pm_snp_verify(ev, other, cache, SCENE_NOW, NULL, &facts), PM_E_REJECTED);
		ck_pm(pm_snp_verify(ev, trusting, cache, SCENE_TO + 1, NULL, &facts), PM_E_STALE);
		ck_assert(!facts == !round);
		ck_pm(pm_snp_verify(ev, trusting, cache, SCENE_NOW, NULL, &facts), PM_OK);
		ck_assert_int_eq(facts->product, PM_SNP_MILAN);
		/* A no takes back what was said before. */
		ck_pm(pm_snp_verify(ev, other, cache, SCENE_NOW, NULL, &facts), PM_E_REJECTED);
		ck_assert_int_eq(facts->product, 0);
		ck_assert_uint_eq(facts->fields.version, 0);
	}
	pm_snp_policy_free(trusting);
	pm_snp_policy_free(other);
}
END_TEST

/* Two roots of one name and key, each trusted by one policy: neither is in the other's way. */
START_TEST(a_cached_chain_has_its_own_root)
{
	pm_cleanup(pm_snp_cache) struct pm_snp_cache *cache = NULL;
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL, *unused = NULL;
	const struct pm_snp_facts *facts = NULL;
	struct pm_snp_policy *p, *q;
	struct scene s, t;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	scene_init(&t, PM_SNP_MILAN, PM_SNP_VCEK);
	t.trusted = mint_cert(&t.ark);
	t.untrusted = true;
	scene_add(&s, mint_join(t.trusted, VIEW("")));
	scene_make(&s, &ev, &p);
	scene_make(&t, &unused, &q);
	ck_pm(pm_snp_cache_new(4, &cache), PM_OK);
	for (int round = 0; round < 2; round++) {
		ck_pm(pm_snp_verify(ev, p, cache, SCENE_NOW, NULL, &facts), PM_OK);
		ck_assert(pm_ct_equal(facts->root_sha256, p->test_roots.values, PM_SHA256_SIZE));
		ck_pm(pm_snp_verify(ev, q, cache, SCENE_NOW, NULL, &facts), PM_OK);
		ck_assert(pm_ct_equal(facts->root_sha256, q->test_roots.values, PM_SHA256_SIZE));
	}
	pm_snp_policy_free(p);
	pm_snp_policy_free(q);
	scene_free(&s);
	scene_free(&t);
}
END_TEST

/* The chain is built once, and what could not be built is not kept. */
START_TEST(a_chain_is_built_once)
{
	pm_cleanup(pm_snp_cache) struct pm_snp_cache *cache = NULL;
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL, *bad = NULL;
	pm_cleanup(pm_snp_chain) struct pm_snp_chain *first = NULL, *again = NULL;
	const struct pm_snp_facts *facts = NULL;
	struct pm_snp_policy *p, *q;
	struct scene s, forged;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	scene_init(&forged, PM_SNP_MILAN, PM_SNP_VCEK);
	forged.vek.signer.key = scene_keys.rsa;
	scene_make(&s, &ev, &p);
	scene_make(&forged, &bad, &q);
	ck_pm(pm_snp_cache_new(2, &cache), PM_OK);
	ck_assert_ptr_null(pm_snp_cache_get(cache, ev));
	/* A refusal by what is not the chain's fault does not cost it again. */
	ck_pm(pm_snp_verify(ev, p, cache, SCENE_TO + 1, NULL, &facts), PM_E_STALE);
	first = pm_snp_cache_get(cache, ev);
	ck_pm(pm_snp_verify(ev, p, cache, SCENE_NOW, NULL, &facts), PM_OK);
	again = pm_snp_cache_get(cache, ev);
	ck_assert(first && first->alone && first == again);
	for (int round = 0; round < 2; round++)
		ck_pm(pm_snp_verify(bad, q, cache, SCENE_NOW, NULL, &facts), PM_E_REJECTED);
	ck_assert_ptr_null(pm_snp_cache_get(cache, bad));
	pm_snp_policy_free(p);
	pm_snp_policy_free(q);
}
END_TEST

/* One set of certificates, and two reports that each need another VEK of it. */
START_TEST(a_kept_chain_is_not_the_only_one)
{
	pm_cleanup(pm_snp_cache) struct pm_snp_cache *cache = NULL;
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *a = NULL, *b = NULL;
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	const struct pm_snp_facts *facts = NULL;
	struct pm_snp_policy *p, *unused;
	struct mint_cert other;
	struct scene s;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	other = s.vek;
	other.key = scene_keys.ec;
	scene_add(&s, mint_cert(&other));
	scene_make(&s, &a, &p);
	s.report_key = scene_keys.ec;
	scene_make(&s, &b, &unused);
	ck_pm(pm_snp_cache_new(4, &cache), PM_OK);
	for (int round = 0; round < 4; round++) {
		ck_pm(pm_snp_verify(a, p, cache, SCENE_NOW, report, &facts), PM_OK);
		a->fields = b->fields; /* the certificates stay */
		pm_copy(a->signed_bytes, b->signed_bytes, sizeof(a->signed_bytes));
		ck_pm(pm_snp_verify(a, p, cache, SCENE_NOW, report, &facts), PM_OK);
		ck_assert_ptr_null(pm_report_failure(report));
		a->signed_bytes[0x50] ^= 1;
		ck_pm(pm_snp_verify(a, p, cache, SCENE_NOW, NULL, &facts), PM_E_REJECTED);
		a->signed_bytes[0x50] ^= 1;
		pm_report_reset(report);
	}
	pm_snp_policy_free(p);
	pm_snp_policy_free(unused);
	scene_free(&s);
}
END_TEST

/* A host with both kinds of key: one set of certificates, and two reports. */
START_TEST(one_set_of_certificates_two_signers)
{
	pm_cleanup(pm_snp_cache) struct pm_snp_cache *cache = NULL;
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *vcek = NULL, *vlek = NULL;
	const struct pm_snp_facts *facts = NULL;
	struct pm_snp_policy *p, *unused;
	struct scene s, t;

	scene_init(&s, PM_SNP_MILAN, PM_SNP_VCEK);
	scene_init(&t, PM_SNP_MILAN, PM_SNP_VLEK);
	t.vek.key = t.report_key = scene_keys.ec;
	t.without_ark = true;
	scene_add(&s, mint_cert(&t.vek));
	scene_add(&s, mint_cert(&t.ask));
	scene_make(&s, &vcek, &p);
	scene_make(&t, &vlek, &unused);
	ck_pm(pm_snp_cache_new(4, &cache), PM_OK);
	for (int round = 0; round < 2; round++) {
		ck_pm(pm_snp_verify(vcek, p, cache, SCENE_NOW, NULL, &facts), PM_OK);
		ck_assert_int_eq(facts->signer, round ? PM_SNP_VLEK : PM_SNP_VCEK);
		ck_assert_str_eq(facts->csp_id, round ? "CN=x" : "");
		vcek->fields = vlek->fields; /* the certificates stay */
		pm_copy(vcek->signed_bytes, vlek->signed_bytes, sizeof(vcek->signed_bytes));
	}
	vcek->fields.signing_key = PM_SNP_VCEK; /* and signed by the VLEK nevertheless */
	ck_pm(pm_snp_verify(vcek, p, cache, SCENE_NOW, NULL, &facts), PM_E_REJECTED);
	pm_snp_policy_free(p);
	pm_snp_policy_free(unused);
	scene_free(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("snp_search");
	TCase *t = tcase_create("snp_search");

	tcase_set_timeout(t, 60);
	tcase_add_unchecked_fixture(t, scene_make_keys, scene_free_keys);
	tcase_add_test(t, a_false_root_beside_the_true_one);
	tcase_add_test(t, a_trusted_root_of_another_name);
	tcase_add_test(t, a_vek_is_no_issuer);
	tcase_add_test(t, a_root_is_no_intermediate);
	tcase_add_test(t, no_certificate_hides_another);
	tcase_add_test(t, a_vek_of_each_firmware);
	tcase_add_test(t, what_ended_hides_nothing);
	tcase_add_test(t, what_was_revoked_hides_nothing);
	tcase_add_test(t, the_best_reason_is_told);
	tcase_add_test(t, one_among_many);
	tcase_add_test(t, a_broken_certificate_is_in_nobodys_way);
	tcase_add_test(t, a_cached_chain_is_not_trusted_by_all);
	tcase_add_test(t, a_cached_chain_has_its_own_root);
	tcase_add_test(t, a_chain_is_built_once);
	tcase_add_test(t, a_kept_chain_is_not_the_only_one);
	tcase_add_test(t, one_set_of_certificates_two_signers);
	suite_add_tcase(s, t);
	return test_main(s);
}
