#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Start a program with a listening socket at a port that the kernel chose, so that nobody else's is taken: as fd@N in
the named variable, which HAProxy understands. at_port.py VARIABLE PROGRAM ARGUMENT..."""
import os
import socket
import sys

listener = socket.create_server(("127.0.0.1", 0), backlog=512)
os.set_inheritable(listener.fileno(), True)
os.environ[sys.argv[1]] = f"fd@{listener.fileno()}"
print("listening on=%s:%d" % listener.getsockname(), flush=True)
os.execvp(sys.argv[2], sys.argv[2:])
