# SPDX-License-Identifier: Apache-2.0
"""A network of a few hosts at one switch, each a namespace, whose cables can be pulled. In a room (room.py).

While a cable is out its host hears nobody and is heard by nobody: connections hang, as they do when a cable is
pulled, and nobody is told."""
import os

import room

SWITCH = "switch"


class Network:
    """Hosts by name; each is reached by its name from every other."""

    def __init__(self, folder, *names):
        self.names = names
        self.addresses = {name: f"10.99.0.{i}" for i, name in enumerate(names, 1)}
        room.run("ip", "netns", "add", SWITCH)
        self._switch("ip", "link", "add", "bridge", "type", "bridge")
        self._switch("ip", "link", "set", "bridge", "up")
        for name in names:
            self._add(name)
        self._name_hosts(folder)

    def _switch(self, *command):
        room.run("ip", "netns", "exec", SWITCH, *command)

    def _add(self, name):
        room.run("ip", "netns", "add", name)
        self._switch("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        self._switch("ip", "link", "set", name, "master", "bridge", "up")
        room.run("ip", "-n", name, "address", "add", f"{self.addresses[name]}/24", "dev", "eth0")
        room.run("ip", "-n", name, "link", "set", "eth0", "up")
        room.run("ip", "-n", name, "link", "set", "lo", "up")

    def _name_hosts(self, folder):
        path = os.path.join(folder, "hosts")
        with open(path, "w", encoding="ascii") as f:
            print("127.0.0.1 localhost", file=f)
            for name, address in self.addresses.items():
                print(address, name, file=f)
        room.run("mount", "--bind", path, "/etc/hosts")

    def command(self, name, *command):
        """To be started there."""
        return ["ip", "netns", "exec", name, *map(str, command)]

    def cut(self, name):
        self._switch("ip", "link", "set", name, "down")

    def separate(self, *names):
        """Each of these hears all others, but not one another."""
        for name in names:
            self._switch("bridge", "link", "set", "dev", name, "isolated", "on")

    def heal(self):
        for name in self.names:
            self._switch("ip", "link", "set", name, "up")
            self._switch("bridge", "link", "set", "dev", name, "isolated", "off")

    def hears(self, name, other):
        """Does a packet come back?"""
        try:
            room.run(*self.command(name, "busybox", "ping", "-c", 1, "-W", 1, self.addresses[other]))
            return True
        except AssertionError:
            return False
