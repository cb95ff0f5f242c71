#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""front_server.py URL COUNT: hands COUNT requests on to a server on loopback, then is gone.

Prints its port. Appends a line for each request to the file that FRONT_LOG names. With a COUNT of -1 it
stays. Ends when its standard input does.
"""
import http.server
import os
import sys
import threading
import urllib.error
import urllib.request

URL, COUNT = sys.argv[1], int(sys.argv[2])


class Handler(http.server.BaseHTTPRequestHandler):
    def forward(self, body):
        request = urllib.request.Request(URL + self.path, data=body)
        if body is not None:
            request.add_header("Content-Type", self.headers["Content-Type"])
        try:
            with urllib.request.urlopen(request) as answer:
                self.reply(answer.status, answer.read())
        except urllib.error.HTTPError as e:
            self.reply(e.code, e.read())

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        with open(os.environ["FRONT_LOG"], "a", encoding="utf-8") as log:
            log.write(f"{self.command} {self.path} {self.headers.get('Authorization', '-')}\n")
        self.server.left -= 1
        if self.server.left == 0:
            self.server.socket.close()

    def do_GET(self):
        self.forward(None)

    def do_POST(self):
        self.forward(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *args):
        pass


class Server(http.server.HTTPServer):
    left = COUNT

    def handle_error(self, request, client_address):
        pass


def serve(server):
    try:
        server.serve_forever()
    except (OSError, ValueError):
        pass # its socket is closed: nobody is there any more


def main():
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=serve, args=(server,), daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


main()
