/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/sealed_frame.h"

#include <stdlib.h>

#include "base/rd.h"
#include "base/report.h"
#include "base/wr.h"

#define LENGTH_SIZE  4
#define BUFFER_START 512

_Static_assert(PM_SEALED_HEADER_SIZE == PM_OAE_HEADER_SIZE, "header");
_Static_assert(PM_SEALED_FRAME_OVERHEAD == LENGTH_SIZE + PM_OAE_OVERHEAD, "frame");
_Static_assert(PM_SEALED_CONTENT_MAX + LENGTH_SIZE == PM_SEALED_PLAIN_MAX, "content");
_Static_assert(PM_SEALED_MESSAGE_MIN == LENGTH_SIZE + PM_OAE_OVERHEAD, "least message");
_Static_assert(PM_SEALED_MESSAGE_MAX == PM_SEALED_PLAIN_MAX + PM_OAE_OVERHEAD, "most message");

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

void pm_buffer_free(struct pm_buffer *buffer)
{
	if (buffer->ptr)
		pm_wipe(buffer->ptr, buffer->cap);
	free(buffer->ptr);
	*buffer = (struct pm_buffer){0};
}

int pm_buffer_reserve(struct pm_buffer *buffer, size_t n)
{
	struct pm_buffer grown = {.len = buffer->len, .cap = n};

	if (n <= buffer->cap)
		return PM_OK;
	grown.ptr = malloc(n); /* not calloc: a hundred KiB would be cleared for nothing */
	if (!grown.ptr)
		return PM_E_NOMEM;
	pm_copy(grown.ptr, buffer->ptr, buffer->len);
	pm_buffer_free(buffer);
	*buffer = grown;
	return PM_OK;
}

/*
 * Room for a unit of which only a part came: it grows with what is there, as a length alone shall
 * not make us spend memory.
 */
static int reserve_for(struct pm_buffer *buffer, size_t have)
{
	size_t n = buffer->cap ? buffer->cap : BUFFER_START;

	while (n < have)
		n *= 2;
	return pm_buffer_reserve(buffer, least(n, PM_SEALED_MESSAGE_MAX));
}

/*
 * Takes what the unit wants. Whole in the input: borrowed from there, but the buffer has the room
 * too, since the plaintext goes there. *ret is empty when more bytes are needed.
 */
static int take_unit(
	struct pm_frames *f, struct pm_view bytes, size_t *ret_used, struct pm_view *ret)
{
	size_t n = least(bytes.len, f->want - f->buffer.len);
	int r = reserve_for(&f->buffer, f->buffer.len + n);

	if (r < 0)
		return r;
	*ret_used = n;
	if (n == f->want) {
		*ret = pm_view(bytes.ptr, n);
		return PM_OK;
	}
	pm_copy(f->buffer.ptr + f->buffer.len, bytes.ptr, n);
	f->buffer.len += n;
	*ret = f->buffer.len == f->want ? pm_view(f->buffer.ptr, f->want) : (struct pm_view){0};
	return PM_OK;
}

static int read_length(struct pm_view bytes, struct pm_report *report, size_t *ret)
{
	struct pm_rd rd = pm_rd(bytes);
	uint32_t n = pm_rd_be32(&rd);

	if (n < PM_SEALED_MESSAGE_MIN)
		return pm_fail(report, PM_E_FORMAT, "sealed.length", "at least 33", "%u", n);
	if (n > PM_SEALED_MESSAGE_MAX)
		return pm_fail(report, PM_E_LIMIT, "sealed.length", "at most 65565", "%u", n);
	*ret = n;
	return PM_OK;
}

/* What comes after a whole unit. */
static int begin_unit(struct pm_frames *f, enum pm_unit unit, size_t want)
{
	f->unit = unit;
	f->want = want;
	f->buffer.len = 0;
	return PM_OK;
}

static int next_unit(struct pm_frames *f, struct pm_view whole, struct pm_report *report)
{
	size_t want = 0;
	int r;

	if (f->unit != PM_UNIT_LENGTH)
		return begin_unit(f, PM_UNIT_LENGTH, LENGTH_SIZE);
	r = read_length(whole, report, &want);
	return r < 0 ? r : begin_unit(f, PM_UNIT_MESSAGE, want);
}

int pm_frames_next(struct pm_frames *frames, struct pm_view bytes, struct pm_report *report,
	size_t *ret_used, enum pm_unit *ret_unit, struct pm_view *ret_bytes)
{
	struct pm_view whole;
	size_t used = 0, n;
	int r = PM_OK;

	if (!frames->want)
		(void)begin_unit(frames, PM_UNIT_HEADER, PM_SEALED_HEADER_SIZE);
	frames->any = frames->any || bytes.len;
	do {
		*ret_unit = frames->unit;
		r = take_unit(frames,
			pm_view(bytes.ptr ? bytes.ptr + used : NULL, bytes.len - used), &n, &whole);
		if (r < 0)
			return r;
		used += n;
		if (whole.len)
			r = next_unit(frames, whole, report);
		if (r < 0)
			return r;
	} while (whole.len && *ret_unit == PM_UNIT_LENGTH);
	*ret_used = used;
	*ret_bytes = whole;
	return PM_OK;
}

const char *pm_frames_place(const struct pm_frames *frames)
{
	if (!frames->any)
		return "nothing";
	if (frames->unit == PM_UNIT_HEADER)
		return "a part of the header";
	if (frames->unit == PM_UNIT_LENGTH && !frames->buffer.len)
		return "an end between two frames";
	return "a part of a frame";
}

void pm_frames_free(struct pm_frames *frames)
{
	pm_buffer_free(&frames->buffer);
}

int pm_sealed_content(struct pm_view plain, struct pm_report *report, struct pm_view *ret)
{
	struct pm_rd rd = pm_rd(plain);
	struct pm_view content = pm_rd_prefixed_be32(&rd, PM_SEALED_CONTENT_MAX);

	if (!pm_rd_ok(&rd))
		return pm_fail(report, PM_E_FORMAT, "sealed.content", "a length within the message",
			"%zu bytes of plaintext", plain.len);
	pm_rd_zero(&rd, rd.left);
	if (!pm_rd_done(&rd))
		return pm_fail(report, PM_E_FORMAT, "sealed.padding", "zeros", "other bytes");
	*ret = content;
	return PM_OK;
}

bool pm_sealed_is_bucket(uint32_t bucket)
{
	return !bucket || (bucket >= PM_SEALED_BUCKET_MIN && bucket <= PM_SEALED_PLAIN_MAX &&
				  !(bucket & (bucket - 1)));
}

size_t pm_sealed_plain_size(size_t n, uint32_t bucket)
{
	size_t size = bucket;

	if (!bucket)
		return LENGTH_SIZE + n;
	while (size < LENGTH_SIZE + n)
		size *= 2;
	return size;
}

static int append_one(struct pm_buffer *out, struct pm_oae_stream *stream, struct pm_nonces *nonces,
	uint32_t bucket, struct pm_view content, bool final)
{
	size_t size = pm_sealed_plain_size(content.len, bucket);
	struct pm_wr wr = pm_wr(out->ptr + out->len, out->cap - out->len);
	uint8_t *plain = wr.ptr + LENGTH_SIZE + PM_OAE_PREFIX_SIZE;
	struct pm_wr inner = pm_wr(plain, size);
	int r;

	pm_wr_be32(&wr, (uint32_t)(size + PM_OAE_OVERHEAD));
	pm_wr_prefixed_be32(&inner, content);
	pm_wr_zero(&inner, size - inner.len);
	r = pm_oae_seal(stream, nonces, final, pm_view(plain, size), wr.ptr + LENGTH_SIZE);
	if (r < 0)
		return r;
	out->len += PM_SEALED_FRAME_OVERHEAD + size;
	return PM_OK;
}

/* Bytes that the contents take as frames. */
static size_t framed_size(size_t n, uint32_t bucket)
{
	size_t full = n / PM_SEALED_CONTENT_MAX, rest = n % PM_SEALED_CONTENT_MAX;
	size_t size = full * (PM_SEALED_FRAME_OVERHEAD + PM_SEALED_PLAIN_MAX);

	if (rest || !n)
		size += PM_SEALED_FRAME_OVERHEAD + pm_sealed_plain_size(rest, bucket);
	return size;
}

/* So that events that differ by a few bytes find room at once. */
static size_t round_up(size_t n)
{
	return (n + BUFFER_START - 1) / BUFFER_START * BUFFER_START;
}

int pm_sealed_append(struct pm_buffer *out, struct pm_oae_stream *stream, struct pm_nonces *nonces,
	uint32_t bucket, struct pm_view content, bool final)
{
	struct pm_rd rd = pm_rd(content);
	int r;

	if (content.len > SIZE_MAX / 4)
		return PM_E_LIMIT;
	r = pm_buffer_reserve(out, round_up(out->len + framed_size(content.len, bucket)));
	if (r < 0)
		return r;
	do {
		struct pm_view part = pm_rd_bytes(&rd, least(rd.left, PM_SEALED_CONTENT_MAX));

		r = append_one(out, stream, nonces, bucket, part, final && !rd.left);
	} while (r == PM_OK && rd.left);
	return r;
}
