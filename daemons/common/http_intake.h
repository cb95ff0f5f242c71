/* SPDX-License-Identifier: Apache-2.0 */
/* What came on a connection: kept until it is taken, and made into a request. For http_conn.c. */
#ifndef COMMON_HTTP_INTAKE_H
#define COMMON_HTTP_INTAKE_H

#include "common/http_conn.h"

/* False without memory. */
bool http_intake_keep(struct http_exchange *x, const char *bytes, size_t len);

/* Takes as much of it as the phase allows, and tells the transport whether to read on. */
void http_intake_go_on(struct http_exchange *x);

#endif
