/* SPDX-License-Identifier: Apache-2.0 */
/* Shard keys, cache salts, the OCSP policy and its MAC, media. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/report.h>
#include <pm/rules.h>

#include "crypto/kem.h"
#include "jsonl.h"

/* --- shard key ------------------------------------------------------------------------------- */

/* The key of content that comes in pieces of that size; freed by the caller. */
static char *shard_key(const char *salt, struct pm_view content, size_t piece)
{
	struct pm_shard *shard = NULL;
	char *key;

	ck_pm(pm_shard_new(salt, strlen(salt), &shard), PM_OK);
	while (content.len) {
		size_t n = content.len < piece ? content.len : piece;

		ck_pm(pm_shard_add(shard, content.ptr, n), PM_OK);
		content = pm_view(content.ptr + n, content.len - n);
	}
	key = strdup(pm_shard_key(shard));
	pm_shard_free(shard);
	return key;
}

static struct pm_view repeat(char c, size_t n)
{
	char *bytes = malloc(n + 1);

	ck_assert_ptr_nonnull(bytes);
	memset(bytes, c, n);
	return pm_view(bytes, n);
}

/* Computed with Python's hashlib. */
static const struct {
	size_t len;
	const char *key;
} shards[] = {
	{0, "63479ad69a090b25"},
	{63, "63479ad69a090b25"},
	{64, "63479ad69a090b25-N"},
	{127, "63479ad69a090b25-N"},
	{128, "63479ad69a090b25-NA"},
	{4096, "63479ad69a090b25-NAaZlaScJjOG1eqeNvijXvrEv8WrawvyzCOgGgLmSm8"
	       "o3XAb/Umt7Y7w2USC4jmC"},
	{4607, "63479ad69a090b25-NAaZlaScJjOG1eqeNvijXvrEv8WrawvyzCOgGgLmSm8"
	       "o3XAb/Umt7Y7w2USC4jmC"},
	{4608, "63479ad69a090b25-NAaZlaScJjOG1eqeNvijXvrEv8WrawvyzCOgGgLmSm8"
	       "o3XAb/Umt7Y7w2USC4jmCL"},
	{5631, "63479ad69a090b25-NAaZlaScJjOG1eqeNvijXvrEv8WrawvyzCOgGgLmSm8"
	       "o3XAb/Umt7Y7w2USC4jmCL/"},
};

START_TEST(shard_keys)
{
	struct pm_view content = repeat('a', shards[_i].len);
	char *whole = shard_key("salt", content, SIZE_MAX), *cut = shard_key("salt", content, 61);

	ck_assert_str_eq(whole, shards[_i].key);
	ck_assert_str_eq(cut, shards[_i].key);
	free(whole);
	free(cut);
	test_free(content);
}
END_TEST

START_TEST(shard_keys_share_beginnings)
{
	struct pm_view a = repeat('a', 1000), b = repeat('a', 1000);
	char *key_a, *key_b, *other;
	size_t same = 0;

	((uint8_t *)b.ptr)[640] = 'b'; /* the first byte of the eleventh block */
	key_a = shard_key("salt", a, SIZE_MAX);
	key_b = shard_key("salt", b, SIZE_MAX);
	other = shard_key("tlas", a, SIZE_MAX);
	while (key_a[same] == key_b[same])
		same++;
	/* The eleventh may be equal by chance, in one of 64; this content's is not. */
	ck_assert_uint_eq(same, 16 + 1 + 10);
	ck_assert_uint_eq(strlen(key_a), 16 + 1 + 15);
	ck_assert(strncmp(key_a, other, 16));
	free(key_a);
	free(key_b);
	free(other);
	test_free(a);
	test_free(b);
}
END_TEST

START_TEST(shard_content_has_a_limit)
{
	struct pm_view content = repeat('a', PM_SHARD_CONTENT_MAX + 1);
	struct pm_shard *shard = NULL;

	ck_pm(pm_shard_new("salt", 4, &shard), PM_OK);
	ck_pm(pm_shard_add(shard, content.ptr, content.len), PM_E_LIMIT);
	ck_pm(pm_shard_add(shard, content.ptr, content.len - 1), PM_OK);
	ck_assert_uint_eq(strlen(pm_shard_key(shard)) + 1, PM_SHARD_KEY_SIZE);
	ck_pm(pm_shard_add(shard, content.ptr, 1), PM_E_LIMIT);
	ck_pm(pm_shard_add(shard, content.ptr, SIZE_MAX), PM_E_LIMIT);
	pm_shard_free(shard);
	test_free(content);
}
END_TEST

static void check_shard(const json_t *row)
{
	const char *salt = jsonl_text(row, "cache_salt"), *text = jsonl_text(row, "content");
	size_t len = (size_t)json_integer_value(json_object_get(row, "content_len"));
	struct pm_view content = text ? pm_view(pm_dup(pm_view(text, strlen(text))), strlen(text))
				      : repeat('a', len);
	struct pm_shard *shard = NULL;
	int want = jsonl_text(row, "error") ? PM_E_LIMIT : PM_OK;

	ck_assert_uint_eq(content.len, len);
	ck_pm(pm_shard_new(salt, strlen(salt), &shard), PM_OK);
	ck_pm(pm_shard_add(shard, content.ptr, content.len), want);
	if (want == PM_OK)
		ck_assert_str_eq(pm_shard_key(shard), jsonl_text(row, "shard_key"));
	pm_shard_free(shard);
	test_free(content);
}

START_TEST(reference_shard_keys)
{
	jsonl_each("privatemode/shard_key.jsonl", check_shard);
}
END_TEST

/* --- cache salt ------------------------------------------------------------------------------ */

START_TEST(salts_are_fresh_and_long)
{
	char a[PM_CACHE_SALT_SIZE], b[PM_CACHE_SALT_SIZE];

	ck_pm(pm_cache_salt_new(a), PM_OK);
	ck_pm(pm_cache_salt_new(b), PM_OK);
	ck_assert_str_ne(a, b);
	ck_pm(pm_cache_salt_check(strlen(a), NULL), PM_OK);
	ck_pm(pm_cache_salt_check(32, NULL), PM_OK);
	ck_pm(pm_cache_salt_check(31, NULL), PM_E_REJECTED);
	ck_pm(pm_cache_salt_check(0, NULL), PM_E_MISSING);
}
END_TEST

/* --- what a request asks for ------------------------------------------------------------------ */

static int read_request(const char *json, struct pm_request_facts *ret)
{
	*ret = (struct pm_request_facts){.size = sizeof(*ret)};
	return pm_request_read(json, strlen(json), ret, NULL);
}

START_TEST(requests_are_read)
{
	struct pm_request_facts facts;

	ck_pm(read_request("{\"cache_salt\":\"a\\/\\u00e9\\\"b\",\"model\":\"m\\/n\"}", &facts),
		PM_OK);
	ck_assert_str_eq(facts.model, "m/n");
	ck_assert_uint_eq(facts.cache_salt_len, 5);
	ck_pm(read_request("{\"mod\\u0065l\":\"x\",\"cache_salt\":null}", &facts), PM_OK);
	ck_assert_str_eq(facts.model, "x");
	ck_assert_uint_eq(facts.cache_salt_len, 0);
	ck_pm(read_request("{}", &facts), PM_OK);
	ck_assert_str_eq(facts.model, "");
}
END_TEST

START_TEST(requests_are_refused)
{
	static const char *const bad[] = {"", "[]", "1", "{\"model\":1}", "{\"cache_salt\":1}",
		"{\"cache_salt\":[]}", "{\"model\":\"a\\nb\"}", "{\"model\":\"\\u0041\"}",
		"{\"model\":\"\xc3\xa9\"}", "{\"model\":\"a\",\"model\":\"b\"}", "{\"model\":\"a\"",
		"{\"model\":null}"};
	struct pm_request_facts facts;
	char text[300];

	for (size_t i = 0; i < PM_ARRAY_LEN(bad); i++)
		ck_assert_msg(read_request(bad[i], &facts) == PM_E_FORMAT, "%s", bad[i]);
	snprintf(text, sizeof(text), "{\"model\":\"%0256d\"}", 0);
	ck_pm(read_request(text, &facts), PM_OK);
	snprintf(text, sizeof(text), "{\"model\":\"%0257d\"}", 0);
	ck_pm(read_request(text, &facts), PM_E_LIMIT);
	facts.size = 1;
	ck_pm(pm_request_read("{}", 2, &facts, NULL), PM_E_ARG);
}
END_TEST

#define FORM(parts) "--b" parts "\r\n--b--"
#define FIELD(name, more, value)                                                                   \
	"\r\nContent-Disposition: form-data; name=" name more "\r\n\r\n" value
#define MODEL(value) FIELD("\"model\"", "", value)

static int read_form(const char *type, const char *form, struct pm_request_facts *ret)
{
	*ret = (struct pm_request_facts){.size = sizeof(*ret)};
	return pm_request_read_form(type, form, strlen(form), ret, NULL);
}

static const struct {
	const char *form, *model;
	int outcome;
} forms[] = {
	{FORM(MODEL("whisper")), "whisper", PM_OK},
	{FORM(FIELD("model", "", "a b")), "a b", PM_OK},
	{FORM(MODEL("")), "", PM_OK},
	{FORM(FIELD("\"other\"", "", "whisper")), "", PM_OK},
	{FORM(FIELD("\"file\"", "; filename=\"model\"", "x") "\r\n--b" MODEL("whisper")), "whisper",
		PM_OK},
	{FORM(FIELD("\"prompt\"", "", "name=\"model\"\r\n\r\nx") "\r\n--b" MODEL("whisper")),
		"whisper", PM_OK},
	{FORM(FIELD("\"Model\"", "", "x")), "", PM_OK},
	{FORM(MODEL("a") "\r\n--b" MODEL("a")), "", PM_E_FORMAT},
	{FORM(FIELD("\"model\"", "; filename=\"a\"", "x")), "", PM_E_FORMAT},
	{FORM(MODEL("a\x01")), "", PM_E_FORMAT},
	{FORM(MODEL("a\x7f")), "", PM_E_FORMAT},
	{FORM(MODEL("\xc3\xa9")), "", PM_E_FORMAT},
	{FORM("\r\nContent-Transfer-Encoding: base64" MODEL("YQ==")), "", PM_E_UNSUPPORTED},
	{"--b" MODEL("whisper"), "", PM_E_FORMAT},
	{"", "", PM_E_FORMAT},
};

START_TEST(forms_are_read)
{
	struct pm_request_facts facts;
	int r = read_form("multipart/form-data; boundary=b", forms[_i].form, &facts);

	ck_pm(r, forms[_i].outcome);
	ck_assert_str_eq(facts.model, forms[_i].model);
	ck_assert_uint_eq(facts.cache_salt_len, 0);
}
END_TEST

START_TEST(forms_have_types_and_limits)
{
	struct pm_request_facts facts;
	char text[400];

	ck_pm(read_form("application/json", FORM(MODEL("a")), &facts), PM_E_UNSUPPORTED);
	ck_pm(read_form("multipart/form-data", FORM(MODEL("a")), &facts), PM_E_FORMAT);
	snprintf(text, sizeof(text), FORM(MODEL("%0256d")), 0);
	ck_pm(read_form("multipart/form-data; boundary=b", text, &facts), PM_OK);
	ck_assert_uint_eq(strlen(facts.model), 256);
	snprintf(text, sizeof(text), FORM(MODEL("%0257d")), 0);
	ck_pm(read_form("multipart/form-data; boundary=b", text, &facts), PM_E_LIMIT);
	facts.size = 1;
	ck_pm(pm_request_read_form("multipart/form-data; boundary=b", text, 1, &facts, NULL),
		PM_E_ARG);
}
END_TEST

/* --- policy for NVIDIA's certificate status -------------------------------------------------- */

static const uint8_t secret[PM_OCSP_KEY_SIZE] = {7};

/* The MAC that belongs to a canonical header. */
static void mac_of(const char *canonical, char *ret)
{
	uint8_t mac[PM_SHA256_SIZE];

	pm_hmac_sha256(pm_view(secret, sizeof(secret)), pm_view(canonical, strlen(canonical)), mac);
	for (size_t i = 0; i < sizeof(mac); i++)
		ck_assert_int_eq(snprintf(ret + 2 * i, 3, "%02x", mac[i]), 2);
}

START_TEST(policies_round_trip)
{
	static const int64_t times[] = {0, 1767225600, -62135596800, INT64_MAX, INT64_MIN};
	char header[PM_OCSP_HEADER_SIZE], mac[PM_OCSP_MAC_SIZE];

	for (unsigned int i = 0; i < 8 * PM_ARRAY_LEN(times); i++) {
		struct pm_ocsp_policy in = {i & 1, i & 2, i & 4, times[i / 8]}, out = {0};
		int want = i & 7 ? PM_OK : PM_E_ARG; /* what allows nothing is nobody's policy */

		ck_pm(pm_ocsp_policy_write(&in, secret, header, mac), want);
		if (want < 0)
			continue;
		ck_pm(pm_ocsp_policy_read(header, mac, secret, &out, NULL), PM_OK);
		ck_assert(in.allow_good == out.allow_good && in.allow_revoked == out.allow_revoked);
		ck_assert(in.allow_unknown == out.allow_unknown);
		ck_assert_int_eq(in.revoked_not_before, out.revoked_not_before);
	}
}
END_TEST

START_TEST(no_headers_mean_good_only)
{
	struct pm_ocsp_policy policy = {.allow_unknown = true, .revoked_not_before = 9};
	char header[PM_OCSP_HEADER_SIZE], mac[PM_OCSP_MAC_SIZE];

	ck_pm(pm_ocsp_policy_write(&policy, secret, header, mac), PM_OK);
	ck_pm(pm_ocsp_policy_read(header, NULL, secret, &policy, NULL), PM_E_REJECTED);
	ck_pm(pm_ocsp_policy_read("", mac, secret, &policy, NULL), PM_E_REJECTED);
	ck_assert(policy.allow_unknown);
	ck_pm(pm_ocsp_policy_read("", NULL, secret, &policy, NULL), PM_OK);
	ck_assert(policy.allow_good && !policy.allow_unknown && !policy.allow_revoked);
}
END_TEST

/* What a header may look like, and the canonical form that its MAC is over; or NULL. */
static const struct {
	const char *header, *canonical;
} headers[] = {
	{"rules=ALLOW-Good; revocation-time-not-before=5",
		"rules=allow-good; revocation-time-not-before=5"},
	{"revocation-time-not-before=5; rules=allow-good",
		"rules=allow-good; revocation-time-not-before=5"},
	{"rules=allow-unknown,allow-good; revocation-time-not-before=-1",
		"rules=allow-good,allow-unknown; revocation-time-not-before=-1"},
	{"rules=allow-good;revocation-time-not-before=5", NULL},
	{"rules=allow-good;  revocation-time-not-before=5", NULL},
	{" rules=allow-good; revocation-time-not-before=5", NULL},
	{"rules=allow-good; revocation-time-not-before=5 ", NULL},
	{"rules=allow-good; revocation-time-not-before=5; ", NULL},
	{"rules=allow-good; revocation-time-not-before=5x", NULL},
	{"rules=allow-good; revocation-time-not-before=05", NULL},
	{"rules=allow-good; revocation-time-not-before=+5", NULL},
	{"rules=allow-good; revocation-time-not-before=-", NULL},
	{"rules=allow-good; revocation-time-not-before=-0", NULL},
	{"rules=allow-good; revocation-time-not-before=", NULL},
	{"rules=allow-good; revocation-time-not-before=9223372036854775808", NULL},
	{"rules=allow-good; revocation-time-not-before=99999999999999999999999", NULL},
	{"rules=; revocation-time-not-before=5", NULL},
	{"rules=allow-good,; revocation-time-not-before=5", NULL},
	{"rules=,allow-good; revocation-time-not-before=5", NULL},
	{"rules=allow-good,allow-good; revocation-time-not-before=5", NULL},
	{"rules=allow-goods; revocation-time-not-before=5", NULL},
	{"rules=allow-everything; revocation-time-not-before=5", NULL},
	{"rules=allow-good; rules=allow-good", NULL},
	{"revocation-time-not-before=5; revocation-time-not-before=5", NULL},
	{"rules=allow-good", NULL},
	{"; ", NULL},
};

START_TEST(headers_are_strict)
{
	const char *canonical = headers[_i].canonical;
	struct pm_ocsp_policy policy;
	char mac[PM_OCSP_MAC_SIZE];

	mac_of(canonical ? canonical : headers[_i].header, mac);
	ck_pm(pm_ocsp_policy_read(headers[_i].header, mac, secret, &policy, NULL),
		canonical ? PM_OK : PM_E_FORMAT);
}
END_TEST

/* The reason of a refusal holds no part of the MAC that would have passed. */
START_TEST(wrong_macs_tell_nothing)
{
	struct pm_ocsp_policy in = {.allow_good = true, .allow_revoked = true}, out;
	char header[PM_OCSP_HEADER_SIZE], mac[PM_OCSP_MAC_SIZE], bad[PM_OCSP_MAC_SIZE + 1];
	struct pm_report *report = pm_report_new();

	ck_pm(pm_ocsp_policy_write(&in, secret, header, mac), PM_OK);
	for (size_t i = 0; i < strlen(mac); i++) {
		strcpy(bad, mac);
		bad[i] = bad[i] == '0' ? '1' : '0';
		ck_pm(pm_ocsp_policy_read(header, bad, secret, &out, report), PM_E_REJECTED);
	}
	mac[8] = '\0';
	ck_pm(pm_ocsp_policy_read(header, mac, secret, &out, report), PM_E_REJECTED);
	ck_assert_ptr_null(strstr(pm_report_reason(report), mac));
	ck_pm(pm_ocsp_policy_read(header, "00", secret, &out, NULL), PM_E_REJECTED);
	pm_report_free(report);
}
END_TEST

START_TEST(macs_are_whole)
{
	struct pm_ocsp_policy in = {.allow_good = true}, out;
	char header[PM_OCSP_HEADER_SIZE], mac[PM_OCSP_MAC_SIZE + 1];
	uint8_t other[PM_OCSP_KEY_SIZE] = {8};

	ck_pm(pm_ocsp_policy_write(&in, secret, header, mac), PM_OK);
	ck_pm(pm_ocsp_policy_read(header, mac, other, &out, NULL), PM_E_REJECTED);
	strcat(mac, "0");
	ck_pm(pm_ocsp_policy_read(header, mac, secret, &out, NULL), PM_E_REJECTED);
	mac[63] = '\0';
	ck_pm(pm_ocsp_policy_read(header, mac, secret, &out, NULL), PM_E_REJECTED);
}
END_TEST

START_TEST(status_is_checked)
{
	const struct pm_ocsp_policy good = {.allow_good = true}, none = {0};
	const struct pm_ocsp_policy all = {true, true, true, 100};
	struct pm_ocsp_status status[] = {
		{PM_OCSP_GOOD, 0}, {PM_OCSP_REVOKED, 100}, {PM_OCSP_UNKNOWN, 0}};

	ck_pm(pm_ocsp_policy_check(&all, status, 3, NULL), PM_OK);
	ck_pm(pm_ocsp_policy_check(&all, status, 0, NULL),
		PM_E_REJECTED); /* nothing proves nothing */
	ck_pm(pm_ocsp_policy_check(&good, status, 1, NULL), PM_OK);
	ck_pm(pm_ocsp_policy_check(&good, status, 2, NULL), PM_E_REJECTED);
	ck_pm(pm_ocsp_policy_check(&good, status + 2, 1, NULL), PM_E_REJECTED);
	ck_pm(pm_ocsp_policy_check(&none, status, 1, NULL), PM_E_REJECTED);
	status[1].revoked_at = 99;
	ck_pm(pm_ocsp_policy_check(&all, status, 3, NULL), PM_E_REJECTED);
	status[1].value = (enum pm_ocsp_value)0;
	ck_pm(pm_ocsp_policy_check(&all, status, 3, NULL), PM_E_REJECTED);
}
END_TEST

/* Rows are headers with their MACs, a wrong MAC, or texts that the reference parses or not. */
static void check_policy(const json_t *row)
{
	const char *policy_text = jsonl_text(row, "policy"), *text = jsonl_text(row, "parse_case");
	const char *reference = jsonl_text(row, "reference_error");
	struct pm_view key = policy_text ? jsonl_hex(row, "secret") : repeat(0, PM_OCSP_KEY_SIZE);
	const char *mac = policy_text ? jsonl_text(row, "mac") : "x";
	char header[PM_OCSP_HEADER_SIZE], again[PM_OCSP_MAC_SIZE];
	struct pm_ocsp_policy policy = {0};
	int r = pm_ocsp_policy_read(policy_text ? policy_text : text, mac, key.ptr, &policy, NULL);

	if (policy_text && !reference) {
		ck_pm(r, PM_OK);
		ck_pm(pm_ocsp_policy_write(&policy, key.ptr, header, again), PM_OK);
		ck_assert_str_eq(header, policy_text);
		ck_assert_str_eq(again, mac);
	} else if (policy_text || strstr(reference, "HMAC")) {
		/* 5x is one that the reference reads as 5 */
		ck_pm(r, text && strstr(text, "5x") ? PM_E_FORMAT : PM_E_REJECTED);
	} else {
		ck_pm(r, PM_E_FORMAT);
	}
	test_free(key);
}

START_TEST(reference_policies)
{
	jsonl_each("privatemode/ocsp_policy.jsonl", check_policy);
}
END_TEST

/* --- media ----------------------------------------------------------------------------------- */

static const struct {
	const char *url;
	int data_only, https;
} media[] = {
	{"data:image/png;base64,AAAA", PM_OK, PM_OK},
	{"DATA:,x", PM_OK, PM_OK},
	{"https://example.com/secret.png", PM_E_REJECTED, PM_OK},
	{"HTTPS://example.com/secret.png", PM_E_REJECTED, PM_OK},
	{"http://example.com/secret.png", PM_E_REJECTED, PM_E_REJECTED},
	{"file:///etc/secret", PM_E_REJECTED, PM_E_REJECTED},
	{" data:,secret", PM_E_REJECTED, PM_E_REJECTED},
	{"\tdata:,secret", PM_E_REJECTED, PM_E_REJECTED},
	{"//example.com/secret.png", PM_E_REJECTED, PM_E_REJECTED},
	{"secret.png", PM_E_REJECTED, PM_E_REJECTED},
	{"data", PM_E_REJECTED, PM_E_REJECTED},
	{"", PM_E_REJECTED, PM_E_REJECTED},
};

START_TEST(media_rules)
{
	const char *url = media[_i].url;
	size_t len = strlen(url);
	struct pm_report *report = pm_report_new();

	ck_pm(pm_media_check(PM_MEDIA_DATA_ONLY, PM_MEDIA_IMAGE, url, len, report),
		media[_i].data_only);
	ck_pm(pm_media_check(PM_MEDIA_HTTPS_IMAGES, PM_MEDIA_IMAGE, url, len, report),
		media[_i].https);
	ck_pm(pm_media_check(PM_MEDIA_HTTPS_IMAGES, PM_MEDIA_AUDIO, url, len, report),
		PM_E_REJECTED);
	ck_pm(pm_media_check(PM_MEDIA_HTTPS_IMAGES, PM_MEDIA_VIDEO, url, len, report),
		PM_E_REJECTED);
	ck_pm(pm_media_check((enum pm_media_rule)2, PM_MEDIA_IMAGE, url, len, NULL), PM_E_ARG);
	ck_pm(pm_media_check(PM_MEDIA_DATA_ONLY, (enum pm_media_kind)0, url, len, NULL), PM_E_ARG);
	for (size_t i = 0; i < pm_report_count(report); i++)
		ck_assert_ptr_null(strstr(pm_report_at(report, i)->found, "secret"));
	pm_report_free(report);
}
END_TEST

#define PART(part) "{\"messages\":[{\"role\":\"user\",\"content\":[" part "]}]}"

static const struct {
	const char *body;
	int data_only, https;
} bodies[] = {
	{"{}", PM_OK, PM_OK},
	{"{\"prompt\":\"https://secret\"}", PM_OK, PM_OK},
	{"{\"messages\":[{\"role\":\"user\",\"content\":\"http://secret\"}]}", PM_OK, PM_OK},
	{PART("{\"type\":\"text\",\"text\":\"http://secret\"}"), PM_OK, PM_OK},
	{PART("{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:,x\"}}"), PM_OK, PM_OK},
	{PART("{\"type\":\"image_url\",\"image_url\":\"data:,x\"}"), PM_OK, PM_OK},
	{PART("{\"image_url\":null,\"audio_url\":null,\"type\":\"text\"}"), PM_OK, PM_OK},
	{PART("{\"type\":\"image_url\",\"image_url\":{\"url\":\"https:\\/\\/secret\"}}"),
		PM_E_REJECTED, PM_OK},
	{PART("{\"type\":\"image_url\",\"image_url\":{\"url\":\"http://secret\"}}"), PM_E_REJECTED,
		PM_E_REJECTED},
	{PART("{\"image_url\":\"file:///secret\"}"), PM_E_REJECTED, PM_E_REJECTED},
	{PART("{\"type\":\"text\"},{\"type\":\"text\",\"image_url\":\"http://secret\"}"),
		PM_E_REJECTED, PM_E_REJECTED},
	{PART("{\"\\u0069mage_url\":\"http://secret\"}"), PM_E_REJECTED, PM_E_REJECTED},
	{PART("{\"image_url\":\"\\u0064ata:,x\"}"), PM_E_REJECTED, PM_E_REJECTED},
	{PART("{\"audio_url\":{\"url\":\"data:,secret\"}}"), PM_E_REJECTED, PM_E_REJECTED},
	{PART("{\"video_url\":\"data:,secret\"}"), PM_E_REJECTED, PM_E_REJECTED},
	{PART("{\"image_url\":{}}"), PM_E_FORMAT, PM_E_FORMAT},
	{PART("{\"image_url\":7}"), PM_E_FORMAT, PM_E_FORMAT},
	{PART("{\"image_url\":\"data:,x\",\"image_url\":\"http://secret\"}"), PM_E_FORMAT,
		PM_E_FORMAT},
	{PART("{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"data\":\"AA\"}}"), PM_OK,
		PM_OK},
	{PART("{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":\"https://secret\"}}"),
		PM_E_REJECTED, PM_OK},
	{PART("{\"type\":\"document\",\"source\":{\"type\":\"url\",\"url\":\"http://secret\"}}"),
		PM_E_REJECTED, PM_E_REJECTED},
	{PART("{\"type\":\"tool_result\",\"content\":[{\"source\":{\"url\":\"http://secret\"}}]}"),
		PM_E_REJECTED, PM_E_REJECTED},
	{PART("{\"type\":\"document\",\"source\":{\"type\":\"content\",\"content\":[{\"type\":"
	      "\"image\",\"source\":{\"type\":\"url\",\"url\":\"http://secret\"}}]}}"),
		PM_E_REJECTED, PM_E_REJECTED},
	{PART("{\"source\":{\"url\":\"data:,x\",\"content\":{\"audio_url\":\"secret\"}}}"),
		PM_E_REJECTED, PM_E_REJECTED},
	{PART("{\"type\":\"document\",\"source\":{\"type\":\"content\",\"content\":\"http://"
	      "secret\""
	      "}}"),
		PM_OK, PM_OK},
	{"{\"messages\":{\"content\":{\"image_url\":\"http://secret\"}}}", PM_E_REJECTED,
		PM_E_REJECTED},
	{PART("[[[[[[[[[[[[[[[[[{\"image_url\":\"http://secret\"}]]]]]]]]]]]]]]]]]"), PM_E_LIMIT,
		PM_E_LIMIT},
	{"[]", PM_E_FORMAT, PM_E_FORMAT},
	{"", PM_E_FORMAT, PM_E_FORMAT},
	{"{\"messages\":[", PM_E_FORMAT, PM_E_FORMAT},
};

START_TEST(media_bodies)
{
	const char *body = bodies[_i].body;
	struct pm_report *report = pm_report_new();

	ck_pm(pm_media_check_body(PM_MEDIA_DATA_ONLY, body, strlen(body), report),
		bodies[_i].data_only);
	ck_pm(pm_media_check_body(PM_MEDIA_HTTPS_IMAGES, body, strlen(body), NULL),
		bodies[_i].https);
	ck_pm(pm_media_check_body((enum pm_media_rule)2, body, strlen(body), NULL), PM_E_ARG);
	for (size_t i = 0; i < pm_report_count(report); i++)
		ck_assert_ptr_null(strstr(pm_report_at(report, i)->found, "secret"));
	pm_report_free(report);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rules");
	TCase *tc = tcase_create("rules");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, shard_keys, 0, PM_ARRAY_LEN(shards));
	tcase_add_test(tc, shard_keys_share_beginnings);
	tcase_add_test(tc, shard_content_has_a_limit);
	tcase_add_test(tc, salts_are_fresh_and_long);
	tcase_add_test(tc, requests_are_read);
	tcase_add_test(tc, requests_are_refused);
	tcase_add_loop_test(tc, forms_are_read, 0, PM_ARRAY_LEN(forms));
	tcase_add_test(tc, forms_have_types_and_limits);
	tcase_add_test(tc, policies_round_trip);
	tcase_add_test(tc, no_headers_mean_good_only);
	tcase_add_loop_test(tc, headers_are_strict, 0, PM_ARRAY_LEN(headers));
	tcase_add_test(tc, wrong_macs_tell_nothing);
	tcase_add_test(tc, macs_are_whole);
	tcase_add_test(tc, status_is_checked);
	tcase_add_loop_test(tc, media_rules, 0, PM_ARRAY_LEN(media));
	tcase_add_loop_test(tc, media_bodies, 0, PM_ARRAY_LEN(bodies));
	if (test_has_vectors()) {
		tcase_add_test(tc, reference_shard_keys);
		tcase_add_test(tc, reference_policies);
	}
	suite_add_tcase(suite, tc);
	return test_main(suite);
}
