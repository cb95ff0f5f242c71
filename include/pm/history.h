/* SPDX-License-Identifier: Apache-2.0 */
/** @file history.h
 * The manifests that a deployment has had: a chain of links, each with the hash of its manifest and
 * of the link before, signed by the coordinator's key. And the memory of a client: what it saw
 * last, so that nobody shows it an older manifest, or another one of the same number.
 *
 * A link signs "libpm history link v1", a zero byte, serial, the manifest's hash, the hash of the
 * link before (zeros before the first) and the time; the numbers are 8 bytes, most significant
 * first. Its hash is SHA-256 of the same with the label "libpm history hash v1". So two valid
 * signatures of one link do not make two links.
 *
 * What it does not prove: a client without memory that is shown an old history whole can't tell;
 * then the validity of the manifest is what bounds its age.
 */
#ifndef PM_HISTORY_H
#define PM_HISTORY_H

#include <pm/manifest.h>
#include <pm/signatures.h>

PM_BEGIN_DECLS

/** Most links of one file. */
#define PM_HISTORY_LINKS_MAX 4096

/** Largest file of a history that is read. */
#define PM_HISTORY_SIZE_MAX (4u << 20)

/** Largest file of a client's memory that is read, and room for its text. */
#define PM_MEMORY_SIZE_MAX 1024

/** A history, parsed: its links follow each other, and nothing says yet who made them. */
struct pm_history;

/** One link. */
struct pm_history_link {
	/** Serial number of the manifest. */
	uint64_t serial;
	/** When the link was made, seconds since 1970-01-01T00:00:00Z. */
	int64_t time;
	/** Hash of the manifest. */
	uint8_t manifest[PM_MANIFEST_HASH_SIZE];
	/** Hash of the link before; zeros before the first. */
	uint8_t previous[PM_MANIFEST_HASH_SIZE];
	/** Hash of this link. */
	uint8_t hash[PM_MANIFEST_HASH_SIZE];
	/** The signature. */
	uint8_t signature[PM_SIGNATURE_SIZE_MAX];
	/** Length of the signature. */
	size_t signature_size;
};

/** What a client remembers of a deployment. */
struct pm_memory {
	/** Serial number of the newest manifest that it accepted. */
	uint64_t serial;
	/** Hash of that manifest. */
	uint8_t manifest[PM_MANIFEST_HASH_SIZE];
	/** Whether it knows the link of that manifest. */
	bool has_link;
	/** Hash of that link. */
	uint8_t link[PM_MANIFEST_HASH_SIZE];
};

/**
 * pm_history_new - a history without a link
 * @ret_history: receives it, to be freed with pm_history_free()
 *
 * Return: 0; PM_E_NOMEM.
 */
PM_API int pm_history_new(struct pm_history **ret_history) PM_MUST_USE;

/**
 * pm_history_parse - read a history
 * @bytes: JSON, from pm_history_text()
 * @size: how many; more than PM_HISTORY_SIZE_MAX are refused unread
 * @report: receives what is wrong and where, or NULL
 * @ret_history: receives it, to be freed with pm_history_free()
 *
 * Strict as pm_manifest_parse(). Serial numbers have no gap, each link names the hash of the one
 * before, and no time goes back. It may begin behind the first link.
 *
 * Return: 0; PM_E_FORMAT; PM_E_LIMIT; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_history_parse(const void *bytes, size_t size, struct pm_report *report,
	struct pm_history **ret_history) PM_MUST_USE;

/**
 * pm_history_free - free a history
 * @history: the history, or NULL
 */
PM_API void pm_history_free(struct pm_history *history);

/**
 * pm_history_at - one link, from the oldest
 * @history: the history
 * @index: from 0
 *
 * Return: the link, owned by the history until the next pm_history_append(); NULL past the end.
 */
PM_API const struct pm_history_link *pm_history_at(const struct pm_history *history, size_t index);

/**
 * pm_history_count - number of links
 * @history: the history
 *
 * Return: at most PM_HISTORY_LINKS_MAX.
 */
PM_API size_t pm_history_count(const struct pm_history *history);

/**
 * pm_history_append - add the link of a manifest that took force
 * @history: the history, from its first link on
 * @manifest: the manifest; whether its owners consented is not looked at: see pm_manifest_verify()
 * @key: the coordinator's key
 * @now: the time, seconds since 1970-01-01T00:00:00Z
 * @report: receives the reason of a refusal, or NULL
 *
 * Return: 0; PM_E_REJECTED when the manifest does not follow the last one, or the time goes back;
 * PM_E_LIMIT; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_history_append(struct pm_history *history, const struct pm_manifest *manifest,
	const struct pm_sign_key *key, int64_t now, struct pm_report *report) PM_MUST_USE;

/**
 * pm_history_text - write the links behind a serial number
 * @history: the history
 * @after: serial number of the last link that the reader knows; 0 for all
 * @ret_text: receives JSON and a NUL, to be freed with pm_history_text_free()
 * @ret_size: receives the length of the text
 *
 * Return: 0; PM_E_NOMEM.
 */
PM_API int pm_history_text(const struct pm_history *history, uint64_t after, char **ret_text,
	size_t *ret_size) PM_MUST_USE;

/**
 * pm_history_text_free - free what pm_history_text() made
 * @text: the text, or NULL
 */
PM_API void pm_history_text_free(char *text);

/**
 * pm_history_verify - does this history lead to that manifest, on from what the client remembers?
 * @history: the history
 * @key: the coordinator's key, that the caller trusts
 * @manifest: the manifest that is said to hold: it must be that of the last link, have its serial
 * number, and name the manifest of the link before
 * @memory: what the client remembers, or NULL at the first time
 * @report: receives each check, or NULL
 * @ret_memory: receives what to remember from now on
 *
 * Each link is signed by the key. A history whose end is older than the memory is a rollback; one
 * that has another link, or another manifest, in the place that is remembered is a fork; both are
 * refused. Without memory the history must begin with serial 1; with it, at the latest behind the
 * link that is remembered.
 *
 * Return: 0; PM_E_REJECTED; PM_E_MISSING when links are lacking between the memory and the history;
 * PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_history_verify(const struct pm_history *history, const struct pm_sign_public *key,
	const struct pm_manifest *manifest, const struct pm_memory *memory,
	struct pm_report *report, struct pm_memory *ret_memory) PM_MUST_USE;

/**
 * pm_memory_check - may a client that remembers accept this manifest, without a history?
 * @memory: what the client remembers, or NULL at the first time
 * @manifest: the manifest, whose owners' consent was verified
 * @report: receives each check, or NULL
 * @ret_memory: receives what to remember from now on
 *
 * The same manifest, or the very next, which names the hash of the one remembered.
 *
 * Return: 0; PM_E_REJECTED for a rollback and for a fork; PM_E_MISSING when manifests are lacking
 * between the two: a history, or each of them in turn, is needed.
 */
PM_API int pm_memory_check(const struct pm_memory *memory, const struct pm_manifest *manifest,
	struct pm_report *report, struct pm_memory *ret_memory) PM_MUST_USE;

/**
 * pm_memory_parse - read a client's memory
 * @bytes: JSON, from pm_memory_text()
 * @size: how many; more than PM_MEMORY_SIZE_MAX are refused unread
 * @report: receives what is wrong and where, or NULL
 * @ret_memory: receives the memory
 *
 * Strict; a checksum tells of a file that was damaged. It does not tell of one that was forged: who
 * can write the client's files can make it forget.
 *
 * Return: 0; PM_E_FORMAT; PM_E_LIMIT; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_memory_parse(const void *bytes, size_t size, struct pm_report *report,
	struct pm_memory *ret_memory) PM_MUST_USE;

/**
 * pm_memory_text - write a client's memory
 * @memory: the memory
 * @ret_text: receives JSON and a NUL, at most PM_MEMORY_SIZE_MAX bytes
 * @ret_size: receives the length of the text
 *
 * Return: 0; PM_E_CRYPTO.
 */
PM_API int pm_memory_text(
	const struct pm_memory *memory, char *ret_text, size_t *ret_size) PM_MUST_USE;

PM_END_DECLS

#endif
