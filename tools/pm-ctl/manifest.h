/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs about manifests share. Each function prints its own error. */
#ifndef PM_CTL_MANIFEST_H
#define PM_CTL_MANIFEST_H

#include <jansson.h>
#include <pm/pm.h>
#include <stdbool.h>

int manifest_init(int argc, char **argv);
int manifest_check(int argc, char **argv);
int manifest_hash(int argc, char **argv);
int manifest_sign(int argc, char **argv);
int manifest_diff(int argc, char **argv);
int manifest_show(int argc, char **argv);

/* Reads a file and parses it; an exit status. */
int manifest_load(const char *path, struct pm_manifest **ret);
int manifest_load_signatures(const char *path, struct pm_signatures **ret);

/* A private key; what was read of the file is wiped. */
int manifest_load_key(const char *path, struct pm_sign_key **ret);

/* A public key, or the public half of a private one. */
int manifest_load_public(const char *path, struct pm_sign_public *ret);

/* The same of a file's bytes: 0 or an enum pm_error, and nothing printed. */
int manifest_parse_public(
	const uint8_t *bytes, size_t len, struct pm_report *report, struct pm_sign_public *ret);

/* Does the file hold a private key? */
bool manifest_is_private(const uint8_t *bytes, size_t len);

/* The manifest as JSON, for reading. NULL without memory. */
json_t *manifest_json(const struct pm_manifest *manifest);

/* {"name", "key"}, as owners have it. */
json_t *manifest_owner_json(const char *name, const struct pm_sign_public *public);

/* Prints it, indented, and lets go of it. */
int manifest_print_json(json_t *json);

/* The hash in hexadecimal: room for 65 bytes. */
void manifest_hash_text(const struct pm_manifest *manifest, char *ret_text);

#endif
