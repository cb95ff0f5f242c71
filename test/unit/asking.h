/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client who attests the coordinator of a world, right in everything: its questions, and what
 * came of them. A test changes one thing, and asks. Each program has one such client.
 */
#ifndef PM_TEST_ASKING_H
#define PM_TEST_ASKING_H

#include "mesh_world.h"
#include "net/coordinator.h"

extern struct mesh_world world;
extern struct pm_coordinator *coordinator;
extern struct pm_coordinator_options options;
extern struct pm_coordinator_trust trust;
extern struct pm_verdict *verdict;
extern struct pm_report *report;
extern struct pm_deployment *deployment;
extern char memory[96]; /* a file that is not there yet */

/* A fixture of each test; scene_make_keys() comes first. */
void asking_set_up(void);
void asking_tear_down(void);

/* A new coordinator's client, with the options as they now are. */
void new_coordinator(void);

/* Anew: the error, and the deployment when there is none. */
int attest(void);

/* Why it was refused. */
const char *reason(void);

/* Refused, and the reason names what was found and what was wanted. */
void refused(int error, const char *part);

#endif
