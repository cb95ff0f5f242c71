# SPDX-License-Identifier: Apache-2.0
"""The corpus of the target mesh: a mesh CA and certificates of its workloads, written after mesh.h."""
import hashlib

import der

ECDSA = der.sequence(der.oid("1.2.840.10045.4.3.3"))
IDENTITY = "2.25.122785497823947443121175649948723525846"
MANIFEST = hashlib.sha256(b"manifest").digest()


def attribute(number, tag, text):
    return der.set_of(der.sequence(der.oid(number), der.tlv(tag, text.encode())))


def ca_name(manifest=MANIFEST):
    return der.sequence(attribute("2.5.4.3", 0x0c, "mesh CA"), attribute("2.5.4.5", 0x13, manifest.hex()))


def key_id(key):
    point = b"\4" + b"".join(c.to_bytes(key.size, "big") for c in key.q)
    return hashlib.sha256(point).digest()[:20]


def sign(body, key):
    r, s = key.sign(body)
    return der.sequence(body, ECDSA, der.bits(der.sequence(der.integer(r), der.integer(s))))


def certificate(issuer, subject, spki, extensions, key, serial=b"\x41" + bytes(15)):
    body = der.sequence(der.tlv(0xa0, der.integer(2)), der.tlv(2, serial), ECDSA, issuer,
                        der.sequence(der.time("20260101000000Z"), der.time("20270101000000Z")), subject, spki,
                        der.tlv(0xa3, der.sequence(*extensions)))
    return sign(body, key)


def leaf_extensions(issuer, role, replica, cbor, tls):
    purposes = der.sequence(*[der.oid(f"1.3.6.1.5.5.7.3.{n}") for n in (1, 2)])
    names = der.sequence(*[der.tlv(0x82, n.encode()) for n in (role, f"{replica}.{role}")])
    return [der.extension("2.5.29.35", der.sequence(der.tlv(0x80, key_id(issuer)))),
            der.extension("2.5.29.15", der.tlv(3, b"\7\x80"), critical=True),
            *([der.extension("2.5.29.37", purposes)] if tls else []),
            der.extension("2.5.29.17", names), der.extension(IDENTITY, cbor)]


def make(write, here, c_bytes, cbor):
    ca_key, key = der.Ec("mesh CA", der.P384), der.Ec("workload", der.P256)
    ca = certificate(ca_name(), ca_name(), ca_key.spki(),
                     [der.extension("2.5.29.14", der.octets(key_id(ca_key))), *der.ca_extensions(0)], ca_key)
    accepted = []

    def leaf(name, role="worker", replica="r-1", tls=True, **changes):
        said = {1: 1, 2: 1 if tls else 2, 3: role, 4: replica, 5: ["a/model", "b"], 6: MANIFEST, 7: 3}
        encoded = cbor(said | changes.get("said", {}))
        write("mesh", name + "-identity", encoded)
        extensions = changes.get("edit", list)(leaf_extensions(ca_key, role, replica, encoded, tls))
        made = certificate(ca_name(), der.sequence(attribute("2.5.4.3", 0x0c, role)), key.spki(), extensions,
                           ca_key, changes.get("serial", b"\x41" + bytes(15)))
        write("mesh", name, made)
        return made

    tls, signing = leaf("tls"), leaf("sign", role="secrets", tls=False, said={5: []})
    accepted += [tls, signing]
    leaf("version", said={1: 2})
    leaf("models", said={5: ["b", "a"]})
    leaf("unknown-key", said={8: 0})
    leaf("no-names", edit=lambda e: e[:3] + e[4:])
    leaf("twice", edit=lambda e: e + e[-1:])
    leaf("serial", serial=b"\1")
    write("mesh", "ca", ca)
    write("mesh", "chain", der.pem("CERTIFICATE", tls) + der.pem("CERTIFICATE", ca))
    write("mesh", "trailing-byte", tls + b"\0")
    digests = ",\n".join(f"\t{{{c_bytes(hashlib.sha256(c).digest())}}}" for c in accepted)
    (here / "mesh_seeds.h").write_text(
        "/* SPDX-License-Identifier: Apache-2.0 */\n"
        "/* Made by make_corpus.py: the mesh CA of the corpus, and what it signed. */\n"
        "/* clang-format off */\n"
        "#ifndef PM_FUZZ_MESH_SEEDS_H\n#define PM_FUZZ_MESH_SEEDS_H\n\n#include <stdint.h>\n\n"
        f"static const uint8_t seed_mesh_ca[] = {{\n\t{c_bytes(ca)}}};\n\n"
        "/* SHA-256 of each certificate that may be accepted. */\n"
        f"static const uint8_t seed_mesh_leaves[{len(accepted)}][32] = {{\n{digests},\n}};\n\n#endif\n",
        encoding="utf-8")
