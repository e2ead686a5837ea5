// What scripts add to the pages: the check digit while typing, passkeys, the lock's warning, live figures. Without scripts the pages
// work too, but for passkeys, which browsers offer to scripts only.
"use strict";

(function () {
  var toText = function (buffer) {
    var text = "";
    new Uint8Array(buffer).forEach(function (byte) { text += String.fromCharCode(byte); });
    return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  var toBytes = function (text) {
    return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), function (c) { return c.charCodeAt(0); });
  };
  var byId = function (id) { return document.getElementById(id); };

  // ---------------------------------------------------------------- NHS numbers

  var checkNumber = function (typed) {
    var digits = typed.replace(/[ -]/g, "");
    if (digits === "") return "";
    if (!/^[0-9]*$/.test(digits)) return "An NHS number has digits only.";
    if (digits.length < 10) return (10 - digits.length) + " more " + (digits.length === 9 ? "digit" : "digits");
    if (digits.length > 10) return "That is more than 10 digits.";
    var sum = 0;
    for (var i = 0; i < 9; i++) sum += Number(digits[i]) * (10 - i);
    var check = (11 - sum % 11) % 11;
    if (check !== Number(digits[9]) || /^(\d)\1*$/.test(digits)) return "The check digit is wrong: look for a mistyped digit.";
    return "The check digit is right.";
  };
  document.querySelectorAll("[data-nhs-number]").forEach(function (input) {
    var told = byId(input.id + "-told");
    input.addEventListener("input", function () { told.textContent = checkNumber(input.value); });
  });

  document.querySelectorAll("[data-focus]").forEach(function (element) { element.focus(); });
  document.querySelectorAll(".cpis-script-only").forEach(function (element) { element.hidden = !window.PublicKeyCredential; });

  // ---------------------------------------------------------------- passkeys

  var say = function (text) { byId("passkey-problem").textContent = text; };
  var post = function (address, fields) {
    return fetch(address, {method: "POST", credentials: "same-origin", body: new URLSearchParams(fields)})
      .then(function (response) { return response.json(); });
  };
  var submit = function (address, fields) {
    var form = document.createElement("form");
    form.method = "post";
    form.action = address;
    Object.keys(fields).forEach(function (name) {
      var input = document.createElement("input");
      input.type = "hidden";
      input.name = name;
      input.value = fields[name];
      form.appendChild(input);
    });
    document.body.appendChild(form);
    form.submit();
  };
  // Asks for a fresh challenge, then the passkey, then goes on with its answer.
  var prove = function (form, pendingName) {
    var fields = Object.fromEntries(new FormData(form));
    say("");
    post(form.dataset.challenge, fields).then(function (begun) {
      if (begun.problem) throw new Error(begun.problem);
      var options = {challenge: toBytes(begun.challenge), rpId: begun.host, userVerification: "required", timeout: 50000};
      if (form.dataset.credential) options.allowCredentials = [{type: "public-key", id: toBytes(form.dataset.credential)}];
      return navigator.credentials.get({publicKey: options}).then(function (credential) {
        var sent = {
          mark: fields.mark,
          credential: toText(credential.rawId),
          authenticator_data: toText(credential.response.authenticatorData),
          client_data: toText(credential.response.clientDataJSON),
          signature: toText(credential.response.signature)
        };
        sent[pendingName] = begun.pending;
        submit(form.dataset.finish, sent);
      });
    }).catch(function (error) {
      say(error.name === "NotAllowedError" ? "No passkey was used. Try again." : error.message || "The passkey could not be used.");
    });
  };
  [["sign-in", "pending"], ["confirm", "act"]].forEach(function (pair) {
    var form = byId(pair[0]);
    if (form && byId("passkey")) byId("passkey").addEventListener("click", function () { prove(form, pair[1]); });
  });

  var fingerprintOf = function (key) {
    return crypto.subtle.digest("SHA-256", key).then(function (digest) {
      return Array.from(new Uint8Array(digest).slice(0, 10)).map(function (byte) { return byte.toString(16).padStart(2, "0"); })
        .join("").match(/.{4}/g).join("-");
    });
  };
  var maker = byId("new-passkey");
  if (maker) maker.addEventListener("submit", function (event) {
    if (maker.elements.key.value !== "") return;
    event.preventDefault();
    say("");
    navigator.credentials.create({publicKey: {
      challenge: crypto.getRandomValues(new Uint8Array(32)),
      rp: {id: maker.dataset.host, name: "Child protection information"},
      user: {id: crypto.getRandomValues(new Uint8Array(16)), name: maker.elements.uid.value, displayName: maker.elements.name.value},
      pubKeyCredParams: [{type: "public-key", alg: -7}, {type: "public-key", alg: -257}],
      authenticatorSelection: {residentKey: "required", userVerification: "required"},
      attestation: "none"
    }}).then(function (credential) {
      var key = credential.response.getPublicKey();
      maker.elements.credential.value = toText(credential.rawId);
      maker.elements.key.value = toText(key);
      return fingerprintOf(key);
    }).then(function (fingerprint) {
      byId("fingerprint").textContent = "Fingerprint: " + fingerprint;
      maker.submit();
    }).catch(function (error) {
      say(error.name === "NotAllowedError" ? "No passkey was made." : "The passkey could not be made: " + error.message);
    });
  });

  // ---------------------------------------------------------------- live figures

  var live = byId("live");
  if (live && window.EventSource) {
    var warningsOf = function () { var box = byId("live-warnings"); return box ? box.textContent : ""; };
    var pause = byId("live-pause"), events;
    var tell = function (event) {
      var before = warningsOf();
      live.innerHTML = event.data; // made by the gateway's templates
      if (warningsOf() !== before) byId("live-state").textContent = warningsOf() || "Nothing needs you any more.";
      live.dataset.told = String(Number(live.dataset.told || 0) + 1);
    };
    var listen = function () {
      events = new EventSource(live.dataset.live);
      events.addEventListener("message", tell);
      events.addEventListener("error", function () {
        if (events.readyState === EventSource.CLOSED) byId("live-state").textContent = "These figures are not refreshed any more: open the page again.";
      });
      pause.textContent = "Stop refreshing";
    };
    pause.hidden = false;
    pause.addEventListener("click", function () {
      if (events.readyState === EventSource.CLOSED) return listen();
      events.close();
      pause.textContent = "Refresh every two seconds";
    });
    listen();
  }

  // ---------------------------------------------------------------- the lock

  var after = Number(document.body.dataset.lockAfter || 0), warning = byId("lock-warning"), timer;
  var lock = function () { location.href = "/locked"; };
  var warn = function () {
    warning.hidden = false;
    byId("lock-stay").focus();
    timer = setTimeout(lock, 60000);
  };
  var begin = function () { timer = setTimeout(warn, Math.max(after - 60, 1) * 1000); };
  if (after > 0) {
    begin();
    byId("lock-stay").addEventListener("click", function () {
      clearTimeout(timer);
      warning.hidden = true;
      post("/stay", {mark: document.body.dataset.mark}).then(begin, lock);
    });
  }
}());
