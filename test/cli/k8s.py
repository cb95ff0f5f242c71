#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples for Kubernetes, and Envoy's: read by a YAML parser, whole in themselves, and each command line of ours
is accepted by the program that it starts. k8s.py BUILD-ROOT SOURCE-ROOT [HAPROXY]"""
import os
import pathlib
import re
import subprocess
import sys

SKIPPED = 77
# Told to change to a user that there is not, a daemon ends after it has read its options: these words, or a file of
# the machine that is not there, say that it got so far.
NOBODY = "no-such-user"
ACCEPTED = re.compile(rf"which\W+{NOBODY}|No such file or directory|Address already in use")
# Files of the example are not there, and nothing may be written where others have theirs.
NOWHERE = "/nowhere"
# Ports of the example are others' here.
LISTENING = ("--listen", "--mesh-listen", "--metrics")
# What $(NAME) stands for, by the last part of the name.
VALUES = {"HASH": "11" * 32, "ROOT": "22" * 32}
# What each file must have.
KINDS = {
    "coordinator.yaml": {"Service", "StatefulSet", "PodDisruptionBudget"},
    "gateway.yaml": {"Service", "Deployment"},
    "gpu-worker.yaml": {"Pod"},
    "secrets.yaml": {"Service", "Deployment", "PodDisruptionBudget"},
    "worker.yaml": {"Service", "StatefulSet"},
}

# The fields that the API has, of those objects that examples have (Kubernetes 1.29 and later). kubectl refuses others.
META = "name labels"
PROBE = "httpGet tcpSocket exec periodSeconds failureThreshold"
FIELDS = {
    "Service": "clusterIP publishNotReadyAddresses type selector ports",
    "PodDisruptionBudget": "minAvailable maxUnavailable selector",
    "StatefulSet": "serviceName replicas podManagementPolicy selector template",
    "Deployment": "replicas selector template strategy",
    "pod": "runtimeClassName terminationGracePeriodSeconds automountServiceAccountToken securityContext affinity "
           "volumes initContainers containers nodeSelector tolerations imagePullSecrets",
    "pod security": "fsGroup runAsUser runAsGroup runAsNonRoot supplementalGroups seccompProfile",
    "container": "name image command env ports livenessProbe readinessProbe startupProbe lifecycle restartPolicy "
                 "resources securityContext volumeMounts volumeDevices",
    "security": "allowPrivilegeEscalation capabilities privileged readOnlyRootFilesystem runAsNonRoot runAsUser "
                "runAsGroup seccompProfile",
    "volume": "name configMap secret emptyDir persistentVolumeClaim",
    "volumeMounts": "name mountPath readOnly mountPropagation",
    "volumeDevices": "name devicePath",
    "ports": "name port containerPort targetPort",
    "env": "name value valueFrom",
}


def strict_load(yaml, path):
    """All documents; a key that is there twice is an error, as it is for kubectl."""
    class Loader(yaml.SafeLoader):
        pass

    def mapping(loader, node):
        loader.flatten_mapping(node)
        pairs = [(loader.construct_object(k, deep=True), loader.construct_object(v, deep=True)) for k, v in node.value]
        assert len(dict(pairs)) == len(pairs), f"{path}: a key is there twice: {node.start_mark}"
        return dict(pairs)
    Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    with open(path, encoding="utf-8") as f:
        return list(yaml.load_all(f, Loader))


def pod_of(document):
    """The specification of its pods, or None."""
    if document["kind"] == "Pod":
        return document["spec"]
    return document["spec"].get("template", {}).get("spec")


def unknown(where, what, found):
    return [f"{where}: {what} has no field {k}" for k in sorted(set(found) - set(FIELDS[what].split()))]


def check_fields(where, document):
    """No field that the API server would refuse."""
    yield from (f"{where}: no field {k}" for k in sorted(set(document) - {"apiVersion", "kind", "metadata", "spec"}))
    yield from (f"{where}: metadata has no field {k}" for k in sorted(set(document["metadata"]) - set(META.split())))
    if document["kind"] != "Pod":
        yield from unknown(where, document["kind"], document["spec"])
    for port in document["spec"].get("ports", []):
        yield from unknown(where, "ports", port)
    pod = pod_of(document)
    if not pod:
        return
    yield from unknown(where, "pod", pod)
    yield from unknown(where, "pod security", pod.get("securityContext", {}))
    for volume in pod["volumes"]:
        yield from unknown(where, "volume", volume)
    for c in pod.get("initContainers", []) + pod["containers"]:
        yield from unknown(where, "container", c)
        yield from unknown(where, "security", c.get("securityContext", {}))
        for kind in ("volumeMounts", "volumeDevices", "ports", "env"):
            for one in c.get(kind, []):
                yield from unknown(f"{where}: {c['name']}", kind, one)
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            yield from (f"{where}: {probe} has no field {k}" for k in set(c.get(probe, {})) - set(PROBE.split()))


def check_powers(where, pod, containers):
    """No token of the API; a secret that not everybody may read is the group's of who does."""
    if pod.get("automountServiceAccountToken") is not False:
        yield f"{where}: has a token of the API server"
    group = pod.get("securityContext", {}).get("fsGroup")
    secrets = {v["name"] for v in pod["volumes"] if "secret" in v and not v["secret"].get("defaultMode", 0o644) & 0o004}
    for c in containers:
        used = secrets & {m["name"] for m in c.get("volumeMounts", [])}
        if used and (group is None or c["securityContext"].get("runAsGroup") != group):
            yield f"{where}: {c['name']} may not read {', '.join(sorted(used))}"


def check_order(where, pod):
    """What begins next needs the key that the proxy makes; at the end the proxy goes before its model server."""
    names = [c["name"] for c in pod.get("initContainers", [])]
    if "proxy" not in names:
        return
    proxy = pod["initContainers"][names.index("proxy")]
    if names.index("proxy") > names.index("watch-gpus") or "startupProbe" not in proxy:
        yield f"{where}: the agent may begin before there is a key"
    pauses = [c.get("lifecycle", {}).get("preStop") for c in (proxy, *pod["containers"])]
    if None in pauses:
        yield f"{where}: the model server ends before what is under way"


def check_references(where, pod, containers):
    """Volumes and ports are those that there are."""
    volumes = {v["name"] for v in pod.get("volumes", [])}
    ports = {p["name"] for c in containers for p in c.get("ports", [])}
    for c in containers:
        used = {m["name"] for kind in ("volumeMounts", "volumeDevices") for m in c.get(kind, [])}
        yield from (f"{where}: {c['name']}: no volume {v}" for v in sorted(used - volumes))
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            target = next(iter(x for k, x in c.get(probe, {}).items() if k in ("httpGet", "tcpSocket")), None)
            if target and isinstance(target["port"], str) and target["port"] not in ports:
                yield f"{where}: {c['name']}: {probe}: no port {target['port']}"
        known = {e["name"] for e in c.get("env", [])}
        names = set(re.findall(r"\$\((\w+)\)", " ".join(c.get("command", []))))
        yield from (f"{where}: {c['name']}: no variable {n}" for n in sorted(names - known))


def check_selectors(where, documents):
    """Whoever selects pods selects some of this file."""
    labels = [d["spec"]["template"]["metadata"]["labels"] for d in documents if "template" in d.get("spec", {})]
    for d in documents:
        selector = d["spec"].get("selector", {})
        selector = selector.get("matchLabels", selector)
        if selector and selector not in labels:
            yield f"{where}: {d['kind']} {d['metadata']['name']} selects nothing: {selector}"


def filled_in(command):
    """The command as a container gets it, with ports and files that nobody has."""
    words = [re.sub(r"\$\((\w+)\)", lambda m: VALUES[m[1].rsplit("_", 1)[1]], w) for w in command]
    words = [re.sub("^/", f"{NOWHERE}/", w) for w in words]
    return ["127.0.0.1:0" if i and words[i - 1] in LISTENING else w for i, w in enumerate(words)]


def check_command(where, command, programs):
    name, *arguments = filled_in(command)
    if name not in programs:
        yield f"{where}: no program {name}"
        return
    user = [] if name in ("pm-agent", "pm-mount") else ["--user", NOBODY]
    env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
    for more, accepted in (["--help"], re.compile("^Usage: ")), (user, ACCEPTED):
        done = subprocess.run([programs[name], *arguments, *more], capture_output=True, text=True, check=False,
                              timeout=60, env=env)
        if not accepted.search(done.stdout + done.stderr):
            yield f"{where}: {' '.join(command)}: {done.stderr}"


def check_file(path, documents, programs):
    where = path.name
    kinds = {d["kind"] for d in documents}
    if kinds != KINDS[where]:
        yield f"{where}: found {sorted(kinds)}, expected {sorted(KINDS[where])}"
    yield from check_selectors(where, documents)
    for d in documents:
        yield from check_fields(where, d)
    for pod in filter(None, map(pod_of, documents)):
        containers = pod.get("initContainers", []) + pod["containers"]
        yield from check_references(where, pod, containers)
        yield from check_powers(where, pod, containers)
        yield from check_order(where, pod)
        for c in containers:
            if c.get("command", [""])[0].startswith("pm-"):
                yield from check_command(f"{where}: {c['name']}", c["command"], programs)


def check_haproxy(haproxy, source, documents):
    """The gateway's configuration, with the environment of its container, but addresses of this machine: names are
    tried elsewhere (names.py)."""
    container = next(c for d in documents if pod_of(d) for c in pod_of(d)["containers"] if c["name"] == "haproxy")
    env = {e["name"]: e["value"] for e in container["env"] if "value" in e}
    for name in (n for n in env if n.startswith("PM_WORKER")):
        if not re.fullmatch(r"worker-\d\.worker\.\$\(NAMESPACE\)\.svc\.cluster\.local:8085", env[name]):
            yield f"gateway.yaml: {env[name]} is no whole name, and HAProxy knows no search list"
        env[name] = "127.0.0.1:8085"
    done = subprocess.run([haproxy, "-c", "-f", source / "examples/haproxy/haproxy.cfg"], capture_output=True,
                          text=True, check=False, env=dict(os.environ, **env))
    if done.returncode:
        yield f"gateway.yaml: {done.stderr}"


def main():
    try:
        import yaml # pylint: disable=import-outside-toplevel
    except ImportError:
        print("skipped: no YAML parser (python3-yaml)")
        return SKIPPED
    build, source = (pathlib.Path(a).resolve() for a in sys.argv[1:3])
    programs = {p.name: p for folder in ("daemons", "tools") for p in (build / folder).glob("pm-*") if p.is_file()}
    files = {p: strict_load(yaml, p) for p in sorted((source / "examples/k8s").glob("*.yaml"))}
    for path in sorted((source / "examples/mesh").glob("*.yaml")):
        strict_load(yaml, path)
    problems = [f"{name} is missing" for name in set(KINDS) - {p.name for p in files}]
    for path, documents in files.items():
        problems += check_file(path, documents, programs)
    if sys.argv[3:]:
        gateway = next(d for p, d in files.items() if p.name == "gateway.yaml")
        problems += check_haproxy(sys.argv[3], source, gateway)
    print("\n".join(problems) or f"{len(files)} files")
    return 1 if problems else 0


sys.exit(main())
