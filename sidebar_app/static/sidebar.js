// The panel's page: asks Zendesk which ticket it stands beside, shows the server's fragments, and asks again while it is
// being looked at. The bearer lives in this module only.

import { ages, lost, note, replace, say, swap, tabs } from "./fragments.js";

const { connection, location: place, poll } = document.body.dataset;
const root = document.getElementById("panel");
const meta = document.querySelector('meta[name="session"]');
const bearer = meta.content;
meta.remove();

const page = { subject: null, opened: false, payer: "", many: false, etag: "", ended: false, away: false, polls: 0, own: false, fast: 0, reading: false, refunds: null, opener: "" };
page.line = Promise.resolve();
page.starts = 0; // questions to Zendesk about what this is beside; subject: null while none was answered, "" for nobody
const skeleton = root.innerHTML;
const reader = { locale: "", zone: "" };
const HANDSHAKE_MS = 3000;
const FAST_MS = 2000;
const OWN = ["why", "refund", "refund-refused", "refund-void"]; // opened by the reader: no poll takes them away

function address(path) {
  return `/sidebar/${encodeURIComponent(connection)}/${page.subject}/${path}`;
}

async function call(path, { form, tag } = {}) {
  const headers = { Authorization: `Bearer ${bearer}`, "X-Locale": reader.locale, "X-Zone": reader.zone };
  if (tag) headers["If-None-Match"] = tag;
  const body = form && new URLSearchParams(form);
  return fetch(address(path), { method: form ? "POST" : "GET", headers, body, cache: "no-store", credentials: "omit" });
}

// One request at a time, in the order they were asked for, so that no older answer comes after a newer one; an answer
// that is no fragment of ours leaves what is shown and says so.
function ask(path, options = {}) {
  page.line = page.line.then(() => next(path, options));
  return page.line;
}

async function next(path, options) {
  const before = page.subject;
  if (page.ended) return;
  try {
    const answer = await call(path, options);
    if (before !== page.subject) return;
    if (answer.status === 304 || (options.quiet && isBusy() && answer.status !== 401)) {
      settled();
      return;
    }
    const html = await answer.text();
    if (!html.includes('<div class="panel"')) throw new Error("no fragment"); // a proxy's page is HTML too
    show(answer, html, options);
  } catch {
    root.removeAttribute("aria-busy");
    trouble(options);
  }
}

// What was asked by a click is not asked again by itself, and a write may have arrived.
function trouble({ asked, sent }) {
  if (sent?.isConnected) lost(sent);
  else {
    if (asked) document.getElementById("trouble")?.remove();
    note(root, asked ? "unread" : "unreachable");
  }
}

function show(answer, html, options) {
  swap(root, html, options);
  const shown = root.querySelector(".panel").dataset;
  page.ended = answer.status === 401;
  page.own = OWN.includes(shown.state);
  page.opened ||= answer.ok;
  page.etag = answer.ok && !page.own ? answer.headers.get("ETag") || "" : "";
  if (shown.payer !== undefined && shown.payer !== page.payer) Object.assign(page, { payer: shown.payer, refunds: null });
  if (shown.code === "sidebar.not_theirs") page.payer = "";
  if (!page.own) news(shown);
  page.fast = shown.reading || shown.moving || shown.state === "unknown" ? 15 : 0;
  settled();
}

// For who listens: what was waited for has come, and each refund that is new or went on.
function news(shown) {
  if (page.reading && !shown.reading) say("Read from Stripe again.");
  page.reading = Boolean(shown.reading);
  const rows = [...root.querySelectorAll("li[data-refund]")].map((one) => [one.dataset.refund, one.dataset.said]);
  const changed = page.refunds && rows.filter(([id, said]) => page.refunds[id] !== said);
  if (changed?.length) say(changed.map(([, said]) => said).join(". "));
  page.refunds = Object.fromEntries(rows);
}

function settled() {
  document.getElementById("trouble")?.remove();
  ages(root, reader.locale);
}

function panel({ asked = false, quiet = false, back = "" } = {}) {
  if (!page.opened) return ask("open", { form: {}, quiet }); // refused so far: the page is still bound to no ticket
  const query = new URLSearchParams();
  if (page.payer) query.set("payer", page.payer);
  if (page.many) query.set("many", "1");
  return ask(`panel?${query}`, { tag: asked ? "" : page.etag, asked, quiet, back });
}

// What somebody is typing, reading or putting right is not swapped away under them; the session lives on all the same.
function isBusy() {
  const typed = [...root.querySelectorAll("input:not([type=hidden])")].some((one) => one.value !== one.defaultValue);
  return page.own || typed || root.querySelector('[aria-invalid="true"]') !== null;
}

function look() {
  if (!page.subject || page.away || page.polls || root.hasAttribute("aria-busy") || document.visibilityState !== "visible") return;
  page.polls += 1;
  panel({ quiet: true }).finally(() => { page.polls -= 1; });
}

function every(client) {
  setInterval(look, Number(poll) * 1000);
  setInterval(() => {
    if (page.subject === null && !page.starts) start(client);
    if (page.fast) {
      page.fast -= 1;
      look();
    }
    ages(root, reader.locale);
  }, FAST_MS);
  document.addEventListener("visibilitychange", look);
}

function listen() {
  tabs(root);
  root.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target;
    const values = new FormData(form);
    if (form.dataset.post === "show") {
      page.payer = values.get("payer");
      panel({ asked: true });
    } else {
      if (form.dataset.busy) return; // the second click of a double click
      form.dataset.busy = "1";
      if (form.dataset.post === "refresh") say("Reading from Stripe again.");
      values.set("many", page.many ? "1" : "");
      ask(form.dataset.post, { form: values, asked: true, sent: form }).finally(() => { delete form.dataset.busy; });
    }
  });
  root.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    const wanted = button?.dataset.do;
    if (button && wanted !== "back" && !page.own) page.opener = button.id;
    if (button?.dataset.refund) refund(button.dataset.refund);
    if (wanted === "more") page.many = true;
    if (wanted === "why") ask("why", { asked: true });
    else if (wanted) panel({ asked: true, back: wanted === "back" ? page.opener : "" });
  });
}

// What the form needs is loaded with the first of them: who only looks does without.
function refund(charge) {
  page.typing ??= import("./refund.js").then((module) => module.typing(root, call)).catch(() => { page.typing = null; });
  ask("refund", { form: { payer: page.payer, charge }, asked: true });
}

function stand(kind, id) {
  const subject = id ? `${kind}/${id}` : "";
  if (page.subject === subject) return;
  Object.assign(page, { subject, opened: false, payer: "", many: false, etag: "", own: false, refunds: null });
  if (subject) ask("open", { form: {} });
  else replace(root, "nobody");
}

// Without Zendesk's answer nobody's billing is shown, also not the last one's; it is asked again by `every`.
async function start(client) {
  if (page.ended) return;
  page.starts += 1;
  try {
    await begin(client);
  } catch {
    if (page.subject !== null) root.innerHTML = skeleton;
    page.subject = null;
    root.removeAttribute("aria-busy");
    note(root, "waiting");
  }
  page.starts -= 1;
}

async function begin(client) {
  const user = (await client.get("currentUser")).currentUser || {};
  reader.locale = user.locale || "";
  reader.zone = user.timeZone?.ianaName || "";
  if (place === "ticket_sidebar") {
    stand("tickets", (await client.get("ticket.id"))["ticket.id"]);
  } else if (place === "user_sidebar") {
    stand("people", (await client.get("user.id"))["user.id"]);
  } else {
    stand("people", (await client.get("ticket.requester"))["ticket.requester"]?.id);
  }
}

function follow(client) {
  const scheme = (value) => {
    if (value === "light" || value === "dark") document.documentElement.dataset.scheme = value;
  };
  client.on("colorScheme.changed", scheme);
  client.on("app.deactivated", () => { page.away = true; });
  client.on("app.activated", () => { page.away = false; look(); });
  client.on("ticket.updated", look);
  if (place === "new_ticket_sidebar") client.on("ticket.requester.id.changed", () => start(client));
  new ResizeObserver(() => {
    const height = Math.min(Math.ceil(document.body.getBoundingClientRect().height), 800);
    client.invoke("resize", { width: "100%", height: `${height}px` });
  }).observe(document.body);
}

const client = window.ZAFClient ? window.ZAFClient.init() : false;
if (client) {
  const slow = setTimeout(() => note(root, "waiting"), HANDSHAKE_MS);
  client.on("app.registered", () => {
    clearTimeout(slow);
    document.getElementById("trouble")?.remove();
    listen();
    follow(client);
    start(client);
    every(client);
  });
} else {
  replace(root, "outside");
}
