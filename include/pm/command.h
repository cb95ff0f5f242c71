/* SPDX-License-Identifier: Apache-2.0 */
/** @file command.h
 * What owners of a deployment tell its secret service: to keep a secret, to end one, to rotate its
 * keys, to show, back up, restore. A command is a statement that as many owners sign as the
 * manifest demands, each with his own key and on whatever machine; so neither who carries it nor
 * who runs the service can make one, change one, or use one again.
 *
 * It is JSON: {"statement": {...}, "signatures": [...]}. The statement names all that it decides:
 *
 *     {"version": 1, "op": "put", "id": "weights/key-1", "exchange": "...", "manifest": "...",
 *      "content": "...", "issued": "2026-11-23T10:00:00Z", "expires": "2026-12-01T00:00:00Z",
 *      "roles": ["worker"], "models": null}
 *
 * - exchange: the id of the secret that was agreed with the service for this command: see keyex.h.
 *   So a command is good in the one exchange that it was made for;
 * - manifest: hash of the manifest whose owners agree;
 * - content: what is brought along, as pm_command_content() says; null where nothing is;
 * - expires: when the secret ends; null where none is kept;
 * - roles, models: who may have the secret, of those whom the manifest lets; null for all of them.
 *
 * What is signed is "libpm secrets command v1", a zero byte and SHA-256 of the statement's
 * canonical form: Ed25519 signs these 57 bytes, P-384 their SHA-384. Signatures stand as in
 * signatures.h.
 */
#ifndef PM_COMMAND_H
#define PM_COMMAND_H

#include <pm/manifest.h>
#include <pm/signatures.h>

PM_BEGIN_DECLS

/** Largest command that is read, and room for its text. */
#define PM_COMMAND_SIZE_MAX 131072

/** Bytes that an owner signs. */
#define PM_COMMAND_MESSAGE_SIZE 57

/** Bytes of a content's digest, and of the salt in it. */
#define PM_COMMAND_DIGEST_SIZE 32

/** Longest identifier of a secret, without its NUL: as a manifest has it. */
#define PM_COMMAND_ID_MAX PM_MANIFEST_MODEL_NAME_MAX

/** Most seconds since a command was issued. */
#define PM_COMMAND_AGE_MAX 3600

/** Most seconds that its issuer's clock may be ahead. */
#define PM_COMMAND_SKEW 30

/** Longest life of a secret, in seconds: 30 days. The shortest is one. */
#define PM_COMMAND_TTL_MAX 2592000

/** What the identifiers of clients' secrets begin with: no owner puts one there. */
#define PM_COMMAND_CLIENTS "inference/"

/** Likewise of those that commands come under, which no worker gets. */
#define PM_COMMAND_OPERATORS "operator/"

/** What is to be done. */
enum pm_command_op {
	/** Keep a secret, or replace it. */
	PM_COMMAND_PUT = 1,
	/** End a secret. */
	PM_COMMAND_REVOKE = 2,
	/** Tell of a secret what is no secret: times, size, who may have it. */
	PM_COMMAND_SHOW = 3,
	/** Seal all values under new keys. */
	PM_COMMAND_ROTATE = 4,
	/** Hand out all secrets of owners, encrypted to the holders of seed shares. */
	PM_COMMAND_BACKUP = 5,
	/** Take in what a backup holds. */
	PM_COMMAND_RESTORE = 6,
	/** Hand out the log. */
	PM_COMMAND_LOG = 7
};

/** A command with its signatures. Nothing in it is trusted until pm_command_verify() says so. */
struct pm_command;

/** What a statement says. */
struct pm_command_statement {
	/** What is to be done. */
	enum pm_command_op op;
	/** Zero. */
	int reserved;
	/** The secret's identifier; "" where op is about none. */
	const char *id;
	/** Id of the secret that this exchange is under. */
	const char *exchange;
	/** Hash of the manifest: PM_MANIFEST_HASH_SIZE bytes. */
	const uint8_t *manifest;
	/** PM_COMMAND_DIGEST_SIZE bytes; NULL where op brings nothing along. */
	const uint8_t *content;
	/** When it was issued, seconds since 1970-01-01T00:00:00Z. */
	int64_t issued;
	/** When the secret ends, likewise; 0 where op keeps none. */
	int64_t expires;
	/** Names of roles that may have it, or NULL: whom the manifest lets. */
	const char *const *roles;
	/** How many; 0 for NULL. */
	size_t role_count;
	/** Names of models, of which one must be served, or NULL: as the manifest has it. */
	const char *const *models;
	/** How many; 0 for NULL. */
	size_t model_count;
};

/** What a command must be for. */
struct pm_command_demands {
	/** sizeof(struct pm_command_demands) as the caller was compiled. */
	size_t size;
	/** The manifest that holds, whose owners decide. */
	const struct pm_manifest *manifest;
	/** What is asked for. */
	enum pm_command_op op;
	/** Zero. */
	int reserved;
	/** Of which secret; "" for none. */
	const char *id;
	/** Id of the secret that the exchange is under. */
	const char *exchange;
	/** Digest of what came along, PM_COMMAND_DIGEST_SIZE bytes; NULL for nothing. */
	const uint8_t *content;
	/** The time, seconds since 1970-01-01T00:00:00Z. */
	int64_t now;
};

/**
 * pm_command_content - the digest of what a command brings along
 * @salt: PM_COMMAND_DIGEST_SIZE random bytes, which go along too: a digest of a short secret alone
 * could be guessed by who sees the statement
 * @bytes: the secret, or a backup
 * @len: how many
 * @ret_digest: receives PM_COMMAND_DIGEST_SIZE bytes: SHA-256 of "libpm secrets content v1", a zero
 * byte, salt and bytes
 *
 * Return: 0; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_command_content(
	const uint8_t *salt, const void *bytes, size_t len, uint8_t *ret_digest) PM_MUST_USE;

/**
 * pm_command_salt - draw a salt
 * @ret_salt: receives PM_COMMAND_DIGEST_SIZE bytes from the system's generator
 *
 * Return: 0; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_command_salt(uint8_t *ret_salt) PM_MUST_USE;

/**
 * pm_command_new - make a command without a signature
 * @statement: what it says; copied
 * @report: receives what is wrong, or NULL
 * @ret_command: receives it, to be freed with pm_command_free()
 *
 * Return: 0; PM_E_FORMAT for a statement that pm_command_parse() would refuse; PM_E_LIMIT;
 * PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_command_new(const struct pm_command_statement *statement, struct pm_report *report,
	struct pm_command **ret_command) PM_MUST_USE;

/**
 * pm_command_parse - read a command
 * @bytes: JSON, from pm_command_text()
 * @size: how many; more than PM_COMMAND_SIZE_MAX are refused unread
 * @report: receives what is wrong and where, or NULL
 * @ret_command: receives it, to be freed with pm_command_free()
 *
 * Strict as pm_manifest_parse(); a command has what its op needs, and no more.
 *
 * Return: 0; PM_E_FORMAT; PM_E_UNSUPPORTED for another version; PM_E_LIMIT; PM_E_NOMEM;
 * PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_command_parse(const void *bytes, size_t size, struct pm_report *report,
	struct pm_command **ret_command) PM_MUST_USE;

/**
 * pm_command_free - free a command
 * @command: the command, or NULL
 */
PM_API void pm_command_free(struct pm_command *command);

/**
 * pm_command_statement - what a command says
 * @command: the command
 *
 * Return: it, owned by the command. Thread safe.
 */
PM_API const struct pm_command_statement *pm_command_statement(const struct pm_command *command);

/**
 * pm_command_signature_at - one signature, in the order of the file
 * @command: the command
 * @index: from 0
 *
 * Return: it, owned by the command; NULL past the end. Nothing says that it is good, but for those
 * of owners after pm_command_verify().
 */
PM_API const struct pm_signature *pm_command_signature_at(
	const struct pm_command *command, size_t index);

/**
 * pm_command_message - what an owner signs, for keys that live elsewhere
 * @command: the command
 * @ret_message: receives PM_COMMAND_MESSAGE_SIZE bytes, of which the last 32 stand for this very
 * statement
 */
PM_API void pm_command_message(const struct pm_command *command, uint8_t *ret_message);

/**
 * pm_command_sign - sign, and add the signature
 * @command: the command
 * @key: a private key
 *
 * Return: 0; PM_E_STATE when the key has signed already; PM_E_LIMIT; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_command_sign(struct pm_command *command, const struct pm_sign_key *key) PM_MUST_USE;

/**
 * pm_command_merge - take over the signatures of another copy of the same command
 * @command: the command
 * @other: one whose statement is the same
 *
 * A key that has signed both counts once.
 *
 * Return: 0; PM_E_REJECTED for another statement; PM_E_LIMIT.
 */
PM_API int pm_command_merge(struct pm_command *command, const struct pm_command *other) PM_MUST_USE;

/**
 * pm_command_text - write a command
 * @command: the command
 * @ret_text: receives JSON and a NUL, at most PM_COMMAND_SIZE_MAX bytes
 * @ret_size: receives the length of the text
 *
 * Return: 0; PM_E_NOMEM; PM_E_LIMIT.
 */
PM_API int pm_command_text(
	const struct pm_command *command, char *ret_text, size_t *ret_size) PM_MUST_USE;

/**
 * pm_command_verify - did enough owners give this command, for this exchange, and now?
 * @command: the command
 * @demands: what is asked for: all of it must be what the statement says
 * @report: receives each check, or NULL
 *
 * Each owner counts once, as in pm_manifest_verify(). A secret that is put ends after now and
 * within PM_COMMAND_TTL_MAX seconds, is none of the clients', and its roles and models are the
 * manifest's. Whoever obeys remembers the command's message for PM_COMMAND_AGE_MAX and
 * PM_COMMAND_SKEW seconds, and does not obey twice.
 *
 * Return: 0; PM_E_ARG for demands that are incomplete; PM_E_REJECTED; PM_E_STALE for one issued too
 * long ago or in the future; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 */
PM_API int pm_command_verify(const struct pm_command *command,
	const struct pm_command_demands *demands, struct pm_report *report) PM_MUST_USE;

/**
 * pm_command_op_name - the word for an op
 * @op: an enum pm_command_op
 *
 * Return: such as "put"; "unknown". Static.
 */
PM_API const char *pm_command_op_name(int op);

PM_END_DECLS

#endif
