// An OpenID provider in the manner of CIS2, by node's own cryptography: a key, its published set, tokens.
"use strict";
const crypto = require("node:crypto");

const issuer = "https://am.identity.example/openam";
const base64url = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

class Provider {
  constructor() {
    const pair = crypto.generateKeyPairSync("ec", {namedCurve: "P-256"});
    this.key = pair.privateKey;
    this.jwks = {keys: [{...pair.publicKey.export({format: "jwk"}), kid: "one", use: "sig", alg: "ES256"}]};
  }

  // For the facade of RXH, five minutes long, unless `claims` say otherwise.
  token(person, role, claims = {}, header = {}) {
    const now = Math.floor(Date.now() / 1000);
    const text = base64url({typ: "JWT", alg: "ES256", kid: "one", ...header}) + "." + base64url({
      iss: issuer, sub: person.uid, aud: "cpis-fhir-rxh", jti: crypto.randomUUID(), iat: now, exp: now + 300, auth_time: now - 60,
      acr: "AAL3_ANY", authentication_assurance_level: "3", id_assurance_level: "3", nhsid_useruid: person.uid, name: person.name,
      nhsid_nrbac_roles: [{org_code: "RXH", person_roleid: "100000000001", role_code: `S8000:G8000:${role}`, role_name: "Clinical"}], ...claims});
    return text + "." + crypto.sign("sha256", Buffer.from(text), {key: this.key, dsaEncoding: "ieee-p1363"}).toString("base64url");
  }
}

module.exports = {Provider, issuer};
