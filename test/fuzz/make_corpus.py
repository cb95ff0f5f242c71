#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make the first inputs of each fuzz target, and the digests that fuzz_snp_verify.c compares with.

    make_corpus.py        writes corpus/TARGET/NAME and snp_seeds.h beside this file

Everything is made here, of nothing, and comes out the same each time: no byte is from real hardware.
Inputs that the fuzzers find are kept beside these.
"""
import base64
import hashlib
import hmac
import json
import pathlib
import struct
import sys
import uuid

import corpus_gpu
import corpus_mesh
import corpus_nvgpu
sys.dont_write_bytecode = True
import der

HERE = pathlib.Path(__file__).resolve().parent
AMD = "1.3.6.1.4.1.3704.1."
GUIDS = {"vcek": "63da758d-e664-4564-adc5-f4b93be8accd", "vlek": "a8074bc2-a25a-483e-aae6-39c045a0b8a1",
         "ask": "4ab7b379-bbac-4fe4-a02f-05aef327c782", "ark": "c0b406a4-a803-4952-9743-3fb6014cd0ae",
         "crl": "92f81bc3-5811-4d3d-97ff-d19f88dc67ea", "other": "00112233-4455-6677-8899-aabbccddeeff"}


def write(target, name, data):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def flipped(data, at):
    out = bytearray(data)
    out[at] ^= 1
    return bytes(out)


# --- certificates of a world of their own -----------------------------------------------------------


class World:
    """ARK, ASK and a VEK of one product, and their keys."""

    def __init__(self, ark_key, ask_key, product, vek):
        self.product, self.vek = product, vek
        self.turin = product == "Turin"
        self.chip = der.stream("chip", 8 if self.turin else 64)
        middle = f"SEV-{'VLEK-' if vek == 'SEV-VLEK' else ''}{product}"
        self.ark_key, self.vek_key = ark_key, der.Ec("vek", der.P384)
        self.ark = der.certificate(f"ARK-{product}", ark_key, f"ARK-{product}", ark_key,
                                   extensions=der.ca_extensions())
        self.ask = der.certificate(middle, ask_key, f"ARK-{product}", ark_key, serial=2,
                                   extensions=der.ca_extensions(0))
        self.vek_cert = der.certificate(vek, self.vek_key, middle, ask_key, serial=0,
                                        extensions=self.vek_extensions())
        self.crl = der.revocation_list(f"ARK-{product}", ark_key, serials=[77])
        self.crl_of_ask = der.revocation_list(f"ARK-{product}", ark_key, serials=[2, 3])

    def vek_extensions(self):
        spl = {"3.1": 3, "3.2": 1, "3.3": 8, "3.8": 115}
        found = [der.extension(AMD + "1", der.integer(int(self.turin))),
                 der.extension(AMD + "2", der.tlv(0x16, self.product.encode()))]
        found += [der.extension(AMD + arc, der.integer(n)) for arc, n in spl.items()]
        if self.turin:
            found.append(der.extension(AMD + "3.9", der.integer(2)))
        if self.vek == "SEV-VLEK":
            return found + [der.extension(AMD + "5", der.tlv(0x16, b"CN=corpus.example"))]
        return found + [der.extension(AMD + "4", self.chip)]

    def tcb(self):
        return bytes([2, 3, 1, 8, 0, 0, 0, 115]) if self.turin else bytes([3, 1, 0, 0, 0, 0, 8, 115])

    def report(self, version=5, report_data=b"", **changes):
        """A report that this world's VEK signed (AMD 56860, ATTESTATION_REPORT)."""
        r = bytearray(1184)
        family, model = {"Milan": (0x19, 1), "Genoa": (0x19, 0x11), "Turin": (0x1a, 2)}[self.product]
        fields = {0x00: struct.pack("<IIQ", version, 1, 0x30000), 0x34: struct.pack("<I", 1),
                  0x38: self.tcb(), 0x40: struct.pack("<QI", 0x25, 4 if self.vek == "SEV-VLEK" else 0),
                  0x50: report_data, 0x90: der.stream("measurement", 48), 0x140: der.stream("id", 32),
                  0x160: b"\xff" * 32, 0x180: self.tcb(), 0x1e0: self.tcb(), 0x1f0: self.tcb(),
                  0x1a0: b"" if self.vek == "SEV-VLEK" else self.chip,
                  0x1e8: bytes([21, 55, 1]), 0x1ec: bytes([21, 55, 1])}
        if version >= 3:
            fields[0x188] = bytes([family, model, 1])
        if version >= 5:
            fields[0x1f8] = struct.pack("<QQ", 3, 7)
        fields.update(changes.get("fields", {}))
        for at, data in fields.items():
            r[at:at + len(data)] = data
        for at, n in zip((0x2a0, 0x2a0 + 72), self.vek_key.sign(bytes(r[:0x2a0]))):
            r[at:at + 48] = n.to_bytes(48, "little")
        return bytes(r)

    def entries(self):
        kind = "vlek" if self.vek == "SEV-VLEK" else "vcek"
        return [(kind, self.vek_cert), ("ask", self.ask), ("ark", self.ark)]


def table(entries):
    """Certificate table (GHCB specification, AMD 56421)."""
    header, body = b"", b""
    start = 24 * (len(entries) + 1)
    for kind, data in entries:
        header += uuid.UUID(GUIDS[kind]).bytes + struct.pack("<II", start + len(body), len(data))
        body += data
    return header + bytes(24) + body


def hcl(world, runtime_data):
    report = world.report(report_data=hashlib.sha256(runtime_data).digest())
    head = struct.pack("<4sIIII12x", b"HCLA", 2, 1184, 2, 0)
    tail = struct.pack("<IIIII", 20 + len(runtime_data), 1, 2, 1, len(runtime_data))
    return head + report + tail + runtime_data + bytes(9)


def blocks(*parts):
    """The input of fuzz_snp_verify.c: report, table, certificates, list; each with its length."""
    return b"".join(struct.pack(">I", len(p)) + p for p in parts)


# --- the targets ------------------------------------------------------------------------------------


def make_rd():
    data = bytes(range(48))
    write("rd", "numbers", bytes([len(data)]) + data + bytes(x for op in range(7) for x in (op, 0)))
    write("rd", "all", bytes([len(data)]) + data + bytes(x for op in range(14) for x in (op, 3)))
    write("rd", "zeros", b"\x10" + bytes(16) + b"\x0c\x08\x0c\x08\x00\x00")
    write("rd", "prefixed", b"\x08\0\0\0\4abcd\x08\x04\x00\x00")
    write("rd", "prefixed-above-max", b"\x08\0\0\0\4abcd\x08\x03\x00\x00")
    write("rd", "child", b"\x05hello\x09\x03\x07\x02\x09\x00\x09\x01")
    write("rd", "wraps", b"\x05hello\x00\x00\x0d\x00\x07\x01")
    write("rd", "empty", b"\x00\x07\x00\x09\x00\x00\x00")


def make_text():
    for i, text in enumerate((b"00ff", b"00FFa5", b"0", b"0x00", b"g0", b"", b"00:ff", bytes(range(256)))):
        write("hex", f"seed-{i}", text)
    for i, text in enumerate((b"Zg==", b"Zm8=", b"Zm9v", b"Zh==", b"Zm9v\n", b"Zm_v", b"====", b"AAAA" * 20,
                              bytes(range(256)))):
        write("base64", f"seed-{i}", text)
    for i, text in enumerate((b"2026-03-01T00:00:00Z", b"2000-02-29T23:59:60+01:30", b"1900-02-29T00:00:00Z",
                              b"9999-12-31T23:59:59.999-23:59", b"0001-01-01t00:00:00z", b"2026-03-01",
                              struct.pack("<q", -30610224000), struct.pack("<q", 253402300799),
                              struct.pack("<q", -2**63), struct.pack("<q", 2**63 - 1))):
        write("time", f"seed-{i}", text)


def make_cert(world, vlek):
    write("cert", "ark-bad-signature", flipped(world.ark, -1))
    write("cert", "ask", world.ask)
    write("cert", "vcek", world.vek_cert)
    write("cert", "vlek", vlek.vek_cert)
    write("cert", "trailing-byte", world.vek_cert + b"\0")
    write("cert", "truncated", world.vek_cert[:-1])
    doubled = world.vek_extensions() + [der.extension(AMD + "4", bytes(64))]
    key = world.vek_key
    for name, extensions in (("no-extensions", ()), ("doubled-extension", doubled),
                             ("bad-extension", [der.sequence(der.oid("2.5.29.19"))])):
        body = der.certificate("SEV-VCEK", key, "SEV-Milan", Stub, serial=0, extensions=extensions)
        write("cert", name, body)


class Stub:
    """Signs nothing: for what is refused, or looked at, before any signature."""

    @staticmethod
    def sign(_):
        return bytes(512)


def make_crl(world):
    def pair(cert, crl):
        return struct.pack(">H", len(cert)) + cert + crl
    write("crl", "bad-signature", pair(world.ark, flipped(world.crl, -1)))
    write("crl", "lists-ask", pair(world.ask, flipped(world.crl_of_ask, -1)))
    write("crl", "no-cert", pair(b"", world.crl))
    write("crl", "no-entries", pair(world.ask, der.revocation_list("ARK-Milan", Stub)))
    write("crl", "trailing-byte", pair(b"", world.crl + b"\0"))
    write("crl", "truncated", pair(b"", world.crl[:-1]))


def make_pem(world):
    ask, vek = der.pem("CERTIFICATE", world.ask), der.pem("CERTIFICATE", world.vek_cert)
    write("pem", "two", ask + vek)
    write("pem", "text-around", b"subject: x\n" + vek + b"end\n")
    write("pem", "other-label", der.pem("X509 CRL", world.crl))
    write("pem", "crlf", vek.replace(b"\n", b"\r\n"))
    write("pem", "no-end", vek[:-20])
    write("pem", "second-bad", vek + ask.replace(b"MII", b"M!I"))
    write("pem", "empty-block", b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")
    write("pem", "nul", vek[:80] + b"\0" + vek[80:])
    write("pem", "encrypted", vek.replace(b"-----\n", b"-----\nProc-Type: 4,ENCRYPTED\n"
                                          b"DEK-Info: AES-256-CBC,00000000000000000000000000000000\n\n", 1))


def make_spki(rsa):
    p384, p256 = der.Ec("one", der.P384).spki(), der.Ec("one", der.P256).spki()
    n, e = rsa.n, rsa.e

    def rsa_spki(modulus, exponent):
        key = der.sequence(der.integer(modulus), der.integer(exponent))
        return der.sequence(der.sequence(der.oid("1.2.840.113549.1.1.1"), der.tlv(5, b"")), der.bits(key))
    write("spki", "p384", p384)
    write("spki", "p256", p256)
    write("spki", "p384-off-curve", flipped(p384, -1))
    write("spki", "p384-infinity", p384[:-96] + bytes(96))
    write("spki", "p384-above-p", p384[:-96] + b"\xff" * 96)
    write("spki", "rsa-2048", rsa_spki(n, e))
    write("spki", "rsa-even-modulus", rsa_spki(n - 1, e))
    write("spki", "rsa-exponent-1", rsa_spki(n, 1))
    write("spki", "rsa-exponent-2", rsa_spki(n, 2))
    write("spki", "rsa-exponent-3", rsa_spki(n, 3))
    write("spki", "rsa-short", rsa_spki(n >> 1024 | 1, e))
    write("spki", "rsa-long", rsa_spki(n << 4096 | 1, e))
    write("spki", "rsa-zero", rsa_spki(0, 0))
    write("spki", "trailing-byte", p384 + b"\0")


def make_snp(milan, turin, vlek):
    good = milan.report()
    write("snp_report", "v5", good)
    for version in (2, 3):
        write("snp_report", f"v{version}", milan.report(version))
    write("snp_report", "turin", turin.report())
    write("snp_report", "vlek", vlek.report())
    for name, at, data in (("version-6", 0, b"\6"), ("algo-2", 0x34, b"\2"), ("reserved", 0x4c, b"\1"),
                           ("host", 0x30, b"\xff" * 4), ("unsigned-tail", 0x330, b"\1"),
                           ("long-r", 0x2a0 + 48, b"\1"), ("signer-7", 0x48, b"\x1c")):
        write("snp_report", name, good[:at] + data + good[at + len(data):])
    write("snp_report", "short", good[:-1])
    entries = milan.entries()
    write("snp_table", "valid", table(entries))
    write("snp_table", "with-crl", table(entries + [("crl", milan.crl), ("other", b"extra")]))
    write("snp_table", "twice", table(entries[:1] * 2))
    write("snp_table", "not-ended", table(entries)[:72])
    write("snp_table", "zero", bytes(24))
    write("snp_table", "inside-list", uuid.UUID(GUIDS["other"]).bytes + struct.pack("<II", 4, 8) + bytes(24))
    write("snp_table", "wraps",
          uuid.UUID(GUIDS["other"]).bytes + struct.pack("<II", 0xfffffff0, 0x20) + bytes(24))
    blob = hcl(milan, b'{"keys":[]}')
    write("snp_hcl", "valid", blob)
    write("snp_hcl", "version-3", blob[:4] + b"\3" + blob[5:])
    write("snp_hcl", "size-beyond", blob[:1232] + b"\xff\xff\xff\x7f" + blob[1236:])
    write("snp_hcl", "short", blob[:1216])
    write("snp_hcl", "header-only", blob[:32])


def make_snp_verify(milan, turin, vlek):
    """Returns the digests of what the worlds signed."""
    good, blob = milan.report(), hcl(milan, b'{"keys":[]}')
    full = table(milan.entries())
    pems = b"".join(der.pem("CERTIFICATE", c) for _, c in milan.entries())
    write("snp_verify", "valid-vcek", blocks(good, full, b"", b""))
    write("snp_verify", "valid-pem-crl", blocks(good, b"", pems, milan.crl))
    write("snp_verify", "valid-hcl", blocks(blob, full, b"", der.pem("X509 CRL", milan.crl)))
    write("snp_verify", "valid-turin", blocks(turin.report(), table(turin.entries()), b"", b""))
    write("snp_verify", "valid-vlek", blocks(vlek.report(), table(vlek.entries()), b"", b""))
    write("snp_verify", "bad-signature", blocks(flipped(good, 0x2a0), full, b"", b""))
    write("snp_verify", "bad-measurement", blocks(flipped(good, 0x90), full, b"", b""))
    write("snp_verify", "bad-runtime-data", blocks(flipped(blob, 1240), full, b"", b""))
    write("snp_verify", "revoked", blocks(good, full, b"", milan.crl_of_ask))
    write("snp_verify", "bad-crl", blocks(good, full, b"", flipped(milan.crl, -1)))
    write("snp_verify", "no-root", blocks(good, table(milan.entries()[:2]), b"", b""))
    write("snp_verify", "no-certs", blocks(good, b"", b"", b""))
    write("snp_verify", "forged-vek", blocks(good, b"", der.pem("CERTIFICATE", flipped(milan.vek_cert, -1)),
                                             milan.crl))
    return [r[:0x2a0] for r in (good, blob[32:1216], turin.report(), vlek.report())]


def superblock(salt=b"", blocks=64, sizes=(4096, 4096), **changes):
    """Superblock of dm-verity (cryptsetup, lib/verity/verity.c)."""
    f = {"signature": b"verity\0\0", "version": 1, "type": 1, "algorithm": b"sha256", "reserved": b"",
         "salt_size": len(salt), "tail": b"", **changes}
    return struct.pack("<8sII16s32sIIQH6s256s168s", f["signature"], f["version"], f["type"], bytes(range(16)),
                       f["algorithm"], *sizes, blocks, f["salt_size"], f["reserved"], salt, f["tail"])


def make_verity():
    good = superblock(b"salt")
    rows = {"valid": good, "no-salt": superblock(), "long-salt": superblock(b"s" * 256), "short": good[:-1],
            "one-block": superblock(blocks=1), "small-blocks": superblock(sizes=(512, 512), blocks=2**40 + 1),
            "no-blocks": superblock(blocks=0), "too-many": superblock(blocks=2**51), "long": good + b"\0",
            "wraps": superblock(blocks=2**64 - 1), "large-block": superblock(sizes=(8192, 4096)),
            "odd-block": superblock(sizes=(4096, 4095)), "no-block": superblock(sizes=(0, 4096)),
            "version-2": superblock(version=2), "type-0": superblock(type=0),
            "sha512": superblock(algorithm=b"sha512"), "sha256-tail": superblock(algorithm=b"sha256\0x"),
            "salt-tail": superblock(b"salt", salt_size=3), "salt-above": superblock(salt_size=257),
            "reserved": superblock(reserved=b"\1"), "tail": superblock(tail=bytes(167) + b"\1"),
            "signature": superblock(signature=b"verity\0\1")}
    for name, data in rows.items():
        write("verity_superblock", name, data)
def cbor(value):
    """Deterministic CBOR of integers, texts, byte strings, lists and maps (RFC 8949, 4.2.1)."""
    def head(kind, n):
        for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
            if n < 24:
                return bytes([kind << 5 | n])
            if n < 1 << 8 * size:
                return bytes([kind << 5 | info]) + n.to_bytes(size, "big")
        raise ValueError(n)
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, str):
        return head(3, len(value)) + value.encode()
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    pairs = sorted((cbor(k), cbor(v)) for k, v in value.items())
    return head(5, len(pairs)) + b"".join(k + v for k, v in pairs)


def make_sealed():
    fields = {"accept": "*/*", "x-a": "1", "b": "2"}
    request = cbor({1: "POST", 2: "/v1/chat/completions", 3: "application/json", 4: fields, 5: 1772323200})
    write("sealed_head", "request", request)
    write("sealed_head", "request-plain", cbor({1: "GET", 2: "/", 3: "", 4: {}, 5: 0}))
    write("sealed_head", "response", cbor({1: 200, 2: "text/event-stream", 3: fields}))
    write("sealed_head", "response-plain", cbor({1: 599, 2: "", 3: {}}))
    write("sealed_head", "missing-key", cbor({1: "GET", 2: "/", 3: "", 4: {}}))
    write("sealed_head", "forbidden-field", cbor({1: 200, 2: "", 3: {"content-length": "1"}}))
    write("sealed_head", "indefinite", b"\xbf" + request[1:] + b"\xff")
    write("sealed_head", "truncated", request[:-1])
    write("sealed_head", "trailing-byte", request + b"\0")
    write("sealed_head", "long-text", b"\xa3\x01\x18\xc8\x02\x7b" + b"\xff" * 8)

    def frame(n, flag):
        return struct.pack(">IB", n, flag) + bytes(n - 1)
    stream = bytes(32) + frame(33, 0) + frame(600, 0) + frame(33, 1)
    for name, piece in (("whole", 255), ("pieces-1", 0), ("pieces-36", 35)):
        write("sealed_frames", name, bytes([piece]) + stream)
    write("sealed_frames", "no-final", b"\x07" + stream[:-37])
    write("sealed_frames", "cut", b"\x07" + stream[:-1])
    write("sealed_frames", "after-final", b"\x07" + stream + b"x")
    write("sealed_frames", "flag-2", b"\x07" + bytes(32) + frame(33, 2))
    write("sealed_frames", "short-frame", b"\x07" + bytes(32) + struct.pack(">I", 32) + bytes(32))
    write("sealed_frames", "long-frame", b"\x07" + bytes(32) + struct.pack(">I", 65566))
    write("sealed_frames", "header-only", b"\x07" + bytes(32))

    def edits(piece, *rows):
        return bytes([piece]) + b"".join(struct.pack(">BHH", *row) for row in rows)
    write("exchange", "as-it-was", edits(255))
    write("exchange", "one-byte-pieces", edits(0))
    write("exchange", "flip-header", edits(9, (0, 3, 1)))
    write("exchange", "flip-body", edits(9, (0, 200, 1)))
    write("exchange", "flip-twice", edits(9, (0, 200, 1), (0, 200, 1)))
    write("exchange", "drop", edits(40, (1, 150, 45)))
    write("exchange", "repeat", edits(40, (2, 32, 100)))
    write("exchange", "cut", edits(40, (3, 200, 0)))
    write("exchange", "end-flag", edits(40, (0, 36, 0)))


def make_bundle(milan):
    """Parts of the right form; nothing here binds them."""
    gpu = {1: der.stream("gpu", 200), 2: b"-----BEGIN CERTIFICATE-----", 3: 1}
    claims = {1: der.stream("x-wing", 1216), 2: bytes(32), 3: [{1: "a/model", 2: bytes(32)}, {1: "b", 2: bytes(32)}],
              4: [hashlib.sha256(cbor(gpu)).digest()], 5: "worker", 6: 1772323200, 7: bytes(32), 8: 1772323100}
    plain = {k: v for k, v in claims.items() if k in (1, 3, 5, 6)} | {4: []}
    spki = der.Ec("mesh", der.P384).spki()
    parts = {1: 1, 2: der.stream("nonce", 32), 3: cbor(claims), 5: [gpu],
             4: {1: milan.report(), 2: [milan.vek_cert, milan.ask, milan.ark]},
             6: {1: [b"<SoftwareIdentity/>"], 2: [b"0", b"1"], 3: [milan.crl]}}
    small = parts | {3: cbor(plain), 4: {1: milan.report(), 2: []}, 5: [], 6: {1: [], 2: [], 3: []}}
    tree = {1: bytes(32), 2: 5, 3: [bytes(32)] * 3}
    rows = {"full": parts, "small": small, "spki": small | {3: cbor(plain | {1: spki})}, "tree": small | {2: tree},
            "tree-0": small | {2: tree | {2: 0, 3: []}}, "tree-16": small | {2: tree | {3: [bytes(32)] * 16}},
            "index": small | {2: tree | {2: 8}}, "version": small | {1: 2}, "no-gpu": parts | {5: []},
            "claim-9": small | {3: cbor(plain | {9: 0})}, "claim-10": small | {3: cbor(plain | {10: 0})},
            "document": small | {3: cbor(plain | {9: bytes(32)})},
            "document-gpu": parts | {3: cbor(claims | {9: bytes(32)})}, "claims-cut": small | {3: cbor(plain)[:-1]}}
    for name, value in rows.items():
        write("bundle", name, cbor(value))
    write("bundle", "indefinite", b"\xbf" + cbor(small)[1:] + b"\xff")
    write("bundle", "trailing-byte", cbor(small) + b"\0")
    write("bundle", "long-form", cbor(small).replace(b"\xa6\x01\x01", b"\xa6\x01\x18\x01", 1))
    write("bundle", "huge", cbor(small)[:4] + b"\x5b" + b"\xff" * 8)


def make_appraise(milan):
    """Bundles that the manifest of appraise_seeds.h accepts, and others; what the VEK signed for them."""
    nonce, disk = bytes(31) + b"\7", der.stream("disk", 32)
    claims = cbor({1: der.stream("x-wing", 1216), 2: bytes(32), 3: [{1: "a/model", 2: disk}], 4: [], 5: "worker",
                   6: 1772323200})
    path = [der.stream("left", 32), der.stream("right", 32)]
    node = hashlib.sha256(b"\0" + nonce).digest()
    node = hashlib.sha256(b"\1" + node + path[0]).digest()
    node = hashlib.sha256(b"\1" + path[1] + node).digest()
    seeds = []

    def bundle(challenge, asked, crls):
        data = hashlib.sha512(b"libpm evidence v1\0" + challenge + hashlib.sha256(claims).digest()).digest()
        report = milan.report(report_data=data)
        seeds.append(report[:0x2a0])
        return cbor({1: 1, 2: asked, 3: claims, 4: {1: report, 2: [milan.vek_cert, milan.ask, milan.ark]}, 5: [],
                     6: {1: [], 2: [], 3: crls}})
    good = bundle(nonce, nonce, [milan.crl])
    write("appraise", "good", good)
    write("appraise", "tree", bundle(node, {1: nonce, 2: 2, 3: path}, [milan.crl]))
    write("appraise", "other-leaf", bundle(node, {1: nonce, 2: 3, 3: path}, [milan.crl]))
    write("appraise", "other-nonce", bundle(bytes(32), bytes(32), [milan.crl]))
    write("appraise", "no-crl", bundle(nonce, nonce, []))
    write("appraise", "revoked", bundle(nonce, nonce, [milan.crl_of_ask]))
    write("appraise", "other-claims", good.replace(b"worker", b"walker"))
    write_appraise_header(milan, claims, disk)
    return seeds


def make_field():
    nonce, iv = "0102030405060708090a0b0c", "0d0e0f101112131415161718"
    sealed = "df3e6f800c1fea8615eccc6e925a91683253bbcbd94a5a71" # '"secret"' as message 5: see fuzz_field.c
    good = f'"id:{nonce}:{iv}:{sealed}"'
    rows = {"good": good, "unquoted": good.strip('"'), "upper": good.upper(), "tag": good[:-2] + '0"',
            "nonce": good.replace("0102", "0103"), "id": good.replace("id:", "other:"),
            "parts-3": good.replace(":", "", 1), "parts-5": good.replace(":", "::", 1),
            "short": f'"id:{nonce}:{iv}:00"', "odd": good[:-2] + '"',
            "iv-11": good.replace(iv, iv[2:]), "iv-16": good.replace(iv, iv + "00000000"), "empty": "",
            "hex": sealed}
    for name, text in rows.items():
        write("field", name, text.encode())


def make_keyex(milan):
    def b64(data):
        return base64.b64encode(data).decode()
    public = bytes(1184) + bytes([9]) + bytes(31) # valid, and nobody's
    request = '{"PublicKey":"' + b64(public) + '"}'
    response = (f'{{"EncapsulatedKey":"{b64(bytes(1120))}","Signature":"{b64(bytes(70))}",'
                f'"MeshCert":"{b64(milan.ask)}"}}')
    rows = {"request": request, "small-order": request.replace("JAAAA", "AAAAA"), "response": response,
            "spaces": response.replace(",", " ,\n ").replace(":", "\t: "), "trailing": response + "x",
            "twice": response.replace("Signature", "MeshCert"), "unknown": response.replace("Signature", "Sign"),
            "escape": response.replace("Signature", "Sign\\u0061ture"), "number": '{"PublicKey":1}',
            "array": "[" + request + "]", "no-base64": '{"PublicKey":"*"}', "open": response[:-2]}
    for name, text in rows.items():
        write("keyex", name, text.encode())


def make_rim_json():
    rim = base64.b64encode(b"<SoftwareIdentity/>").decode()
    digest = hashlib.sha256(b"<SoftwareIdentity/>").hexdigest()
    good = f'{{"id":"NV_GPU_DRIVER_GH100_1","rim":"{rim}","sha256":"{digest}","rim_format":"TCG","request_id":"x"}}'
    rows = {"good": good, "other-id": good.replace("100_1", "100_2"), "corim": good.replace("TCG", "CORIM"),
            "digest": good.replace(digest[:8], "00000000"), "twice": good.replace("request_id", "rim"),
            "no-base64": good.replace(rim, "*"), "number": good.replace(f'"{digest}"', "1"), "array": f"[{good}]",
            "cut": good[:-3], "trailing": good + "x", "nul": good.replace("TCG", "TCG\\u0000"), "empty": ""}
    for name, text in rows.items():
        write("rim_json", name, text.encode())


def make_gpu_collect():
    head = bytes((0x11, 0xe0, 1, 0xff)) + bytes(32) + b"\0" + bytes((0x11, 0x60, 0, 0, 1, 55, 0, 0))
    good = head + bytes(55) + bytes(32) + bytes((6, 0)) + bytes(6) + bytes([1] * 96)
    rows = {"good": good, "nul": good + b"\0", "more": good + b"\1", "cut": good[:-1], "place": b"0000:65:00.0",
            "long-place": b"0000fFfF:65:1f.7", "odd-place": b"0000:6g:00.0", "version": b"\x12" + good[1:],
            "record": good[:42] + b"\xff\xff\xff" + good[45:], "nonce": good[:4] + bytes(range(32)) + good[36:]}
    for name, data in rows.items():
        write("gpu_collect", name, data)


def make_bodies():
    """JSON, event streams and forms; the first byte of the bodies chooses endpoint and side."""
    texts = {"chat": '{"model":"m","messages":[{"role":"user","content":"hi"}],"n":1.50E+2,"stream":true}',
             "chunk": '{"id":"c","choices":[{"delta":{"content":"\\ud83d\\ude00"}}],"usage":{"prompt_tokens":1}}',
             "array": '[ 1 , "a" , [ ] , { } , null , true , -0.5e-7 , 7 , 8 , 9 , 10 , 11 ]',
             "options": '{"stream":true,"stream_options":{"include_usage":false}}',
             "keys": '{"a.b":1,"a*":2,"a?":3,"|":4,"@x":5,"a\\\\b":6,"":7,"#":8,"{x}":9,"!x":10,"\\u0041":11}',
             "twice": '{"a":1,"\\u0061":2}', "escaped-plain": '{"\\u006dodel":1}', "surrogate": '{"a":"\\ud800"}',
             "surrogate-key": '{"\\udc00":1}', "cut": '{"a":[1,{"b":"x', "scalar": '"x"', "empty": "", "space": " ",
             "nul": '{"a":"\\u0000"}', "utf-8": '{"\u00e9":"\u20ac \U0001f600"}', "two": "{} {}",
             "message": '{"type":"message_start","message":{"usage":{"input_tokens":3}}}'}
    for i, (name, text) in enumerate(texts.items()):
        write("json_scan", name, text.encode())
        write("json_body", name, bytes([i]) + text.encode())
    write("json_scan", "bad-utf-8", b'{"a":"\xed\xa0\x80"}')
    write("json_scan", "nul-after", b"9\0")
    write("json_scan", "deep", b"[" * 513 + b"]" * 513)
    sealed = "a" * 9 + "b" + "a" * 6 + "gl" # 1 as message 0 of toy_cipher.h
    write("json_body", "sealed", b'\1{"model":"m","x":"' + sealed.encode() + b'"}')
    streams = {"openai": 'data: {"id":"c","choices":[]}\n\ndata: [DONE]\n\n', "crlf": 'data: {"x":1}\r\n\r\n',
               "anthropic": 'event: message_start\ndata: {"type":"message_start"}\n\nevent: message_stop\n',
               "spread": 'data: {"x":[1,\ndata:2]}\n\n', "comments": ": a\n:b\n\nid: 7\nretry: 10\nfoo\n",
               "sealed": f'data: {{"x":"{sealed}"}}\n\n: c\n\n', "no-space": 'data:{"x":1}\nevent:a\n',
               "empty": "data: \n",
               "cut": 'data: {"x":1', "no-field": '{"x":1}\n', "bad-event": "event: two words\n", "cr": "data: {}\r \n"}
    for i, (name, text) in enumerate(streams.items()):
        write("sse", name, bytes([i * 3]) + text.encode())
    value = '--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    file = '--B\r\nContent-Disposition: form-data; name="%s"; filename="f"\r\nContent-Type: a/b\r\n\r\n%s\r\n'
    forms = {"audio": value % ("model", "m") +
             file % ("file", "RIFF\r\n--b") + value % ("language", "en") + "--B--\r\n",
             "repeated": value % ("a", "1") + value % ("a", "2") + file % ("a", "3") + file % ("a", "") + "--B--",
             "none": "--B--", "open": value % ("a", "1"),
             "no-name": value.replace("; name", "; nam") % ("a", "1") + "--B--",
             "plain-file": file % ("model", "x") + "--B--", "longer-boundary": value % ("a", "1\r\n--BX") + "--B--",
             "encoded": value.replace("\r\n\r\n", "\r\nContent-Transfer-Encoding: base64\r\n\r\n", 1) %
             ("a", "1") + "--B--",
             "type": 'multipart/mixed; boundary="B"\0' + value % ("a", "1") + "--B--", "other-type": "a/b\0--B--"}
    for name, text in forms.items():
        write("form", name, text.encode())


def make_rules():
    key = bytes([7]) + bytes(31)

    def signed(header, canonical=None):
        mac = hmac.new(key, (canonical or header).encode(), hashlib.sha256).hexdigest()
        return f"{header}\n{mac}".encode()
    good = "rules=allow-good,allow-unknown; revocation-time-not-before=-5"
    write("rules", "policy", signed(good))
    write("rules", "policy-turned", signed("revocation-time-not-before=-5; rules=ALLOW-unknown,allow-good", good))
    write("rules", "policy-twice", signed("rules=allow-good,allow-good; revocation-time-not-before=5"))
    write("rules", "policy-time", signed("rules=allow-good; revocation-time-not-before=05"))
    write("rules", "policy-mac", flipped(signed(good), len(good) + 9))
    for name, part in {"data": '{"image_url":{"url":"data:,x"}}', "https": '{"image_url":"https:\\/\\/x"}',
                       "audio": '{"audio_url":{"url":"data:,x"}}', "source": '{"source":{"url":"http://x"}}',
                       "tool": '{"content":[{"image_url":"file:x"}]}', "twice": '{"a":1,"a":2}'}.items():
        write("rules", "media-" + name, ('{"messages":[{"content":[' + part + "]}]}").encode())
    write("rules", "content", bytes(range(256)) * 24)


def c_bytes(data):
    rows = [data[i:i + 12] for i in range(0, len(data), 12)]
    return ",\n\t\t".join(", ".join(f"0x{b:02x}" for b in row) for row in rows)


def write_header(roots, messages, revoking):
    def array(name, items):
        rows = ",\n".join(f"\t{{{c_bytes(hashlib.sha256(i).digest())}}}" for i in items)
        return f"static const uint8_t {name}[{len(items)}][32] = {{\n{rows},\n}};\n"
    text = ("/* SPDX-License-Identifier: Apache-2.0 */\n"
            "/* Made by make_corpus.py; do not edit. */\n"
            "/* clang-format off */\n"
            "#ifndef PM_FUZZ_SNP_SEEDS_H\n#define PM_FUZZ_SNP_SEEDS_H\n\n#include <stdint.h>\n\n"
            "/* SHA-256 of the root certificates of the corpus. */\n" + array("seed_roots", roots) +
            "\n/* SHA-256 of all that these roots' keys ever signed: the first 0x2a0 bytes of reports. */\n" +
            array("seed_signed", messages) +
            "\n/* SHA-256 of the lists that revoke a certificate of the corpus. */\n" +
            array("seed_revoking", revoking) + "\n#endif\n")
    (HERE / "snp_seeds.h").write_text(text, encoding="utf-8")


def write_appraise_header(world, claims, disk):
    tcb = {"boot_loader": 3, "tee": 1, "snp": 8, "microcode": 115}
    snp = {"measurements": [der.stream("measurement", 48).hex()], "host_data": None, "chip_ids": None,
           "min_tcb": {"Milan": tcb}, "signers": ["VCEK"], "require_crl": True}
    role = {"snp": snp, "gpu": None, "models": ["a/model"], "calls": [], "workload_secret": False}
    model = {"root_hash": disk.hex(), "hash_offset": 40960, "data_blocks": 10, "salt": "00ff", "data_block_size": 4096,
             "hash_block_size": 4096}
    owner = {"name": "alice", "key": base64.b64encode(der.Ec("mesh", der.P384).spki()).decode()}
    manifest = {"version": 1, "serial": 1, "previous": None, "not_before": "2026-01-01T00:00:00Z",
                "not_after": "2026-12-31T00:00:00Z", "roles": {"worker": role}, "models": {"a/model": model},
                "owners": {"threshold": 1, "keys": [owner]}, "seed_share_owners": None, "secrets": [],
                "extra_roots": {"snp": [hashlib.sha256(world.ark).hexdigest()]}}
    whole = json.dumps(manifest)
    lines = "\n".join("\t" + json.dumps(whole[i:i + 64]) for i in range(0, len(whole), 64))
    text = ("/* SPDX-License-Identifier: Apache-2.0 */\n"
            "/* Made by make_corpus.py; do not edit. */\n"
            "/* clang-format off */\n"
            "#ifndef PM_FUZZ_APPRAISE_SEEDS_H\n#define PM_FUZZ_APPRAISE_SEEDS_H\n\n#include <stdint.h>\n\n"
            "/* What bundles of the corpus can meet. */\n"
            f"static const char seed_manifest[] =\n{lines};\n\n"
            "/* SHA-256 of the claims that the corpus's key signed. */\n"
            f"static const uint8_t seed_claims[32] = {{\n\t{c_bytes(hashlib.sha256(claims).digest())}}};\n\n#endif\n")
    (HERE / "appraise_seeds.h").write_text(text, encoding="utf-8")


def write_nvgpu_header(chain, digests, bodies):
    def rows(items):
        return ",\n".join(f"\t{{{c_bytes(i)}}}" for i in items)
    text = ("/* SPDX-License-Identifier: Apache-2.0 */\n"
            "/* Made by make_corpus.py; do not edit. */\n"
            "/* clang-format off */\n"
            "#ifndef PM_FUZZ_NVGPU_SEEDS_H\n#define PM_FUZZ_NVGPU_SEEDS_H\n\n#include <stdint.h>\n\n"
            "/* SHA-256 of the root certificate of the manifests. */\n"
            f"static const uint8_t seed_rim_root[32] = {{\n\t{c_bytes(hashlib.sha256(chain.certs[3]).digest())}}};\n\n"
            "/* SHA-384 of the canonical form of each manifest that was signed. */\n"
            f"static const uint8_t seed_rim_digests[{len(digests)}][48] = {{\n{rows(digests)},\n}};\n\n"
            "/* SHA-256 of each ResponseData that was signed and says good. */\n"
            f"static const uint8_t seed_ocsp_bodies[{len(bodies)}][32] = {{\n"
            f"{rows(hashlib.sha256(b).digest() for b in bodies)},\n}};\n\n#endif\n")
    (HERE / "nvgpu_seeds.h").write_text(text, encoding="utf-8")
def make_manifest():
    sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "manifest"))
    import cases  # pylint: disable=import-outside-toplevel
    base = cases.BASE
    compact = json.dumps(base, sort_keys=True, separators=(",", ":"))
    write("manifest", "whole", compact.encode())
    write("manifest", "indented", json.dumps(base, indent=1).encode())
    least = {**cases.around({}), "serial": 1, "previous": None, "seed_share_owners": None,
             "roles": {"coordinator": cases.COORDINATOR}}
    least.pop("extra_roots")
    write("manifest", "least", json.dumps(least).encode())
    write("manifest", "version-2", json.dumps({**least, "version": 2}).encode())
    write("manifest", "doubled", compact.replace('"serial":2', '"serial":2,"serial":2').encode())
    write("manifest", "deep", b'{"a":' + b"[" * 17 + b"]" * 17 + b"}")
    write("manifest", "empty", b"")
    for n, changes in enumerate(({"serial": 0}, {"models": {"a//b": cases.TINY}}, {"owners": {}},
                                 {"secrets": [{"id": "x", "roles": ["nobody"], "models": None}]})):
        write("manifest", f"refused-{n}", json.dumps({**least, **changes}).encode())


def make_signatures():
    sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "manifest"))
    import cases  # pylint: disable=import-outside-toplevel
    entry = {"key": "00" * 32, "algorithm": "ed25519", "signature": base64.b64encode(bytes(64)).decode()}
    other = {"key": "11" * 32, "algorithm": "ecdsa-p384-sha384", "signature": "MAYCAQECAQE="}
    for name, found in (("none", []), ("two", [entry, other]), ("same", [entry, {**entry, "algorithm": "x"}]),
                        ("twice", [entry, {**other, "key": "00" * 32}])):
        write("signatures", name, json.dumps({"manifest": "ab" * 32, "signatures": found}).encode())

    def pem(what, der_text):
        return f"-----BEGIN {what}-----\n{der_text}\n-----END {what}-----\n".encode()
    for name, key in (("ed25519", cases.ED_A), ("p384", cases.P384_A)):
        write("signatures", f"public-{name}", base64.b64decode(key))
        write("signatures", f"public-{name}-pem", pem("PUBLIC KEY", key))
    seed = bytes.fromhex("302e020100300506032b657004220420") + bytes(range(32))
    number = bytes.fromhex("304e020100301006072a8648ce3d020106052b81040022043730350201010430") + bytes(range(48))
    for name, key in (("ed25519", seed), ("p384", number)):
        write("signatures", f"private-{name}", pem("PRIVATE KEY", base64.b64encode(key).decode()))


def make_command():
    whole = {"version": 1, "op": "put", "id": "weights/a", "exchange": base64.b64encode(bytes(range(32))).decode(),
             "manifest": "ab" * 32, "content": "cd" * 32, "issued": "2026-03-01T00:00:00Z",
             "expires": "2026-03-02T00:00:00Z", "roles": ["worker"], "models": ["tiny", "other"]}
    entry = {"key": "00" * 32, "algorithm": "ed25519", "signature": base64.b64encode(bytes(64)).decode()}
    bare = whole | {"id": None, "content": None, "expires": None, "roles": None, "models": None}
    for name, statement, found in (("put", whole, [entry]), ("revoke", bare | {"op": "revoke", "id": "a"}, []),
                                   ("rotate", bare | {"op": "rotate"}, []), ("lacks", whole | {"expires": None}, []),
                                   ("restore", bare | {"op": "restore", "content": "ef" * 32}, [entry])):
        write("command", name, json.dumps({"statement": statement, "signatures": found}).encode())


def make_secrets():
    def names(*texts):
        return struct.pack(">H", len(texts)) + b"".join(bytes([len(x)]) + x for x in texts)

    def head(kind, rule):
        fixed = bytes([1, kind]) + struct.pack(">QQ", 5, 1772323200) + bytes(range(32))
        return fixed + struct.pack(">H", len(rule)) + rule
    free, narrow = head(1, names() + names()), head(2, names(b"worker", b"reader") + names(b"tiny"))
    write("secrets", "head", free)
    write("secrets", "record", narrow + bytes([1, 0, 0, 0, 1]) + bytes(80))
    write("secrets", "rule-cut", head(3, names(b"worker")))
    for name, line in (("line", b"\x01\x09weights/a" + struct.pack(">I", len(narrow)) + narrow + b"value"),
                       ("line-empty", b"\x01\x01a" + struct.pack(">I", len(free)) + free), ("line-end", b"\x02"),
                       ("line-long", b"\x01\x01a" + struct.pack(">I", 1 << 31) + free)):
        write("secrets", name, line)
    write("secrets", "base64", base64.b64encode(bytes(100)))


def history(count, first=1):
    links, previous = [], bytes(32) if first == 1 else b"\x01" * 32
    for serial in range(first, first + count):
        manifest, time = hashlib.sha256(b"%d" % serial).digest(), 1772323200 + serial
        links.append({"serial": serial, "time": f"2026-03-01T00:00:{serial:02}Z", "manifest": manifest.hex(),
                      "previous": previous.hex(), "signature": "MAYCAQECAQE="})
        body = struct.pack(">Q", serial) + manifest + previous + struct.pack(">q", time)
        previous = hashlib.sha256(b"libpm history hash v1\0" + body).digest()
    return {"version": 1, "links": links}


def make_history():
    for name, made in (("none", history(0)), ("three", history(3)), ("tail", history(2, 5))):
        write("history", name, json.dumps(made).encode())
    gap = history(3)
    del gap["links"][1]
    write("history", "gap", json.dumps(gap).encode())
    for name, link in (("memory", bytes(range(32))), ("memory-no-link", b"")):
        body = b"libpm memory v1\0" + struct.pack(">Q", 7) + bytes(32) + bytes([bool(link)]) + link
        write("history", name, json.dumps({
            "version": 1, "serial": 7, "manifest": "00" * 32, "link": link.hex() if link else None,
            "checksum": hashlib.sha256(body).hexdigest()}).encode())


def main():
    ark, ask = der.Rsa("ark", 4096), der.Rsa("ask", 4096)
    milan, turin = World(ark, ask, "Milan", "SEV-VCEK"), World(ark, ask, "Turin", "SEV-VCEK")
    vlek = World(ark, ask, "Genoa", "SEV-VLEK")
    make_rd()
    make_text()
    make_bodies()
    make_bundle(milan)
    make_cert(milan, vlek)
    make_crl(milan)
    make_field()
    corpus_gpu.make(write, HERE, c_bytes)
    make_gpu_collect()
    make_history()
    make_command()
    make_secrets()
    make_keyex(milan)
    make_manifest()
    corpus_mesh.make(write, HERE, c_bytes, cbor)
    make_rules()
    make_pem(milan)
    make_rim_json()
    make_sealed()
    make_signatures()
    make_spki(der.Rsa("small", 2048))
    make_snp(milan, turin, vlek)
    make_verity()
    worlds = (milan, turin, vlek)
    nvgpu = corpus_nvgpu.Chain()
    write_nvgpu_header(nvgpu, corpus_nvgpu.make_rim(write, nvgpu), corpus_nvgpu.make_ocsp(write, nvgpu))
    write_header([w.ark for w in worlds], make_snp_verify(*worlds) + make_appraise(milan),
                 [w.crl_of_ask for w in worlds])


if __name__ == "__main__":
    main()
