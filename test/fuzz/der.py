# SPDX-License-Identifier: Apache-2.0
"""Just enough DER, RSA and P-384 to make certificates for the corpus. No secret was ever safe with it."""
import hashlib

# --- numbers, always the same ---------------------------------------------------------------------


def stream(label, size):
    return hashlib.shake_256(label.encode()).digest(size)


def number(label, bits):
    return int.from_bytes(stream(label, bits // 8), "big")


def small_primes(limit):
    sieve = bytearray([1]) * limit
    for i in range(2, limit):
        if sieve[i]:
            yield i
            sieve[i * i::i] = bytes(len(sieve[i * i::i]))


SMALL = list(small_primes(20000))


def is_prime(n):
    if any(n % p == 0 for p in SMALL):
        return False
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for base in (2, 3, 5, 7, 11, 13):
        x = pow(base, d, n)
        if x in (1, n - 1):
            continue
        if not any((x := x * x % n) == n - 1 for _ in range(s - 1)):
            return False
    return True


def prime(label, bits):
    n = number(label, bits) | 3 << (bits - 2) | 1
    while (n - 1) % 65537 == 0 or not is_prime(n):
        n += 2
    return n


class Rsa:
    def __init__(self, label, bits):
        p, q = prime(label + " p", bits // 2), prime(label + " q", bits // 2)
        self.n, self.e, self.bits = p * q, 65537, bits
        self.d = pow(self.e, -1, (p - 1) * (q - 1))

    def spki(self):
        key = sequence(integer(self.n), integer(self.e))
        return sequence(sequence(oid("1.2.840.113549.1.1.1"), tlv(5, b"")), bits(key))

    def sign(self, message):
        """RSASSA-PSS, SHA-384, salt of 48 bytes (RFC 8017, 9.1.1); the salt is fixed."""
        digest = hashlib.sha384(message).digest()
        salt = stream("salt", 48)
        h = hashlib.sha384(bytes(8) + digest + salt).digest()
        size = self.bits // 8
        db = bytes(size - 48 - 48 - 2) + b"\1" + salt
        masked = bytearray(a ^ b for a, b in zip(db, mgf1(h, len(db))))
        masked[0] &= 0x7f
        em = bytes(masked) + h + b"\xbc"
        return pow(int.from_bytes(em, "big"), self.d, self.n).to_bytes(size, "big")


def mgf1(seed, size):
    out = b""
    while len(out) < size:
        out += hashlib.sha384(seed + (len(out) // 48).to_bytes(4, "big")).digest()
    return out[:size]


# Curves of FIPS 186: p, b, order, generator, object identifier.
P384 = (2**384 - 2**128 - 2**96 + 2**32 - 1,
        0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef,
        0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973,
        (0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7,
         0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f),
        "1.3.132.0.34")
P256 = (2**256 - 2**224 + 2**192 + 2**96 - 1,
        0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b,
        0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,
        (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
         0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5),
        "1.2.840.10045.3.1.7")


def add(p, a, b):
    """Affine addition; None is the point at infinity."""
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % p == 0:
        return None
    if a == b:
        m = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, p) % p
    else:
        m = (b[1] - a[1]) * pow(b[0] - a[0], -1, p) % p
    x = (m * m - a[0] - b[0]) % p
    return x, (m * (a[0] - x) - a[1]) % p


def multiply(p, k, point):
    result = None
    while k:
        if k & 1:
            result = add(p, result, point)
        point, k = add(p, point, point), k >> 1
    return result


class Ec:
    def __init__(self, label, curve):
        self.p, _, self.n, self.g, self.oid = curve
        self.size = (self.p.bit_length() + 7) // 8
        self.d = number(label, self.size * 8 + 64) % self.n
        self.q = multiply(self.p, self.d, self.g)

    def spki(self):
        point = b"\4" + b"".join(c.to_bytes(self.size, "big") for c in self.q)
        return sequence(sequence(oid("1.2.840.10045.2.1"), oid(self.oid)), bits(point))

    def sign(self, message):
        """(r, s) of ECDSA with SHA-384."""
        z = int.from_bytes(hashlib.sha384(message).digest(), "big") >> max(0, 384 - self.n.bit_length())
        k = int.from_bytes(hashlib.sha512(b"k" + message).digest(), "big") % self.n
        r = multiply(self.p, k, self.g)[0] % self.n
        return r, pow(k, -1, self.n) * (z + r * self.d) % self.n


# --- DER (X.690) ----------------------------------------------------------------------------------


def tlv(tag, content):
    n = len(content)
    if n < 128:
        return bytes([tag, n]) + content
    size = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + content


def sequence(*parts):
    return tlv(0x30, b"".join(parts))


def set_of(*parts):
    return tlv(0x31, b"".join(parts))


def integer(n):
    return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def bits(content):
    return tlv(3, b"\0" + content)


def octets(content):
    return tlv(4, content)


def boolean(value):
    return tlv(1, b"\xff" if value else b"\0")


def oid(text):
    first, second, *rest = map(int, text.split("."))
    out = b""
    for arc in [first * 40 + second] + rest:
        part = bytes([arc & 0x7f])
        while arc := arc >> 7:
            part = bytes([arc & 0x7f | 0x80]) + part
        out += part
    return tlv(6, out)


def time(text):
    """'YYYYMMDDhhmmssZ': UTCTime up to 2049, as RFC 5280 demands."""
    return tlv(0x17, text[2:].encode()) if text < "2050" else tlv(0x18, text.encode())


def name(common_name):
    return sequence(set_of(sequence(oid("2.5.4.10"), tlv(0x0c, b"Corpus"))),
                    set_of(sequence(oid("2.5.4.3"), tlv(0x0c, common_name.encode()))))


def extension(number_text, value, critical=False):
    return sequence(oid(number_text), *([boolean(True)] if critical else []), octets(value))


def pss():
    """AlgorithmIdentifier of RSASSA-PSS with SHA-384, MGF1 with the same, salt of 48 bytes (RFC 4055)."""
    sha384 = sequence(oid("2.16.840.1.101.3.4.2.2"), tlv(5, b""))
    mgf = sequence(oid("1.2.840.113549.1.1.8"), sha384)
    return sequence(oid("1.2.840.113549.1.1.10"),
                    sequence(tlv(0xa0, sha384), tlv(0xa1, mgf), tlv(0xa2, integer(48))))


def signed(body, key):
    return sequence(body, pss(), bits(key.sign(body)))


def certificate(subject, key, issuer, issuer_key, serial=1, extensions=()):
    """spki of key; signed by issuer_key, an Rsa."""
    body = sequence(tlv(0xa0, integer(2)), integer(serial), pss(), name(issuer),
                    sequence(time("20200101000000Z"), time("20491231235959Z")), name(subject), key.spki(),
                    *([tlv(0xa3, sequence(*extensions))] if extensions else []))
    return signed(body, issuer_key)


def ca_extensions(path_length=None):
    constraint = [integer(path_length)] if path_length is not None else []
    return (extension("2.5.29.19", sequence(boolean(True), *constraint), critical=True),
            extension("2.5.29.15", tlv(3, b"\1\6"), critical=True))


def revocation_list(issuer, issuer_key, serials=()):
    entries = [sequence(integer(s), time("20210101000000Z")) for s in serials]
    body = sequence(integer(1), pss(), name(issuer), time("20200101000000Z"), time("20491231235959Z"),
                    *([sequence(*entries)] if entries else []),
                    tlv(0xa0, sequence(extension("2.5.29.20", integer(1)))))
    return signed(body, issuer_key)


def pem(label, der):
    import base64
    text = base64.b64encode(der).decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode()
