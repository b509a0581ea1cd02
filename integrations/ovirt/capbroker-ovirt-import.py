#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""capbroker-ovirt-import --url URL --user NAME --password-file FILE [--ca-file FILE] [--db FILE] [--dry-run]
capbroker-ovirt-import --from FOLDER …: what oVirt's engine calls hosts that capbroker knows.

Reads hosts, clusters and VMs from the engine's REST API (or from files hosts, clusters and vms in a
folder, each JSON or XML as the API gives it), finds each host among those that capbroker knows, by its
hardware's UUID, its address or its name, and gives it the alias ovirt=ID and its cluster's name. A
VM's id is its domain's UUID, so VMs need no alias: those that capbroker doesn't know are listed.
"""

import argparse
import base64
import json
import os
import ssl
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree

DOCUMENT_MAX = 64 * 1024 * 1024
PAGE = 500
PAGES_MAX = 2000
KINDS = ("clusters", "hosts", "vms")


class ImportFailed(Exception):
    pass


def tree(element):
    """A REST document's XML as its JSON would be: attributes and children as members."""
    members = dict(element.attrib)
    for child in element:
        members.setdefault(child.tag, tree(child))
    return members if members else (element.text or "").strip()


def parse(kind, data, where):
    """The list of a document, JSON or XML."""
    single = kind[:-1]
    if len(data) > DOCUMENT_MAX:
        raise ImportFailed(f"{where}: larger than {DOCUMENT_MAX} bytes (is this the engine's REST API?)")
    try:
        if data.lstrip()[:1] == b"<":
            if b"<!DOCTYPE" in data:
                raise ValueError("a document type isn't expected")
            items = [tree(element) for element in xml.etree.ElementTree.fromstring(data).iter(single)
                     if "id" in element.attrib and len(element)]
        else:
            document = json.loads(data)
            items = document.get(single, []) if isinstance(document, dict) else None
    except (ValueError, RecursionError, xml.etree.ElementTree.ParseError) as error:
        raise ImportFailed(f"{where}: {error} (JSON or XML of the engine's REST API is expected)") from error
    if not isinstance(items, list) or not all(isinstance(item, dict) and isinstance(item.get("id"), str) for item in items):
        raise ImportFailed(f"{where}: holds no list of {kind} (JSON or XML of the engine's REST API is expected)")
    return items


def member(item, *path):
    """A text below, or an empty one."""
    for name in path:
        item = item.get(name) if isinstance(item, dict) else None
    return item if isinstance(item, str) else ""


class Api:
    """The engine, asked page by page."""

    def __init__(self, options):
        parts = urllib.parse.urlsplit(options.url)
        if parts.scheme != "https" or not parts.hostname:
            raise ImportFailed(f"{options.url}: not the engine's address (https://HOST/ovirt-engine/api)")
        self.url = options.url.rstrip("/")
        try:
            with open(options.password_file, encoding="utf-8") as file:
                password = file.readline(4096).rstrip("\n")
            self.context = ssl.create_default_context(cafile=options.ca_file)
        except (OSError, UnicodeDecodeError) as error:
            raise ImportFailed(f"{error} (see --password-file and --ca-file)") from error
        self.login = base64.b64encode(f"{options.user}:{password}".encode()).decode("ascii")

    def page(self, kind, number):
        query = urllib.parse.urlencode({"search": f"page {number}", "max": PAGE})
        request = urllib.request.Request(f"{self.url}/{kind}?{query}", headers={
            "Accept": "application/json", "Version": "4", "Authorization": "Basic " + self.login})
        try:
            with urllib.request.urlopen(request, timeout=60, context=self.context) as reply:
                return parse(kind, reply.read(DOCUMENT_MAX + 1), self.url)
        except urllib.error.HTTPError as error:
            raise ImportFailed(f"{self.url}/{kind}: {error.code} {error.reason} (are user and password right?)") from error
        except OSError as error:
            raise ImportFailed(f"{self.url}/{kind}: {error} (is this the engine?)") from error

    def read(self, kind):
        items, seen = [], set()
        for number in range(1, PAGES_MAX + 1):
            page = [item for item in self.page(kind, number) if item["id"] not in seen]
            seen.update(item["id"] for item in page)
            items += page
            if len(page) < PAGE:
                return items
        raise ImportFailed(f"{self.url}/{kind}: more than {PAGES_MAX} pages (is this the engine's REST API?)")


class Folder:
    def __init__(self, folder):
        self.folder = folder

    def read(self, kind):
        for ending in ("", ".json", ".xml"):
            path = os.path.join(self.folder, kind + ending)
            try:
                with open(path, "rb") as file:
                    return parse(kind, file.read(DOCUMENT_MAX + 1), path)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise ImportFailed(f"{path}: {error.strerror} (give a folder with hosts, clusters and vms)") from error
        raise ImportFailed(f"{self.folder}: has no '{kind}' (save the API's answer as {kind}.json or {kind}.xml)")


def capbroker(options, *arguments):
    command = ["capbroker", *(["--db", options.db] if options.db else []), "--json", *arguments]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        answer = json.loads(result.stdout or "{}")
    except (OSError, ValueError) as error:
        raise ImportFailed(f"capbroker: {error} (is it installed?)") from error
    if result.returncode:
        problem = answer.get("error") if isinstance(answer.get("error"), dict) else {}
        raise ImportFailed(f"capbroker {' '.join(arguments)}: {problem.get('where')}: {problem.get('message')} "
                           f"({problem.get('fix') or 'see capbroker(1)'})")
    return answer


def index(known):
    """By what a host may be found: its own names before aliases; what two hosts have finds neither."""
    found = {}
    for host in known:
        words = {host["name"], host["name"].split(".")[0], host.get("uuid") or "", *host.get("aliases", {}).values()}
        for word in words - {""}:
            found.setdefault(word.lower(), set()).add(host["name"])
    return found


def match(host, found):
    """The name that capbroker has for a host; None where none, or more than one, is it."""
    address = member(host, "address")
    for word in (member(host, "hardware_information", "uuid"), host["id"], address, member(host, "name"),
                 "" if address.replace(".", "").isdigit() else address.split(".")[0]):
        names = found.get(word.lower(), ()) if word else ()
        if len(names) == 1:
            return next(iter(names))
    return None


def take(source, options):
    clusters = {cluster["id"]: member(cluster, "name") for cluster in source.read("clusters")}
    hosts, vms = source.read("hosts"), source.read("vms")
    found = index(capbroker(options, "hosts")["hosts"])
    taken, missing = {}, []
    for host in hosts:
        name = match(host, found)
        if name is None or name in taken:
            missing.append(member(host, "name") or host["id"])
            continue
        taken[name] = host["id"]
        cluster = clusters.get(member(host, "cluster", "id"))
        print(f"{member(host, 'name')}: {name}, ovirt={host['id']}" + (f", cluster {cluster}" if cluster else ""))
        if not options.dry_run:
            capbroker(options, "import", "--name", name, "--alias", "ovirt=" + host["id"],
                      *(["--cluster", cluster] if cluster else []))
    guests = {(guest.get("uuid") or "").lower() for guest in capbroker(options, "guests")["guests"]}
    strangers = [member(vm, "name") or vm["id"] for vm in vms if vm["id"].lower() not in guests]
    print(f"{len(taken)} of {len(hosts)} hosts named, {len(vms) - len(strangers)} of {len(vms)} VMs known"
          + (" (dry run: nothing was changed)" if options.dry_run else ""))
    for what, names in (("hosts", missing), ("VMs", strangers)):
        if names:
            print(f"{what} that capbroker doesn't know: {' '.join(sorted(names))}")
    return 3 if missing or strangers else 0


def main():
    parser = argparse.ArgumentParser(description="Give hosts the ids that oVirt's engine has for them")
    parser.add_argument("--url", help="https://HOST/ovirt-engine/api")
    parser.add_argument("--user", default="admin@internal")
    parser.add_argument("--password-file")
    parser.add_argument("--ca-file")
    parser.add_argument("--from", dest="folder", metavar="FOLDER", help="saved answers of the API instead")
    parser.add_argument("--db", help="capbroker's database")
    parser.add_argument("--dry-run", action="store_true")
    options = parser.parse_args()
    if bool(options.url) == bool(options.folder) or (options.url and not options.password_file):
        parser.error("either --url and --password-file, or --from, is expected")
    try:
        return take(Folder(options.folder) if options.folder else Api(options), options)
    except ImportFailed as error:
        print(f"capbroker-ovirt-import: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
