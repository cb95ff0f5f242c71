/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of what a machine hands out, and the certificates that go with a report. */
#include "pm-sim/sim.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#define TABLE_ENTRY 24

static const struct sim_signing by_ark = {SIM_ARK, "SHA384", 48, false};

static void plan_authorities(struct sim_plan *plan)
{
	const struct sim_machine *m = plan->machine;
	const struct sim_ca_plan ca = {
		.by = by_ark,
		.ca = true,
		.not_before = plan->now - SIM_DAY,
		.not_after = plan->now + 25 * SIM_YEAR,
	};

	plan->ica_kind = m->vlek ? SIM_ASVK : SIM_ASK;
	plan->ark = ca;
	plan->ark.key = SIM_ARK;
	plan->ica = ca;
	plan->ica.key = plan->ica_kind;
}

static void plan_vek(struct sim_plan *plan)
{
	const struct sim_machine *m = plan->machine;

	plan->vek = (struct sim_vek_plan){
		.key = m->vlek ? SIM_VLEK : SIM_VCEK,
		.by = {plan->ica_kind, "SHA384", 48, false},
		.not_before = plan->now - SIM_DAY,
		.not_after = plan->now + (m->vlek ? 1 : 7) * SIM_YEAR,
		.cn = m->vlek ? "SEV-VLEK" : "SEV-VCEK",
		.product_name = m->vlek ? m->product->name : m->product->product_name,
		.struct_version = m->product->struct_version,
		.tcb = m->tcb,
		.hwid_size = m->vlek ? 0 : m->product->hwid_size,
		.csp_id = m->vlek ? m->csp_id : "",
	};
	memcpy(plan->vek.hwid, m->chip_id, plan->vek.hwid_size);
}

void sim_plan_init(struct sim_plan *plan, struct sim_machine *m, int64_t now)
{
	*plan = (struct sim_plan){.machine = m, .now = now};
	plan->report_key = m->vlek ? SIM_VLEK : SIM_VCEK;
	plan_authorities(plan);
	plan_vek(plan);
	plan->crl = (struct sim_crl_plan){
		.by = by_ark,
		.issuer = m->product->name,
		.this_update = now - SIM_DAY,
		.next_update = now + 49 * SIM_DAY,
	};
	sim_report_init(plan, m->product->report_version);
}

void sim_evidence_free(struct sim_evidence *e)
{
	sim_bytes_free(&e->ark);
	sim_bytes_free(&e->ica);
	sim_bytes_free(&e->vek);
	sim_bytes_free(&e->crl);
}

int sim_evidence_make(struct sim_plan *plan, struct sim_evidence *ret)
{
	const struct sim_machine *m = plan->machine;
	const char *ica = plan->ica_kind == SIM_ASVK ? "asvk.der" : "ask.der";
	int r;

	r = plan->ark.remake ? sim_ark_make(plan, &ret->ark)
			     : sim_machine_read(m, "ark.der", &ret->ark);
	if (r == TOOL_OK)
		r = plan->ica.remake ? sim_ica_make(plan, &ret->ica)
				     : sim_machine_read(m, ica, &ret->ica);
	if (r == TOOL_OK)
		r = plan->vek.remake ? sim_vek_make(plan, &ret->vek)
				     : sim_machine_read(m, "vek.der", &ret->vek);
	if (r == TOOL_OK)
		r = plan->crl.remake ? sim_crl_make(plan, &ret->crl)
				     : sim_machine_read(m, "crl.der", &ret->crl);
	return r;
}

static int add_pem(BIO *bio, const struct sim_bytes *der)
{
	const unsigned char *at = der->ptr;
	sim_cleanup(X509) X509 *cert = d2i_X509(NULL, &at, (long)der->len);

	return cert && PEM_write_bio_X509(bio, cert) == 1 ? TOOL_OK : sim_fail("can't write PEM");
}

int sim_evidence_chain(const struct sim_evidence *e, struct sim_bytes *ret)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	int r = bio ? add_pem(bio, &e->ica) : sim_fail("out of memory");

	if (r == TOOL_OK)
		r = add_pem(bio, &e->ark);
	if (r == TOOL_OK) {
		long n = BIO_get_mem_data(bio, &text);

		r = sim_bytes_set(ret, text, (size_t)n);
	}
	BIO_free(bio);
	return r;
}

struct entry {
	const char *guid;
	const struct sim_bytes *bytes;
};

static void put_le32(uint8_t *at, size_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* AMD 56421, "SNP Extended Guest Request": GUIDs in the order in which they are written. */
static int put_table(const struct entry *entries, size_t count, struct sim_bytes *ret)
{
	uint8_t table[PM_COLLECT_TABLE_MAX] = {0};
	size_t end = (count + 1) * TABLE_ENTRY;

	for (size_t i = 0; i < count; i++) {
		const struct sim_bytes *b = entries[i].bytes;
		uint8_t *at = table + i * TABLE_ENTRY;

		if (b->len > sizeof(table) - end)
			return sim_fail("the certificate table is too long");
		if (pm_hex_decode(entries[i].guid, at, PM_SNP_GUID_SIZE) != PM_OK)
			return sim_fail("bad GUID");
		put_le32(at + 16, end);
		put_le32(at + 20, b->len);
		memcpy(table + end, b->ptr, b->len);
		end += b->len;
	}
	return sim_bytes_set(ret, table, end);
}

int sim_evidence_table(const struct sim_plan *plan, const struct sim_evidence *e, bool with_crl,
	struct sim_bytes *ret)
{
	const struct entry entries[] = {
		{plan->machine->vlek ? "a8074bc2a25a483eaae639c045a0b8a1"
				     : "63da758de6644564adc5f4b93be8accd",
			&e->vek},
		{"4ab7b379bbac4fe4a02f05aef327c782", &e->ica},
		{"c0b406a4a803495297433fb6014cd0ae", &e->ark},
		{"92f81bc358114d3d97ffd19f88dc67ea", &e->crl},
	};

	return put_table(entries, with_crl ? 4 : 3, ret);
}

void sim_request_apply(
	const struct sim_request *request, enum sim_stage stage, struct sim_plan *plan)
{
	for (size_t i = 0; i < request->defect_count; i++)
		if (request->defects[i]->stage == stage)
			request->defects[i]->apply(plan, request->defects[i]->arg);
}

void sim_request_certs(const struct sim_request *request, struct sim_plan *plan)
{
	sim_request_apply(request, SIM_CHAIN, plan);
	sim_request_apply(request, SIM_VEK_STAGE, plan);
	sim_request_apply(request, SIM_CRL, plan);
}

int sim_request_report(
	const struct sim_request *request, const uint8_t *report_data, struct sim_plan *plan)
{
	uint32_t version = request->report_version;
	int r = TOOL_OK;

	sim_report_init(plan, version ? version : plan->machine->product->report_version);
	sim_report_set_data(plan, report_data);
	for (size_t i = 0; r == TOOL_OK && i < request->field_count; i++)
		r = sim_report_set(plan, request->fields[i]);
	if (r != TOOL_OK)
		return r;
	sim_request_apply(request, SIM_FIELDS, plan);
	r = sim_report_sign(plan);
	if (r == TOOL_OK)
		sim_request_apply(request, SIM_SIGNED, plan);
	return r;
}
