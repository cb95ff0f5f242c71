/* SPDX-License-Identifier: Apache-2.0 */
/** @file text.h
 * Text forms of bytes and times, as command lines and configuration need them. All functions are
 * thread safe and allocate nothing.
 */
#ifndef PM_TEXT_H
#define PM_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <pm/api.h>

PM_BEGIN_DECLS

/** Size of the text of pm_time_format(), with its final NUL. */
#define PM_TIME_TEXT_SIZE 21

/**
 * pm_hex_decode - read bytes written in hexadecimal
 * @text: 2 * size digits of either case, nothing else
 * @ret_bytes: receives size bytes; untouched on failure
 * @size: number of bytes wanted
 *
 * Return: 0; PM_E_FORMAT when the text has another length or another character.
 */
PM_API int pm_hex_decode(const char *text, uint8_t *ret_bytes, size_t size) PM_MUST_USE;

/**
 * pm_hex_encode - write bytes in lower-case hexadecimal
 * @bytes: the bytes
 * @size: how many
 * @ret_text: receives 2 * size digits and a NUL: room for 2 * size + 1
 */
PM_API void pm_hex_encode(const uint8_t *bytes, size_t size, char *ret_text);

/**
 * pm_text_base64_decode - read bytes written in base64
 * @text: base64 of RFC 4648, section 4, with padding and without white space; no NUL needed
 * @len: number of characters
 * @ret_bytes: receives the bytes
 * @cap: room there; 3 bytes for each 4 characters suffice
 * @ret_len: receives how many bytes were written
 *
 * Return: 0; PM_E_FORMAT for other text; PM_E_LIMIT when it does not fit.
 */
PM_API int pm_text_base64_decode(
	const char *text, size_t len, uint8_t *ret_bytes, size_t cap, size_t *ret_len) PM_MUST_USE;

/**
 * pm_text_base64_encode - write bytes in base64
 * @bytes: the bytes
 * @size: how many
 * @ret_text: receives base64 of RFC 4648, section 4, with padding, and a NUL
 * @room: bytes of ret_text: at least 4 for each 3 bytes or part of them, and 1
 *
 * Return: 0; PM_E_LIMIT when it does not fit.
 */
PM_API int pm_text_base64_encode(
	const uint8_t *bytes, size_t size, char *ret_text, size_t room) PM_MUST_USE;

/**
 * pm_time_parse - read a time in the form of RFC 3339
 * @text: "2026-03-01T00:00:00Z", with an optional fraction (dropped) and "Z" or an offset
 * @ret_time: receives seconds since 1970-01-01T00:00:00Z; untouched on failure
 *
 * Return: 0; PM_E_FORMAT when the text is not such a time or names a day that does not exist.
 */
PM_API int pm_time_parse(const char *text, int64_t *ret_time) PM_MUST_USE;

/**
 * pm_time_format - write a time in the form of RFC 3339, in UTC
 * @time: seconds since 1970-01-01T00:00:00Z, of a year from 1000 to 9999
 * @ret_text: receives PM_TIME_TEXT_SIZE bytes; "(out of range)" for another year
 */
PM_API void pm_time_format(int64_t time, char *ret_text);

PM_END_DECLS

#endif
