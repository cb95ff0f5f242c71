/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An identity of the mesh in files, for programs beside this one that do their own TLS. In a
 * folder:
 *
 *     current/cert.pem   the certificate and the intermediate one
 *     current/key.pem    its key
 *     current/both.pem   both, for programs that want one file
 *     current/ca.pem     the certificate authority of the mesh
 *
 * "current" is a link to a folder with all of one identity, so whoever opens that sees none of
 * another; it is replaced by a rename. What was before goes after that. All of it is readable by
 * our user alone.
 */
#ifndef COMMON_MESH_FILES_H
#define COMMON_MESH_FILES_H

#include "common/mesh.h"

/* 0; PM_E_SYS; PM_E_NOMEM. What was there stays then. */
int mesh_files_write(const char *folder, const struct mesh_identity *identity);

#endif
