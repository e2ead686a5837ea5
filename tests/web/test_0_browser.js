// What the two proofs rest on that is the browser's doing and not ours: when this fails after an update of Chromium, the design has to
// be looked at, not the gateway.
"use strict";
const assert = require("node:assert/strict");
const crypto = require("node:crypto");
const fs = require("node:fs");
const https = require("node:https");

const sha256 = (data) => crypto.createHash("sha256").update(data).digest();
const ASSERTIONS = 20; // Chromium puts a member of its own after the known ones into some client data, at random

function newLabel() {
  return Array.from(crypto.randomBytes(52), (byte) => "abcdefghijklmnopqrstuvwxyz234567"[byte & 31]).join("");
}

// A server that asks for certificates as the gateway does, but gives tickets: what it saw of each connection that asked for a page.
async function askingServer(world) {
  const seen = [];
  const server = https.createServer({key: fs.readFileSync(world.file("web.key")), cert: fs.readFileSync(world.file("web.pem")),
    ca: fs.readFileSync(world.file("authority/trust/staff-ca.pem")), requestCert: true, rejectUnauthorized: false, minVersion: "TLSv1.3"},
  (request, response) => {
    const {socket} = request, to = new URL(request.url, "https://x").searchParams.get("to");
    if (!request.url.startsWith("/favicon")) seen.push({name: socket.servername, port: socket.remotePort, version: socket.getProtocol(),
      resumed: socket.isSessionReused(), certificate: Boolean(socket.getPeerCertificate().subject)});
    response.writeHead(to ? 303 : 200, to ? {location: to} : {"content-type": "text/html"}).end("<h1>seen</h1>");
  });
  await new Promise((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  return {seen, port: server.address().port, close: () => { server.close(); server.closeAllConnections(); }};
}

// Runs in the page.
async function assertion([challenge, host, verification]) {
  const bytes = (buffer) => Array.from(new Uint8Array(buffer));
  try {
    const {response} = await navigator.credentials.get({publicKey: {challenge: new Uint8Array(challenge), rpId: host,
      userVerification: verification, timeout: 5000}});
    return {authenticator: bytes(response.authenticatorData), client: bytes(response.clientDataJSON), signature: bytes(response.signature)};
  } catch (error) {
    return error.name;
  }
}

module.exports = async ({world, browsers, test}) => {
  const host = "hospital.cpis.test";

  await test("each new host name has a TLS 1.3 handshake of its own with the certificate, also by redirection and without scripts", async () => {
    const server = await askingServer(world);
    const page = await browsers.withCertificate("officer");
    try {
      const labels = [newLabel(), newLabel(), newLabel()].map((label) => `${label}.${host}`);
      await page.goto(`https://${labels[0]}:${server.port}/`);
      await page.goto(`https://${labels[1]}:${server.port}/?to=${encodeURIComponent(`https://${labels[2]}:${server.port}/`)}`);
      assert.deepEqual(server.seen.map((s) => s.name), labels);
      assert.equal(new Set(server.seen.map((s) => s.port)).size, labels.length, "one connection for each name");
      for (const {version, resumed, certificate} of server.seen) assert.deepEqual([version, resumed, certificate], ["TLSv1.3", false, true]);
    } finally {
      await page.context().close(); // its browser is shared
      server.close();
    }
  });

  await test("a passkey's assertion has the form that the broker reads, in another browser than the one that made it", async () => {
    const {request} = await browsers.enrol("officer");
    const key = crypto.createPublicKey({key: Buffer.from(/^key: (\S+)$/m.exec(request)[1], "base64url"), format: "der", type: "spki"});
    assert.deepEqual([key.asymmetricKeyType, key.asymmetricKeyDetails.namedCurve], ["ec", "prime256v1"]);
    const page = await browsers.withPasskey("officer", {browser: await browsers.launch()});
    await page.goto(`${page.origin}/sign-in`);
    for (let i = 0; i < ASSERTIONS; i++) {
      const challenge = crypto.randomBytes(32), made = await page.evaluate(assertion, [[...challenge], host, "required"]);
      const [authenticator, client] = [Buffer.from(made.authenticator), Buffer.from(made.client).toString()];
      // WebAuthn level 2, sections 5.8.1.3 and 6.1
      const begin = `{"type":"webauthn.get","challenge":"${challenge.toString("base64url")}","origin":"${page.origin}","crossOrigin":false`;
      assert.ok(client.startsWith(begin) && /^[},]$/.test(client[begin.length]), client);
      assert.deepEqual(authenticator.subarray(0, 32), sha256(host));
      assert.equal(authenticator[32] & 5, 5, "user present and verified");
      assert.ok(crypto.verify("sha256", Buffer.concat([authenticator, sha256(client)]), key, Buffer.from(made.signature)));
    }
    await page.context().browser().close();
  });

  await test("a passkey is not used for another host, nor without the person being verified", async () => {
    const page = await browsers.visitor();
    const {cdp, authenticatorId} = await browsers.authenticator(page);
    await cdp.send("WebAuthn.addCredential", {authenticatorId, credential: browsers.passkeys.officer});
    await page.goto(`${world.gateways.council.origin}/sign-in`);
    assert.equal(await page.evaluate(assertion, [[1], host, "required"]), "SecurityError");
    await page.goto(`${world.gateways.hospital.origin}/sign-in`);
    await cdp.send("WebAuthn.setUserVerified", {authenticatorId, isUserVerified: false});
    assert.equal(await page.evaluate(assertion, [[1], host, "required"]), "NotAllowedError");
    // A page that does not insist gets one: the broker has to look at the flag.
    const unverified = await page.evaluate(assertion, [[1], host, "discouraged"]);
    assert.equal(unverified.authenticator[32] & 5, 1);
    await page.context().close();
  });
};
