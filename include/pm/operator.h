/* SPDX-License-Identifier: Apache-2.0 */
/** @file operator.h
 * How owners talk to the secret service of their deployment, over libcurl: they agree on a secret
 * with it (keyex.h, with the purpose PM_OPERATOR_PURPOSE, so that no worker can have it), whose
 * answer must be signed by a certificate of the mesh for the role "secrets"; then each request is a
 * sealed exchange (exchange.h) under that secret. What lies in between learns that somebody asked,
 * and nothing else.
 *
 * Trust comes from the mesh CA, which an attested coordinator names (coordinator.h). What the
 * service does, it does by commands (command.h) that owners signed for this very exchange:
 *
 *     pm_operator_new(url, &options, report, &operator);
 *     statement.exchange = pm_operator_exchange(operator);
 *     pm_command_new(&statement, report, &command); pm_command_sign(command, key); ...
 *     pm_operator_ask(operator, "PUT", "/secrets/ID", body, len, report, &answer);
 *
 * Requests and answers:
 *
 * - PUT /secrets/ID {"Command", "Salt", "Value"}: {"Id", "Expires"};
 * - DELETE /secrets/ID {"Command"}: {"Id"};
 * - POST /secrets/ID {"Command"}: {"Id", "Kind", "Created", "Expires", "Size", "Epoch", "Owner",
 *   "Rule"};
 * - POST /rotate {"Command"}: {"Rotating"};
 * - POST /backup {"Command"}: a backup;
 * - POST /restore {"Command", "Salt", "Value": a backup, "Key"}: {"Restored", "Kept", "Expired"};
 * - POST /log {"Command"}: {"key"}, and then lines of logs (audit.h).
 *
 * All members are base64 but for numbers and identifiers. A library built without libcurl has these
 * functions too: pm_operator_new() ends with PM_E_UNSUPPORTED.
 *
 * Thread safety: one thread at a time uses an operator.
 */
#ifndef PM_OPERATOR_H
#define PM_OPERATOR_H

#include <stddef.h>
#include <stdint.h>
#include <pm/api.h>
#include <pm/report.h>

PM_BEGIN_DECLS

/** Where owners agree on secrets. */
#define PM_OPERATOR_SECRET_PATH "/pm/v1/operator"
/** What these are for: see keyex.h. */
#define PM_OPERATOR_PURPOSE "libpm operator v1"
/** Where sealed requests go. */
#define PM_OPERATOR_ADMIN_PATH "/pm/v1/admin"
/** Longest URL, in bytes without the final NUL. */
#define PM_OPERATOR_URL_MAX 255
/** Largest body of a request. */
#define PM_OPERATOR_REQUEST_MAX (32u << 20)
/** Largest answer. */
#define PM_OPERATOR_ANSWER_MAX (256u << 20)

/** A secret that was agreed on with the service. Opaque. */
struct pm_operator;

/** How to talk to the service, and whom to accept. Set size; texts and bytes are copied. */
struct pm_operator_options {
	/** sizeof(struct pm_operator_options) as the caller was compiled. */
	size_t size;
	/** The mesh CA's certificate, DER, which the caller trusts. */
	const uint8_t *mesh_ca;
	/** Its length. */
	size_t mesh_ca_len;
	/** Hash of the manifest that the service must be of: 32 bytes. */
	const uint8_t *manifest_hash;
	/** Certificate authorities for https, PEM; NULL for the system's. */
	const char *ca_file;
	/** Milliseconds to connect; 0 for 10000. */
	uint32_t connect_ms;
	/** Milliseconds for a request; 0 for 120000. */
	uint32_t total_ms;
};

/** What the service answered. */
struct pm_operator_answer {
	/** HTTP status of the answer, which the service itself sealed. */
	int status;
	/** Zero. */
	int reserved;
	/** The body and a NUL. */
	uint8_t *body;
	/** Its length, without the NUL. */
	size_t len;
};

/**
 * pm_operator_new - agree on a secret with the service
 * @url: its address, or that of a gateway: "https://HOST[:PORT][/PATH]", or http
 * @options: the options
 * @report: receives what was checked and the reason of a failure, or NULL
 * @ret_operator: receives the operator, to be freed with pm_operator_free()
 *
 * Return: 0; PM_E_ARG for options that lack something; PM_E_NET when no answer came, or an error;
 * PM_E_FORMAT, PM_E_LIMIT for another answer or URL; as pm_keyex_client_finish() and
 * pm_mesh_keyex_role(); PM_E_NOMEM; PM_E_CRYPTO; PM_E_UNSUPPORTED.
 */
PM_API int pm_operator_new(const char *url, const struct pm_operator_options *options,
	struct pm_report *report, struct pm_operator **ret_operator) PM_MUST_USE;

/**
 * pm_operator_free - wipe and free an operator
 * @op: the operator, or NULL
 */
PM_API void pm_operator_free(struct pm_operator *op);

/**
 * pm_operator_exchange - the id of the secret, which statements name
 * @op: the operator
 *
 * Return: text, owned by the operator.
 */
PM_API const char *pm_operator_exchange(const struct pm_operator *op);

/**
 * pm_operator_ask - one sealed request
 * @op: the operator
 * @method: such as "PUT"
 * @path: such as "/secrets/ID"
 * @body: JSON
 * @len: its length, at most PM_OPERATOR_REQUEST_MAX
 * @report: receives the reason of a failure, or NULL
 * @ret_answer: receives the answer, of any status, to be cleared with pm_operator_answer_clear()
 *
 * Return: 0 for a whole answer that the service sealed; PM_E_NET when none came, or an error of
 * what lies in between: what was asked may have been done; PM_E_REJECTED for one that somebody else
 * made or changed; PM_E_MISSING for one that is cut off; PM_E_LIMIT, PM_E_FORMAT; PM_E_NOMEM;
 * PM_E_CRYPTO.
 */
PM_API int pm_operator_ask(struct pm_operator *op, const char *method, const char *path,
	const void *body, size_t len, struct pm_report *report,
	struct pm_operator_answer *ret_answer) PM_MUST_USE;

/**
 * pm_operator_answer_clear - wipe and free what an answer holds
 * @answer: the answer
 */
PM_API void pm_operator_answer_clear(struct pm_operator_answer *answer);

PM_END_DECLS

#endif
