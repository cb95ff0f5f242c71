#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A manifest for a host of pm-sim.

    worker_manifest.py HOST OUT ROOT_HASH [CHANGE]

HOST is the folder of pm-sim init and pm-sim gpu init. The role "worker" demands what it can meet, with three
GPUs and the model "tiny" of that root hash. CHANGE is Python that alters m, worker, snp, gpu or disk.
"""
import hashlib
import json
import sys

folder, out, root = sys.argv[1:4]
roots = json.load(open(folder + "/gpu/roots.json", encoding="utf-8"))
least = {"boot_loader": 10, "tee": 0, "snp": 23, "microcode": 84}
snp = {"measurements": [hashlib.sha384(b"pm-sim guest").hexdigest()], "host_data": None, "chip_ids": None,
       "min_tcb": {"Genoa": least}, "signers": ["VCEK"], "require_crl": True}
gpu = {"min_count": 3, "max_age": 600, "archs": ["hopper"], "modes": None, "drivers": None, "vbios": None,
       "require_rim": True, "require_ocsp": True}
disk = {"root_hash": root, "hash_offset": 40960, "data_blocks": 10, "salt": "00ff", "data_block_size": 4096,
        "hash_block_size": 4096}
worker = {"snp": snp, "gpu": gpu, "models": ["tiny"], "calls": [], "workload_secret": False}
m = {"version": 1, "serial": 1, "previous": None, "not_before": "2026-01-01T00:00:00Z",
     "not_after": "2026-12-31T00:00:00Z", "roles": {"worker": worker, "lender": worker | {"gpu": None}},
     "models": {"tiny": disk, "other": disk},
     "owners": {"threshold": 1, "keys": [{"name": "alice", "key":
                "MCowBQYDK2VwAyEA/U9ElPlmAXSvRzMEwQ5KorXaGDLqvziWCKmk26lnZwU="}]},
     "seed_share_owners": None, "secrets": [],
     "extra_roots": {"snp": json.load(open(folder + "/policy.json", encoding="utf-8"))["test_roots"],
                     "gpu_device": [roots["gpu_device_root"]], "gpu_rim": [roots["gpu_rim_root"]]}}
exec(sys.argv[4] if len(sys.argv) > 4 else "")
with open(out, "w", encoding="utf-8") as f:
    json.dump(m, f)
