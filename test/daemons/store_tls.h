/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate, key and authorities of a store's client, in files of PEM. */
#ifndef PM_TEST_STORE_TLS_H
#define PM_TEST_STORE_TLS_H

#include "common/store.h"

/* CERT, KEY, CA. Ends the program when it can't read one. */
struct store_tls store_tls_read(char *const files[3]);

/* Reads what follows --tls, if that is the first argument, and takes it off; else all NULL. */
struct store_tls store_tls_take(int *argc, char ***argv);

void store_tls_free(struct store_tls *tls);

#endif
