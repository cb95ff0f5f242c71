/* SPDX-License-Identifier: Apache-2.0 */
/** @file verity.h
 * Disks that prove what they hold: the on-disk format of dm-verity. A tree of SHA-256 digests
 * covers each block of the data; who knows the root of the tree, the number of blocks and the salt
 * knows each byte. The tree and a superblock that describes it lie behind the data or in a file of
 * their own. The format is that of veritysetup(8), hash type 1 with SHA-256, byte for byte; Linux
 * opens it.
 *
 * Whoever holds the disk chooses its superblock, so a struct pm_verity_params that decides anything
 * comes from a manifest, and pm_verity_superblock_check() demands that the superblock agrees.
 * Without the number of blocks a root hash proves nothing: a block of the tree, shown as the data
 * of a smaller disk, has the same root.
 *
 * The library reads and writes through functions of the caller. Its memory is bounded, whatever the
 * size of the disk: below 2 MiB a thread.
 *
 * Source: Linux, Documentation/admin-guide/device-mapper/verity.rst; cryptsetup, docs/, DMVerity.
 */
#ifndef PM_VERITY_H
#define PM_VERITY_H

#include <stddef.h>
#include <stdint.h>
#include <pm/api.h>
#include <pm/report.h>

PM_BEGIN_DECLS

/** Bytes of a root hash: SHA-256. */
#define PM_VERITY_DIGEST_SIZE 32

/** Longest salt in bytes. */
#define PM_VERITY_SALT_MAX 256

/** Bytes of the UUID in a superblock. */
#define PM_VERITY_UUID_SIZE 16

/** Bytes of a superblock. */
#define PM_VERITY_SUPERBLOCK_SIZE 512

/** Smallest block in bytes, and what the offset of a superblock is a multiple of. */
#define PM_VERITY_BLOCK_MIN 512u

/** Largest block in bytes: Linux opens no larger one where its pages have 4096 bytes. */
#define PM_VERITY_BLOCK_MAX 4096u

/** Most threads of one call. */
#define PM_VERITY_THREADS_MAX 64u

/** The parameters of one disk: what the root hash alone does not say. */
struct pm_verity_params {
	/** sizeof(struct pm_verity_params), set by the caller. */
	size_t size;
	/** Number of data blocks, at least 1. */
	uint64_t data_blocks;
	/** Where the superblock begins in the hash file, in bytes: a multiple of 512. */
	uint64_t hash_offset;
	/** Bytes of a data block: a power of two, PM_VERITY_BLOCK_MIN to PM_VERITY_BLOCK_MAX. */
	uint32_t data_block_size;
	/** Bytes of a block of the tree: likewise. */
	uint32_t hash_block_size;
	/** Bytes of the salt, 0 to PM_VERITY_SALT_MAX. */
	uint32_t salt_size;
	/** The salt; what lies behind salt_size does not count. */
	uint8_t salt[PM_VERITY_SALT_MAX];
};

/** Where the parts of a disk lie, in bytes. */
struct pm_verity_layout {
	/** Size of the data. */
	uint64_t data_size;
	/** Where the tree begins in the hash file: the first whole block behind the superblock. */
	uint64_t tree_offset;
	/** Number of blocks of the tree; 0 for a single data block, whose digest is the root. */
	uint64_t tree_blocks;
	/** The first byte of the hash file behind the tree. */
	uint64_t end;
	/** Levels of the tree. */
	uint32_t levels;
};

/** A file or device, as functions of the caller. Several threads call them at once. */
struct pm_verity_io {
	/** Passed to each function. */
	void *arg;
	/** Bytes that the file or device has. Not looked at where a tree is written. */
	uint64_t size;
	/**
	 * Reads bytes at offset, all of them. 0, or a negative enum pm_error that the call then
	 * returns.
	 */
	int (*read)(void *arg, uint64_t offset, void *ret_bytes, size_t bytes);
	/**
	 * Reads count blocks of block_size bytes, which lie one behind the other at offset, to
	 * places that are stride bytes apart. NULL is fine: read does it, and a copy.
	 */
	int (*read_blocks)(void *arg, uint64_t offset, size_t block_size, size_t count,
		size_t stride, void *ret_bytes);
	/** Writes bytes at offset, all of them; likewise. NULL where nothing is written. */
	int (*write)(void *arg, uint64_t offset, const void *from, size_t bytes);
	/**
	 * Where does the first range at or behind offset begin and end that may hold other bytes
	 * than zero? Beyond the end of the file when there is none. Both above or equal to offset;
	 * 0, or a negative enum pm_error. NULL when not known: all is read then.
	 */
	int (*next_data)(void *arg, uint64_t offset, uint64_t *ret_begin, uint64_t *ret_end);
};

/** How to go through a disk. All zeros but size are good values. */
struct pm_verity_options {
	/** sizeof(struct pm_verity_options), set by the caller. */
	size_t size;
	/** Threads that hash, the calling one among them; 0 is 1. At most PM_VERITY_THREADS_MAX. */
	uint32_t threads;
	/** Passed to progress. */
	void *progress_arg;
	/**
	 * Told, from any of the threads but never from two at once, how many bytes of data are done
	 * of how many. May be NULL.
	 */
	void (*progress)(void *arg, uint64_t done, uint64_t total);
};

/**
 * pm_verity_layout_of - where the parts of a disk lie
 * @params: its parameters
 * @report: receives the reason of a failure; may be NULL
 * @ret_layout: receives the layout
 *
 * Return: 0; PM_E_ARG for an unknown size of the struct; PM_E_FORMAT when there are no blocks, or
 * when a block size or the offset is not as struct pm_verity_params says; PM_E_UNSUPPORTED for a
 * block above PM_VERITY_BLOCK_MAX; PM_E_LIMIT for a salt above PM_VERITY_SALT_MAX or a disk that
 * would end above 2^63 bytes. Thread safe.
 */
PM_API int pm_verity_layout_of(const struct pm_verity_params *params, struct pm_report *report,
	struct pm_verity_layout *ret_layout) PM_MUST_USE;

/**
 * pm_verity_superblock_parse - read a superblock; nothing in it is to be trusted
 * @bytes: PM_VERITY_SUPERBLOCK_SIZE bytes
 * @size: how many there are
 * @report: receives the reason of a failure; may be NULL
 * @ret_params: receives the parameters; hash_offset, which is not among them, is 0
 * @ret_uuid: receives PM_VERITY_UUID_SIZE bytes; may be NULL
 *
 * Strict: what is reserved must be zero, and so must what lies behind the salt.
 *
 * Return: 0; PM_E_FORMAT when it is not a superblock, or a value in it can't be; PM_E_UNSUPPORTED
 * for another version, hash type or hash than 1, 1 and "sha256", or a block above
 * PM_VERITY_BLOCK_MAX; PM_E_LIMIT as pm_verity_layout_of(). Thread safe.
 */
PM_API int pm_verity_superblock_parse(const void *bytes, size_t size, struct pm_report *report,
	struct pm_verity_params *ret_params, uint8_t *ret_uuid) PM_MUST_USE;

/**
 * pm_verity_superblock_make - write a superblock
 * @params: the parameters
 * @uuid: PM_VERITY_UUID_SIZE bytes
 * @report: receives the reason of a failure; may be NULL
 * @ret_bytes: receives PM_VERITY_SUPERBLOCK_SIZE bytes
 *
 * Return: 0; as pm_verity_layout_of(). Thread safe.
 */
PM_API int pm_verity_superblock_make(const struct pm_verity_params *params, const uint8_t *uuid,
	struct pm_report *report, uint8_t *ret_bytes) PM_MUST_USE;

/**
 * pm_verity_superblock_check - does a superblock say what the manifest says?
 * @params: the parameters to demand
 * @bytes: PM_VERITY_SUPERBLOCK_SIZE bytes, read at params->hash_offset
 * @size: how many there are
 * @report: receives each check under the name of its field; may be NULL
 *
 * Return: 0; PM_E_REJECTED when a field differs; as pm_verity_superblock_parse() when it can't be
 * read; as pm_verity_layout_of() for the parameters. Thread safe.
 */
PM_API int pm_verity_superblock_check(const struct pm_verity_params *params, const void *bytes,
	size_t size, struct pm_report *report) PM_MUST_USE;

/**
 * pm_verity_format - write the tree and the superblock of a disk
 * @params: the parameters
 * @uuid: PM_VERITY_UUID_SIZE bytes for the superblock
 * @data: the data
 * @hash: where superblock and tree go, readable and writable; the same pointer as data when they
 *        lie behind it
 * @options: see there; NULL for one thread without progress
 * @report: receives the reason of a failure; may be NULL
 * @ret_root: receives PM_VERITY_DIGEST_SIZE bytes, the root hash
 *
 * The superblock is written last: what was interrupted has none. Ranges that next_data passes over
 * are not read. The result is what veritysetup format writes, whatever the number of threads.
 *
 * Return: 0; PM_E_ARG for a missing function, an unknown size of a struct, or too many threads;
 * PM_E_FORMAT when the data is shorter than data_blocks, or would overlap the tree; as
 * pm_verity_layout_of(); PM_E_NOMEM; PM_E_CRYPTO; PM_E_SYS when a thread can't be made; what the
 * functions of data and hash return. Thread safe on disks of their own.
 */
PM_API int pm_verity_format(const struct pm_verity_params *params, const uint8_t *uuid,
	const struct pm_verity_io *data, const struct pm_verity_io *hash,
	const struct pm_verity_options *options, struct pm_report *report,
	uint8_t *ret_root) PM_MUST_USE;

/**
 * pm_verity_verify - is each block of a disk the one that the root hash names?
 * @params: the parameters, from whoever vouches for the root hash
 * @root: PM_VERITY_DIGEST_SIZE bytes, the root hash
 * @data: the data
 * @hash: the file with superblock and tree; the same pointer as data when they lie behind it
 * @options: see there; NULL for one thread without progress
 * @report: receives the checks; of a bad block "data" or "tree", its number, and its offset in its
 *          file; may be NULL
 *
 * Each block of data is compared with a digest that was followed down from the root in the very
 * bytes that were read. The first bad block is named, whatever the number of threads: the first of
 * the data, or the block of the tree on the way to it.
 *
 * Return: 0; PM_E_REJECTED when a block is not the right one, or the superblock disagrees;
 * PM_E_FORMAT when a file is too short, or the superblock is malformed; else as
 * pm_verity_format(). Thread safe.
 */
PM_API int pm_verity_verify(const struct pm_verity_params *params, const uint8_t *root,
	const struct pm_verity_io *data, const struct pm_verity_io *hash,
	const struct pm_verity_options *options, struct pm_report *report) PM_MUST_USE;

/**
 * pm_verity_root - the root hash that a stored tree leads to
 * @params: the parameters
 * @data: the data, of which a disk of one block has the root
 * @hash: the file with superblock and tree
 * @report: receives the reason of a failure; may be NULL
 * @ret_root: receives PM_VERITY_DIGEST_SIZE bytes
 *
 * Reads one block. It says nothing of the data: pm_verity_verify() does, with this root.
 *
 * Return: 0; as pm_verity_verify(), but never PM_E_REJECTED. Thread safe.
 */
PM_API int pm_verity_root(const struct pm_verity_params *params, const struct pm_verity_io *data,
	const struct pm_verity_io *hash, struct pm_report *report, uint8_t *ret_root) PM_MUST_USE;

PM_END_DECLS

#endif
