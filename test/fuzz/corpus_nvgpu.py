# SPDX-License-Identifier: Apache-2.0
"""The corpus of the targets rim and ocsp: a chain, manifests and OCSP responses, all made here.

The canonical form of a manifest is written beside the manifest itself, by hand and not by an XML library.
"""
import base64
import hashlib

import der

SWID = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
SHA384 = "http://www.w3.org/2001/04/xmlenc#sha384"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
C14N = "http://www.w3.org/2006/12/xml-c14n11"
TCG = "https://trustedcomputinggroup.org/resource/tcg-reference-integrity-manifest-rim-information-model/"
ECDSA = der.sequence(der.oid("1.2.840.10045.4.3.3"))
OCSP = "1.3.6.1.5.5.7.48.1"


# --- certificates ---------------------------------------------------------------------------------


def sign(key, body):
    r, s = key.sign(body)
    return der.sequence(body, ECDSA, der.bits(der.sequence(der.integer(r), der.integer(s))))


def certificate(subject, key, issuer, issuer_key, serial, extensions):
    body = der.sequence(der.tlv(0xa0, der.integer(2)), der.integer(serial), ECDSA, der.name(issuer),
                        der.sequence(der.time("20200101000000Z"), der.time("20491231235959Z")),
                        der.name(subject), key.spki(), der.tlv(0xa3, der.sequence(*extensions)))
    return sign(issuer_key, body)


def leaf_extensions(*more):
    return (der.extension("2.5.29.15", der.tlv(3, b"\7\x80"), critical=True), *more)


class Chain:
    """Signer, two authorities, root."""

    def __init__(self):
        names = ["RIM signer", "RIM CA 2", "RIM CA 1", "RIM root"]
        self.keys = [der.Ec(n, der.P384) for n in names]
        self.certs = []
        for i, n in enumerate(names):
            up = min(i + 1, 3)
            ext = der.ca_extensions(0 if i == 1 else None) if i else leaf_extensions()
            self.certs.append(certificate(n, self.keys[i], names[up], self.keys[up], 0x80 + i, ext))
        self.name, self.names = der.name("RIM CA 2"), names


# --- manifests ------------------------------------------------------------------------------------


def element(name, declared, attributes, content, canonical):
    """declared: xmlns attributes as they stand; attributes: (sort key, name, value)."""
    order = sorted(attributes) if canonical else attributes
    if canonical:
        declared = sorted(declared)
    head = "".join(f' {n}="{v}"' for n, v in declared) + "".join(f' {n}="{v}"' for _, n, v in order)
    if content == "" and not canonical:
        return f"<{name}{head}/>"
    return f"<{name}{head}>{content}</{name}>"


def plain(pairs):
    return [(("", n), n, v) for n, v in pairs]


def prefixed(prefix, uri, pairs):
    return [((uri, n), f"{prefix}:{n}", v) for n, v in pairs]


def resource(index, canonical):
    digests = [der.stream(f"golden {index} {k}", 48).hex() for k in range(1 + index % 2)]
    attributes = (plain([("type", "Measurement"), ("index", str(index)), ("active", "True"),
                         ("alternatives", str(len(digests)))]) +
                  prefixed("ns2", SHA384, [(f"Hash{k}", d) for k, d in enumerate(digests)]) +
                  plain([("name", f"Measurement_{index}"), ("size", "48")]))
    return "        " + element("ns0:Resource", [], attributes, "", canonical) + "\n"


def document(version, edition, product, signature, canonical):
    """The whole, with the signature (text) before the end."""
    meta = (plain([("colloquialVersion", version), ("edition", edition), ("product", product),
                   ("revision", "r1"), ("PayloadType", "direct")]) +
            prefixed("ns1", TCG, [("BindingSpec", "RIMIM"), ("BindingSpecVersion", "1.01"),
                                  ("PlatformManufacturerId", "5703"), ("PlatformManufacturerStr", "Corpus"),
                                  ("PlatformModel", product), ("FirmwareManufacturer", "Corpus"),
                                  ("FirmwareManufacturerId", "5703")]))
    payload = "\n" + "".join(resource(i, canonical) for i in range(3)) + "    "
    inner = ("\n    " + element("ns0:Entity", [], plain([("name", "Corpus"), ("role", "softwareCreator")]), "",
                                canonical) +
             "\n    " + element("ns0:Meta", [("xmlns:ns1", TCG)], meta, "", canonical) +
             "\n    " + element("ns0:Payload", [("xmlns:SHA384", SHA384)], [], payload, canonical) +
             "\n" + signature)
    root = plain([("corpus", "false"), ("name", product), ("patch", "false"), ("supplemental", "false"),
                  ("tagId", "corpus"), ("version", "1.0"), ("tagVersion", "0")])
    return element("SoftwareIdentity", [("xmlns", SWID), ("xmlns:ns0", SWID), ("xmlns:ns2", SHA384)], root,
                   inner, canonical)


def signed_info(digest, canonical):
    def method(name, algorithm):
        return element(f"ds:{name}", [], plain([("Algorithm", algorithm)]), "", canonical)
    transforms = method("Transform", DSIG + "enveloped-signature") + method("Transform", C14N)
    reference = (f"<ds:Transforms>{transforms}</ds:Transforms>" + method("DigestMethod", MORE + "sha384") +
                 f"<ds:DigestValue>{base64.b64encode(digest).decode()}</ds:DigestValue>")
    declared = [("xmlns", SWID), ("xmlns:ds", DSIG), ("xmlns:ns0", SWID), ("xmlns:ns2", SHA384)]
    return element("ds:SignedInfo", declared if canonical else [], [],
                   method("CanonicalizationMethod", C14N) + method("SignatureMethod", MORE + "ecdsa-sha384") +
                   f'<ds:Reference URI="">{reference}</ds:Reference>', canonical)


def manifest(chain, version="550.90.07", edition="GPU", product="GH100"):
    """The text, and the digest of its canonical form."""
    digest = hashlib.sha384(document(version, edition, product, "", True).encode()).digest()
    r, s = chain.keys[0].sign(signed_info(digest, True).encode())
    value = base64.b64encode(r.to_bytes(48, "big") + s.to_bytes(48, "big")).decode()
    certs = "".join(f"<ds:X509Certificate>{base64.b64encode(c).decode()}</ds:X509Certificate>"
                    for c in chain.certs)
    signature = (f'<ds:Signature xmlns:ds="{DSIG}">{signed_info(digest, False)}'
                 f"<ds:SignatureValue>{value}</ds:SignatureValue>"
                 f"<ds:KeyInfo><ds:X509Data>{certs}</ds:X509Data></ds:KeyInfo></ds:Signature>")
    return document(version, edition, product, signature, False).encode() + b"\n", digest


def make_rim(write, chain):
    """Digests of what the chain signed."""
    driver, d1 = manifest(chain)
    vbios, d2 = manifest(chain, version="96.00.9F.00.01")
    switch, d3 = manifest(chain, version="96.10.55.00.01", edition="SWITCH", product="LS10")
    write("rim", "driver", driver)
    write("rim", "vbios", vbios)
    write("rim", "switch", switch)
    write("rim", "digest", driver.replace(b"Measurement_1", b"Measurement_9"))
    write("rim", "signature", driver.replace(b"<ds:SignatureValue>", b"<ds:SignatureValue>A", 1))
    write("rim", "truncated", driver[:-30])
    write("rim", "doctype", b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + driver)
    write("rim", "object", driver.replace(b"</ds:KeyInfo>", b"</ds:KeyInfo><ds:Object/>"))
    write("rim", "key-value", driver.replace(b"<ds:KeyInfo>", b"<ds:KeyInfo><ds:KeyValue/>"))
    write("rim", "index-twice", driver.replace(b'index="1"', b'index="0"'))
    write("rim", "two-prefixes", driver.replace(b"ns2:Hash1", b"SHA384:Hash0"))
    write("rim", "deep", b"<a>" * 400)
    return [d1, d2, d3]


# --- OCSP -----------------------------------------------------------------------------------------


def generalized(text):
    return der.tlv(0x18, text.encode())


def cert_id(issuer_name, issuer_key, serial, algorithm="2.16.840.1.101.3.4.2.2", hash_name="sha384"):
    def digest(data):
        return der.octets(hashlib.new(hash_name, data).digest())
    point = issuer_key.spki()[-97:]
    return der.sequence(der.sequence(der.oid(algorithm), der.tlv(5, b"")), digest(issuer_name), digest(point),
                        der.integer(serial))


def single(identifier, status, next_update="20491231000000Z"):
    end = [der.tlv(0xa0, generalized(next_update))] if next_update else []
    return der.sequence(identifier, status, generalized("20200101000000Z"), *end)


def response(key, cert, singles, responder=None, nonce=None):
    named = responder or der.tlv(0xa2, der.octets(hashlib.sha1(key.spki()[-97:]).digest()))
    extensions = [der.tlv(0xa1, der.sequence(der.extension(OCSP + ".2", der.octets(nonce))))] if nonce else []
    body = der.sequence(named, generalized("20200101000000Z"), der.sequence(*singles), *extensions)
    r, s = key.sign(body)
    signature = der.bits(der.sequence(der.integer(r), der.integer(s)))
    basic = der.sequence(body, ECDSA, signature, *([der.tlv(0xa0, der.sequence(cert))] if cert else []))
    inner = der.sequence(der.oid(OCSP + ".1"), der.octets(basic))
    return der.sequence(der.tlv(10, b"\0"), der.tlv(0xa0, inner)), body


def make_ocsp(write, chain):
    """What may be accepted: bodies that say good."""
    key = der.Ec("OCSP responder", der.P384)
    purpose = der.extension("2.5.29.37", der.sequence(der.oid("1.3.6.1.5.5.7.3.9")), critical=True)
    cert = certificate("OCSP responder", key, "RIM CA 2", chain.keys[1], 0x90, leaf_extensions(purpose))
    own = cert_id(chain.name, chain.keys[1], 0x80)
    other = cert_id(chain.name, chain.keys[1], 0x81)
    ok, unknown = der.tlv(0x80, b""), der.tlv(0x82, b"")
    hold = der.tlv(0xa1, generalized("20200101000000Z") + der.tlv(0xa0, der.tlv(10, b"\6")))
    revoked = der.tlv(0xa1, generalized("20200101000000Z"))

    def put(name, der_bytes):
        pair = [len(c).to_bytes(2, "big") + c for c in chain.certs[:2]]
        write("ocsp", name, b"".join(pair) + der_bytes)
    good = {
        "good": response(key, cert, [single(own, ok)]),
        "good-nonce": response(key, cert, [single(own, ok)], nonce=bytes(32)),
        "good-by-name": response(key, cert, [single(own, ok)], responder=der.tlv(0xa1, der.name("OCSP responder"))),
        "good-by-issuer": response(chain.keys[1], None, [single(own, ok)]),
        "good-and-other": response(key, cert, [single(other, revoked), single(own, ok)]),
        "sha1": response(key, cert, [single(cert_id(chain.name, chain.keys[1], 0x80, "1.3.14.3.2.26", "sha1"), ok)]),
    }
    for name, (data, _) in good.items():
        put(name, data)
    for name, status in {"unknown": unknown, "hold": hold, "revoked": revoked}.items():
        put(name, response(key, cert, [single(own, status)])[0])
    put("stale", response(key, cert, [single(own, ok, next_update="20200102000000Z")])[0])
    put("no-next-update", response(key, cert, [single(own, ok, next_update=None)])[0])
    put("other", response(key, cert, [single(other, ok)])[0])
    put("two", response(key, cert, [single(own, ok), single(own, revoked)])[0])
    put("try-later", der.sequence(der.tlv(10, b"\3")))
    put("trailing-byte", good["good"][0] + b"\0")
    put("truncated", good["good"][0][:-1])
    put("bad-signature", good["good"][0].replace(good["good"][1], good["good"][1].replace(b"2049", b"2050")))
    return [body for _, body in good.values()]
