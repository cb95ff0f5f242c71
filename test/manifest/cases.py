#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A manifest that uses each key, and ways to spoil it: one table for the parser and for the schema.

    cases.py          print {"base": MANIFEST, "cases": [CASE...]}
    cases.py --around print a manifest with the word MODELS where its models would stand

A case changes the base: "delete" and "set" name places as words with spaces between them. "error" is what
the parser says ("format", "limit", "unsupported", or null when the manifest is good), "at" how the place
that it names begins, "schema" whether a JSON Schema can see it: "bad" or "good".
"""
import base64
import json
import sys

MEASUREMENTS = ["00" * 47 + "01", "00" * 47 + "02"]
HASH = "11" * 32
CHIP = "22" * 64
# Public keys whose private halves were thrown away.
ED_A = "MCowBQYDK2VwAyEA/U9ElPlmAXSvRzMEwQ5KorXaGDLqvziWCKmk26lnZwU="
ED_B = "MCowBQYDK2VwAyEAC/6sxxFj5iMqx7XfNVf6KuCqnEjV3Cug0MShUHWqSes="
P384_A = ("MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEFsLGH2bXns/eSYmKDKXtd7fQuWJow45IW4WDnCVKRd7qsvk8lI2QU1rVWaN/JfQE"
          "U2R4l3O01KkrU8GvLWx3nNB++rGxWUEO1KYnZPVjHWOFTIe6zMhdjSxArj6zMd3D")
P384_B = ("MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEt2WVXAotXTxF6oUGUmKKfsPelYn08ZzrBYhOtbKLGUpkR+2nlbNLxTccjRTCZObN"
          "7MqYfyQf+HN8IE5EY23fQ9V5e8B+oKwYRfpyNmapTQCZpbyKF5k1FV/c9WbJvVA8")
# That of the seed 00 01 .. 1f (draft-connolly-cfrg-xwing-kem-10, appendix D).
X_WING = (
    "b1QJigoOZBFGYUtpYLpg2GA9YvRH+atJm0e9aQbMQLBh2GNKPoiQbyhJWOdEHKbHJcu5cJW3ZxpGK2aByeZYC7yNYLFJ+mAmEEOvu6Uv"
    "IFpgKDhIUVlq3zcavqmNM0c4PSu2c0OPZ4NhK/hwFPe5Gol0AmU0XfZ5NARz0cTBdohuXim48Fi7fHNTFmhs/1w764wmHLAJcKacGvzF"
    "S5TLhuHOY7pjbjlcpFEB4hx70EwxPqGa8kFB79KtREFqJbpPZZEO99iAnDCT8EqvAOPNluNcSqPIAsGK1vOdpLS42YyL15Atg6B7pFOW"
    "Z0pgJDyrk+gP2bHId3N2qcwNb6EV4mOTgLnGvnhIvRNYjGRwOgU10ZoPgWM6l2oKEFtm7ihdD9JV6CwDMZJfQ4O278dh72CZI1oLmHJj"
    "WKqdAbi4llGfkhR0u3wUuyIlK1wvENQSRsmyPnZEhJNn9UGhX2O8koo5u3vHPwe2ZcSWu2VYyPRUiacuxLrNNOnFlMM4cbcj8DSV6ItD"
    "kasm5DBD3rYRezkZ5FxMGxarKOR93XI2Y4VHZhkvwYBspwq7eGy9swky5oyKNwvPsHmDoBLDJmuT76YmV/S4ODdMsLuV4OwGVBsHZdmc"
    "8VO8a5YTXKeApVs2R3ieMZFeRig8+ce7boRT+2aCEFFB8dwNANhe7XA7bGyWH3nIRSdrQkiUnAZ4LlE+spkbldlgQuOMvto1JEmytQhO"
    "vaUiamIGQAeJEwowlkSYSLYp/upKLCp0PEoN3Jyz89Z2/FY3MbJsShpm3IRZFwBW1XaX8UQ7gamjRBK7e/BfMydXWlkR3TAdYFOGfzww"
    "gHEfG/EVh7C7KYQnayaF53ViEOSz+JVThCMeVYxvUQyR4PxWtdGIX/KUnpWka8G+4fpx9QJ+EMRDsOkdD9dED0Z6JyISEuiPXGumQpbK"
    "4NIHv8YPiMfPtcRaoYOdGMs3xFhD5UJqSpDIArZCj5U8NZxKwGA0UvrAtzYeL9NdzIhakhRdT8oBWPG31wtLzRGOSipBVEON8xDESpob"
    "mepBWQcmeoiwYkJBV5wXIvRu1hwuPspUXJlwUXF1OZuADbJdo5WT0GSQ1xQsAOiNLbBH6YmL23rLftkH9uMEFswN5UokLAohJjAvXVTI"
    "W8Zqwvg8eXlFtQZ8qkK9LgwZypdQblB6sKXJ9WM3CEmcGfJK7FE705A6XXO27EmR98cuuZHBw3iJgFyx6jigzAIXayfFjWOM5aMmaEV8"
    "+bm+AnygIUBXlxcl1UEC6JlnFusq2CNFO2BbhVNwsbIbOTLN7UFgqplzx+uuWsR2TZTPfMlQbwd7rXMBLbtKyBQKOHRkEuszyVFFliBf"
    "cHY1hiIX2bYJGMYmjZNEkVuEeiR2waJw8VSlyEI0FlrPyGk5hwLOqemgfnsOmeqb3LeEH+nA+iXIM4CSVho+3dxwAfR4rWV4GmAkqtFl"
    "2baXmtrESKRGL1ZGhVJ/diQ0/ppCWoRDe0VzkuyoDJE1BhUeOhMjnzQvynZVtuquhFoiHOs+Z/VjnGGT9v3u9X45m4CLfzqitXQKre2Q"
    "Fj3F13XJ+vfx+9B12rNE6dfRRmRygfu6ezxWyv1YM7epMOxCBufDptd2T+gdeg==")
INT_MAX = 2 ** 53 - 1


def tcb(boot_loader, tee, snp, microcode):
    return {"boot_loader": boot_loader, "tee": tee, "snp": snp, "microcode": microcode}


COORDINATOR = {
    "snp": {"measurements": MEASUREMENTS[:1], "host_data": None, "chip_ids": None,
            "min_tcb": {"Genoa": tcb(10, 0, 23, 84)}, "signers": ["VCEK"], "require_crl": False},
    "gpu": None, "models": [], "calls": [], "workload_secret": False}

SNP = {
    "measurements": MEASUREMENTS, "host_data": [HASH], "chip_ids": [CHIP],
    "min_tcb": {"Milan": tcb(4, 0, 24, 219), "Genoa": tcb(10, 0, 23, 84), "Turin": {"fmc": 1, **tcb(1, 1, 4, 80)}},
    "signers": ["VCEK", "VLEK"], "require_crl": True,
    "author_key_digests": MEASUREMENTS[:1], "family_ids": ["00" * 16], "id_key_digests": MEASUREMENTS[:1],
    "image_ids": ["00" * 16], "report_ids": [HASH], "report_ids_ma": [HASH],
    "csp_ids": ["CN=cc-us-east-2.amazonaws.com"], "max_crl_age": 604800, "min_abi": "1.51",
    "min_committed_tcb": {"Milan": tcb(4, 0, 22, 213)}, "min_current_tcb": {"Milan": tcb(4, 0, 22, 213)},
    "min_firmware": "1.55.29", "min_guest_svn": 1, "min_launch_tcb": {"Milan": tcb(4, 0, 22, 213)},
    "min_version": 3, "permit_cxl": True, "permit_debug": True, "permit_masked_chip_id": True,
    "permit_migrate_ma": True, "platform_info_clear": "0x2", "platform_info_set": "0x21",
    "policy_clear": "0x100000", "policy_set": "0x30000", "products": ["Milan", "Genoa", "Turin"],
    "require_author_key": True, "require_committed": True, "require_current_mitigations": "0x1",
    "require_id_block": True, "require_launch_mitigations": "0x3", "vmpls": [0, 1]}

GPU = {
    "min_count": 8, "max_age": 600, "archs": ["hopper", "blackwell", "ls10"], "modes": ["spt", "ppcie"],
    "drivers": ["550.90.07"], "vbios": ["96.00.9F.00.01"], "require_rim": True, "require_ocsp": True,
    "min_driver": {"hopper": "550.54.15"}, "min_vbios": {"hopper": "96.00.88.00.11", "ls10": "96.10.55.00.01"},
    "permit_hold": 86400, "permit_ocsp_unknown": True, "permit_unknown_opaque": True, "require_all_golden": True,
    "require_fwid": True, "require_switch_lock": True}

TINY = {"root_hash": "44" * 32, "hash_offset": 512, "data_blocks": 1, "salt": "", "data_block_size": 512,
        "hash_block_size": 1024}

BASE = {
    "version": 1, "serial": 2, "previous": "ab" * 32,
    "not_before": "2026-01-01T00:00:00Z", "not_after": "2027-01-01T00:00:00Z",
    "roles": {"coordinator": COORDINATOR,
              "worker": {"snp": SNP, "gpu": GPU, "models": ["meta-llama/Llama-3.3-70B"],
                         "calls": ["coordinator", "worker"], "workload_secret": True}},
    "models": {"meta-llama/Llama-3.3-70B": {
        "root_hash": "33" * 32, "hash_offset": 40960, "data_blocks": 10, "salt": "00ff",
        "data_block_size": 4096, "hash_block_size": 4096}, "tiny": TINY},
    "owners": {"threshold": 2, "keys": [{"name": "alice", "key": ED_A}, {"name": "bob", "key": P384_A},
                                        {"name": "carol", "key": ED_B}]},
    "seed_share_owners": {"threshold": 1, "keys": [{"name": "dave", "key": X_WING}]},
    "secrets": [{"id": "inference/*", "roles": ["worker"], "models": ["meta-llama/Llama-3.3-70B"]},
                {"id": "tls", "roles": ["coordinator", "worker"], "models": None},
                {"id": "*", "roles": ["coordinator"], "models": None}],
    "extra_roots": {"snp": ["55" * 32], "gpu_device": ["66" * 32], "gpu_rim": ["77" * 32]}}

CASES = []


def place(path):
    words = ["$"] + [f"[{w}]" if w.isdigit() else "." + w for w in path.split(" ")]
    return "".join(words)


def add(name, error="format", at="$", schema="bad", **changes):
    CASES.append({"name": name, "error": error, "at": at, "schema": schema, **changes})


def bad(path, *values, at=None, error="format", schema="bad"):
    """Each of the values is refused there."""
    for value in values:
        add(f"{path} = {json.dumps(value)[:60]}", error, at or place(path), schema, set={path: value})


def unseen(path, *values, at=None):
    """The same, and no schema can see it."""
    bad(path, *values, at=at, schema="good")


def needed(path, *keys):
    for key in keys:
        add(f"{path} without {key}", at=place(f"{path} {key}".strip()), delete=[f"{path} {key}".strip()])


def good(name, **changes):
    CASES.append({"name": name, "error": None, "schema": "good", **changes})


def top():
    needed("", *(key for key in BASE if key != "extra_roots"))
    bad("version", 2, error="unsupported")
    bad("version", "1", None)
    bad("issued", 1)
    bad("serial", 0, -1, INT_MAX + 1, "2", None, True, 2.5)
    add("serial 1 with a previous", at="$.previous", set={"serial": 1})
    bad("previous", None, "ab" * 31, "AB" * 32, "ag" * 32, "ab" * 33, 5)
    bad("not_before", "2026-01-01", "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00z", "2026-01-01t00:00:00Z",
        "2026-01-01T00:00:00.5Z", "2026-13-01T00:00:00Z", 5, None)
    unseen("not_before", "2026-02-30T00:00:00Z")
    bad("not_after", "2026-12-31T23:59:60Z")
    unseen("not_after", "2026-01-01T00:00:00Z", "2025-01-01T00:00:00Z")


def roles():
    bad("roles", {}, [], None)
    for name in ("Worker", "", "-w", "w/x", "a" * 65, ".w", "w w"):
        add(f"role '{name[:9]}'", at="$.roles.", set={"roles": {name: COORDINATOR}, "secrets": []})
    many = {f"r{i}": COORDINATOR for i in range(65)}
    add("65 roles", "limit", "$.roles", set={"roles": many, "secrets": []})
    needed("roles worker", "snp", "gpu", "models", "calls", "workload_secret")
    bad("roles worker tdx", {})
    bad("roles worker models", None)
    bad("roles worker models", [5], at="$.roles.worker.models[0]")
    bad("roles worker models", ["tiny", "tiny"], at="$.roles.worker.models[1]")
    unseen("roles worker models", ["none"], at="$.roles.worker.models[0]")
    bad("roles worker calls", "worker")
    unseen("roles worker calls", ["nobody"], at="$.roles.worker.calls[0]")
    bad("roles worker workload_secret", None, 1, "true")


def snp_fields():
    sizes = {"measurements": 48, "host_data": 32, "chip_ids": 64, "author_key_digests": 48, "family_ids": 16,
             "id_key_digests": 48, "image_ids": 16, "report_ids": 32, "report_ids_ma": 32}
    for key, size in sizes.items():
        path = f"roles worker snp {key}"
        bad(path, [], "00" * size)
        bad(path, ["00" * (size - 1)], ["AA" * size], [7], at=place(path) + "[0]")
        bad(path, ["00" * size] * 2, at=place(path) + "[1]")
        if key not in ("host_data", "chip_ids"):
            bad(path, None)
    many = ["%096x" % i for i in range(1025)]
    add("1025 measurements", "limit", "$.roles.worker.snp.measurements",
        set={"roles worker snp measurements": many})


def snp_tcbs():
    for key in ("min_tcb", "min_committed_tcb", "min_current_tcb", "min_launch_tcb"):
        path = f"roles worker snp {key}"
        bad(path, {}, [])
        bad(path + " Rome", {})
        needed(path + " Milan", "boot_loader", "tee", "snp", "microcode")
        for part in ("boot_loader", "tee", "snp", "microcode"):
            bad(f"{path} Milan {part}", -1, 256, "1", None)
        bad(f"{path} Milan fmc", 1)
    needed("roles worker snp min_tcb Turin", "fmc")


def snp():
    needed("roles worker snp", "measurements", "host_data", "chip_ids", "min_tcb", "signers", "require_crl")
    bad("roles worker snp", None)
    bad("roles worker snp any_tcb", True)
    bad("roles worker snp report_data", "00" * 64)
    bad("roles worker snp test_roots", [HASH])
    for key in ("permit_cxl", "permit_debug", "permit_masked_chip_id", "permit_migrate_ma", "require_author_key",
                "require_committed", "require_id_block"):
        bad(f"roles worker snp {key}", False, 1, None)
    bad("roles worker snp require_crl", None, 1)
    bad("roles worker snp signers", [], ["VREK"], ["VCEK", "VCEK"], None, "VCEK")
    bad("roles worker snp products", [], ["Rome"], ["Milan", "Milan"], None)
    bad("roles worker snp vmpls", [], [4], [-1], ["0"], [0, 0], None)
    bad("roles worker snp csp_ids", [], [""], ["x" * 64], ["CN=a", "CN=a"], [5])
    bad("roles worker snp max_crl_age", 0, -1, 2 ** 31, "1")
    bad("roles worker snp min_abi", "1", "1.2.3", "1.256", "01.1", "1.x", 1)
    bad("roles worker snp min_firmware", "1.55", "1.55.256", "1.055.1", "", ".1.1", 5)
    bad("roles worker snp min_guest_svn", 0, 2 ** 32, "1")
    bad("roles worker snp min_version", 1, 6, "3")
    for key in ("platform_info_clear", "platform_info_set", "policy_clear", "policy_set",
                "require_current_mitigations", "require_launch_mitigations"):
        bad(f"roles worker snp {key}", 1, "0x", "0x0", "0x01", "33", "0xAB", "0x1" + "f" * 16, "0X1", "0x1g", None)
    unseen("roles worker snp policy_set", "0x100000", "0x1")
    unseen("roles worker snp platform_info_set", "0x2")


def gpu():
    needed("roles worker gpu", "min_count", "max_age", "archs", "modes", "drivers", "vbios", "require_rim",
           "require_ocsp")
    bad("roles worker gpu", [])
    bad("roles worker gpu nonce", HASH)
    bad("roles worker gpu min_count", 0, 65, "8", None)
    bad("roles worker gpu max_age", 0, 2592001, "8", None)
    bad("roles worker gpu archs", [], ["volta"], ["hopper", "hopper"], None)
    bad("roles worker gpu modes", [], ["cc"], ["spt", "spt"], "spt")
    bad("roles worker gpu drivers", [], [""], ["550."], [".550"], ["550..1"], ["550.A"], ["1" * 9],
        ["1.2.3.4.5.6.7.8.9"], ["550", "550"], "550", [550])
    bad("roles worker gpu vbios", [], ["96.00.9f"], ["96."], ["G"], ["1" * 9], [96])
    for key in ("require_rim", "require_ocsp"):
        bad(f"roles worker gpu {key}", None, 0)
    bad("roles worker gpu min_driver", {}, "550")
    bad("roles worker gpu min_driver ls10", "1")
    bad("roles worker gpu min_driver hopper", "x", "1" * 9)
    bad("roles worker gpu min_vbios", {}, "96")
    bad("roles worker gpu min_vbios hopper", "96.9f")
    bad("roles worker gpu min_vbios volta", "96")
    bad("roles worker gpu permit_hold", 0, 2592001, True)
    for key in ("permit_ocsp_unknown", "permit_unknown_opaque", "require_all_golden", "require_fwid",
                "require_switch_lock"):
        bad(f"roles worker gpu {key}", False, None)


def models():
    bad("models", [], None)
    for name in ("/a", "a/", "a//b", "../a", "-a", ".a", "a*", "a" * 129):
        add(f"model '{name[:9]}'", at="$.models.", set={"models": {name: TINY}})
    add("257 models", "limit", "$.models", set={"models": {f"m{i}": TINY for i in range(257)}})
    needed("models tiny", *TINY)
    bad("models tiny fec_offset", 1)
    for key in TINY:
        bad(f"models tiny {key}", None, [])
    for key in ("hash_offset", "data_blocks", "data_block_size", "hash_block_size"):
        bad(f"models tiny {key}", "512", -1, True, INT_MAX + 1)
    bad("models tiny data_blocks", 0)
    bad("models tiny hash_offset", 513)
    add("a disk above 2^63", at="$.models.tiny", schema="good",
        set={"models tiny data_blocks": INT_MAX, "models tiny data_block_size": 4096})
    for key in ("data_block_size", "hash_block_size"):
        bad(f"models tiny {key}", 256, 8192, 1000)
    bad("models tiny root_hash", "00", "44" * 33, "A" * 64)
    bad("models tiny salt", "0", "AB", "0g", "00" * 257)


def owners():
    for path in ("owners", "seed_share_owners"):
        bad(f"{path} note", "")
        needed(path, "threshold", "keys")
        needed(f"{path} keys 0", "name", "key")
        bad(f"{path} keys", [])
        bad(f"{path} threshold", 0, "1")
        bad(f"{path} keys 0 email", "x")
        bad(f"{path} keys 0 name", "", "Alice", 5, "a b", 'a"b')
        bad(f"{path} keys 0 key", "", ED_A[:-1], ED_A + "=", P384_A[:-4], 5, X_WING[:-4])
    # Spare bits, another algorithm, a point of small order, a point off the curve.
    unseen("owners keys 0 key", ED_A[:-2] + "V=", ED_A.replace("MCow", "MCox"), ED_A[:16] + "A" * 43 + "=",
           P384_A[:-8] + "AAAAAAAA")
    bad("owners keys 0 key", X_WING)
    bad("seed_share_owners keys 0 key", ED_A, P384_B, None, X_WING[:-1])
    # Coefficients out of range, a point of small order, spare bits.
    small = base64.b64encode(base64.b64decode(X_WING)[:-32] + bytes(32)).decode()
    unseen("seed_share_owners keys 0 key", "////" + X_WING[4:], small, X_WING[:-3] + "h==")
    bad("owners", None)
    unseen("owners threshold", 4)
    unseen("seed_share_owners threshold", 2)
    unseen("owners keys 1 name", "alice", at="$.owners.keys[1]")
    unseen("owners keys 1 key", ED_A, at="$.owners.keys[1]")
    add("one share key twice", at="$.seed_share_owners.keys[1]", schema="good",
        set={"seed_share_owners keys": [{"name": name, "key": X_WING} for name in ("dave", "erin")]})
    for path, key in (("owners", ED_A), ("seed_share_owners", X_WING)):
        many = [{"name": f"o{i}", "key": key} for i in range(33)]
        add(f"33 keys of {path}", "limit", f"$.{path}.keys", set={f"{path} keys": many})


def secrets():
    bad("secrets", None, {})
    needed("secrets 0", "id", "roles", "models")
    bad("secrets 0 ttl", 1)
    bad("secrets 0 id", "", "a b", "**", "a*b", "x" * 129, 5, None, "a\\b", "\u00e9", "a\nb")
    bad("secrets 0 roles", [], None)
    unseen("secrets 0 roles", ["nobody"], at="$.secrets[0].roles[0]")
    bad("secrets 0 models", [])
    bad("secrets 0 models", ["tiny", "tiny"], at="$.secrets[0].models[1]")
    unseen("secrets 0 models", ["none"], at="$.secrets[0].models[0]")
    unseen("secrets 1 id", "inference/*", at="$.secrets[1]")
    many = [{"id": f"s{i}", "roles": ["worker"], "models": None} for i in range(257)]
    add("257 secrets", "limit", "$.secrets", set={"secrets": many})


def roots():
    bad("extra_roots", {}, None)
    bad("extra_roots tdx", [HASH])
    for key in ("snp", "gpu_device", "gpu_rim"):
        path = f"extra_roots {key}"
        bad(path, [])
        bad(path, ["00"], at=place(path) + "[0]")
        bad(path, [HASH, HASH], at=place(path) + "[1]")
    add("17 roots", "limit", "$.extra_roots.snp", set={"extra_roots snp": ["%064x" % i for i in range(17)]})


def good_ones():
    good("as it is")
    good("the first", set={"serial": 1, "previous": None})
    good("the largest serial", set={"serial": INT_MAX})
    good("no test roots", delete=["extra_roots"])
    good("no seed share owners", set={"seed_share_owners": None})
    good("no secrets", set={"secrets": []})
    good("no models", set={"models": {}, "roles worker models": [], "secrets": []})
    good("any GPU", set={f"roles worker gpu {k}": v for k, v in (
        ("modes", None), ("drivers", None), ("vbios", None), ("require_rim", False), ("require_ocsp", False))})
    good("any host and chip", set={"roles worker snp host_data": None, "roles worker snp chip_ids": None})
    good("no GPU", set={"roles worker gpu": None})
    good("the longest names", set={"owners keys 0 name": "a" * 64, "secrets 2 id": "x" * 127 + "*"})
    good("the longest salt", set={"models tiny salt": "00" * 256})
    good("all bits", set={"roles worker snp platform_info_set": "0xfffffffffffffffd",
                          "roles worker snp require_launch_mitigations": "0xffffffffffffffff"})


def table():
    for fill in (top, roles, snp, snp_fields, snp_tcbs, gpu, models, owners, secrets, roots, good_ones):
        fill()
    return {"base": BASE, "cases": CASES}


def around(models):
    """A manifest with these models, which no role serves."""
    base = json.loads(json.dumps(BASE))
    base["roles"]["worker"]["models"] = []
    return {**base, "models": models, "secrets": []}


if __name__ == "__main__":
    if sys.argv[1:] == ["--around"]:
        print(json.dumps(around("MODELS")).replace('"MODELS"', "MODELS"))
    else:
        json.dump(table(), sys.stdout, indent=1)
