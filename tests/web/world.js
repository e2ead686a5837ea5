// A world for the pages' tests: a registration authority, a broker and a gateway for each of three organisations, all real processes on
// loopback, in a folder of their own that is removed at the end.
"use strict";
const {execFileSync, spawn} = require("node:child_process");
const crypto = require("node:crypto");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const repository = path.resolve(__dirname, "../..");
const build = path.resolve(repository, process.env.BUILD || "build");
const READY_MS = 30000;

// Who works where. Hosts are under cpis.test, which the browser is told to find on loopback.
const organisations = {
  hospital: {ods: "RXH", host: "hospital.cpis.test", name: "University Hospitals Sussex", settings: ["emergency_department", "maternity"],
    // A ward that the register does not have: who treats there has to break the glass.
    unregistered: ["paediatric_ward"]},
  council: {ods: "383", host: "council.cpis.test", name: "Leeds City Council", settings: ["social_care"]},
  national: {ods: "X26", host: "national.cpis.test", name: "NHS England", settings: []}
};
const people = {
  nurse: {uid: "555000000001", name: "Grace Okafor", role: "R8001", at: "hospital"},
  consultant: {uid: "555000000012", name: "Amara Nwosu", role: "R0050", at: "hospital"},
  receptionist: {uid: "555000000003", name: "Tom Archer", role: "R8009", at: "hospital"},
  officer: {uid: "555000000004", name: "Ines Duarte", role: "R0001", at: "hospital"},
  worker: {uid: "555000000007", name: "Anjali Rao", role: "R9535", at: "council"},
  operator: {uid: "555000000013", name: "Rhys Bevan", role: "R8015", at: "national", activities: "[L0501]"}
};

// Waits until the file holds a match, or the process ends.
async function seen(file, pattern, process_) {
  const until = Date.now() + READY_MS;
  for (;;) {
    const text = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
    const match = pattern.exec(text);
    if (match) return match;
    if (process_.exitCode !== null || Date.now() > until) throw new Error(`${file}: did not come up:\n${text}`);
    await new Promise((resolve) => { const watcher = fs.watch(path.dirname(file), () => { watcher.close(); resolve(); });
      setTimeout(() => { watcher.close(); resolve(); }, 200).unref(); });
  }
}

class World {
  constructor(workers = 4) {
    this.workers = workers; // of each gateway
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "cpis-web-world-"));
    this.processes = [];
    this.gateways = {};
  }

  file(name) { return path.join(this.folder, name); }
  write(name, text, mode) { fs.writeFileSync(this.file(name), text, {mode: mode || 0o644}); }

  // A command of ours; its standard output. `codes`: exit codes that are as they should be.
  run(program, args, options = {}) {
    try {
      return execFileSync(path.join(build, program), args, {cwd: this.folder, encoding: "utf8", input: options.input || "",
        stdio: ["pipe", "pipe", "pipe"]});
    } catch (error) {
      if ((options.codes || []).includes(error.status)) return error.stdout;
      throw new Error(`${program} ${args.join(" ")}: ${error.status}\n${error.stdout}${error.stderr}`);
    }
  }
  cpis(person, args, options) { return this.run("cpis", ["--profile", `${person}.yaml`, ...args], options); }

  start(program, args, log, environment = {}) {
    const out = fs.openSync(this.file(log), "w");
    const child = spawn(path.join(build, program), args, {cwd: this.folder, stdio: ["ignore", out, out], env: {...process.env, ...environment}});
    fs.closeSync(out);
    this.processes.push(child);
    return child;
  }

  openssl(args, input) { return execFileSync("openssl", args, {cwd: this.folder, input: input || "", stdio: ["pipe", "pipe", "pipe"]}); }

  // ---------------------------------------------------------------- setting up

  certify() {
    this.run("cpis", ["certs", "init", "--dir", "authority", "--broker-name", "broker-1"]);
    for (const [name, organisation] of Object.entries(organisations))
      this.run("cpis", ["certs", "issue-system", "--dir", "authority", "--ods", organisation.ods, "--name", name, "--web-host",
        organisation.host, "--out", "systems"]);
    for (const person of Object.values(people)) {
      this.run("cpis", ["certs", "issue-staff", "--dir", "authority", "--uid", person.uid, "--name", person.name, "--out", "staff"]);
      fs.mkdirSync(this.file("passkeys"), {recursive: true});
    }
  }

  // A certificate of a browser's own key, for somebody without a passkey: {cert, key} in PEM.
  browserCertificate(name, type = "p256") {
    const person = people[name], file = `${name}-${type}`;
    const out = this.run("cpis", ["certs", "request-staff", "--uid", person.uid, "--name", person.name, "--out", "browser", "--file", file,
      "--key-type", type]);
    const fingerprint = /fingerprint:? +(\S+)/.exec(out)[1];
    this.run("cpis", ["certs", "issue-staff", "--dir", "authority", "--request", `browser/${file}.csr`, "--fingerprint", fingerprint,
      "--out", "browser", "--file", file]);
    return {cert: fs.readFileSync(this.file(`browser/${file}.pem`)), key: fs.readFileSync(this.file(`browser/${file}.key`))};
  }

  // What the registration authority does with the file that a browser saved.
  certifyPasskey(request, fingerprint, file) {
    this.write(`${file}.request`, request);
    this.run("cpis", ["certs", "issue-staff", "--dir", "authority", "--passkey", `${file}.request`, "--fingerprint", fingerprint,
      "--out", "passkeys", "--file", file]);
  }

  register() {
    const places = Object.values(organisations).map((o) => `  - {ods: "${o.ods}", name: ${o.name}, type: ` +
      (o.ods === "RXH" ? "care_provider" : o.ods === "383" ? "local_authority" : "national_body") +
      (o.settings.length > 0 ? `, care_settings: [${o.settings.join(", ")}]}` : "}"));
    const profiles = Object.values(people).map((p) => `  - {uid: "${p.uid}", role: ${p.role}, organisation: "${organisations[p.at].ods}", from: 2020-01-01${p.activities ? `, activities: ${p.activities}` : ""}}`);
    this.write("register.yaml", `organisations:\n${places.join("\n")}\nrole_profiles:\n${profiles.join("\n")}\n`);
    this.write("broker.yaml", ["broker_name: broker-1", "endpoint: tcp://127.0.0.1:*", "endpoint_file: endpoint",
      "certificate: authority/broker/broker.pem", "key: authority/broker/broker.key", "log_key: authority/broker/log.key",
      "trust_directory: authority/trust", "enrolled_directory: authority/enrolled", "register_file: register.yaml",
      `policy_file: ${repository}/broker/policy.yaml`, "store_file: store.db", "store_key: store.key", ""].join("\n"));
  }

  async startBroker() {
    this.run("cpis-broker", ["--make-store-key", "store.key"]);
    await this.continueBroker();
    for (const [name, person] of Object.entries(people))
      this.write(`${name}.yaml`, this.profile(person.at) + `staff_certificate: staff/${person.uid}.pem\nstaff_key: staff/${person.uid}.key\n` +
        `role: ${person.role}\n` + (name === "nurse" ? "care_setting: emergency_department\n" : ""));
  }

  async continueBroker() {
    this.broker = this.start("cpis-broker", ["broker.yaml"], "broker.log");
    this.endpoint = (await seen(this.file("endpoint"), /\S+/, this.broker))[0];
  }

  profile(system) {
    return `endpoint: ${this.endpoint}\nbroker_name: broker-1\nbroker_certificate: authority/broker/broker.pem\n` +
      `trust_directory: authority/trust\nsystem_certificate: systems/${system}.pem\nsystem_key: systems/${system}.key\n`;
  }

  // The hosts' own certificates, by an authority that is this test's.
  makeTls() {
    this.openssl(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "web-ca.key", "-out", "web-ca.pem",
      "-days", "2", "-subj", "/CN=cpis web tests"]);
    const names = Object.values(organisations).flatMap((o) => [`DNS:${o.host}`, `DNS:*.${o.host}`]).join(",");
    this.openssl(["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "web.key", "-out", "web.csr", "-subj", "/CN=cpis.test"]);
    this.write("web.ext", `subjectAltName=${names}\nextendedKeyUsage=serverAuth\n`);
    this.openssl(["x509", "-req", "-in", "web.csr", "-CA", "web-ca.pem", "-CAkey", "web-ca.key", "-CAcreateserial", "-days", "2", "-extfile", "web.ext",
      "-out", "web.pem"]);
    const key = crypto.createPublicKey(fs.readFileSync(this.file("web-ca.pem"))).export({type: "spki", format: "der"});
    const leaf = crypto.createPublicKey(fs.readFileSync(this.file("web.pem"))).export({type: "spki", format: "der"});
    this.spki = [key, leaf].map((k) => crypto.createHash("sha256").update(k).digest("base64"));
  }

  // `alias` makes a second one of the same organisation, under a clock of its own: both open what the other has sealed.
  async startGateway(name, alias = "", preload = "", clock = "") {
    const organisation = organisations[name], file = `gateway-${name}${alias}`;
    if (!fs.existsSync(this.file("sealing.key"))) this.write("sealing.key", crypto.randomBytes(32), 0o600);
    const roles = [...new Set(Object.values(people).filter((p) => p.at === name).map((p) => p.role))];
    this.write(`${file}-profile.yaml`, this.profile(name) + `checkpoint_file: ${file}.checkpoint\n`);
    this.write(`${file}.yaml`, ["listen: 127.0.0.1:0", "web_certificate: web.pem", "web_key: web.key", `profile: ${file}-profile.yaml`,
      "staff_directory: passkeys", `share_directory: ${build}/web`, `organisation: ${organisation.name}`, `workers: "${this.workers}"`, "sealing_key: sealing.key",
      "roles:", ...roles.map((r) => `  - {code: ${r}, name: ${roleNames[r]}}`),
      ...(organisation.settings.length > 0 ? [`care_settings: [${[...organisation.settings, ...(organisation.unregistered || [])].join(", ")}]`] : []),
      ""].join("\n"));
    const child = this.start("cpis-web", ["--config", `${file}.yaml`], `${file}.log`,
      preload ? {LD_PRELOAD: `/usr/$LIB/faketime/${preload}`, FAKETIME: clock} : {});
    const origin = (await seen(this.file(`${file}.log`), /ready: (https:\S+),/, child))[1];
    const gateway = {origin, host: organisation.host, port: Number(new URL(origin).port), process: child};
    if (alias === "") this.gateways[name] = gateway;
    return gateway;
  }

  async stop() {
    for (const child of this.processes.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
    }
    if (!process.env.KEEP) fs.rmSync(this.folder, {recursive: true, force: true});
    else console.log(`kept: ${this.folder}`);
  }
}

const roleNames = {R8001: "Nurse", R8002: "Nurse manager", R0050: "Consultant", R8009: "Receptionist", R0001: "Privacy officer", R9535: "Child protection worker",
  R8015: "Systems support"};

const day = (months, days = 0) => {
  const date = new Date();
  date.setUTCMonth(date.getUTCMonth() + months);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
};

const children = {known: "9990000018", looked_after: "9990000026", unknown: "9990000093", second: "9990000034"};

async function makeWorld(workers) {
  const world = new World(workers);
  try {
    world.certify();
    world.register();
    await world.startBroker();
    world.makeTls();
    for (const name of Object.keys(organisations)) await world.startGateway(name);
  } catch (error) {
    await world.stop();
    throw error;
  }
  return world;
}

module.exports = {World, seen, makeWorld, organisations, people, children, day, build, repository};
