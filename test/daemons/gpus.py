# SPDX-License-Identifier: Apache-2.0
"""Evidence of software GPUs for tests, in a folder such as pm-agent --evidence makes."""
import hashlib
import json
import os
import subprocess
import tempfile
import time


def sim(tools, *args):
    subprocess.run([f"{tools}/pm-sim", *map(str, args)], check=True, capture_output=True)


def nonce_for(epoch, key):
    return hashlib.sha256(b"libpm gpu nonce v1\0" + epoch + key).hexdigest()


def collect(tools, host, folder, key, gpus, age=0, answered=None):
    """All of it for a key: the GPUs of these numbers, some seconds ago. With answered, the reports are for that key,
    while the index says key."""
    epoch = os.urandom(32)
    nonce, signed = nonce_for(epoch, key), nonce_for(epoch, answered or key)
    fresh = tempfile.mkdtemp(dir=os.path.dirname(folder))
    devices = []
    for i in gpus:
        sim(tools, "gpu", "report", host, "--gpu", i, "--nonce", signed, "-o", f"{fresh}/{i}.report", "--certs",
            f"{fresh}/{i}.pem")
        devices.append({"report": f"{i}.report", "certs": f"{i}.pem", "arch": "hopper", "nonce": nonce})
    for kind in ("driver", "vbios"):
        sim(tools, "gpu", "rim", host, "--kind", kind, "-o", f"{fresh}/{kind}.xml")
    os.mkdir(f"{fresh}/all")
    sim(tools, "gpu", "ocsp", host, "--all", f"{fresh}/all")
    ocsp = sorted(os.listdir(f"{fresh}/all"))
    for name in ocsp:
        os.rename(f"{fresh}/all/{name}", f"{fresh}/{name}")
    put(fresh, folder, {"version": 1, "time": int(time.time()) - age, "epoch_nonce": epoch.hex(), "devices": devices,
                        "rim": ["driver.xml", "vbios.xml"], "ocsp": ocsp})


def put(fresh, folder, index):
    """It appears whole, in the place of what was there."""
    with open(f"{fresh}/evidence.json", "w", encoding="utf-8") as f:
        json.dump(index, f)
    if os.path.exists(folder):
        os.rename(folder, tempfile.mkdtemp(dir=os.path.dirname(folder)) + "/old")
    os.rename(fresh, folder)


def demands(host, count):
    """What a manifest says of them: the demands of a role, and their maker's roots."""
    own = json.load(open(f"{host}/gpu/roots.json", encoding="utf-8"))
    roots = {"gpu_device": [own["gpu_device_root"]], "gpu_rim": [own["gpu_rim_root"]]}
    return {"min_count": count, "max_age": 600, "archs": ["hopper"], "modes": None, "drivers": None, "vbios": None,
            "require_rim": True, "require_ocsp": True}, roots
