/* SPDX-License-Identifier: Apache-2.0 */
/** @file audit.h
 * A log that can't be edited unseen: one JSON object a line, each with the hash of the one before,
 * signed. The coordinator keeps one of what it admitted and what it was told to change.
 *
 * A line is in canonical form (sorted keys, no white space; texts are printable ASCII without quote
 * and backslash) and ends with a newline:
 *
 *   {"event":"worker.joined","fields":{"replica":"a1","role":"worker"},"log":"coordinator",
 *    "previous":HEX,"sequence":7,"signature":BASE64,"time":"2026-03-01T00:00:00Z","version":1}
 *
 * The entry's hash is SHA-256 of "libpm audit hash v1", a zero byte and the object without its
 * signature; the signature is over "libpm audit entry v1", a zero byte and that hash. So two valid
 * signatures of one entry do not make two entries. previous is the hash of the entry before, zeros
 * before the first; sequence counts from 1.
 *
 * What it does not prove: that nothing was cut off at the end. Who keeps a head (number and hash of
 * the last entry) that he saw, or has one from the coordinator's attested document, gives it to
 * pm_audit_verify(), and a log that does not pass through it is refused. The times are what the
 * writer's clock said: their order is not demanded, that of the entries is.
 */
#ifndef PM_AUDIT_H
#define PM_AUDIT_H

#include <stddef.h>
#include <stdint.h>
#include <pm/api.h>
#include <pm/error.h>
#include <pm/key.h>
#include <pm/report.h>

PM_BEGIN_DECLS

/** Bytes of an entry's hash. */
#define PM_AUDIT_HASH_SIZE 32

/** Longest line, with its newline. */
#define PM_AUDIT_LINE_MAX 65536

/** Most entries of a log: 2^53 - 1, which each reader of JSON keeps exactly. */
#define PM_AUDIT_ENTRIES_MAX ((UINT64_C(1) << 53) - 1)

/** Largest text that is verified at once; a longer log is verified in pieces. */
#define PM_AUDIT_SIZE_MAX (64u << 20)

/** Longest name of a log, an event or a field, without the final NUL. */
#define PM_AUDIT_NAME_MAX 64

/** Longest value of a field, without the final NUL. */
#define PM_AUDIT_VALUE_MAX 1024

/** Most fields of one entry. */
#define PM_AUDIT_FIELDS_MAX 32

/** A log that is written. */
struct pm_audit;

/** A fact of an entry. */
struct pm_audit_field {
	/**
	 * Its name, of at most PM_AUDIT_NAME_MAX characters: lower-case letters, digits and ".",
	 * "_", "-", which it does not begin with.
	 */
	const char *name;
	/** Its value: any text. What is not printable ASCII, quotes and backslashes become "?". */
	const char *value;
};

/** Where a log ends. All zeros is the beginning of each log. */
struct pm_audit_head {
	/** How many entries it has, which is the sequence number of the last. */
	uint64_t entries;
	/** Hash of the last entry. */
	uint8_t hash[PM_AUDIT_HASH_SIZE];
	/** What the last entry says of its time, seconds since 1970-01-01T00:00:00Z. */
	int64_t time;
};

/**
 * pm_audit_new - begin a log
 * @key: the key that signs; borrowed, so it must live longer
 * @name: the log's name, as that of a field; copied
 * @ret_audit: receives the log, without entries, to be freed with pm_audit_free()
 *
 * One thread at a time writes a log.
 *
 * Return: 0; PM_E_ARG for such a name; PM_E_NOMEM.
 */
PM_API int pm_audit_new(
	const struct pm_sign_key *key, const char *name, struct pm_audit **ret_audit) PM_MUST_USE;

/**
 * pm_audit_free - free a log
 * @audit: the log, or NULL
 */
PM_API void pm_audit_free(struct pm_audit *audit);

/**
 * pm_audit_resume - go on behind an entry that was written earlier
 * @audit: the log; what it wrote before is forgotten
 * @line: the last line, with its newline
 * @len: its length
 * @report: receives the reason of a refusal, or NULL
 *
 * The line must be of this log and signed by its key. Also after a line from pm_audit_append() that
 * could not be stored: resume behind the last that was.
 *
 * Return: 0; PM_E_FORMAT; PM_E_UNSUPPORTED for another version; PM_E_LIMIT; PM_E_REJECTED;
 * PM_E_NOMEM; PM_E_CRYPTO; on failure the log is as it was.
 */
PM_API int pm_audit_resume(
	struct pm_audit *audit, const void *line, size_t len, struct pm_report *report) PM_MUST_USE;

/**
 * pm_audit_append - write an entry
 * @audit: the log
 * @now: the time, seconds since 1970-01-01T00:00:00Z, of a year from 1000 to 9999
 * @event: what happened, as a name of a field
 * @fields: facts, or NULL
 * @count: how many, at most PM_AUDIT_FIELDS_MAX, each of another name
 * @ret_line: receives the line, with newline and NUL, owned by the log until the next call
 * @ret_len: receives its length, without the NUL
 *
 * Return: 0; PM_E_ARG for such names or times; PM_E_LIMIT; PM_E_NOMEM; PM_E_CRYPTO; on failure the
 * log is as it was.
 */
PM_API int pm_audit_append(struct pm_audit *audit, int64_t now, const char *event,
	const struct pm_audit_field *fields, size_t count, const char **ret_line,
	size_t *ret_len) PM_MUST_USE;

/**
 * pm_audit_head - where the log ends
 * @audit: the log
 * @ret_head: receives the head; all zeros for a log without entries
 */
PM_API void pm_audit_head(const struct pm_audit *audit, struct pm_audit_head *ret_head);

/**
 * pm_audit_verify - is this the log, or a piece of it, as it was written?
 * @bytes: whole lines, at least one
 * @size: how many bytes, at most PM_AUDIT_SIZE_MAX
 * @key: the key that must have signed each
 * @name: the log's name
 * @seen: a head that the caller knows, or NULL: then the lines must begin with the first. With it
 * they begin at the latest right behind it, and pass through it
 * @report: receives what is wrong and in which line, or NULL
 * @ret_head: receives where the log ends
 *
 * Return: 0; PM_E_FORMAT for a line that is not an entry, or not whole; PM_E_UNSUPPORTED for
 * another version; PM_E_LIMIT; PM_E_REJECTED for another key or name, an entry that was changed,
 * dropped, put in or moved, a fork, and a log that ends before seen; PM_E_MISSING when entries are
 * lacking before the first line; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_audit_verify(const void *bytes, size_t size, const struct pm_sign_public *key,
	const char *name, const struct pm_audit_head *seen, struct pm_report *report,
	struct pm_audit_head *ret_head) PM_MUST_USE;

PM_END_DECLS

#endif
