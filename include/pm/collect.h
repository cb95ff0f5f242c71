/* SPDX-License-Identifier: Apache-2.0 */
/** @file collect.h
 * Collect evidence on the machine that runs: an AMD SEV-SNP report for 64 bytes that the caller
 * chose, with the certificate table that the host gives along. What comes back is checked for shape
 * and for an echo of the question; it is not verified: that is pm_snp_verify()'s work, done by
 * whoever relies on it.
 *
 * Three sources are known: Linux's configfs-tsm, the device /dev/sev-guest, and an attester: a
 * program that answers on a Unix stream socket (a privileged agent for unprivileged processes, or
 * pm-sim where there is no such hardware). The protocol of attesters stands in pm-attester(7) and
 * in the PM_ATTESTER_... constants below; all its integers are big endian.
 *
 * This is the one part of the library below pm/net.h that does input and output, and only on the
 * paths named in the options.
 */
#ifndef PM_COLLECT_H
#define PM_COLLECT_H

#include <stddef.h>
#include <stdint.h>
#include <pm/error.h>
#include <pm/report.h>
#include <pm/snp.h>

PM_BEGIN_DECLS

/** Largest certificate table that is accepted. */
#define PM_COLLECT_TABLE_MAX 65536
/** Longest path in the options, with its NUL; for a socket the system's 108 bytes hold. */
#define PM_COLLECT_PATH_SIZE 256
/** Milliseconds that an attester may take when the options don't say. */
#define PM_COLLECT_TIMEOUT_MS 10000
/** Most milliseconds that the options may ask for. */
#define PM_COLLECT_TIMEOUT_MAX_MS 600000

/** First four bytes of each message between library and attester: protocol version 1. */
#define PM_ATTESTER_MAGIC "PMA1"
/** Kind of a request: SNP report with certificate table; the data are REPORT_DATA, 64 bytes. */
#define PM_ATTESTER_KIND_SNP 1
/** Size of a request without its data: magic, kind, level, length of the data. */
#define PM_ATTESTER_REQUEST_HEAD 16
/** Most data in a request of any kind. */
#define PM_ATTESTER_DATA_MAX 1024
/** Most evidence in a response of any kind; an SNP report has 1184 bytes. */
#define PM_ATTESTER_EVIDENCE_MAX 65536

/** Status in the response of an attester. */
enum pm_attester_status {
	/** Evidence follows. */
	PM_ATTESTER_OK = 0,
	/** The request was malformed; the attester closes the connection. */
	PM_ATTESTER_MALFORMED = 1,
	/** The attester does not serve this kind of evidence. */
	PM_ATTESTER_UNSUPPORTED = 2,
	/** The attester does not give evidence for this level, or not to this client. */
	PM_ATTESTER_REFUSED = 3,
	/** The hardware or the host failed. */
	PM_ATTESTER_FAILED = 4,
	/** Too many requests now: try again later. */
	PM_ATTESTER_BUSY = 5
};

/** Where evidence comes from. */
enum pm_collect_source {
	/** configfs-tsm where the kernel has it, else the device. Never the attester. */
	PM_COLLECT_AUTO = 0,
	/** configfs-tsm (Linux 6.7 and later). */
	PM_COLLECT_CONFIGFS = 1,
	/** The device of the sev-guest driver. */
	PM_COLLECT_DEVICE = 2,
	/** An attester on a Unix stream socket. */
	PM_COLLECT_ATTESTER = 3
};

/** How to collect. Fill with zeros, set size, then what differs from the default. */
struct pm_collect_options {
	/** sizeof(struct pm_collect_options) as the caller was compiled. */
	size_t size;
	/** Where from, an enum pm_collect_source; default PM_COLLECT_AUTO. */
	int source;
	/** Privilege level to be named in the report, 0 to 3; default 0. */
	uint32_t vmpl;
	/** Folder of configfs-tsm's reports; default "/sys/kernel/config/tsm/report". */
	const char *configfs;
	/** The device; default "/dev/sev-guest". */
	const char *device;
	/** The attester's socket; needed for PM_COLLECT_ATTESTER, which has no default. */
	const char *socket;
	/** Milliseconds for the whole exchange with an attester; default PM_COLLECT_TIMEOUT_MS. */
	uint32_t timeout_ms;
	/** Zero. */
	uint32_t reserved;
};

/** A collected report with its certificate table. Opaque; not verified. */
struct pm_collected;

/**
 * pm_collect_snp - ask this machine for an SNP report
 * @report_data: 64 bytes to be signed: REPORT_DATA of the report
 * @options: where from and how, or NULL for the defaults
 * @report: receives the source and the reason of a failure, or NULL
 * @ret_collected: receives the answer, to be freed with pm_collected_free()
 *
 * The answer has 1184 bytes and carries exactly this REPORT_DATA and VMPL, or there is none. The
 * call blocks while the hardware works, which is milliseconds, and at most some seconds while the
 * host throttles requests; an attester may take what the options allow.
 *
 * Return: 0; PM_E_ARG for options that make no sense; PM_E_MISSING when this machine has no such
 * source; PM_E_UNSUPPORTED when the source serves another kind of hardware or refuses the level;
 * PM_E_SYS when the system or the attester failed; PM_E_STATE when the source stayed busy;
 * PM_E_NET when the attester did not answer in time or hung up; PM_E_FORMAT when the answer is
 * malformed; PM_E_REJECTED when it answers another question; PM_E_LIMIT when the certificate
 * table is above PM_COLLECT_TABLE_MAX; PM_E_NOMEM; PM_E_CRYPTO. Thread safe.
 *
 * Sources: Linux Documentation/ABI/testing/configfs-tsm-report, Documentation/virt/coco/
 * sev-guest.rst; AMD 56421 (GHCB), section "SNP Guest Request"; pm-attester(7).
 */
PM_API int pm_collect_snp(const uint8_t *report_data, const struct pm_collect_options *options,
	struct pm_report *report, struct pm_collected **ret_collected) PM_MUST_USE;

/**
 * pm_collected_free - free an answer
 * @collected: the answer, or NULL
 */
PM_API void pm_collected_free(struct pm_collected *collected);

/**
 * pm_collected_report - the report: input of pm_snp_evidence_parse()
 * @collected: the answer
 *
 * Return: PM_SNP_REPORT_SIZE bytes, owned by the answer. Thread safe.
 */
PM_API const uint8_t *pm_collected_report(const struct pm_collected *collected);

/**
 * pm_collected_table - the certificate table: input of pm_snp_evidence_add_table()
 * @collected: the answer
 * @ret_size: receives the number of bytes; 0 when the host gives no certificates
 *
 * Return: the bytes, owned by the answer, never NULL. Thread safe.
 */
PM_API const uint8_t *pm_collected_table(const struct pm_collected *collected, size_t *ret_size);

/**
 * pm_collected_source - where the answer came from
 * @collected: the answer
 *
 * Return: an enum pm_collect_source, never PM_COLLECT_AUTO. Thread safe.
 */
PM_API int pm_collected_source(const struct pm_collected *collected);

PM_END_DECLS

#endif
