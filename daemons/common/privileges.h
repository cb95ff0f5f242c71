/* SPDX-License-Identifier: Apache-2.0 */
/* What a daemon gives up once its sockets are open. */
#ifndef COMMON_PRIVILEGES_H
#define COMMON_PRIVILEGES_H

/*
 * Becomes the user, where one is named, and gives up all capabilities, the right to new ones, and
 * core dumps: memory holds secrets. 0; PM_E_SYS with errno, PM_E_MISSING when there is no such
 * user.
 */
int privileges_drop(const char *user);

#endif
