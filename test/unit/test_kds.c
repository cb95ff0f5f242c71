/* SPDX-License-Identifier: Apache-2.0 */
/* What the KDS client asks for, how often, and what it makes of bad servers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kds_fixture.h"

/* --- addresses ------------------------------------------------------------------------------- */

#define AB "abcd"
static int ask(int row)
{
	static const uint8_t turin[64] = {0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4};
	static const struct pm_snp_tcb new_tcb = {1, 2, 3, 4, 255};
	uint8_t *b = NULL;
	size_t n;
	int r = PM_E_ARG;

	switch (row) {
	case 0:
		r = pm_kds_vcek(kds, PM_SNP_MILAN, chip, 64, &tcb, report, &b, &n);
		break;
	case 1:
		r = pm_kds_vcek(kds, PM_SNP_GENOA, chip, 64, &new_tcb, report, &b, &n);
		break;
	case 2:
		r = pm_kds_vcek(kds, PM_SNP_TURIN, turin, 8, &new_tcb, report, &b, &n);
		break;
	case 3:
		r = pm_kds_vcek(kds, PM_SNP_TURIN, turin, 64, &new_tcb, report, &b, &n);
		break;
	case 4:
		r = pm_kds_chain(kds, PM_SNP_MILAN, PM_SNP_VCEK, report, &b, &n);
		break;
	case 5:
		r = pm_kds_chain(kds, PM_SNP_TURIN, PM_SNP_VLEK, report, &b, &n);
		break;
	case 6:
		r = pm_kds_crl(kds, PM_SNP_GENOA, PM_SNP_VCEK, now, report, &b, &n);
		break;
	case 7:
		r = pm_kds_crl(kds, PM_SNP_MILAN, PM_SNP_VLEK, now, report, &b, &n);
		break;
	}
	free(b);
	return r;
}

START_TEST(urls_are_amds)
{
	static const char *const paths[] = {
		"/vcek/v1/Milan/" MILAN_ID "?blSPL=03&teeSPL=00&snpSPL=20&ucodeSPL=209",
		"/vcek/v1/Genoa/" MILAN_ID "?blSPL=02&teeSPL=03&snpSPL=04&ucodeSPL=255",
		"/vcek/v1/Turin/"
		"deadbeef01020304?fmcSPL=01&blSPL=02&teeSPL=03&snpSPL=04&ucodeSPL=255",
		"/vcek/v1/Turin/"
		"deadbeef01020304?fmcSPL=01&blSPL=02&teeSPL=03&snpSPL=04&ucodeSPL=255",
		"/vcek/v1/Milan/cert_chain",
		"/vlek/v1/Turin/cert_chain",
		"/vcek/v1/Genoa/crl",
		"/vlek/v1/Milan/crl",
	};
	struct http_answer answers[] = {{200, cert}, {200, cert}, {200, cert}, {200, cert},
		{200, chain}, {200, chain}, {200, crl}, {200, crl}};
	char want[512];

	serve(answers, PM_ARRAY_LEN(answers));
	for (int i = 0; i < (int)PM_ARRAY_LEN(paths); i++) {
		ck_pm(ask(i), PM_OK);
		snprintf(want, sizeof(want), "GET %s HTTP/", paths[i]);
		ck_assert_msg(
			!strncmp(http_server_request(server, (unsigned int)i), want, strlen(want)),
			"%s", http_server_request(server, (unsigned int)i));
	}
	ck_assert_ptr_nonnull(
		strstr(http_server_request(server, 0), "User-Agent: libpm/0.1.0\r\n"));
	ck_assert_uint_eq(requests(), PM_ARRAY_LEN(paths));
}
END_TEST

START_TEST(mirror_may_have_a_path)
{
	char url[128];

	SERVE({200, cert});
	snprintf(url, sizeof(url), "%s/amd/kds//", http_server_url(server));
	ck_pm(pm_kds_set_base_url(kds, url, report), PM_OK);
	ck_pm(get_vcek(cert), PM_OK);
	ck_assert_ptr_nonnull(
		strstr(http_server_request(server, 0), "GET /amd/kds/vcek/v1/Milan/"));
}
END_TEST

START_TEST(base_urls)
{
	static const struct {
		const char *url;
		int want;
	} rows[] = {
		{"https://kdsintf.amd.com", PM_OK},
		{"https://mirror.example:8443/kds/", PM_OK},
		{"HTTPS://mirror.example", PM_OK},
		{"http://127.0.0.1:8080", PM_OK},
		{"http://localhost", PM_OK},
		{"http://[::1]:80/x", PM_OK},
		{"http://kdsintf.amd.com", PM_E_REJECTED},
		{"http://127.0.0.1.example", PM_E_REJECTED},
		{"http://localhost.example", PM_E_REJECTED},
		{"http://127.0.0.2", PM_E_REJECTED},
		{"http://[::2]", PM_E_REJECTED},
		{"http://0.0.0.0", PM_E_REJECTED},
		{"http://127.0.0.1@mirror.example", PM_E_FORMAT},
		{"https://user:password@mirror.example", PM_E_FORMAT},
		{"https://mirror.example?x", PM_E_FORMAT},
		{"https://mirror.example/#x", PM_E_FORMAT},
		{"ftp://127.0.0.1", PM_E_FORMAT},
		{"file:///etc/passwd", PM_E_FORMAT},
		{"kdsintf.amd.com", PM_E_FORMAT},
		{"https://", PM_E_FORMAT},
		{"https://mirror.example/\r\nX: y", PM_E_FORMAT},
		{"https://mirror.example/a b", PM_E_FORMAT},
		{"", PM_E_FORMAT},
	};
	char longest[300] = "https://";

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++)
		ck_assert_msg(pm_kds_set_base_url(kds, rows[i].url, report) == rows[i].want, "%s",
			rows[i].url);
	memset(longest + 8, 'a', sizeof(longest) - 9);
	ck_pm(pm_kds_set_base_url(kds, longest, report), PM_E_LIMIT);
	ck_assert_str_eq(kds->service.servers[0].url, "http://[::1]:80/x"); /* the last good one */
}
END_TEST

START_TEST(chip_identities_are_checked)
{
	uint8_t id[65] = {0}, *b;
	size_t n;

	SERVE({500});
	ck_pm(pm_kds_vcek(kds, PM_SNP_MILAN, id, 64, &tcb, report, &b, &n), PM_E_MISSING);
	ck_assert_str_eq(pm_report_reason(report),
		"CHIP_ID: found hidden (zero), expected the chip's identity");
	ck_pm(pm_kds_vcek(kds, PM_SNP_TURIN, id, 64, &tcb, report, &b, &n), PM_E_MISSING);
	ck_pm(pm_kds_vcek(kds, PM_SNP_TURIN, id, 8, &tcb, report, &b, &n), PM_E_MISSING);
	id[8] = 1;
	ck_pm(pm_kds_vcek(kds, PM_SNP_TURIN, id, 64, &tcb, report, &b, &n), PM_E_FORMAT);
	ck_pm(pm_kds_vcek(kds, PM_SNP_MILAN, id, 8, &tcb, report, &b, &n), PM_E_ARG);
	ck_pm(pm_kds_vcek(kds, PM_SNP_GENOA, id, 65, &tcb, report, &b, &n), PM_E_ARG);
	ck_pm(pm_kds_vcek(kds, PM_SNP_TURIN, id, 9, &tcb, report, &b, &n), PM_E_ARG);
	ck_pm(pm_kds_vcek(kds, (enum pm_snp_product)0, id, 64, &tcb, report, &b, &n), PM_E_ARG);
	ck_pm(pm_kds_vcek(kds, (enum pm_snp_product)4, id, 64, &tcb, report, &b, &n), PM_E_ARG);
	ck_pm(pm_kds_chain(kds, (enum pm_snp_product)9, PM_SNP_VCEK, report, &b, &n), PM_E_ARG);
	ck_pm(pm_kds_chain(kds, PM_SNP_MILAN, (enum pm_snp_signer)3, report, &b, &n), PM_E_ARG);
	ck_pm(pm_kds_crl(kds, PM_SNP_MILAN, (enum pm_snp_signer)0, 0, report, &b, &n), PM_E_ARG);
	ck_assert_uint_eq(requests(), 0);
}
END_TEST

START_TEST(settings_have_bounds)
{
	ck_pm(pm_kds_set_attempts(kds, 0), PM_E_ARG);
	ck_pm(pm_kds_set_attempts(kds, PM_KDS_ATTEMPTS_MAX + 1), PM_E_ARG);
	ck_pm(pm_kds_set_attempts(kds, PM_KDS_ATTEMPTS_MAX), PM_OK);
	ck_pm(pm_kds_set_timeouts(kds, 0, 1), PM_E_ARG);
	ck_pm(pm_kds_set_timeouts(kds, 1, 0), PM_E_ARG);
	ck_pm(pm_kds_set_timeouts(kds, 1, PM_KDS_TIMEOUT_MAX_MS + 1), PM_E_ARG);
	ck_pm(pm_kds_set_timeouts(kds, PM_KDS_TIMEOUT_MAX_MS + 1, 1), PM_E_ARG);
	ck_pm(pm_kds_set_mode(kds, (enum pm_kds_mode)3), PM_E_ARG);
	ck_pm(pm_kds_set_cache(kds, ""), PM_OK);
	ck_assert_ptr_null(kds->net.cache);
	pm_kds_free(NULL);
}
END_TEST

/* --- trying again ---------------------------------------------------------------------------- */

START_TEST(retry_after_is_honoured)
{
	struct http_answer answers[] = {{429, html, "Retry-After: 7\r\n"}, {200, cert}};

	serve(answers, 2);
	ck_pm(get_vcek(cert), PM_OK);
	ck_assert_uint_eq(requests(), 2);
	ck_assert_uint_eq(sleeps, 1);
	ck_assert_int_eq(slept[0], 7000);
	ck_assert_ptr_nonnull(strstr(logged, "KDS answered 429\nwaiting 7 s\n"));
}
END_TEST

START_TEST(waits_grow_and_end)
{
	SERVE({429, html});
	ck_pm(pm_kds_set_attempts(kds, 4), PM_OK);
	ck_pm(get_vcek(cert), PM_E_NET);
	ck_assert_uint_eq(requests(), 4);
	ck_assert_uint_eq(sleeps, 3);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_ge(slept[i], 2000 << i);
		ck_assert_int_lt(slept[i], 3000 << i);
	}
	ck_assert(reason_has("kds.vcek: found HTTP 429 (4 times) from http://127.0.0.1:"));
}
END_TEST

START_TEST(waits_end_with_the_time_of_the_call)
{
	SERVE({503, html});
	ck_pm(pm_kds_set_attempts(kds, PM_KDS_ATTEMPTS_MAX), PM_OK);
	ck_pm(pm_kds_set_timeouts(kds, 1000, 22000), PM_OK);
	ck_pm(get_vcek(cert), PM_E_NET);
	ck_assert_uint_eq(requests(), 4); /* 2..3 + 4..6 + 8..12, and no 16 */
	ck_assert_int_lt(ticks_added, 22000);
}
END_TEST

START_TEST(long_retry_after_is_not_waited_for)
{
	struct http_answer answers[] = {{429, html, "Retry-After: 600\r\n"},
		{429, html, "Retry-After: 9223372036854775807\r\n"}};

	serve(answers, 2);
	for (unsigned int i = 1; i <= 2; i++) {
		ck_pm(get_vcek(cert), PM_E_NET);
		ck_assert_uint_eq(requests(), i);
		ck_assert_uint_eq(sleeps, 0);
	}
}
END_TEST

START_TEST(odd_retry_after_is_as_none)
{
	struct http_answer answers[] = {
		{429, html, "Retry-After: -5\r\n"}, {429, html, "Retry-After: 0\r\n"}, {200, cert}};

	serve(answers, 3);
	ck_pm(get_vcek(cert), PM_OK);
	ck_assert_uint_eq(sleeps, 2);
	ck_assert_int_ge(slept[0], 2000);
	ck_assert_int_ge(slept[1], 4000);
}
END_TEST

START_TEST(outage_is_survived)
{
	struct http_answer answers[] = {{500, html}, {502, html}, {200, chain, NULL, HTTP_CUT},
		{0, chain, NULL, HTTP_CLOSE}, {200, chain}};

	serve(answers, 5);
	ck_pm(get_chain(chain), PM_OK);
	ck_assert_uint_eq(requests(), 5);
	ck_assert_uint_eq(sleeps, 4);
}
END_TEST

START_TEST(some_answers_are_final)
{
	static const struct {
		int status, want;
	} rows[] = {{404, PM_E_MISSING}, {400, PM_E_NET}, {403, PM_E_NET}, {204, PM_E_NET},
		{206, PM_E_NET}, {304, PM_E_NET}};

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		struct http_answer answer = {
			rows[i].status, rows[i].status == 206 ? cert : VIEW("")};

		pm_report_reset(report);
		serve(&answer, 1);
		ck_pm(get_vcek(cert), rows[i].want);
		ck_assert_uint_eq(requests(), 1);
		ck_assert(reason_has(http_server_url(server)));
		ck_assert(reason_has(
			"/vcek/v1/Milan/" MILAN_ID "?blSPL=03&teeSPL=00&snpSPL=20&ucodeSPL=209"));
		http_server_stop(server);
		server = NULL;
	}
	ck_assert_uint_eq(sleeps, 0);
}
END_TEST

/* --- bad servers ----------------------------------------------------------------------------- */

START_TEST(time_of_a_call_is_bounded)
{
	static const enum http_manner manners[] = {HTTP_HANG, HTTP_TRICKLE};
	struct http_answer answer = {200, VIEW(""), NULL, manners[_i]};

	serve(&answer, 1);
	ck_pm(pm_kds_set_timeouts(kds, 1000, 300), PM_OK);
	ck_pm(get_vcek(cert), PM_E_NET);
	ck_assert_uint_eq(requests(), 1);
	ck_assert_msg(reason_has("timed out"), "%s", pm_report_reason(report));
}
END_TEST

START_TEST(long_answers_are_refused)
{
	static uint8_t big[PM_KDS_VCEK_MAX + 1];
	struct http_answer rows[] = {{200, {big, sizeof(big)}}, {500, {big, sizeof(big)}},
		{200, html, NULL, HTTP_ENDLESS}, {404, html, NULL, HTTP_ENDLESS},
		{200, html, NULL, HTTP_HEADERS}};

	serve(&rows[_i], 1);
	use_cache();
	ck_pm(get_vcek(cert), PM_E_LIMIT);
	ck_assert_uint_eq(requests(), 1);
	ck_assert(reason_has("too long: more than 16384 bytes") || _i == 4);
	ck_assert_int_ne(access(cache, F_OK), 0);
}
END_TEST

START_TEST(limits_are_those_of_the_kind)
{
	static uint8_t big[PM_KDS_CRL_MAX + 1];
	struct http_answer answers[] = {{200, {big, PM_KDS_CHAIN_MAX + 1}},
		{200, {big, PM_KDS_CHAIN_MAX}}, {200, {big, PM_KDS_CRL_MAX + 1}},
		{200, {big, PM_KDS_CRL_MAX}}};

	serve(answers, 4);
	ck_pm(get_chain(chain), PM_E_LIMIT);
	ck_pm(get_chain(chain), PM_E_FORMAT);
	ck_pm(get_crl(crl), PM_E_LIMIT);
	ck_pm(get_crl(crl), PM_E_FORMAT);
}
END_TEST

START_TEST(lies_about_the_length)
{
	struct http_answer answers[] = {
		{200, cert, NULL, HTTP_SHORT_LENGTH}, {200, cert, NULL, HTTP_CUT}};

	serve(answers, 2);
	use_cache();
	ck_pm(get_vcek(cert), PM_E_FORMAT);
	ck_assert_uint_eq(requests(), 1);
	ck_pm(get_vcek(cert), PM_E_NET); /* tried to the end */
	ck_assert_uint_eq(requests(), 1 + PM_KDS_ATTEMPTS);
	ck_assert_int_ne(access(cache, F_OK), 0);
}
END_TEST

START_TEST(redirects_stay_with_the_server)
{
	struct http_answer answers[] = {{301, html, "Location: /elsewhere\r\n"},
		{302, html, "Location: ../again\r\n"}, {307, html, "Location: ?x=y\r\n"},
		{200, cert}};

	serve(answers, 4);
	ck_pm(get_vcek(cert), PM_OK);
	ck_assert_uint_eq(requests(), 4);
	ck_assert_ptr_nonnull(strstr(http_server_request(server, 1), "GET /elsewhere HTTP/"));
}
END_TEST

START_TEST(redirects_elsewhere_are_refused)
{
	static const char *const targets[] = {"http://127.0.0.1:1/", "http://localhost/",
		"https://kdsintf.amd.com/", "//kdsintf.amd.com/", "file:///etc/passwd",
		"ftp://127.0.0.1/", "gopher://127.0.0.1/"};
	char header[64];
	struct http_answer answer = {302, html, header};

	snprintf(header, sizeof(header), "Location: %s\r\n", targets[_i]);
	serve(&answer, 1);
	ck_pm(get_vcek(cert), PM_E_NET);
	ck_assert_uint_eq(requests(), 1);
	ck_assert_msg(reason_has("redirect to another server"), "%s", pm_report_reason(report));
}
END_TEST

START_TEST(redirects_end)
{
	SERVE({302, {0}, "Location: /round\r\n"});
	ck_pm(get_vcek(cert), PM_E_NET);
	ck_assert_uint_eq(requests(), 4);
	ck_assert(reason_has("too many redirects"));
}
END_TEST

START_TEST(pages_are_not_certificates)
{
	struct pm_view one = make_chain(1), three = make_chain(3),
		       longer = mint_join(cert, VIEW("\0"));
	struct pm_view half = pm_view(chain.ptr, chain.len / 2),
		       crl_pem = mint_pem("X509 CRL", crl);
	struct pm_view all[] = {html, longer, one, VIEW(""), crl, /* 5 for the certificate */
		html, one, three, half, cert, VIEW(""),		  /* 6 for the chain */
		html, cert, crl_pem, VIEW("\x30")};		  /* the rest for the list */
	struct http_answer answers[PM_ARRAY_LEN(all)];

	for (size_t i = 0; i < PM_ARRAY_LEN(all); i++)
		answers[i] = (struct http_answer){200, all[i]};
	serve(answers, PM_ARRAY_LEN(all));
	use_cache();
	for (size_t i = 0; i < PM_ARRAY_LEN(all); i++)
		ck_pm(i < 5	 ? get_vcek(cert)
			: i < 11 ? get_chain(chain)
				 : get_crl(crl),
			PM_E_FORMAT);
	ck_assert_str_eq(pm_report_reason(report),
		"kds.vcek: found 37 bytes of something else, expected a certificate in DER");
	ck_assert_int_ne(access(cache, F_OK), 0); /* not even the folder was made */
	test_free(one);
	test_free(three);
	test_free(longer);
	test_free(crl_pem);
}
END_TEST

START_TEST(nobody_is_there)
{
	char url[64];

	SERVE({200, cert});
	snprintf(url, sizeof(url), "%s", http_server_url(server));
	http_server_stop(server);
	server = NULL;
	ck_pm(pm_kds_set_base_url(kds, url, report), PM_OK);
	ck_pm(get_vcek(cert), PM_E_NET);
	ck_assert_uint_eq(sleeps, 0);
	ck_assert(reason_has("connect"));
}
END_TEST

START_TEST(plain_http_takes_no_proxy)
{
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	SERVE({200, cert});
	ck_pm(get_vcek(cert), PM_OK);
}
END_TEST

/* --- TLS ------------------------------------------------------------------------------------- */

static void serve_tls(const struct http_answer *answer, const char *san, size_t len)
{
	struct pm_view self = mint_cert(&(struct mint_cert){
		.signer = {.key = key, .name = "mirror", .hash = "SHA256"},
		.key = key,
		.name = "mirror",
		.serial = 1,
		.not_before = now - DAY,
		.not_after = now + DAY,
		.constraints = "critical,CA:TRUE",
		.oid = "2.5.29.17",
		.oid_value = pm_view(san, len),
		.oid_count = 1,
	});
	struct pm_view pem = mint_pem("CERTIFICATE", self);
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/ca.pem", folder);
	f = fopen(path, "w");
	ck_assert_uint_eq(fwrite(pem.ptr, 1, pem.len, f), pem.len);
	fclose(f);
	server = http_server_start(answer, 1, self, key);
	ck_pm(pm_kds_set_base_url(kds, http_server_url(server), report), PM_OK);
	ck_pm(pm_kds_set_ca_file(kds, path), PM_OK);
	test_free(self);
	test_free(pem);
}

START_TEST(tls_needs_a_known_authority)
{
	struct http_answer answer = {200, cert};

	serve_tls(&answer, "\x30\x06\x87\x04\x7f\0\0\1", 8); /* IP:127.0.0.1 */
	ck_pm(get_vcek(cert), PM_OK);
	ck_pm(pm_kds_set_ca_file(kds, NULL), PM_OK);
	ck_pm(get_vcek(cert), PM_E_NET);
	ck_assert_msg(reason_has("certificate"), "%s", pm_report_reason(report));
	ck_assert_uint_eq(requests(), 1);
	ck_assert_uint_eq(sleeps, 0);
}
END_TEST

START_TEST(tls_needs_the_right_name)
{
	struct http_answer answer = {200, cert};

	serve_tls(&answer, "\x30\x06\x87\x04\x7f\0\0\2", 8); /* IP:127.0.0.2 */
	ck_pm(get_vcek(cert), PM_E_NET);
	ck_assert_uint_eq(requests(), 0);
}
END_TEST

START_TEST(tls_server_may_break_off)
{
	struct http_answer answer = {200, cert, NULL, HTTP_CUT};

	serve_tls(&answer, "\x30\x06\x87\x04\x7f\0\0\1", 8);
	ck_pm(pm_kds_set_attempts(kds, 2), PM_OK);
	ck_pm(get_vcek(cert), PM_E_NET);
	ck_assert_uint_eq(requests(), 2);
}
END_TEST

START_TEST(tls_to_a_plain_server)
{
	char url[64];

	SERVE({200, html});
	snprintf(url, sizeof(url), "https%s", http_server_url(server) + 4);
	ck_pm(pm_kds_set_timeouts(kds, 300, 300), PM_OK); /* each side waits for the other */
	ck_pm(pm_kds_set_base_url(kds, url, report), PM_OK);
	ck_pm(get_vcek(cert), PM_E_NET);
	ck_assert_uint_eq(requests(), 0);
}
END_TEST

/* --- the list -------------------------------------------------------------------------------- */

static void add_tests(TCase *t)
{
	tcase_add_test(t, urls_are_amds);
	tcase_add_test(t, mirror_may_have_a_path);
	tcase_add_test(t, base_urls);
	tcase_add_test(t, chip_identities_are_checked);
	tcase_add_test(t, settings_have_bounds);
	tcase_add_test(t, retry_after_is_honoured);
	tcase_add_test(t, waits_grow_and_end);
	tcase_add_test(t, waits_end_with_the_time_of_the_call);
	tcase_add_test(t, long_retry_after_is_not_waited_for);
	tcase_add_test(t, odd_retry_after_is_as_none);
	tcase_add_test(t, outage_is_survived);
	tcase_add_test(t, some_answers_are_final);
	tcase_add_loop_test(t, time_of_a_call_is_bounded, 0, 2);
	tcase_add_loop_test(t, long_answers_are_refused, 0, 5);
	tcase_add_test(t, limits_are_those_of_the_kind);
	tcase_add_test(t, lies_about_the_length);
	tcase_add_test(t, redirects_stay_with_the_server);
	tcase_add_loop_test(t, redirects_elsewhere_are_refused, 0, 7);
	tcase_add_test(t, redirects_end);
	tcase_add_test(t, pages_are_not_certificates);
	tcase_add_test(t, nobody_is_there);
	tcase_add_test(t, plain_http_takes_no_proxy);
	tcase_add_test(t, tls_needs_a_known_authority);
	tcase_add_test(t, tls_needs_the_right_name);
	tcase_add_test(t, tls_server_may_break_off);
	tcase_add_test(t, tls_to_a_plain_server);
}

int main(void)
{
	Suite *s = suite_create("kds");
	TCase *t = tcase_create("kds");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 60);
	add_tests(t);
	suite_add_tcase(s, t);
	return test_main(s);
}
