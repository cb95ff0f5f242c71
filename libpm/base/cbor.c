/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cbor.h"

#include <cbor.h>

struct item {
	enum pm_cbor_kind kind;
	uint64_t value; /* of an integer; bytes of a string; items of an array; pairs of a map */
	struct pm_view string;
};

static void take(struct item *item, enum pm_cbor_kind kind, uint64_t value)
{
	item->kind = kind;
	item->value = value;
}

static void on_uint8(void *item, uint8_t value)
{
	take(item, PM_CBOR_UINT, value);
}

static void on_uint16(void *item, uint16_t value)
{
	take(item, PM_CBOR_UINT, value);
}

static void on_uint32(void *item, uint32_t value)
{
	take(item, PM_CBOR_UINT, value);
}

static void on_uint64(void *item, uint64_t value)
{
	take(item, PM_CBOR_UINT, value);
}

static void on_text(void *arg, cbor_data text, size_t len)
{
	struct item *item = arg;

	take(item, PM_CBOR_TEXT, len);
	item->string = pm_view(text, len);
}

static void on_bytes(void *arg, cbor_data bytes, size_t len)
{
	struct item *item = arg;

	take(item, PM_CBOR_BYTES, len);
	item->string = pm_view(bytes, len);
}

static void on_array(void *item, size_t items)
{
	take(item, PM_CBOR_ARRAY, items);
}

static void on_map(void *item, size_t pairs)
{
	take(item, PM_CBOR_MAP, pairs);
}

/* The beginning of an item in its shortest form; 0 bytes for one that is never read. */
static size_t write_head(enum pm_cbor_kind kind, uint64_t value, uint8_t *head)
{
	switch (kind) {
	case PM_CBOR_UINT:
		return cbor_encode_uint(value, head, PM_CBOR_HEAD_MAX);
	case PM_CBOR_TEXT:
		return cbor_encode_string_start(value, head, PM_CBOR_HEAD_MAX);
	case PM_CBOR_BYTES:
		return cbor_encode_bytestring_start(value, head, PM_CBOR_HEAD_MAX);
	case PM_CBOR_ARRAY:
		return cbor_encode_array_start(value, head, PM_CBOR_HEAD_MAX);
	case PM_CBOR_MAP:
		return cbor_encode_map_start(value, head, PM_CBOR_HEAD_MAX);
	case PM_CBOR_OTHER:
		break;
	}
	return 0;
}

/* The next item, with all of a string; how many bytes it takes, or 0 when it can't be read. */
static size_t look(const struct pm_rd *rd, struct item *ret)
{
	struct cbor_callbacks callbacks = cbor_empty_callbacks;
	struct cbor_decoder_result result;

	callbacks.uint8 = on_uint8;
	callbacks.uint16 = on_uint16;
	callbacks.uint32 = on_uint32;
	callbacks.uint64 = on_uint64;
	callbacks.string = on_text;
	callbacks.byte_string = on_bytes;
	callbacks.array_start = on_array;
	callbacks.map_start = on_map;
	if (!pm_rd_ok(rd) || !rd->left)
		return 0;
	result = cbor_stream_decode(rd->ptr, rd->left, &callbacks, ret);
	return result.status == CBOR_DECODER_FINISHED ? result.read : 0;
}

/* One item of the kind wanted, or the reader fails. */
static struct item next(struct pm_rd *rd, enum pm_cbor_kind kind, uint64_t max)
{
	struct item item = {0};
	uint8_t head[PM_CBOR_HEAD_MAX];
	size_t n = look(rd, &item);

	if (!n || item.kind != kind || item.value > max ||
		n != write_head(kind, item.value, head) + item.string.len) {
		pm_rd_fail(rd);
		return (struct item){0};
	}
	pm_rd_skip(rd, n);
	return item;
}

enum pm_cbor_kind pm_cbor_rd_kind(const struct pm_rd *rd)
{
	struct item item = {0};

	return look(rd, &item) ? item.kind : PM_CBOR_OTHER;
}

uint64_t pm_cbor_rd_uint(struct pm_rd *rd, uint64_t max)
{
	return next(rd, PM_CBOR_UINT, max).value;
}

size_t pm_cbor_rd_map(struct pm_rd *rd, size_t max)
{
	return next(rd, PM_CBOR_MAP, max).value;
}

size_t pm_cbor_rd_array(struct pm_rd *rd, size_t max)
{
	return next(rd, PM_CBOR_ARRAY, max).value;
}

struct pm_view pm_cbor_rd_text(struct pm_rd *rd, size_t max)
{
	return next(rd, PM_CBOR_TEXT, max).string;
}

struct pm_view pm_cbor_rd_bytes(struct pm_rd *rd, size_t max)
{
	return next(rd, PM_CBOR_BYTES, max).string;
}

void pm_cbor_rd_copy(struct pm_rd *rd, void *dst, size_t n)
{
	struct pm_rd bytes = pm_rd(pm_cbor_rd_bytes(rd, n));

	pm_rd_copy(&bytes, dst, n);
	if (!pm_rd_ok(&bytes))
		pm_rd_fail(rd);
}

void pm_cbor_rd_key(struct pm_rd *rd, uint64_t key)
{
	if (pm_cbor_rd_uint(rd, UINT64_MAX) != key)
		pm_rd_fail(rd);
}

static void put(struct pm_wr *wr, enum pm_cbor_kind kind, uint64_t value)
{
	uint8_t head[PM_CBOR_HEAD_MAX];

	pm_wr_bytes(wr, pm_view(head, write_head(kind, value, head)));
}

void pm_cbor_wr_uint(struct pm_wr *wr, uint64_t value)
{
	put(wr, PM_CBOR_UINT, value);
}

void pm_cbor_wr_map(struct pm_wr *wr, size_t pairs)
{
	put(wr, PM_CBOR_MAP, pairs);
}

void pm_cbor_wr_array(struct pm_wr *wr, size_t items)
{
	put(wr, PM_CBOR_ARRAY, items);
}

void pm_cbor_wr_text(struct pm_wr *wr, struct pm_view text)
{
	put(wr, PM_CBOR_TEXT, text.len);
	pm_wr_bytes(wr, text);
}

void pm_cbor_wr_bytes_head(struct pm_wr *wr, size_t len)
{
	put(wr, PM_CBOR_BYTES, len);
}

void pm_cbor_wr_bytes(struct pm_wr *wr, struct pm_view bytes)
{
	pm_cbor_wr_bytes_head(wr, bytes.len);
	pm_wr_bytes(wr, bytes);
}
