/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/sealed_cbor.h"

#include <cbor.h>

/* Longest beginning of an item: type and a number of 64 bits. */
#define HEAD_MAX 9

enum kind { OTHER, UINT, TEXT, MAP };

struct item {
	enum kind kind;
	uint64_t value; /* of an integer; bytes of a text; pairs of a map */
	struct pm_view text;
};

static void take_uint(struct item *item, uint64_t value)
{
	item->kind = UINT;
	item->value = value;
}

static void on_uint8(void *item, uint8_t value)
{
	take_uint(item, value);
}

static void on_uint16(void *item, uint16_t value)
{
	take_uint(item, value);
}

static void on_uint32(void *item, uint32_t value)
{
	take_uint(item, value);
}

static void on_uint64(void *item, uint64_t value)
{
	take_uint(item, value);
}

static void on_text(void *arg, cbor_data text, size_t len)
{
	struct item *item = arg;

	item->kind = TEXT;
	item->value = len;
	item->text = pm_view(text, len);
}

static void on_map(void *arg, size_t pairs)
{
	struct item *item = arg;

	item->kind = MAP;
	item->value = pairs;
}

/* The beginning of an item in its shortest form; 0 bytes for one that is never read. */
static size_t write_head(enum kind kind, uint64_t value, uint8_t *head)
{
	switch (kind) {
	case UINT:
		return cbor_encode_uint(value, head, HEAD_MAX);
	case TEXT:
		return cbor_encode_string_start(value, head, HEAD_MAX);
	case MAP:
		return cbor_encode_map_start(value, head, HEAD_MAX);
	case OTHER:
		break;
	}
	return 0;
}

/* One item's beginning, and all of a text; of the kind wanted, or the reader fails. */
static struct item next(struct pm_rd *rd, enum kind kind, uint64_t max)
{
	struct cbor_callbacks callbacks = cbor_empty_callbacks;
	struct item item = {0};
	struct cbor_decoder_result result;
	uint8_t head[HEAD_MAX];

	callbacks.uint8 = on_uint8;
	callbacks.uint16 = on_uint16;
	callbacks.uint32 = on_uint32;
	callbacks.uint64 = on_uint64;
	callbacks.string = on_text;
	callbacks.map_start = on_map;
	if (!rd->left)
		pm_rd_fail(rd);
	if (!pm_rd_ok(rd))
		return (struct item){0};
	result = cbor_stream_decode(rd->ptr, rd->left, &callbacks, &item);
	if (result.status != CBOR_DECODER_FINISHED || item.kind != kind || item.value > max ||
		result.read != write_head(kind, item.value, head) + item.text.len) {
		pm_rd_fail(rd);
		return (struct item){0};
	}
	pm_rd_skip(rd, result.read);
	return item;
}

uint64_t pm_cbor_rd_uint(struct pm_rd *rd, uint64_t max)
{
	return next(rd, UINT, max).value;
}

size_t pm_cbor_rd_map(struct pm_rd *rd, size_t max)
{
	return next(rd, MAP, max).value;
}

struct pm_view pm_cbor_rd_text(struct pm_rd *rd, size_t max)
{
	return next(rd, TEXT, max).text;
}

void pm_cbor_rd_key(struct pm_rd *rd, uint64_t key)
{
	if (pm_cbor_rd_uint(rd, UINT64_MAX) != key)
		pm_rd_fail(rd);
}

static void put(struct pm_wr *wr, enum kind kind, uint64_t value)
{
	uint8_t head[HEAD_MAX];

	pm_wr_bytes(wr, pm_view(head, write_head(kind, value, head)));
}

void pm_cbor_wr_uint(struct pm_wr *wr, uint64_t value)
{
	put(wr, UINT, value);
}

void pm_cbor_wr_map(struct pm_wr *wr, size_t pairs)
{
	put(wr, MAP, pairs);
}

void pm_cbor_wr_text(struct pm_wr *wr, struct pm_view text)
{
	put(wr, TEXT, text.len);
	pm_wr_bytes(wr, text);
}
