/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The framing of a sealed stream (pm/sealed.h): one reader that takes bytes in any chunking and
 * gives back the header and whole messages, and one writer that pads, seals and frames contents.
 * Their buffers hold plaintext, so they are wiped whenever they are freed or moved.
 */
#ifndef PM_ENVELOPE_SEALED_FRAME_H
#define PM_ENVELOPE_SEALED_FRAME_H

#include <pm/report.h>
#include <pm/sealed.h>

#include "envelope/oae.h"

/* Memory that grows and is wiped. */
struct pm_buffer {
	uint8_t *ptr;
	size_t len, cap;
};

/* Room for n bytes in all; what is there stays. PM_E_NOMEM, and nothing is changed. */
int pm_buffer_reserve(struct pm_buffer *buffer, size_t n) PM_MUST_USE;
void pm_buffer_free(struct pm_buffer *buffer);

/* --- reading --------------------------------------------------------------------------------- */

enum pm_unit { PM_UNIT_HEADER, PM_UNIT_LENGTH, PM_UNIT_MESSAGE };

/* Filled with zeros it waits for the header. */
struct pm_frames {
	struct pm_buffer buffer; /* of the unit that is being read */
	size_t want;		 /* its size; 0: its beginning was not seen yet */
	enum pm_unit unit;
	bool any; /* a byte came */
};

/*
 * Takes bytes until a header or message is whole: *ret_unit says which, and *ret_bytes is it, in
 * the input or in the buffer, until the next call. *ret_bytes is empty when all bytes were taken
 * and more are needed. A message is not above PM_SEALED_MESSAGE_MAX, and the buffer has room for
 * it. PM_E_FORMAT, PM_E_LIMIT for a length out of range; PM_E_NOMEM.
 */
int pm_frames_next(struct pm_frames *frames, struct pm_view bytes, struct pm_report *report,
	size_t *ret_used, enum pm_unit *ret_unit, struct pm_view *ret_bytes) PM_MUST_USE;

/* How far the stream got, for people. */
const char *pm_frames_place(const struct pm_frames *frames);

void pm_frames_free(struct pm_frames *frames);

/* The content of a message's plaintext. PM_E_FORMAT. */
int pm_sealed_content(
	struct pm_view plain, struct pm_report *report, struct pm_view *ret) PM_MUST_USE;

/* --- writing --------------------------------------------------------------------------------- */

/* Is it 0 or a power of two from PM_SEALED_BUCKET_MIN to PM_SEALED_PLAIN_MAX? */
bool pm_sealed_is_bucket(uint32_t bucket);

/* Size of the plaintext for a content of n bytes, at most PM_SEALED_CONTENT_MAX. */
size_t pm_sealed_plain_size(size_t n, uint32_t bucket);

/*
 * Appends the contents as frames, each but the last full; an empty content makes one frame.
 * PM_E_NOMEM; what pm_oae_seal() returns. After an error the buffer's content means nothing.
 */
int pm_sealed_append(struct pm_buffer *out, struct pm_oae_stream *stream, struct pm_nonces *nonces,
	uint32_t bucket, struct pm_view content, bool final) PM_MUST_USE;

#endif
