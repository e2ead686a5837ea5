// A gateway that is set up wrongly does not start, and says what is wrong, where, and what to do.
"use strict";
const assert = require("node:assert/strict");
const {execFileSync} = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const {build} = require("./world.js");

module.exports = async ({world, test}) => {
  const good = fs.readFileSync(world.file("gateway-hospital.yaml"), "utf8");
  const profile = fs.readFileSync(world.file("gateway-hospital-profile.yaml"), "utf8");

  // Starts it and expects it to end by itself, at once.
  const refuse = (what, text, words) => {
    world.write("bad.yaml", text);
    try {
      execFileSync(path.join(build, "cpis-web"), ["--config", "bad.yaml"], {cwd: world.folder, stdio: ["ignore", "pipe", "pipe"], timeout: 20000});
    } catch (error) {
      assert.equal(error.status, 1, `${what}: ${error.status} ${error.stderr}`);
      assert.match(String(error.stderr), words, what);
      return;
    }
    assert.fail(`${what}: it started`);
  };
  const instead = (key, line) => good.replace(new RegExp(`^${key}:.*$`, "m"), line);

  await test("settings that are wrong are refused, with their place", async () => {
    refuse("an unknown key", good + "colour: blue\n", /bad\.yaml:\d+: .*colour/);
    refuse("no address", instead("listen", "listen: everywhere:443"), /bad\.yaml:1: listen is a numeric address and a port/);
    refuse("no port", instead("listen", "listen: 127.0.0.1:70000"), /listen is a numeric address and a port/);
    refuse("a lock that is none", good + "lock_after: \"5\"\n", /bad\.yaml:\d+: lock_after is 60 to 1800 seconds/);
    refuse("a number with letters", good + "lock_after: \"90s\"\n", /lock_after is 60 to 1800 seconds/);
    refuse("too many workers", instead("workers", "workers: \"65\""), /workers is 1 to 64/);
    refuse("a port that is none", good + "public_port: \"0\"\n", /public_port is 1 to 65535/);
    refuse("a role that is none", good.replace("R8001", "nurse"), /nurse is not a role code such as R8001/);
    refuse("a care setting that is none", good.replace("maternity", "the_pub"), /there is no care setting the_pub/);
    refuse("no file", "", /bad\.yaml/);
    refuse("no profile", instead("profile", "profile: nowhere.yaml"), /nowhere\.yaml/);
  });

  await test("files that do not fit are refused, with their names", async () => {
    world.write("short.key", "short", 0o600);
    refuse("a short key", instead("sealing_key", "sealing_key: short.key"), /short\.key: not a file of 32 bytes/);
    world.write("open.key", Buffer.alloc(32, 1), 0o644);
    refuse("a key that others may read", instead("sealing_key", "sealing_key: open.key"), /open\.key: group or others may read this key; chmod 600 it/);
    refuse("no staff", instead("staff_directory", "staff_directory: nowhere"), /nowhere: cannot be read as the folder of staff certificates/);
    refuse("no templates", instead("share_directory", "share_directory: nowhere"), /nowhere\/templates: cannot be read/);
    refuse("another's certificate", instead("web_certificate", "web_certificate: web-ca.pem"), /web\.key: not the PEM private key of web_certificate/);
    refuse("a certificate for other hosts", instead("web_certificate", "web_certificate: web-ca.pem").replace(/^web_key:.*$/m, "web_key: web-ca.key"),
      /web-ca\.pem: not for both hospital\.cpis\.test/);
    fs.mkdirSync(world.file("share/templates"), {recursive: true});
    world.write("share/templates/bad.xsl", "<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'><xsl:template match='a['/></xsl:stylesheet>");
    refuse("a template that is none", instead("share_directory", "share_directory: share"), /bad\.xsl: not a template/);
  });

  await test("a system without a web host, and a profile with what a gateway does not do, are refused", async () => {
    world.run("cpis", ["certs", "issue-system", "--dir", "authority", "--ods", "RXH", "--name", "plain", "--out", "systems"]);
    world.write("plain.yaml", profile.replaceAll("systems/hospital", "systems/plain"));
    refuse("no web host", instead("profile", "profile: plain.yaml"), /systems\/plain\.pem: names no web host; have it issued with `cpis certs issue-system --web-host HOST`/);
    world.write("witness.yaml", profile + "witness: refuse\nwitness_age_max: 3600\n");
    refuse("a witness", instead("profile", "profile: witness.yaml"), /`witness` is for the command cpis/);
  });

  await test("an address that is taken is refused", async () => {
    refuse("taken", instead("listen", `listen: 127.0.0.1:${world.gateways.council.port}`), /cannot be listened on/);
  });

  await test("the command line is checked", async () => {
    for (const args of [[], ["--config"], ["--wrong"], ["--config", "x", "y"]]) world.run("cpis-web", args, {codes: [1]});
    assert.match(world.run("cpis-web", ["--help"]), /usage: cpis-web --config FILE/);
  });
};
