# SPDX-License-Identifier: Apache-2.0
"""The corpus of the targets gpu_report, gpu_leaf, gpu_list and gpu_verify: devices, their chains and reports, all made
here."""
import base64
import hashlib
import json
import struct

import der
from corpus_nvgpu import certificate, leaf_extensions

SHA384 = der.oid("2.16.840.1.101.3.4.2.2")
ZEROS = bytes(48)


def fwid(digest):
    return der.sequence(SHA384, der.octets(digest))


def composite(key, digest=ZEROS):
    return der.extension("2.23.133.5.4.1", der.sequence(der.integer(1), key.spki(), fwid(digest)))


def tcb_info(digest=ZEROS, flags=0x80):
    fields = [der.tlv(0x80, b"NVIDIA"), der.tlv(0x83, b"\3"), der.tlv(0xa6, fwid(digest) + fwid(ZEROS)),
              der.tlv(0x87, bytes([0, flags, 0, 0, 1])), der.tlv(0x89, b"\0")]
    return der.extension("2.23.133.5.4.1.1", der.sequence(*fields))


def alt_name(chip):
    value = der.tlv(0xa0, der.tlv(0x0c, f"NVIDIA:{chip}:0123456789ABCDEF".encode()))
    return der.extension("2.5.29.17", der.sequence(der.tlv(0xa0, der.oid("1.3.6.1.4.1.412.274.1") + value)))


class Device:
    """A device under the root of this corpus; all devices have the same authorities and keys."""

    def __init__(self, chip, identity):
        names = [f"{chip} A01 FMC LF", f"{chip} A01 BROM", f"{chip} ICA", "Identity", "GPU root"]
        keys = [der.Ec(n, der.P384) for n in ("GPU leaf", "GPU BROM", "GPU ICA", "GPU identity", "GPU root")]
        self.key, self.brom_key, self.certs = keys[0], keys[1], []
        for i, n in enumerate(names):
            up = min(i + 1, 4)
            extensions = der.ca_extensions() if i else leaf_extensions(alt_name(chip), identity(keys[1]))
            serial = 0x41 << 64 | 0x123456 if i == 1 else 0x90 + i
            self.certs.append(certificate(n, keys[i], names[up], keys[up], serial, extensions))

    def sign(self, body):
        r, s = self.key.sign(body)
        return body + r.to_bytes(48, "big") + s.to_bytes(48, "big")


def opaque(fields):
    return b"".join(struct.pack("<HH", t, len(v)) + v for t, v in fields)


GPU_FIELDS = [(6, bytes.fromhex("009f009601000000")), (15, b"882\0\0\0\0\0\0"), (17, b"1010\0"), (18, b"0200\0"),
              (3, b"550.90.07\0"), (4, bytes.fromhex("8001000000000000")), (11, b"\x55"), (12, bytes(256)),
              (20, ZEROS), (21, b"\xaa"), (22, bytes(144)), (34, b"\1\0"), (36, b"\2\0")]
BLACKWELL_FIELDS = [(t, bytes.fromhex("a001000000000000") if t == 4 else v) for t, v in GPU_FIELDS] + [(35, b"GB100\0")]
SWITCH_FIELDS = [(6, b"96.10.55.00.01"), (22, bytes(8)), (26, bytes(128)), (24, b"\2\0"), (25, b"\1\0")]


def body(count, fields, nonce=bytes(32)):
    """Request and response, unsigned."""
    blocks = b"".join(struct.pack("<BBHBH", i + 1, 1, 51, 1, 48) + der.stream(f"measured {i}", 48)
                      for i in range(count))
    data = fields if isinstance(fields, bytes) else opaque(fields)
    return (b"\x11\xe0\x01\xff" + nonce + b"\0" + b"\x11\x60\0\0" + bytes([count]) +
            len(blocks).to_bytes(3, "little") + blocks + bytes(32) + struct.pack("<H", len(data)) + data)


def with_byte(data, at, value):
    return data[:at] + bytes([value]) + data[at + 1:]


def make_report(write):
    good = body(64, GPU_FIELDS) + bytes(96)
    rows = {"gpu": good, "blackwell": body(64, BLACKWELL_FIELDS) + bytes(96),
            "switch": body(31, SWITCH_FIELDS) + bytes(96),
            "short": good[:-1], "long": good + b"\0", "request-only": good[:37], "empty": b"",
            "version": with_byte(good, 0, 0x12), "blocks-63": with_byte(good, 41, 63), "index": with_byte(good, 45, 2),
            "value-size": with_byte(good, 50, 47), "opaque-length": with_byte(good, 3597, 0xff),
            "twice": body(64, GPU_FIELDS + GPU_FIELDS[:1]) + bytes(96),
            "unknown": body(64, GPU_FIELDS + [(200, b"x")]) + bytes(96),
            "no-driver": body(64, GPU_FIELDS[:4]) + bytes(96), "no-fields": body(64, []) + bytes(96),
            "version-2": body(64, GPU_FIELDS[:11] + [(34, b"\2\0")]) + bytes(96),
            "lower-case": body(64, GPU_FIELDS[:4] + [(3, b"550.90.07b")]) + bytes(96),
            "odd-text": body(64, GPU_FIELDS[:4] + [(3, b"550/..\0")]) + bytes(96),
            "cut-field": body(64, opaque(GPU_FIELDS) + b"\xc8\0\5\0abc") + bytes(96),
            "cut-header": body(64, opaque(GPU_FIELDS) + b"\xc8\0\5") + bytes(96)}
    for name, data in rows.items():
        write("gpu_report", name, data)


def make_leaf(write):
    brom_key = der.Ec("GPU BROM", der.P384)
    chip = "GH100"

    def leaf(*extensions, name=f"{chip} A01 FMC LF", serial=0x90, usage=leaf_extensions()):
        return certificate(name, der.Ec("GPU leaf", der.P384), f"{chip} A01 BROM", brom_key, serial,
                           [*usage, *extensions])
    parent = Device(chip, composite).certs[1]
    own = alt_name(chip)
    rows = {"composite": leaf(own, composite(brom_key)), "tcb-info": leaf(own, tcb_info()),
            "no-fwid": leaf(own), "both": leaf(own, composite(brom_key), tcb_info()),
            "debug": leaf(own, tcb_info(flags=0x90)), "other-key": leaf(own, composite(der.Ec("one", der.P384))),
            "no-name": leaf(composite(brom_key)), "other-chip": leaf(alt_name("GB100"), composite(brom_key)),
            "no-usage": leaf(own, usage=()), "ca": leaf(own, usage=der.ca_extensions()),
            "long-serial": leaf(own, serial=1 << 159), "unknown-chip": leaf(alt_name("GR100"), name="GR100 A01")}
    for name, data in rows.items():
        write("gpu_leaf", name, struct.pack(">H", len(parent)) + parent + data)


def pems(certs):
    return b"".join(der.pem("CERTIFICATE", c) for c in certs)


def make_list(write, report, certs):
    """The same in the JSON of NVIDIA's SDK."""
    def text(value):
        return base64.b64encode(value).decode()
    device = {"evidence": text(report), "certificate": text(certs)}
    told = device | {"version": "1.0", "arch": "HOPPER", "nonce": report[4:36].hex(), "driver_version": "550.90.07",
                     "vbios_version": "96.00.9F.00.01"}
    done = {"result_code": 0, "result_message": "Ok"}
    rows = {"one": [device], "two": [told, device], "printed": {"evidences": [told]} | done,
            "failed": {"evidences": [told]} | done | {"result_code": 8}, "empty": [], "number": [1],
            "other-arch": [told | {"arch": "LS10"}], "more": [device | {"more": "x"}],
            "no-base64": [device | {"evidence": "*"}], "no-report": [device | {"evidence": "AA=="}]}
    for name, value in rows.items():
        write("gpu_list", name, json.dumps(value).encode())
    write("gpu_list", "cut", json.dumps([device]).encode()[:-1])
    write("gpu_list", "twice", b'[{"evidence": "AA==", "evidence": "AA==", "certificate": "AA=="}]')


def make_verify(write):
    """Returns the roots, and what the devices signed and a policy that waives all it can accepts."""
    hopper, blackwell = Device("GH100", composite), Device("GB100", lambda key: tcb_info())
    switch = Device("LS_10", composite)
    rows = [("hopper", hopper, body(64, GPU_FIELDS)), ("blackwell", blackwell, body(64, BLACKWELL_FIELDS)),
            ("switch", switch, body(31, SWITCH_FIELDS))]

    def put(name, report, certs):
        write("gpu_verify", name, b"".join(struct.pack(">I", len(p)) + p for p in (report, certs)))
    for name, device, unsigned in rows:
        put("valid-" + name, device.sign(unsigned), pems(device.certs))
    good = hopper.sign(rows[0][2])
    put("bad-signature", good[:-1] + bytes([good[-1] ^ 1]), pems(hopper.certs))
    put("bad-measurement", with_byte(good, 60, good[60] ^ 1), pems(hopper.certs))
    put("other-fwid", hopper.sign(body(64, [(t, b"\1" * 48 if t == 20 else v) for t, v in GPU_FIELDS])),
        pems(hopper.certs))
    put("no-fwid", hopper.sign(body(64, [f for f in GPU_FIELDS if f[0] != 20])), pems(hopper.certs))
    put("other-kind", hopper.sign(rows[1][2]), pems(hopper.certs))
    make_list(write, good, pems(hopper.certs))
    put("four", good, pems(hopper.certs[:4]))
    put("reversed", good, pems(hopper.certs[::-1]))
    put("none", good, b"")
    forged = hopper.certs[0][:-1] + bytes([hopper.certs[0][-1] ^ 1])
    put("forged-leaf", good, pems([forged, *hopper.certs[1:]]))
    signed = [unsigned for _, _, unsigned in rows] + [body(64, [f for f in GPU_FIELDS if f[0] != 20])]
    return [hopper.certs[4], blackwell.certs[4], switch.certs[4]], signed


def make(write, here, c_bytes):
    def array(name, items):
        found = ",\n".join(f"\t{{{c_bytes(hashlib.sha256(i).digest())}}}" for i in items)
        return f"static const uint8_t {name}[{len(items)}][32] = {{\n{found},\n}};\n"
    make_report(write)
    make_leaf(write)
    roots, signed = make_verify(write)
    text = ("/* SPDX-License-Identifier: Apache-2.0 */\n"
            "/* Made by make_corpus.py; do not edit. */\n"
            "/* clang-format off */\n"
            "#ifndef PM_FUZZ_GPU_SEEDS_H\n#define PM_FUZZ_GPU_SEEDS_H\n\n#include <stdint.h>\n\n"
            "/* SHA-256 of the root certificates of devices. */\n" + array("seed_gpu_roots", sorted(set(roots))) +
            "\n/* SHA-256 of each report that may be accepted, less its signature. */\n" +
            array("seed_gpu_signed", signed) + "\n#endif\n")
    (here / "gpu_seeds.h").write_text(text, encoding="utf-8")
