/* SPDX-License-Identifier: Apache-2.0 */
/* What loops have: the store at once, all that needs keys when the first identity comes. */
#ifndef SECRETS_BEGIN_H
#define SECRETS_BEGIN_H

#include "common/daemon.h"
#include "pm-secrets/secrets.h"

/* Of struct daemon_program; arg is a struct secrets. */
int secrets_open_loop(struct loop *loop, void *arg);
void secrets_close_loop(struct loop *loop, void *arg);
void secrets_drain(struct loop *loop, void *arg);
int secrets_begin(struct service *service, void *arg);
void secrets_end(void *arg);

#endif
