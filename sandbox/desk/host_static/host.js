// The workspace's side of the SDK's protocol: opens the frame by a signed form, answers its questions, sends it events.

const told = JSON.parse(document.getElementById("told").textContent);
const choice = document.getElementById("who");
const form = document.getElementById("open");
const frame = document.getElementById("app");
const guid = crypto.randomUUID();
const origin = form ? new URL(form.dataset.app).origin : "";
const heard = new Set();

function log(text) {
  const line = document.createElement("li");
  line.textContent = text.slice(0, 300);
  document.getElementById("log").append(line);
}

function send(message) {
  frame.contentWindow.postMessage(JSON.stringify(message), origin);
}

export function fire(name, message) {
  if (!heard.has(name)) return;
  log(`event ${name}`);
  send({ key: `zaf.${name}`, message });
}

// Another requester of a new ticket, or none.
export function choose(requester) {
  told["ticket.requester"] = requester;
  fire("ticket.requester.id.changed", requester?.id ?? null);
}

function answer(message) {
  if (message.request === "get") {
    const result = { errors: {} };
    for (const path of message.params) {
      if (path in told) result[path] = told[path];
      else result.errors[path] = { message: `${path} is not known here` };
    }
    return result;
  }
  if (message.request === "invoke") {
    const [name, args] = Object.entries(message.params)[0];
    if (name === "resize") frame.style.height = args[0].height;
    return { errors: {}, [name]: null };
  }
  return { errors: {} };
}

function receive(event) {
  if (!frame || event.source !== frame.contentWindow || event.origin !== origin) return;
  const message = JSON.parse(event.data);
  if (message.key === "iframe.handshake") {
    const context = { product: "support", location: choice.elements.place.value, instanceGuid: guid };
    send({ key: "zaf.app.registered", message: { metadata: { appId: 1, installationId: 7001, settings: {} }, context } });
    log("handshake");
  } else if (message.key?.startsWith("iframe.on:")) {
    heard.add(message.key.slice("iframe.on:".length));
  } else if (message.key?.startsWith("iframe.off:")) {
    heard.delete(message.key.slice("iframe.off:".length));
  } else if (message.request) {
    log(`${message.request} ${JSON.stringify(message.params)}`);
    send({ id: message.id, result: answer(message) });
  }
}

async function open() {
  const asked = new URLSearchParams({ agent: choice.elements.agent.value, place: choice.elements.place.value });
  const { token } = await (await fetch("/sandbox/desk/token", { method: "POST", body: asked })).json();
  const scheme = document.documentElement.dataset.scheme;
  const query = new URLSearchParams({ origin: location.origin, app_guid: guid, colorScheme: scheme });
  form.action = `${form.action.split("?")[0]}?${query}`;
  form.elements.token.value = token;
  heard.clear();
  form.submit();
}

document.getElementById("scheme").addEventListener("click", (event) => {
  const scheme = document.documentElement.dataset.scheme === "dark" ? "light" : "dark";
  document.documentElement.dataset.scheme = scheme;
  event.target.setAttribute("aria-pressed", String(scheme === "dark"));
  choice.elements.scheme.value = scheme;
  told.colorScheme = scheme;
  fire("colorScheme.changed", scheme);
});
window.addEventListener("message", receive);
if (form) {
  document.getElementById("reload").addEventListener("click", open);
  open();
}
