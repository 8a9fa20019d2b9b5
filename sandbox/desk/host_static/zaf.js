// A stand-in for Zendesk's SDK, first-party, speaking its protocol (frontend guide 6): `ZAFClient.init()` with get, set,
// invoke, on, off, context and metadata. Messages are JSON texts; only the page that holds the frame is believed.
(function () {
  const asked = new URLSearchParams(location.search || location.hash.slice(1));
  const origin = asked.get("origin");
  const appGuid = asked.get("app_guid");
  const waiting = new Map();
  const heard = new Map();
  let registered = null;
  let queue = [];
  let number = 0;

  const post = (message) => window.parent.postMessage(JSON.stringify({ ...message, appGuid, instanceGuid: appGuid }), origin);
  const send = (message) => (registered ? post(message) : queue.push(message));

  function call(request, params) {
    return new Promise((resolve, reject) => {
      number += 1;
      waiting.set(number, { resolve, reject });
      send({ id: number, request, params });
    });
  }

  function receive(event) {
    if (event.origin !== origin || event.source !== window.parent) return;
    const message = JSON.parse(event.data);
    if (message.id !== undefined) {
      const found = waiting.get(message.id);
      waiting.delete(message.id);
      if (found && message.error) found.reject(new Error(message.error.message));
      else if (found) found.resolve(message.result);
      return;
    }
    const name = String(message.key || "").replace(/^zaf\./, "");
    if (name === "app.registered") {
      registered = message.message;
      queue.forEach(post);
      queue = [];
    }
    for (const handler of heard.get(name) || []) handler(message.message);
    if (message.needsReply) post({ key: `iframe.reply:${name}` });
  }

  const client = {
    get: (paths) => call("get", [paths].flat()),
    set: (key, value) => call("set", typeof key === "string" ? { [key]: value } : key),
    invoke: (name, ...args) => call("invoke", { [name]: args }),
    on(name, handler) {
      const all = heard.get(name) || heard.set(name, new Set()).get(name);
      all.add(handler);
      send({ key: `iframe.on:${name}`, message: { subscriberCount: all.size } });
    },
    off(name, handler) {
      heard.get(name)?.delete(handler);
      send({ key: `iframe.off:${name}`, message: { subscriberCount: heard.get(name)?.size || 0 } });
    },
    context: async () => registered.context,
    metadata: async () => registered.metadata,
  };

  window.ZAFClient = {
    init() {
      if (!origin || !appGuid) return false;
      window.addEventListener("message", receive);
      post({ key: "iframe.handshake", message: { version: "stand-in" } });
      return client;
    },
  };
})();
