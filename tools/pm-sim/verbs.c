/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-sim/sim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/rand.h>

int sim_time_option(const char *text, int64_t fallback, int64_t *ret)
{
	*ret = fallback;
	if (!text || pm_time_parse(text, ret) == PM_OK)
		return TOOL_OK;
	return sim_fail("%s: not a time (2026-03-01T00:00:00Z)", text);
}

/* --- init ------------------------------------------------------------------------------------- */

static int init_chip_id(struct sim_machine *m, const char *text)
{
	size_t n = m->product->hwid_size;

	if (text && pm_hex_decode(text, m->chip_id, n) != PM_OK)
		return sim_fail("--chip-id needs %zu bytes in hexadecimal", n);
	if (!text && RAND_bytes(m->chip_id, (int)n) != 1)
		return sim_fail("no random bytes");
	return TOOL_OK;
}

static int init_settings(const struct sim_options *o, struct sim_machine *m)
{
	const char *csp_id = o->csp_id ? o->csp_id : "CN=cloud.test";
	const char *product = o->product ? o->product : "Milan";
	int r = TOOL_OK;

	*m = (struct sim_machine){.dir = o->dir, .vlek = o->vlek};
	m->product = sim_product_find(product);
	if (!m->product)
		return sim_fail("%s: unknown product (Milan, Genoa, Turin)", product);
	if (!csp_id[0] || strlen(csp_id) >= sizeof(m->csp_id))
		return sim_fail("--csp-id needs 1 to 63 bytes");
	strcpy(m->csp_id, csp_id);
	m->tcb = m->product->tcb;
	if (o->tcb)
		r = sim_tcb_parse(o->tcb, &m->tcb);
	return r ? r : init_chip_id(m, o->chip_id);
}

static int write_policy(const struct sim_machine *m, const struct sim_bytes *ark)
{
	uint8_t digest[32];
	char hex[2 * sizeof(digest) + 1], text[128];
	int n;

	EVP_Digest(ark->ptr, ark->len, digest, NULL, EVP_sha256(), NULL);
	pm_hex_encode(digest, sizeof(digest), hex);
	n = snprintf(text, sizeof(text), "{\"test_roots\": [\"%s\"]}\n", hex);
	return sim_machine_write(m, "policy.json", text, (size_t)n);
}

static int write_evidence(const struct sim_machine *m, const struct sim_evidence *e)
{
	__attribute__((cleanup(sim_cleanup_bytes))) struct sim_bytes chain = {0};
	int r = sim_evidence_chain(e, &chain);

	if (r == TOOL_OK)
		r = sim_machine_write(m, "chain.pem", chain.ptr, chain.len);
	if (r == TOOL_OK)
		r = sim_machine_write(m, "vek.der", e->vek.ptr, e->vek.len);
	if (r == TOOL_OK)
		r = sim_machine_write(m, "crl.der", e->crl.ptr, e->crl.len);
	if (r == TOOL_OK)
		r = write_policy(m, &e->ark);
	return r;
}

/* Both intermediates, whichever the machine uses: a defect takes the other one. */
static int issue_authorities(struct sim_plan *plan)
{
	static const enum sim_key kinds[] = {SIM_ASK, SIM_ASVK};
	static const char *const files[] = {"ask.der", "asvk.der"};
	__attribute__((cleanup(sim_cleanup_bytes))) struct sim_bytes der = {0};
	struct sim_plan p = *plan;
	int r = sim_ark_make(&p, &der);

	if (r == TOOL_OK)
		r = sim_machine_write(p.machine, "ark.der", der.ptr, der.len);
	for (int i = 0; r == TOOL_OK && i < 2; i++) {
		p.ica_kind = kinds[i];
		p.ica.key = kinds[i];
		r = sim_ica_make(&p, &der);
		if (r == TOOL_OK)
			r = sim_machine_write(p.machine, files[i], der.ptr, der.len);
	}
	return r;
}

int sim_machine_issue(struct sim_machine *m, int64_t now)
{
	__attribute__((cleanup(sim_cleanup_evidence))) struct sim_evidence e = {0};
	struct sim_plan plan;
	int r;

	sim_plan_init(&plan, m, now);
	r = issue_authorities(&plan);
	plan.vek.remake = true;
	plan.crl.remake = true;
	if (r == TOOL_OK)
		r = sim_evidence_make(&plan, &e);
	return r ? r : write_evidence(m, &e);
}

int sim_verb_init(const struct sim_options *o)
{
	struct sim_machine m;
	int r = init_settings(o, &m);

	if (r == TOOL_OK && mkdir(o->dir, 0700) < 0 && errno != EEXIST)
		r = sim_fail("%s: %s", o->dir, strerror(errno));
	if (r == TOOL_OK)
		r = sim_machine_issue(&m, o->now);
	if (r == TOOL_OK)
		r = sim_machine_save(&m);
	if (r == TOOL_OK)
		printf("%s: %s %s\nTEST ROOT: nothing that this tool signs proves anything\n",
			o->dir, m.product->name, m.vlek ? "VLEK" : "VCEK");
	sim_machine_free(&m);
	return r;
}

/* --- report ----------------------------------------------------------------------------------- */

static int plan_for(const struct sim_options *o, struct sim_machine *m, struct sim_plan *plan)
{
	sim_plan_init(plan, m, o->now);
	sim_request_certs(&o->request, plan);
	return TOOL_OK;
}

static int write_option(const char *path, const struct sim_bytes *bytes)
{
	return path ? tool_write_file(path, bytes->ptr, bytes->len, 0644) : TOOL_OK;
}

static int write_outputs(const struct sim_options *o, struct sim_plan *plan)
{
	__attribute__((cleanup(sim_cleanup_evidence))) struct sim_evidence e = {0};
	__attribute__((cleanup(sim_cleanup_bytes))) struct sim_bytes chain = {0}, table = {0};
	int r = sim_evidence_make(plan, &e);

	if (r == TOOL_OK)
		r = sim_evidence_chain(&e, &chain);
	if (r == TOOL_OK)
		r = sim_evidence_table(plan, &e, o->table_crl, &table);
	if (r == TOOL_OK)
		r = write_option(o->vek, &e.vek);
	if (r == TOOL_OK)
		r = write_option(o->chain, &chain);
	if (r == TOOL_OK)
		r = write_option(o->crl, &e.crl);
	if (r == TOOL_OK)
		r = write_option(o->certs, &table);
	return r;
}

static int report(const struct sim_options *o, struct sim_machine *m)
{
	uint8_t report_data[PM_SNP_REPORT_DATA_SIZE];
	struct sim_plan plan;
	int r;

	if (!o->report_data || pm_hex_decode(o->report_data, report_data, 64) != PM_OK)
		return sim_fail("report needs --report-data with 64 bytes in hexadecimal");
	if (!o->output)
		return sim_fail("report needs -o FILE");
	r = plan_for(o, m, &plan);
	if (r == TOOL_OK)
		r = sim_request_report(&o->request, report_data, &plan);
	if (r == TOOL_OK)
		r = write_outputs(o, &plan);
	if (r == TOOL_OK)
		r = tool_write_file(o->output, plan.report, plan.report_size, 0644);
	return r;
}

int sim_verb_report(const struct sim_options *o)
{
	struct sim_machine m;
	int r = sim_machine_load(o->dir, &m);

	if (r == TOOL_OK)
		r = report(o, &m);
	sim_machine_free(&m);
	return r;
}

/* --- serve ------------------------------------------------------------------------------------ */

static int serve(const struct sim_options *o, struct sim_machine *m)
{
	__attribute__((cleanup(sim_cleanup_evidence))) struct sim_evidence e = {0};
	__attribute__((cleanup(sim_cleanup_bytes))) struct sim_bytes table = {0};
	static const uint8_t trial[PM_SNP_REPORT_DATA_SIZE];
	struct sim_plan plan;
	int r = plan_for(o, m, &plan);

	if (r == TOOL_OK)
		r = sim_evidence_make(&plan, &e);
	if (r == TOOL_OK)
		r = sim_evidence_table(&plan, &e, o->table_crl, &table);
	if (r == TOOL_OK)
		r = sim_request_report(&o->request, trial, &plan); /* bad fields show up now */
	if (r == TOOL_OK)
		r = sim_serve(o->socket, &plan, &o->request, &table);
	return r;
}

int sim_verb_serve(const struct sim_options *o)
{
	struct sim_machine m;
	int r = sim_machine_load(o->dir, &m);

	if (r == TOOL_OK && !o->socket)
		r = sim_fail("serve needs --socket PATH");
	if (r == TOOL_OK)
		r = serve(o, &m);
	sim_machine_free(&m);
	return r;
}

/* --- vek, crl --------------------------------------------------------------------------------- */

static int write_der(const struct sim_machine *m, const struct sim_options *o, const char *name,
	const struct sim_bytes *der)
{
	if (o->output)
		return tool_write_file(o->output, der->ptr, der->len, 0644);
	return sim_machine_write(m, name, der->ptr, der->len);
}

static int vek(const struct sim_options *o, struct sim_machine *m)
{
	__attribute__((cleanup(sim_cleanup_bytes))) struct sim_bytes der = {0};
	struct sim_plan plan;
	int r = TOOL_OK;

	if (o->tcb)
		r = sim_tcb_parse(o->tcb, &m->tcb);
	if (r != TOOL_OK)
		return r;
	sim_plan_init(&plan, m, o->now);
	r = sim_time_option(o->not_before, plan.vek.not_before, &plan.vek.not_before);
	if (r == TOOL_OK)
		r = sim_time_option(o->not_after, plan.vek.not_after, &plan.vek.not_after);
	sim_request_certs(&o->request, &plan);
	if (r == TOOL_OK)
		r = sim_vek_make(&plan, &der);
	if (r == TOOL_OK)
		r = write_der(m, o, "vek.der", &der);
	if (r == TOOL_OK && o->tcb && !o->output)
		r = sim_machine_save(m);
	return r;
}

int sim_verb_vek(const struct sim_options *o)
{
	struct sim_machine m;
	int r = sim_machine_load(o->dir, &m);

	if (r == TOOL_OK)
		r = vek(o, &m);
	sim_machine_free(&m);
	return r;
}

static int revoke(const struct sim_options *o, struct sim_plan *plan)
{
	const struct sim_product *p = plan->machine->product;
	uint64_t serial;

	for (size_t i = 0; i < o->revoke_count; i++) {
		if (strcmp(o->revoke[i], "ask") == 0)
			serial = p->ask_serial;
		else if (strcmp(o->revoke[i], "asvk") == 0)
			serial = p->asvk_serial;
		else if (sim_number_parse(o->revoke[i], UINT32_MAX, &serial) != TOOL_OK)
			return TOOL_USAGE;
		plan->crl.revoked[plan->crl.revoked_count++] = (uint32_t)serial;
	}
	return TOOL_OK;
}

static int crl(const struct sim_options *o, struct sim_machine *m)
{
	__attribute__((cleanup(sim_cleanup_bytes))) struct sim_bytes der = {0};
	struct sim_plan plan;
	int r;

	sim_plan_init(&plan, m, o->now);
	r = sim_time_option(o->this_update, plan.crl.this_update, &plan.crl.this_update);
	if (r == TOOL_OK)
		r = sim_time_option(o->next_update, plan.crl.next_update, &plan.crl.next_update);
	sim_request_certs(&o->request, &plan);
	if (r == TOOL_OK && o->revoke_count)
		plan.crl.revoked_count = 0;
	if (r == TOOL_OK)
		r = revoke(o, &plan);
	if (r == TOOL_OK)
		r = sim_crl_make(&plan, &der);
	return r ? r : write_der(m, o, "crl.der", &der);
}

int sim_verb_crl(const struct sim_options *o)
{
	struct sim_machine m;
	int r = sim_machine_load(o->dir, &m);

	if (r == TOOL_OK)
		r = crl(o, &m);
	sim_machine_free(&m);
	return r;
}
