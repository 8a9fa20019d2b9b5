// Putting a server-rendered fragment into the page without losing what the reader was doing.

export function say(text) {
  document.getElementById("said").textContent = text;
}

// The tab that is open and the focus survive a swap; what is new for the reader takes the
// focus only when the reader asked for it. back: the id of what the reader came from.
export function swap(root, html, { asked = false, back = "" } = {}) {
  const active = root.contains(document.activeElement) ? document.activeElement : null;
  const before = {
    focus: active?.id,
    list: active?.closest('[role="tabpanel"]')?.id,
    tab: root.querySelector('[role="tab"][aria-selected="true"]')?.id,
  };
  root.innerHTML = html;
  root.removeAttribute("aria-busy");
  if (before.tab) select(document.getElementById(before.tab), false);
  const invalid = asked && root.querySelector('[aria-invalid="true"]');
  const places = [invalid, named(back), named(before.focus), root.querySelector("[data-focus]"), named(before.list), root.querySelector("h1")];
  if (asked || active) places.find(Boolean)?.focus({ preventScroll: !asked });
}

function named(id) {
  return id ? document.getElementById(id) : null;
}

export function note(root, templateId) {
  if (document.getElementById("trouble")) return;
  const content = document.getElementById(templateId).content.cloneNode(true);
  (root.querySelector(".panel") || root).prepend(content);
}

// Of a write whose answer never came: beside its button, and there until something new is shown.
export function lost(form) {
  document.getElementById("lost")?.remove();
  const content = document.getElementById("unanswered").content.cloneNode(true);
  if (form.dataset.again) content.querySelector("p").textContent = form.dataset.again;
  (form.querySelector(".actions") || form).before(content);
}

export function replace(root, templateId) {
  root.replaceChildren(document.getElementById(templateId).content.cloneNode(true));
  root.removeAttribute("aria-busy");
}

function select(tab, focus = true) {
  if (!tab) return;
  for (const one of tab.parentElement.querySelectorAll('[role="tab"]')) {
    const on = one === tab;
    one.setAttribute("aria-selected", String(on));
    one.tabIndex = on ? 0 : -1;
    document.getElementById(one.getAttribute("aria-controls")).hidden = !on;
  }
  if (focus) tab.focus();
}

export function tabs(root) {
  root.addEventListener("click", (event) => {
    const tab = event.target.closest('[role="tab"]');
    if (tab) select(tab);
  });
  root.addEventListener("keydown", (event) => {
    const tab = event.target.closest('[role="tab"]');
    if (!tab) return;
    const all = [...tab.parentElement.querySelectorAll('[role="tab"]')];
    const at = all.indexOf(tab);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    select(all[(next + all.length) % all.length]);
  });
}

// "3 min ago" beside the exact time, which stays in the title.
export function ages(root, locale) {
  const words = new Intl.RelativeTimeFormat(locale || "en", { numeric: "auto", style: "short" });
  for (const one of root.querySelectorAll("time[data-age]")) {
    const minutes = Math.round((Date.now() - Date.parse(one.dateTime)) / 60000);
    const [amount, unit] = minutes < 90 ? [minutes, "minute"] : [Math.round(minutes / 60), "hour"];
    one.textContent = minutes < 1 ? "just now" : words.format(-amount, unit);
  }
}
