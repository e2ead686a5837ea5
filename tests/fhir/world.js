// A broker that knows an OpenID provider, and a facade before it: real processes on loopback.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const {World, people, children, day, seen} = require("../web/world.js");
const {Provider, issuer} = require("./provider.js");

const tls = process.env.CPIS_FHIR_TLS;

class FhirWorld extends World {
  // `more` nurses besides the people of the other tests.
  constructor(more = 0) {
    super(2);
    this.provider = new Provider();
    this.nurses = Array.from({length: more}, (_, i) => ({uid: String(555100000000 + i), name: `Nurse ${i}`}));
  }

  certify() {
    super.certify();
    this.run("cpis", ["certs", "issue-system", "--dir", "authority", "--ods", "RXH", "--name", "fhir", "--out", "systems"]);
  }

  register() {
    super.register();
    fs.mkdirSync(this.file("identity"));
    this.write("identity/cis2.jwks", JSON.stringify(this.provider.jwks));
    this.write("identity/cis2.yaml", `issuer: ${issuer}\njwks_file: cis2.jwks\nalgorithms: [RS256, ES256]\nassurance_level: "3"\n` +
      "audiences:\n  - {system: RXH/fhir, audience: cpis-fhir-rxh}\n");
    fs.appendFileSync(this.file("register.yaml"), this.nurses.map((nurse) =>
      `  - {uid: "${nurse.uid}", role: R8001, organisation: RXH, from: 2020-01-01}\n`).join(""));
    fs.appendFileSync(this.file("broker.yaml"), "identity_directory: identity\n");
  }

  async startFacade() {
    this.write("fhir-profile.yaml", this.profile("fhir") + "checkpoint_file: fhir.checkpoint\n");
    this.write("fhir.yaml", `listen: 127.0.0.1:0\nhost: localhost\ncertificate: ${tls}/fhir.pem\nkey: ${tls}/fhir.key\nprofile: fhir-profile.yaml\n` +
      `care_setting: emergency_department\nworkers: "${this.workers}"\n`);
    this.facade = this.start("cpis-fhir", ["--config", "fhir.yaml"], "fhir.log");
    this.base = (await seen(this.file("fhir.log"), /ready: (https:\S+)/, this.facade))[1];
  }

  publish() {
    this.write("plans.csv", "nhs_number,plan_type,start_date,end_date,delete_date,local_id,family_name,given_names,birth_date\n" +
      `${children.known},CPP,${day(-14)},,,LCS-1,EXAMPLE,ALEX,${day(-72)}\n` +
      `${children.looked_after},LAC,${day(-30)},,,LCS-2,EXAMPLE,BETH,${day(-73)}\n` +
      `${children.second},UCPP,${day(-5)},,,LCS-3,EXAMPLE,CARA,${day(-300)}\n`);
    this.cpis("worker", ["contacts", "set", "--emergency-duty", "0113 496 0000", "--office-hours", "0113 496 0100"]);
    this.cpis("worker", ["publish", "--full", "plans.csv"], {codes: [5]});
  }
}

// `facade` false: without one.
async function makeFhirWorld(more, facade = true) {
  const world = new FhirWorld(more);
  try {
    world.certify();
    world.register();
    await world.startBroker();
    if (facade) await world.startFacade();
    world.publish();
  } catch (error) {
    for (const log of ["broker.log", "fhir.log"]) if (fs.existsSync(world.file(log))) console.log(fs.readFileSync(world.file(log), "utf8"));
    await world.stop();
    throw error;
  }
  return world;
}

module.exports = {makeFhirWorld, seen, people, children, day, tls, repository: path.resolve(__dirname, "../..")};
