#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-cli-kubevirt.py: import of `kubectl get nodes,vmi -A -o json`: nodes are hosts with what their
labels tell and nothing else, KubeVirt's guests are guests on them; what isn't told is unknown, and what
a guest has that nobody judges is told. Metadata and secrets of guests stay where they are."""

import json
import os
import subprocess
import sys
import tempfile

SECRET = "planted-%d-secret" % os.getpid()
UUIDS = {"n1": "11111111-1111-4111-8111-111111111111", "n2": "22222222-2222-4222-8222-222222222222"}


def node(name, models, machines, features, kvm="1k", arch="amd64"):
    labels = {"kubernetes.io/arch": arch, "kubernetes.io/hostname": name, "kubevirt.io/schedulable": "true",
              "cpu-vendor.node.kubevirt.io/Intel": "true", "host-model-cpu.node.kubevirt.io/Skylake-Client-IBRS": "true",
              "host-model-required-features.node.kubevirt.io/vmx": "true"}
    labels.update({"cpu-model.node.kubevirt.io/" + model: "true" for model in models})
    labels.update({"machine-type.node.kubevirt.io/" + machine: "true" for machine in machines})
    labels.update({"cpu-feature.node.kubevirt.io/" + feature: "true" for feature in features})
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels,
                                                              "annotations": {"x": SECRET}},
            "status": {"nodeInfo": {"systemUUID": UUIDS.get(name, "")}, "allocatable": {"devices.kubevirt.io/kvm": kvm}}}


def vmi(name, where, machine, cpu, **domain):
    return {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance",
            "metadata": {"name": name, "namespace": "shop", "labels": {"note": SECRET}},
            "spec": {"architecture": "amd64", "volumes": [{"cloudInitNoCloud": {"userData": SECRET}}], "domain": {
                "machine": {"type": machine}, "cpu": cpu, "memory": {"guest": "2Gi"},
                "firmware": {"uuid": "7b10d7af-b932-4c66-b2c3-%012d" % len(name)}, **domain}},
            "status": {"phase": "Running" if where else "Pending", **({"nodeName": where} if where else {})}}


CLUSTER = {"apiVersion": "v1", "kind": "List", "metadata": {}, "items": [
    node("n1", ["Skylake-Client-IBRS", "Haswell", "Nehalem"], ["q35", "pc-q35-rhel9.6.0", "pc-q35-rhel9.4.0"],
         ["avx2", "aes", "vmx"]),
    node("n2", ["Haswell", "Nehalem"], ["q35", "pc-q35-rhel9.4.0"], ["aes"]),
    {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "plain", "labels": {"kubernetes.io/arch": "arm64"}}},
    vmi("web", "n1", "pc-q35-rhel9.4.0", {"model": "Nehalem", "cores": 2, "sockets": 2, "threads": 1,
                                         "features": [{"name": "aes", "policy": "require"}]}),
    vmi("newer", "n1", "pc-q35-rhel9.6.0", {"model": "Haswell"}),
    vmi("bigger", "n1", "pc-q35-rhel9.4.0", {"model": "Skylake-Client-IBRS"}),
    vmi("card", "n2", "pc-q35-rhel9.4.0", {"model": "host-model"}, devices={"gpus": [{"name": "g", "deviceName": "x"}]}),
    vmi("waiting", None, "q35", {}),
]}


def expect(what, truth, more=""):
    if not truth:
        sys.exit("not so: %s %s" % (what, more))
    print("ok %s" % what)


class Ours:
    def __init__(self, folder):
        self.folder, self.command = folder, ["capbroker", "--db", os.path.join(folder, "x.db")]

    def run(self, *arguments, status=None):
        process = subprocess.run(self.command + list(arguments), capture_output=True, text=True, check=False)
        if status is not None and process.returncode != status:
            sys.exit("%s: %d: %s%s" % (arguments, process.returncode, process.stdout, process.stderr))
        return process

    def json(self, *arguments):
        return json.loads(self.run("--json", *arguments).stdout)

    def take_in(self, document):
        path = os.path.join(self.folder, "cluster.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file)
        return self.run("import", path)

    def finding(self, guest, target, check):
        """The verdict of a check on a move, or None."""
        answer = self.json("check", guest, "--to", target)
        return next((f["verdict"] for f in answer["verdicts"][0]["findings"] if f["check"] == check), None)


def nodes(our):
    hosts = {host["name"]: host for host in our.json("hosts")["hosts"]}
    expect("nodes are hosts", set(hosts) == {"n1", "n2", "plain"} and hosts["n1"]["uuid"] == UUIDS["n1"] and
           hosts["n1"]["arch"] == "x86_64" and hosts["plain"]["arch"] == "aarch64")
    shown = our.json("show", "n1", "-v")
    text = json.dumps(shown)
    expect("machine types and models are told", any("pc-q35-rhel9.6.0" in json.dumps(one) for one in shown["emulators"]))
    names = {delta["name"] for cpu in shown["cpus"] for delta in cpu["delta"] if delta["policy"] == "require"}
    models = {cpu["model"] for cpu in shown["cpus"]}
    expect("features are told, by themselves and by usable models", "vmx" in names and models == {"Skylake-Client-IBRS"},
           text[:1500])
    expect("nothing is said of what labels don't tell", not shown.get("iommus"))


def guests(our):
    listed = {guest["name"]: guest for guest in our.json("guests")["guests"]}
    expect("guests are there", set(listed) == {"shop_" + n for n in ("web", "newer", "bigger", "card", "waiting")})
    expect("they run where they do", listed["shop_web"]["host"] == "n1" and listed["shop_web"]["running"] and
           not listed["shop_waiting"]["running"] and not listed["shop_waiting"]["host"])
    expect("a machine type that is there isn't missed", our.finding("shop_web", "n2", "machine-present") is None)
    expect("one that isn't blocks", our.finding("shop_newer", "n2", "machine-present") == "block")
    expect("nor does a CPU model that isn't usable there", our.finding("shop_bigger", "n2", "cpu-model-known") == "block")
    expect("one that is usable doesn't", our.finding("shop_web", "n2", "cpu-model-known") is None)
    expect("of a node without labels nothing is known", our.json("check", "shop_web", "--to", "plain")
           ["verdicts"][0]["migrate"] != "ok")
    expect("a device of the node's is unknown", our.finding("shop_card", "n1", "part-judged") == "unknown")


def refused(our):
    for document, what in (({"apiVersion": "v1", "kind": "List", "items": []}, "not recognised"),
                           ({"apiVersion": "v1", "kind": "Node", "metadata": {}}, "metadata.name"),
                           ({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance",
                             "metadata": {"name": "x\ny"}}, "metadata.name")):
        process = our.take_in(document)
        expect("refused: %s" % what, process.returncode == 2 and what in process.stderr and
               process.stderr.count("\n") == 1, process.stderr)
    odd = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "odd", "labels": {
        "cpu-model.node.kubevirt.io/": "true", "cpu-feature.node.kubevirt.io/avx": 3, "machine-type.node.kubevirt.io/q35":
        "false"}}, "status": []}
    expect("labels of other kinds are passed over", our.take_in(odd).returncode == 0 and
           "q35" not in json.dumps(our.json("show", "odd", "-v")))


def main():
    with tempfile.TemporaryDirectory() as folder:
        our = Ours(folder)
        process = our.take_in(CLUSTER)
        expect("a cluster is taken in", process.returncode == 0 and "3 hosts" in process.stdout and
               "5 guests" in process.stdout, process.stdout + process.stderr)
        os.unlink(os.path.join(folder, "cluster.json"))
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as file:
                expect("no secret in %s" % name, SECRET.encode() not in file.read())
        nodes(our)
        guests(our)
        refused(our)
        expect("one guest alone is taken in, too", our.take_in(CLUSTER["items"][3]).returncode == 0)


if __name__ == "__main__":
    main()
