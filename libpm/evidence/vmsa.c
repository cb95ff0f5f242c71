/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/vmsa.h"

#include "base/wr.h"
#include "evidence/gctx.h"

/* Offsets of the fields that are not zero. */
enum {
	OFF_ES = 0x000,
	OFF_EFER = 0x0d0,
	OFF_CR4 = 0x148,
	OFF_CR0 = 0x158,
	OFF_DR7 = 0x160,
	OFF_RIP = 0x178,
	OFF_G_PAT = 0x268,
	OFF_RDX = 0x310,
	OFF_SEV_FEATURES = 0x3b0,
	OFF_XCR0 = 0x3e8,
	OFF_MXCSR = 0x408,
	OFF_X87_FCW = 0x410,
};

#define EFER_SVME   UINT64_C(0x1000) /* KVM sets it */
#define CR4_MCE	    UINT64_C(0x40)   /* likewise */
#define CR0_ET	    UINT64_C(0x10)
#define CR0_PE	    UINT64_C(0x01)
#define DR6_RESET   UINT64_C(0xffff0ff0)
#define DR7_RESET   UINT64_C(0x400)
#define RFLAGS_ONE  UINT64_C(0x2)
#define XCR0_X87    UINT64_C(0x1)
#define PAT_RESET   UINT64_C(0x0007040600070406)
#define PAT_GCE	    UINT64_C(0x0000000000070106)
#define MXCSR_RESET 0x1f80u
#define FCW_FNINIT  0x37fu

/* RDX where the hypervisor leaves the value of KVM in place: family 6. */
#define RDX_KVM UINT64_C(0x600)

struct segment {
	uint16_t selector;
	uint16_t attributes;
	uint32_t limit;
	uint64_t base;
};

/* The registers that differ, in the order of the page. */
struct state {
	struct segment es, cs, ss, ds, fs, gs;
	uint16_t tr;
	uint64_t cr0;
	uint64_t rip;
	uint64_t pat;
	uint64_t rdx;
	uint64_t features;
	uint32_t mxcsr;
	uint16_t fcw;
};

/* Moves on to an offset; the bytes between are zero. */
static void seek(struct pm_wr *wr, size_t offset)
{
	pm_wr_zero(wr, offset - wr->len);
}

static void write_segment(struct pm_wr *wr, const struct segment *segment)
{
	pm_wr_le16(wr, segment->selector);
	pm_wr_le16(wr, segment->attributes);
	pm_wr_le32(wr, segment->limit);
	pm_wr_le64(wr, segment->base);
}

static void write_segments(struct pm_wr *wr, const struct state *s)
{
	static const struct segment table = {0, 0, 0xffff, 0};
	static const struct segment ldtr = {0, 0x82, 0xffff, 0};
	struct segment tr = {0, s->tr, 0xffff, 0};

	write_segment(wr, &s->es);
	write_segment(wr, &s->cs);
	write_segment(wr, &s->ss);
	write_segment(wr, &s->ds);
	write_segment(wr, &s->fs);
	write_segment(wr, &s->gs);
	write_segment(wr, &table); /* GDTR */
	write_segment(wr, &ldtr);
	write_segment(wr, &table); /* IDTR */
	write_segment(wr, &tr);
}

static void write_control(struct pm_wr *wr, const struct state *s)
{
	seek(wr, OFF_EFER);
	pm_wr_le64(wr, EFER_SVME);
	seek(wr, OFF_CR4);
	pm_wr_le64(wr, CR4_MCE);
	seek(wr, OFF_CR0);
	pm_wr_le64(wr, s->cr0);
	seek(wr, OFF_DR7);
	pm_wr_le64(wr, DR7_RESET);
	pm_wr_le64(wr, DR6_RESET);
	pm_wr_le64(wr, RFLAGS_ONE);
	pm_wr_le64(wr, s->rip);
}

static void write_rest(struct pm_wr *wr, const struct state *s)
{
	seek(wr, OFF_G_PAT);
	pm_wr_le64(wr, s->pat);
	seek(wr, OFF_RDX);
	pm_wr_le64(wr, s->rdx);
	seek(wr, OFF_SEV_FEATURES);
	pm_wr_le64(wr, s->features);
	seek(wr, OFF_XCR0);
	pm_wr_le64(wr, XCR0_X87);
	seek(wr, OFF_MXCSR);
	pm_wr_le32(wr, s->mxcsr);
	seek(wr, OFF_X87_FCW);
	pm_wr_le16(wr, s->fcw);
	seek(wr, PM_PAGE_SIZE);
}

static void write_page(const struct state *s, uint8_t *ret_page)
{
	struct pm_wr wr = pm_wr(ret_page, PM_PAGE_SIZE);

	seek(&wr, OFF_ES);
	write_segments(&wr, s);
	write_control(&wr, s);
	write_rest(&wr, s);
}

/* KVM's and QEMU's registers at reset, on which the others build. */
static struct state reset_state(const struct pm_vmsa *vmsa, uint32_t eip)
{
	static const struct segment data = {0, 0x93, 0xffff, 0};

	return (struct state){
		.es = data,
		.cs = {0xf000, 0x9b, 0xffff, eip & 0xffff0000u},
		.ss = data,
		.ds = data,
		.fs = data,
		.gs = data,
		.tr = 0x8b,
		.cr0 = CR0_ET,
		.rip = eip & 0xffffu,
		.pat = PAT_RESET,
		.rdx = vmsa->signature,
		.features = vmsa->features,
		.mxcsr = MXCSR_RESET,
		.fcw = FCW_FNINIT,
	};
}

static void to_ec2(struct state *s, uint32_t eip)
{
	if (eip == PM_VMSA_RESET_EIP)
		s->cs.attributes = 0x9a;
	s->ss.attributes = 0x92;
	s->tr = 0x83;
	s->rdx = RDX_KVM;
	s->mxcsr = 0;
	s->fcw = 0;
}

static void to_gce(struct state *s)
{
	s->pat = PAT_GCE;
	s->rdx = RDX_KVM;
	s->mxcsr = 0;
	s->fcw = 0;
}

void pm_vmsa_fill(const struct pm_vmsa *vmsa, uint32_t eip, uint8_t *ret_page)
{
	struct state s = reset_state(vmsa, eip);

	if (vmsa->vmm == PM_VMM_EC2)
		to_ec2(&s, eip);
	if (vmsa->vmm == PM_VMM_GCE)
		to_gce(&s);
	write_page(&s, ret_page);
}

void pm_vmsa_fill_svsm(const struct pm_vmsa *vmsa, uint32_t eip, uint8_t *ret_page)
{
	static const struct segment flat = {16, 0xc93, 0xffffffff, 0};
	struct state s = reset_state(vmsa, eip);

	s.cs = (struct segment){8, 0xc9b, 0xffffffff, 0};
	s.es = s.ss = s.ds = s.fs = flat;
	s.cr0 = CR0_ET | CR0_PE;
	s.rip = eip;
	s.fcw = 0; /* as real launches of QEMU measured it */
	write_page(&s, ret_page);
}
