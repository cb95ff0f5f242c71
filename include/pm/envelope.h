/* SPDX-License-Identifier: Apache-2.0 */
/** @file envelope.h
 * Envelope encryption: all of it. keyex.h agrees on a secret with a service, direct.h with one
 * worker; field.h seals the values of a request one by one, as Privatemode does, body.h all those
 * of a body, and rules.h has what goes with it; exchange.h seals requests and responses whole, in
 * the format of sealed.h.
 */
#ifndef PM_ENVELOPE_H
#define PM_ENVELOPE_H

#include <pm/body.h>
#include <pm/direct.h>
#include <pm/exchange.h>
#include <pm/field.h>
#include <pm/keyex.h>
#include <pm/rules.h>
#include <pm/sealed.h>

#endif
