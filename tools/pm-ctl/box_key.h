/* SPDX-License-Identifier: Apache-2.0 */
/* X-Wing keys, to which shares of a seed go. Each function prints its own error; exit statuses. */
#ifndef PM_CTL_BOX_KEY_H
#define PM_CTL_BOX_KEY_H

#include <jansson.h>
#include <pm/box.h>
#include <stdbool.h>
#include <stdio.h>

/* The name of the algorithm, beside pm_sign_type_name(). */
#define BOX_KEY_TYPE "x-wing"

/* Makes a key pair: the private key goes to output, and where wanted the public one too. */
int box_key_make(const char *output, const char *public_file);

/* A public key, or the public half of a private one: PM_BOX_PUBLIC_SIZE bytes. */
int box_key_load(const char *path, uint8_t *ret_public);

/* A private key, to be freed with pm_box_key_free(). */
int box_key_load_private(const char *path, struct pm_box_key **ret_key);

/* As box_key_load(), of a file's bytes: 0 or an enum pm_error, and nothing printed. */
int box_key_parse(const uint8_t *bytes, size_t len, struct pm_report *report, uint8_t *ret_public);

/* {"name", "key"}, as seed share owners have it. */
json_t *box_key_owner_json(const char *name, const uint8_t *public_key);

/* What key show prints. */
int box_key_print(const char *path, const uint8_t *public_key, bool json);

#endif
