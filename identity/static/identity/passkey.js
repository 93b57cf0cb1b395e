// Forms marked data-passkey="get" or "create": ask the browser for a passkey, put its answer into the form, send it.
// Options come from the page (#passkey-data) or, where nobody is known yet, from the address in data-options.
"use strict";

async function options(form) {
  if (!form.dataset.options) return JSON.parse(document.getElementById("passkey-data").textContent);
  const answer = await fetch(form.dataset.options, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`options: ${answer.status}`);
  return answer.json();
}

async function ask(form) {
  const given = await options(form);
  if (form.dataset.passkey === "get") return window.webauthnJSON.get(given.request_options);
  const creation = given.creation_options;
  // A passkey that logs in by itself has to be found without a name and guarded by the device.
  Object.assign(creation.publicKey.authenticatorSelection, {
    residentKey: "required",
    requireResidentKey: true,
    userVerification: "required",
  });
  return window.webauthnJSON.create(creation);
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential || !window.webauthnJSON) continue;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    if (form.elements.credential.value) return;
    event.preventDefault();
    const error = form.querySelector("[data-passkey-error]");
    if (error) error.hidden = true;
    try {
      form.elements.credential.value = JSON.stringify(await ask(form));
      form.submit();
    } catch {
      // Cancelled, timed out, or no passkey here: the person decides what next.
      if (error) error.hidden = false;
      for (const button of form.querySelectorAll("button[aria-busy]")) button.removeAttribute("aria-busy");
    }
  });
}
