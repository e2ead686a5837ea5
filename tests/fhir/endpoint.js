// An authority's own endpoint, as a test has it answer: a real HTTPS server, which keeps what it was sent.
"use strict";
const https = require("node:https");

const PATH = "/fhir/notifications";

class Endpoint {
  // `options`: node's for TLS.
  constructor(options) {
    this.received = [];
    this.answer = (request, response) => response.writeHead(200).end();
    this.server = https.createServer(options, (request, response) => {
      const parts = [];
      request.on("data", (part) => parts.push(part));
      request.on("end", () => {
        this.received.push({method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(parts).toString("utf8"),
          tls: request.socket.getProtocol(), peer: request.socket.getPeerCertificate()});
        this.answer(request, response);
      });
    });
    // Clients that end the handshake, or the connection: what this is about.
    this.server.on("tlsClientError", () => {});
    this.server.on("clientError", (error, socket) => socket.destroy());
  }

  async open(port = 0) {
    await new Promise((resolve, reject) => { this.server.once("error", reject); this.server.listen(port, "127.0.0.1", resolve); });
    this.port = this.server.address().port;
    return this;
  }

  async close() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  // What came since the last time this was asked.
  take() {
    return this.received.splice(0);
  }
}

module.exports = {Endpoint, PATH};
