#!/usr/bin/python3
"""An authority's FHIR endpoint, inside the container: keeps what it is posted, one body a line, in /root/told."""
import http.server
import pathlib
import ssl


class Endpoint(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        known = self.headers["Authorization"] == "Bearer of-leeds"
        if known:
            with open("/root/told", "ab") as told:
                told.write(body + b"\n")
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/root/world/tls/endpoint.pem", "/root/world/tls/endpoint.key")
server = http.server.HTTPServer(("127.0.0.3", 8443), Endpoint)
server.socket = context.wrap_socket(server.socket, server_side=True)
pathlib.Path("/root/endpoint.listens").touch()
server.serve_forever()
