/* SPDX-License-Identifier: Apache-2.0 */
/* What the client of NVIDIA's services asks for, whom, how often, and what it makes of answers. */
#include <pm/gpu_fetch.h>
#include <pm/ocsp.h>
#include <pm/rim.h>
#include <pm/text.h>

#include <dirent.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base64.h"
#include "crypto/crypto.h"
#include "evidence/rim.h"
#include "http_server.h"
#include "mint.h"
#include "net/gpu_fetch.h"
#include "testing.h"

#define DAY INT64_C(86400)
#define ID  "NV_GPU_DRIVER_GH100_550.90.07"

/* --- what each test has ---------------------------------------------------------------------- */

static EVP_PKEY *key;
static struct pm_view cert, issuer, other;
static struct pm_gpu_fetch *fetch;
static struct pm_report *report;
static struct http_server *servers[3];
static size_t server_count;
static char folder[64], cache[80], logged[16384];
static int64_t now, wall_added, ticks_added;
static size_t sleeps;

static int64_t fake_wall(void *arg)
{
	(void)arg;
	return now + wall_added;
}

static int64_t fake_ticks(void *arg)
{
	struct timespec t;

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + ticks_added;
}

static void fake_sleep(void *arg, int64_t ms)
{
	(void)arg;
	sleeps++;
	ticks_added += ms;
}

static const struct pm_net_clock fake_clock = {
	.wall = fake_wall, .ticks_ms = fake_ticks, .sleep_ms = fake_sleep};

static void take_log(void *arg, const char *text)
{
	size_t len = strlen(logged);

	(void)arg;
	snprintf(logged + len, sizeof(logged) - len, "%s\n", text);
}

static struct pm_view make_cert(const char *name, const char *by, long serial, int64_t not_after)
{
	return mint_cert(&(struct mint_cert){
		.signer = {.key = key, .name = by},
		.key = key,
		.name = name,
		.serial = serial,
		.not_before = now - 10 * DAY,
		.not_after = not_after,
	});
}

static void new_client(void)
{
	pm_gpu_fetch_free(fetch);
	ck_pm(pm_gpu_fetch_new(&fetch), PM_OK);
	pm_gpu_fetch_set_clock(fetch, &fake_clock);
	pm_gpu_fetch_set_log(fetch, take_log, NULL);
}

static void set_up(void)
{
	now = time(NULL);
	key = mint_ec("P-384");
	issuer = make_cert("issuer", "root", 7, now + 1000 * DAY);
	cert = make_cert("subject", "issuer", 8, now + 1000 * DAY);
	other = make_cert("another", "issuer", 9, now + 1000 * DAY);
	snprintf(folder, sizeof(folder), "/tmp/pm-test-fetch-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(cache, sizeof(cache), "%s/cache", folder);
	report = pm_report_new();
	new_client();
}

static void remove_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		char inner[512];

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(inner, sizeof(inner), "%s/%s", path, e->d_name);
		if (unlink(inner))
			remove_folder(inner);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}

static void tear_down(void)
{
	for (size_t i = 0; i < server_count; i++)
		http_server_stop(servers[i]);
	pm_gpu_fetch_free(fetch);
	pm_report_free(report);
	remove_folder(folder);
	test_free(cert);
	test_free(issuer);
	test_free(other);
	EVP_PKEY_free(key);
}

/* One more server of the service, which answers so. */
static struct http_server *add(enum pm_gpu_service service, const struct http_answer *answers,
	size_t count, const char *token_file)
{
	struct http_server *s = http_server_start(answers, count, (struct pm_view){0}, NULL);

	servers[server_count++] = s;
	ck_pm(pm_gpu_fetch_add_server(fetch, service, http_server_url(s), token_file, report),
		PM_OK);
	return s;
}

#define SERVE(service, ...) add(service, &(struct http_answer)__VA_ARGS__, 1, NULL)

static bool reason_has(const char *text)
{
	return strstr(pm_report_reason(report), text) != NULL;
}

/* --- documents ------------------------------------------------------------------------------- */

#define SWID  "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
#define DSIG  "http://www.w3.org/2000/09/xmldsig#"
#define ZEROS "000000000000000000000000"
#define C14N  "http://www.w3.org/2006/12/xml-c14n11"

static const char document_head[] =
	"<SoftwareIdentity xmlns=\"" SWID "\" xmlns:ns0=\"" SWID "\" "
	"xmlns:ns2=\"http://www.w3.org/2001/04/xmlenc#sha384\" corpus=\"false\" name=\"GH100\" "
	"patch=\"false\" supplemental=\"false\" tagId=\"1\" version=\"1.0\" tagVersion=\"0\">"
	"<ns0:Entity name=\"NVIDIA Corporation\" role=\"softwareCreator tagCreator\"/>"
	"<ns0:Meta xmlns:ns1=\"https://trustedcomputinggroup.org/resource/"
	"tcg-reference-integrity-manifest-rim-information-model/\" colloquialVersion=\"550.90.07\" "
	"edition=\"GPU\" product=\"GH100\" revision=\"r1\" PayloadType=\"direct\" "
	"ns1:BindingSpec=\"RIMIM\" ns1:BindingSpecVersion=\"1.01\" "
	"ns1:PlatformManufacturerId=\"5703\" ns1:PlatformManufacturerStr=\"NVIDIA Corporation\" "
	"ns1:PlatformModel=\"GH100\" ns1:FirmwareManufacturer=\"NVIDIA Corporation\" "
	"ns1:FirmwareManufacturerId=\"5703\"/>"
	"<ns0:Payload><ns0:Resource type=\"Measurement\" index=\"0\" active=\"False\" "
	"alternatives=\"1\" ns2:Hash0=\"" ZEROS ZEROS ZEROS ZEROS "\" name=\"Measurement_0\" "
	"size=\"48\"/></ns0:Payload>"
	"<ds:Signature xmlns:ds=\"" DSIG "\"><ds:SignedInfo>"
	"<ds:CanonicalizationMethod Algorithm=\"" C14N "\"/>"
	"<ds:SignatureMethod "
	"Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384\"/>"
	"<ds:Reference URI=\"\"><ds:Transforms>"
	"<ds:Transform Algorithm=\"" DSIG "enveloped-signature\"/>"
	"<ds:Transform Algorithm=\"" C14N "\"/></ds:Transforms>"
	"<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#sha384\"/>"
	"<ds:DigestValue>";
static const char document_middle[] = "</ds:DigestValue></ds:Reference></ds:SignedInfo>"
				      "<ds:SignatureValue>";
static const char document_end[] =
	"</ds:X509Data></ds:KeyInfo></ds:Signature></SoftwareIdentity>\n";

struct text {
	char *at;
	size_t len;
};

static void add_text(struct text *text, const char *more)
{
	size_t n = strlen(more);

	text->at = realloc(text->at, text->len + n + 1);
	ck_assert_ptr_nonnull(text->at);
	memcpy(text->at + text->len, more, n + 1);
	text->len += n;
}

static void add_base64(struct text *text, struct pm_view bytes)
{
	char *base64 = malloc(PM_BASE64_SIZE(bytes.len));

	ck_pm(pm_base64_encode(bytes, base64, PM_BASE64_SIZE(bytes.len)), PM_OK);
	add_text(text, base64);
	free(base64);
}

/* Well formed, and signed by nobody; its signer's certificate ends then. */
static struct pm_view make_document(int64_t not_after)
{
	static const uint8_t zeros[96];
	struct pm_view leaf = make_cert("signer", "issuer", 1, not_after);
	struct text text = {0};

	add_text(&text, document_head);
	add_base64(&text, pm_view(zeros, 48));
	add_text(&text, document_middle);
	add_base64(&text, pm_view(zeros, 96));
	add_text(&text, "</ds:SignatureValue><ds:KeyInfo><ds:X509Data>");
	for (int i = 0; i < PM_RIM_CERTS; i++) {
		add_text(&text, "<ds:X509Certificate>");
		add_base64(&text, i ? issuer : leaf);
		add_text(&text, "</ds:X509Certificate>");
	}
	add_text(&text, document_end);
	test_free(leaf);
	return pm_view(text.at, text.len);
}

/* --- answers of the service ------------------------------------------------------------------ */

struct answer {
	const char *id, *format, *sha256, *extra;
};

static struct pm_view wrap(struct pm_view document, const struct answer *a)
{
	uint8_t digest[PM_SHA256_SIZE];
	char hex[65];
	struct text text = {0};

	ck_pm(pm_hash(PM_SHA256, document, digest), PM_OK);
	pm_hex_encode(digest, sizeof(digest), hex);
	add_text(&text, "{\"id\": \"");
	add_text(&text, a->id ? a->id : ID);
	add_text(&text, "\", \"rim\": \"");
	add_base64(&text, document);
	add_text(&text, "\", \"sha256\": \"");
	add_text(&text, a->sha256 ? a->sha256 : hex);
	add_text(&text, "\", \"rim_format\": \"");
	add_text(&text, a->format ? a->format : "TCG");
	add_text(&text, "\", \"last_updated\": \"2025-01-01T00:00:00Z\", \"request_id\": \"x\"");
	add_text(&text, a->extra ? a->extra : "}");
	return pm_view(text.at, text.len);
}

static struct pm_view wrapped(int64_t not_after)
{
	struct pm_view document = make_document(not_after),
		       json = wrap(document, &(struct answer){0});

	test_free(document);
	return json;
}

static int get_rim(void)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	int r = pm_gpu_fetch_rim(fetch, ID, now + wall_added, report, &bytes, &len);

	if (r == PM_OK) {
		ck_assert_uint_gt(len, sizeof(document_head));
		ck_assert_int_eq(memcmp(bytes, document_head, sizeof(document_head) - 1), 0);
	}
	free(bytes);
	return r;
}

START_TEST(rim_is_asked_for_and_unwrapped)
{
	struct pm_view json = wrapped(now + DAY);
	struct http_server *s = SERVE(PM_GPU_SERVICE_RIM, {200, json});

	ck_pm(get_rim(), PM_OK);
	ck_assert_ptr_nonnull(strstr(http_server_request(s, 0), "GET /v1/rim/" ID " HTTP/"));
	ck_assert_ptr_null(strstr(http_server_request(s, 0), "Authorization"));
	test_free(json);
}
END_TEST

START_TEST(names_are_checked)
{
	static const char *const bad[] = {
		"", ".", "../x", "a/b", "a b", "a?b", "a%2e", "a\n", "\xc3"};
	char longest[PM_GPU_FETCH_ID_MAX + 2];
	uint8_t *b;
	size_t n;

	for (size_t i = 0; i < PM_ARRAY_LEN(bad); i++)
		ck_pm(pm_gpu_fetch_rim(fetch, bad[i], now, report, &b, &n), PM_E_ARG);
	memset(longest, 'A', sizeof(longest));
	longest[PM_GPU_FETCH_ID_MAX + 1] = '\0';
	ck_pm(pm_gpu_fetch_rim(fetch, longest, now, report, &b, &n), PM_E_ARG);
}
END_TEST

START_TEST(settings_have_bounds)
{
	ck_pm(pm_gpu_fetch_set_attempts(fetch, 0), PM_E_ARG);
	ck_pm(pm_gpu_fetch_set_attempts(fetch, 21), PM_E_ARG);
	ck_pm(pm_gpu_fetch_set_timeouts(fetch, 0, 1), PM_E_ARG);
	ck_pm(pm_gpu_fetch_set_timeouts(fetch, 1, 3600001), PM_E_ARG);
	ck_pm(pm_gpu_fetch_set_mode(fetch, (enum pm_gpu_fetch_mode)3), PM_E_ARG);
	ck_pm(pm_gpu_fetch_add_server(
		      fetch, (enum pm_gpu_service)3, "https://x.example", NULL, NULL),
		PM_E_ARG);
	ck_pm(pm_gpu_fetch_add_server(fetch, PM_GPU_SERVICE_RIM, "http://x.example", NULL, NULL),
		PM_E_REJECTED);
	ck_assert_str_eq(fetch->rim.servers[0].url, PM_GPU_RIM_URL); /* as before */
	for (int i = 0; i < PM_GPU_FETCH_SERVERS_MAX; i++)
		ck_pm(pm_gpu_fetch_add_server(
			      fetch, PM_GPU_SERVICE_RIM, "https://x.example/", NULL, NULL),
			PM_OK);
	ck_assert_str_eq(fetch->rim.servers[0].url, "https://x.example");
	ck_assert_str_eq(fetch->ocsp.servers[0].url, PM_GPU_OCSP_URL);
	ck_pm(pm_gpu_fetch_add_server(fetch, PM_GPU_SERVICE_RIM, "https://x.example", NULL, NULL),
		PM_E_LIMIT);
	pm_gpu_fetch_free(NULL);
}
END_TEST

static const struct {
	struct answer answer;
	int want;
	const char *reason;
} lies[] = {
	{{.id = "NV_GPU_DRIVER_GH100_550.90.08"}, PM_E_REJECTED, "id is NV_GPU_DRIVER_GH100_550.9"},
	{{.id = ""}, PM_E_REJECTED, "id is "},
	{{.format = "CORIM"}, PM_E_UNSUPPORTED, "rim_format is CORIM"},
	{{.sha256 = ZEROS ZEROS "0000000000000001"}, PM_E_REJECTED, "SHA-256 "},
	{{.sha256 = "00"}, PM_E_FORMAT, "sha256 is none"},
	{{.extra = ", \"id\": \"" ID "\"}"}, PM_E_FORMAT, "duplicate"},
	{{.extra = ", \"sha256\": 1}"}, PM_E_FORMAT, "duplicate"},
	{{.extra = "} x"}, PM_E_FORMAT, "end of file expected"},
	{{.extra = ""}, PM_E_FORMAT, "rim.answer"},
};

START_TEST(lies_are_refused)
{
	struct pm_view document = make_document(now + DAY), json = wrap(document, &lies[_i].answer);
	struct http_server *s = SERVE(PM_GPU_SERVICE_RIM, {200, json});

	ck_pm(pm_gpu_fetch_set_cache(fetch, cache), PM_OK);
	ck_pm(get_rim(), lies[_i].want);
	ck_assert_msg(reason_has(lies[_i].reason), "%s", pm_report_reason(report));
	ck_assert_int_ne(access(cache, F_OK), 0); /* nothing was kept */
	ck_assert_uint_eq(http_server_count(s), 1);
	test_free(document);
	test_free(json);
}
END_TEST

static const struct {
	const char *json;
	int want;
	const char *reason;
} oddities[] = {
	{"", PM_E_FORMAT, "rim.answer"},
	{"[]", PM_E_FORMAT, "expected id"},
	{"{}", PM_E_FORMAT, "expected id"},
	{"{\"id\": 1}", PM_E_FORMAT, "expected id"},
	{"{\"id\": \"" ID "\"}", PM_E_FORMAT, "expected rim_format"},
	{"{\"id\": \"" ID "\", \"rim_format\": \"TCG\"}", PM_E_FORMAT, "expected rim"},
	{"{\"id\": \"" ID "\", \"rim_format\": \"TCG\", \"rim\": \"!\"}", PM_E_FORMAT,
		"1 characters"},
	{"{\"id\": \"" ID "\", \"rim_format\": \"TCG\", \"rim\": \"AAAA\"}", PM_E_FORMAT,
		"expected sha256"},
	{"{\"id\": \"" ID "\", \"rim_format\": \"TCG\", \"rim\": \"AAAA\", \"sha256\": "
	 "\"709e80c88487a2411e1ee4dfb9f22a861492d20c4765150c0c794abd70f8147c\"}",
		PM_E_FORMAT, "RIM"},
	{"<html>", PM_E_FORMAT, "rim.answer"},
};

START_TEST(odd_answers_are_refused)
{
	SERVE(PM_GPU_SERVICE_RIM, {200, pm_view(oddities[_i].json, strlen(oddities[_i].json))});
	ck_pm(get_rim(), oddities[_i].want);
	ck_assert_msg(reason_has(oddities[_i].reason), "%s", pm_report_reason(report));
}
END_TEST

START_TEST(long_answers_are_refused)
{
	static uint8_t big[PM_RIM_SIZE_MAX * 2];

	SERVE(PM_GPU_SERVICE_RIM, {200, pm_view(big, sizeof(big))});
	SERVE(PM_GPU_SERVICE_OCSP, {200, pm_view(big, PM_OCSP_RESPONSE_SIZE_MAX + 1)});
	ck_pm(get_rim(), PM_E_LIMIT);
}
END_TEST

START_TEST(missing_is_told_apart)
{
	struct http_server *s =
		SERVE(PM_GPU_SERVICE_RIM, {404, VIEW("{\"message\":\"RIM_NOT_FOUND\"}")});

	ck_pm(get_rim(), PM_E_MISSING);
	ck_assert(reason_has("HTTP 404"));
	ck_assert_uint_eq(http_server_count(s), 1);
	ck_assert_uint_eq(sleeps, 0);
}
END_TEST

/* --- several servers ------------------------------------------------------------------------- */

START_TEST(the_next_server_is_asked)
{
	struct pm_view json = wrapped(now + DAY);
	struct http_server *first = SERVE(PM_GPU_SERVICE_RIM, {503, VIEW("")});
	struct http_server *second = SERVE(PM_GPU_SERVICE_RIM, {200, VIEW("lies")});
	struct http_server *third = SERVE(PM_GPU_SERVICE_RIM, {200, json});

	ck_pm(get_rim(), PM_OK);
	ck_assert_uint_eq(http_server_count(first), 1);
	ck_assert_uint_eq(http_server_count(second), 1);
	ck_assert_uint_eq(http_server_count(third), 1);
	ck_assert_uint_eq(sleeps, 0);
	ck_assert_ptr_null(pm_report_failure(report));
	test_free(json);
}
END_TEST

START_TEST(a_slow_server_leaves_time_for_the_next)
{
	struct pm_view json = wrapped(now + DAY);

	SERVE(PM_GPU_SERVICE_RIM, {200, VIEW(""), NULL, HTTP_HANG});
	SERVE(PM_GPU_SERVICE_RIM, {200, json});
	ck_pm(pm_gpu_fetch_set_timeouts(fetch, 500, 1000), PM_OK);
	ck_pm(get_rim(), PM_OK);
	test_free(json);
}
END_TEST

START_TEST(all_servers_are_asked_again)
{
	struct pm_view json = wrapped(now + DAY);
	struct http_answer answers[] = {{429, VIEW(""), "Retry-After: 3\r\n"}, {200, json}};
	struct http_server *first = SERVE(PM_GPU_SERVICE_RIM, {404, VIEW("")});
	struct http_server *second = add(PM_GPU_SERVICE_RIM, answers, 2, NULL);

	ck_pm(get_rim(), PM_OK);
	ck_assert_uint_eq(http_server_count(first), 2);
	ck_assert_uint_eq(http_server_count(second), 2);
	ck_assert_uint_eq(sleeps, 1);
	ck_assert_int_eq(ticks_added, 3000);
	test_free(json);
}
END_TEST

START_TEST(the_first_servers_failure_is_told)
{
	SERVE(PM_GPU_SERVICE_RIM, {404, VIEW("")});
	SERVE(PM_GPU_SERVICE_RIM, {403, VIEW("")});
	ck_pm(get_rim(), PM_E_MISSING);
	ck_assert(reason_has("HTTP 404"));
}
END_TEST

/* --- tokens ---------------------------------------------------------------------------------- */

static const char *put_token(const char *text)
{
	static char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/token", folder);
	f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
	return path;
}

START_TEST(a_token_goes_to_its_server_alone)
{
	struct pm_view json = wrapped(now + DAY);
	struct http_answer down = {500, VIEW(""), NULL, HTTP_WELL}, good = {200, json};
	struct http_server *first =
		add(PM_GPU_SERVICE_RIM, &down, 1, put_token("s3cr3t.T-k_n==\n"));
	struct http_server *second = add(PM_GPU_SERVICE_RIM, &good, 1, NULL);

	ck_pm(get_rim(), PM_OK);
	ck_assert_ptr_nonnull(strstr(
		http_server_request(first, 0), "\r\nAuthorization: Bearer s3cr3t.T-k_n==\r\n"));
	ck_assert_ptr_null(strstr(http_server_request(second, 0), "Authorization"));
	ck_assert_ptr_null(strstr(logged, "s3cr3t"));
	put_token("another");
	ck_pm(get_rim(), PM_OK);
	ck_assert_ptr_nonnull(strstr(http_server_request(first, 1), "Bearer another\r\n"));
	test_free(json);
}
END_TEST

START_TEST(a_token_does_not_follow_elsewhere)
{
	struct http_answer away = {302, VIEW(""), "Location: http://localhost:1/\r\n"};

	add(PM_GPU_SERVICE_RIM, &away, 1, put_token("s3cr3t"));
	ck_pm(get_rim(), PM_E_NET);
	ck_assert(reason_has("redirect to another server"));
	ck_assert(!reason_has("s3cr3t"));
}
END_TEST

START_TEST(bad_tokens_are_not_sent)
{
	static const char *const bad[] = {"", "\n", "a b", "a\r\nX: y", "\xc3\xa4"};
	struct pm_view json = wrapped(now + DAY);
	struct http_answer good = {200, json};
	static char longest[4098];
	struct http_server *s = add(PM_GPU_SERVICE_RIM, &good, 1, put_token(""));

	for (size_t i = 0; i < PM_ARRAY_LEN(bad); i++) {
		put_token(bad[i]);
		ck_pm(get_rim(), PM_E_FORMAT);
	}
	memset(longest, 'a', sizeof(longest) - 1);
	put_token(longest);
	ck_pm(get_rim(), PM_E_LIMIT);
	unlink(put_token(""));
	ck_pm(get_rim(), PM_E_SYS);
	ck_assert_uint_eq(http_server_count(s), 0);
	test_free(json);
}
END_TEST

/* --- the cache ------------------------------------------------------------------------------- */

START_TEST(rim_comes_from_the_cache)
{
	struct pm_view json = wrapped(now + 1000 * DAY);
	struct http_answer answers[] = {{200, json}, {500, VIEW("")}};
	struct http_server *s = add(PM_GPU_SERVICE_RIM, answers, 2, NULL);

	ck_pm(pm_gpu_fetch_set_cache(fetch, cache), PM_OK);
	ck_pm(pm_gpu_fetch_set_attempts(fetch, 1), PM_OK);
	ck_pm(get_rim(), PM_OK);
	ck_pm(get_rim(), PM_OK);
	ck_assert_uint_eq(http_server_count(s), 1);
	wall_added = PM_GPU_FETCH_RIM_FRESH + 3600; /* old, and the service is down: still good */
	ck_pm(get_rim(), PM_OK);
	ck_assert_uint_eq(http_server_count(s), 2);
	ck_pm(pm_gpu_fetch_set_mode(fetch, PM_GPU_FETCH_OFFLINE), PM_OK);
	ck_pm(get_rim(), PM_OK);
	ck_assert_uint_eq(http_server_count(s), 2);
	ck_pm(pm_gpu_fetch_set_mode(fetch, PM_GPU_FETCH_REFRESH), PM_OK);
	ck_pm(get_rim(), PM_E_NET);
	ck_assert_uint_eq(http_server_count(s), 3);
	test_free(json);
}
END_TEST

START_TEST(rim_that_ended_is_fetched_again)
{
	struct pm_view early = wrapped(now + DAY), late = wrapped(now + 9 * DAY);
	struct http_answer answers[] = {
		{200, early}, {500, VIEW("")}, {200, late}, {500, VIEW("")}};
	struct http_server *s = add(PM_GPU_SERVICE_RIM, answers, 4, NULL);

	ck_pm(pm_gpu_fetch_set_cache(fetch, cache), PM_OK);
	ck_pm(pm_gpu_fetch_set_attempts(fetch, 1), PM_OK);
	ck_pm(get_rim(), PM_OK);
	wall_added = 2 * DAY; /* the copy is useless, not merely old */
	ck_pm(get_rim(), PM_E_NET);
	ck_pm(get_rim(), PM_OK);
	ck_pm(get_rim(), PM_OK);
	ck_assert_uint_eq(http_server_count(s), 3);
	test_free(early);
	test_free(late);
}
END_TEST

START_TEST(offline_without_a_copy)
{
	ck_pm(pm_gpu_fetch_set_mode(fetch, PM_GPU_FETCH_OFFLINE), PM_OK);
	ck_pm(get_rim(), PM_E_MISSING);
	ck_assert(reason_has("not there, and offline"));
}
END_TEST

/* Two names that look alike without their punctuation have an entry each. */
START_TEST(names_do_not_collide)
{
	struct pm_view document = make_document(now + DAY),
		       a = wrap(document, &(struct answer){.id = "A_1.2"}),
		       b = wrap(document, &(struct answer){.id = "A.1_2"});
	struct http_answer answers[] = {{200, a}, {200, b}};
	struct http_server *s = add(PM_GPU_SERVICE_RIM, answers, 2, NULL);
	uint8_t *bytes;
	size_t n;

	ck_pm(pm_gpu_fetch_set_cache(fetch, cache), PM_OK);
	ck_pm(pm_gpu_fetch_rim(fetch, "A_1.2", now, report, &bytes, &n), PM_OK);
	free(bytes);
	ck_pm(pm_gpu_fetch_rim(fetch, "A.1_2", now, report, &bytes, &n), PM_OK);
	free(bytes);
	ck_assert_uint_eq(http_server_count(s), 2);
	test_free(document);
	test_free(a);
	test_free(b);
}
END_TEST

/* --- OCSP ------------------------------------------------------------------------------------ */

static X509 *parse(struct pm_view der)
{
	const unsigned char *p = der.ptr;

	return d2i_X509(NULL, &p, (long)der.len);
}

static ASN1_GENERALIZEDTIME *moment(int64_t t)
{
	return ASN1_GENERALIZEDTIME_set(NULL, (time_t)t);
}

/* What a responder says of a certificate, with the request's nonce where there is one. */
static struct pm_view respond(struct pm_view of, int64_t from, int64_t to, struct pm_view request)
{
	X509 *subject = parse(of), *by = parse(issuer);
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha384(), subject, by);
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_RESPONSE *response;
	ASN1_GENERALIZEDTIME *this_update = moment(from), *next_update = moment(to);
	unsigned char *der = NULL;
	int len;

	ck_assert_ptr_nonnull(OCSP_basic_add1_status(
		basic, id, V_OCSP_CERTSTATUS_GOOD, 0, NULL, this_update, next_update));
	if (request.len) {
		const unsigned char *p = request.ptr;
		OCSP_REQUEST *parsed = d2i_OCSP_REQUEST(NULL, &p, (long)request.len);

		ck_assert_int_eq(OCSP_copy_nonce(basic, parsed), 1);
		OCSP_REQUEST_free(parsed);
	}
	ck_assert_int_eq(OCSP_basic_sign(basic, by, key, EVP_sha384(), NULL, OCSP_RESPID_KEY), 1);
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	len = i2d_OCSP_RESPONSE(response, &der);
	ck_assert_int_gt(len, 0);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_GENERALIZEDTIME_free(this_update);
	ASN1_GENERALIZEDTIME_free(next_update);
	X509_free(subject);
	X509_free(by);
	return pm_view(der, (size_t)len);
}

static int get_ocsp(const uint8_t *nonce)
{
	struct pm_ocsp_set *set = NULL;
	uint8_t *bytes = NULL;
	size_t len = 0;
	int r = pm_gpu_fetch_ocsp(fetch, cert.ptr, cert.len, issuer.ptr, issuer.len, nonce,
		now + wall_added, report, &bytes, &len);

	if (r == PM_OK) {
		ck_pm(pm_ocsp_set_new(&set), PM_OK);
		ck_pm(pm_ocsp_set_add(set, bytes, len, report), PM_OK);
		pm_ocsp_set_free(set);
	}
	free(bytes);
	return r;
}

START_TEST(ocsp_is_posted)
{
	struct pm_view good = respond(cert, now - 60, now + DAY, (struct pm_view){0});
	struct http_server *s = SERVE(PM_GPU_SERVICE_OCSP, {200, good});
	uint8_t request[PM_OCSP_REQUEST_SIZE_MAX];
	char length[64];
	size_t n;

	ck_pm(get_ocsp(NULL), PM_OK);
	ck_pm(pm_ocsp_request(cert.ptr, cert.len, issuer.ptr, issuer.len, NULL, request,
		      sizeof(request), &n),
		PM_OK);
	snprintf(length, sizeof(length), "\r\nContent-Length: %zu\r\n", n);
	ck_assert_ptr_nonnull(strstr(http_server_request(s, 0), "POST / HTTP/"));
	ck_assert_ptr_nonnull(strstr(
		http_server_request(s, 0), "\r\nContent-Type: application/ocsp-request\r\n"));
	ck_assert_ptr_nonnull(strstr(http_server_request(s, 0), length));
	ck_assert_ptr_null(strstr(http_server_request(s, 0), "Expect"));
	ck_assert(pm_view_equal(http_server_body(s, 0), pm_view(request, n)));
	test_free(good);
}
END_TEST

START_TEST(ocsp_is_kept_until_its_end)
{
	struct pm_view day = respond(cert, now - 60, now + DAY, (struct pm_view){0}),
		       next = respond(cert, now + DAY - 60, now + 2 * DAY, (struct pm_view){0});
	struct http_answer answers[] = {{200, day}, {500, VIEW("")}, {200, next}, {500, VIEW("")}};
	struct http_server *s = add(PM_GPU_SERVICE_OCSP, answers, 4, NULL);

	ck_pm(pm_gpu_fetch_set_cache(fetch, cache), PM_OK);
	ck_pm(pm_gpu_fetch_set_attempts(fetch, 1), PM_OK);
	ck_pm(get_ocsp(NULL), PM_OK);
	wall_added = DAY - 1;
	ck_pm(get_ocsp(NULL), PM_OK);
	ck_assert_uint_eq(http_server_count(s), 1);
	wall_added = DAY;
	ck_pm(get_ocsp(NULL), PM_E_NET); /* never one past its end */
	ck_pm(get_ocsp(NULL), PM_OK);
	ck_pm(get_ocsp(NULL), PM_OK);
	ck_assert_uint_eq(http_server_count(s), 3);
	test_free(day);
	test_free(next);
}
END_TEST

START_TEST(ocsp_with_a_nonce_is_not_kept)
{
	static const uint8_t nonce[PM_OCSP_NONCE_SIZE] = {5};
	uint8_t request[PM_OCSP_REQUEST_SIZE_MAX];
	struct pm_view good;
	struct http_server *s;
	size_t n;

	ck_pm(pm_ocsp_request(cert.ptr, cert.len, issuer.ptr, issuer.len, nonce, request,
		      sizeof(request), &n),
		PM_OK);
	good = respond(cert, now - 60, now + DAY, pm_view(request, n));
	s = SERVE(PM_GPU_SERVICE_OCSP, {200, good});
	ck_pm(pm_gpu_fetch_set_cache(fetch, cache), PM_OK);
	ck_pm(get_ocsp(nonce), PM_OK);
	ck_pm(get_ocsp(nonce), PM_OK);
	ck_assert_uint_eq(http_server_count(s), 2);
	ck_assert_int_ne(access(cache, F_OK), 0);
	ck_assert(pm_view_equal(http_server_body(s, 0), pm_view(request, n)));
	test_free(good);
}
END_TEST

START_TEST(stale_and_foreign_answers_are_refused)
{
	struct pm_view old = respond(cert, now - 2 * DAY, now, (struct pm_view){0}),
		       young = respond(cert, now + 301, now + DAY, (struct pm_view){0}),
		       foreign = respond(other, now - 60, now + DAY, (struct pm_view){0});
	struct http_answer answers[] = {{200, old}, {200, young}, {200, foreign},
		{200, VIEW("\x30\x03\x0a\x01\x03")}, {200, VIEW("<html>")},
		{200, pm_view(foreign.ptr, foreign.len - 1)}};
	static const int want[] = {
		PM_E_STALE, PM_E_STALE, PM_E_REJECTED, PM_E_REJECTED, PM_E_FORMAT, PM_E_FORMAT};

	add(PM_GPU_SERVICE_OCSP, answers, PM_ARRAY_LEN(answers), NULL);
	ck_pm(pm_gpu_fetch_set_cache(fetch, cache), PM_OK);
	for (size_t i = 0; i < PM_ARRAY_LEN(want); i++)
		ck_pm(get_ocsp(NULL), want[i]);
	ck_assert_int_ne(access(cache, F_OK), 0);
	test_free(old);
	test_free(young);
	test_free(foreign);
}
END_TEST

START_TEST(redirects_of_a_post_are_refused)
{
	struct http_server *s = SERVE(PM_GPU_SERVICE_OCSP, {307, VIEW(""), "Location: /x\r\n"});

	ck_pm(get_ocsp(NULL), PM_E_NET);
	ck_assert(reason_has("redirect of a POST"));
	ck_assert_uint_eq(http_server_count(s), 1);
}
END_TEST

START_TEST(what_is_no_certificate_is_not_asked_about)
{
	uint8_t *b;
	size_t n;

	ck_pm(pm_gpu_fetch_ocsp(
		      fetch, issuer.ptr, 5, issuer.ptr, issuer.len, NULL, now, report, &b, &n),
		PM_E_FORMAT);
	ck_pm(pm_gpu_fetch_ocsp(
		      fetch, cert.ptr, cert.len, other.ptr, other.len, NULL, now, report, &b, &n),
		PM_E_REJECTED);
}
END_TEST

/* --- the list -------------------------------------------------------------------------------- */

static void add_tests(TCase *t)
{
	tcase_add_test(t, rim_is_asked_for_and_unwrapped);
	tcase_add_test(t, names_are_checked);
	tcase_add_test(t, settings_have_bounds);
	tcase_add_loop_test(t, lies_are_refused, 0, PM_ARRAY_LEN(lies));
	tcase_add_loop_test(t, odd_answers_are_refused, 0, PM_ARRAY_LEN(oddities));
	tcase_add_test(t, long_answers_are_refused);
	tcase_add_test(t, missing_is_told_apart);
	tcase_add_test(t, the_next_server_is_asked);
	tcase_add_test(t, a_slow_server_leaves_time_for_the_next);
	tcase_add_test(t, all_servers_are_asked_again);
	tcase_add_test(t, the_first_servers_failure_is_told);
	tcase_add_test(t, a_token_goes_to_its_server_alone);
	tcase_add_test(t, a_token_does_not_follow_elsewhere);
	tcase_add_test(t, bad_tokens_are_not_sent);
	tcase_add_test(t, rim_comes_from_the_cache);
	tcase_add_test(t, rim_that_ended_is_fetched_again);
	tcase_add_test(t, offline_without_a_copy);
	tcase_add_test(t, names_do_not_collide);
	tcase_add_test(t, ocsp_is_posted);
	tcase_add_test(t, ocsp_is_kept_until_its_end);
	tcase_add_test(t, ocsp_with_a_nonce_is_not_kept);
	tcase_add_test(t, stale_and_foreign_answers_are_refused);
	tcase_add_test(t, redirects_of_a_post_are_refused);
	tcase_add_test(t, what_is_no_certificate_is_not_asked_about);
}

int main(void)
{
	Suite *s = suite_create("gpu_fetch");
	TCase *t = tcase_create("gpu_fetch");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 60);
	add_tests(t);
	suite_add_tcase(s, t);
	return test_main(s);
}
