/* SPDX-License-Identifier: Apache-2.0 */
#include "body_maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- transformers ---------------------------------------------------------------------------- */

void toy_body_new(struct toy_body *ret, enum pm_endpoint endpoint, enum pm_body_side side,
	enum pm_body_way way)
{
	struct pm_body_cipher cipher = toy_cipher(&ret->toy, way);

	ret->toy.seq = 0;
	ck_pm(pm_body_new(endpoint, side, way, &cipher, &ret->body), PM_OK);
}

void toy_body_reset(struct toy_body *toy, enum pm_body_way way)
{
	struct pm_body_cipher cipher = toy_cipher(&toy->toy, way);

	toy->toy.seq = 0;
	ck_pm(pm_body_reset(toy->body, &cipher), PM_OK);
}

void toy_body_free(struct toy_body *toy)
{
	pm_body_free(toy->body);
}

int toy_body_stream(struct toy_body *toy, struct pm_view in, size_t chunk, struct pm_grow *out)
{
	const uint8_t *bytes;
	size_t len;
	int r;

	for (size_t at = 0; at < in.len; at += chunk) {
		size_t n = in.len - at < chunk ? in.len - at : chunk;

		r = pm_body_sse(toy->body, in.ptr + at, n, NULL, &bytes, &len);
		if (r < 0)
			return r;
		ck_pm(pm_grow_add(out, pm_view(bytes, len)), PM_OK);
	}
	r = pm_body_sse_end(toy->body, NULL, &bytes, &len);
	return r < 0 ? r : pm_grow_add(out, pm_view(bytes, len));
}

bool contains(struct pm_view bytes, const char *needle)
{
	return bytes.len && memmem(bytes.ptr, bytes.len, needle, strlen(needle));
}

/* --- random bodies --------------------------------------------------------------------------- */

uint64_t maker_seed(void)
{
	static uint64_t seed;
	const char *text = getenv("PM_SEED");

	if (!seed) {
		seed = text ? strtoull(text, NULL, 0) : 0x9e3779b97f4a7c15;
		printf("PM_SEED=0x%llx\n", (unsigned long long)seed);
		fflush(stdout);
	}
	return seed;
}

/* xorshift64* */
uint32_t maker_number(struct maker *maker, uint32_t below)
{
	maker->state ^= maker->state >> 12;
	maker->state ^= maker->state << 25;
	maker->state ^= maker->state >> 27;
	return (uint32_t)((maker->state * UINT64_C(2685821657736338717)) >> 33) % below;
}

void maker_text(struct maker *maker, const char *text)
{
	ck_pm(pm_grow_add(&maker->out, pm_view(text, strlen(text))), PM_OK);
}

static const char *pick(struct maker *maker, const char *const *texts, size_t count)
{
	return texts[maker_number(maker, (uint32_t)count)];
}

static void space(struct maker *maker, bool newlines)
{
	static const char *const texts[] = {"", "", "", " ", "\t", "  ", "\n", "\r\n "};

	maker_text(maker, pick(maker, texts, newlines ? 8 : 6));
}

static void string(struct maker *maker)
{
	static const char *const texts[] = {"word", "\\n", "\\\"", "\\\\", "\\u006d",
		"\\ud83d\\ude00", "\\ud800", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
		"data: ", "{}[],:", "\x7f",
		"a rather long run of plain text that fills more than one block "};
	uint32_t n = maker_number(maker, 6);

	maker_text(maker, "\"" MAKER_SECRET);
	for (uint32_t i = 0; i < n; i++)
		maker_text(maker, pick(maker, texts, PM_ARRAY_LEN(texts)));
	maker_text(maker, "\"");
}

static void number(struct maker *maker)
{
	static const char *const texts[] = {MAKER_SECRET, "-" MAKER_SECRET, "0." MAKER_SECRET,
		MAKER_SECRET "e-05", MAKER_SECRET ".0E+10", "-0.0e" MAKER_SECRET};

	maker_text(maker, pick(maker, texts, PM_ARRAY_LEN(texts)));
}

static void nest(struct maker *maker, int depth, bool newlines)
{
	bool object = maker_number(maker, 2);
	uint32_t n = 1 + maker_number(maker, 3);
	char key[32];

	maker_text(maker, object ? "{" : "[");
	for (uint32_t i = 0; i < n; i++) {
		maker_text(maker, i ? "," : "");
		space(maker, newlines);
		snprintf(key, sizeof(key), "\"k%c\":", 'a' + (int)i);
		maker_text(maker, object ? key : "");
		space(maker, newlines);
		maker_value(maker, depth - 1, newlines);
		space(maker, newlines);
	}
	maker_text(maker, object ? "}" : "]");
}

void maker_value(struct maker *maker, int depth, bool newlines)
{
	uint32_t kind = maker_number(maker, depth > 0 ? 4 : 2);

	if (kind == 0)
		string(maker);
	else if (kind == 1)
		number(maker);
	else
		nest(maker, depth, newlines);
}

/* Names of fields: some plain somewhere, some that the reference trips over. */
static const char *const names[] = {"model", "stream", "id", "usage", "n", "max_tokens", "messages",
	"tools", "a.b", "a*", "a?", "a", "aa", "", "@this", "|", "a|b", "#", "a\\\\b", "{x}", "!x",
	"~x", "-1", ":0", "\\u0061\\u0062", "\xc3\xa9", "\\ud83d\\ude00", "user", "seed", "Model",
	"choices", "created"};

static bool is_plain(const char *name, const char *const *plain)
{
	while (*plain && strcmp(*plain, name) != 0)
		plain++;
	return *plain != NULL;
}

void maker_object(struct maker *maker, bool newlines)
{
	const char *const *plain = pm_endpoint_plain_fields(PM_ENDPOINT_CHAT, PM_BODY_RESPONSE);
	uint32_t start = maker_number(maker, PM_ARRAY_LEN(names));
	uint32_t n = maker_number(maker, PM_ARRAY_LEN(names));

	space(maker, newlines);
	maker_text(maker, "{");
	for (uint32_t i = 0; i < n; i++) {
		/* 5 has no factor in common with 32: no name comes twice */
		const char *name = names[(start + 5 * i) % PM_ARRAY_LEN(names)];

		maker_text(maker, i ? ", \"" : "\"");
		maker_text(maker, name);
		maker_text(maker, "\" :");
		space(maker, newlines);
		if (is_plain(name, plain))
			maker_text(maker, "\"plain\"");
		else
			maker_value(maker, 3, newlines);
	}
	maker_text(maker, "}");
	space(maker, newlines);
}
