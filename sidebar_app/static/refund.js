// The refund form while somebody types: the choice follows the field, the strip and the button's words follow the amount.

import { say } from "./fragments.js";

const PAUSE_MS = 250;

export function typing(root, call) {
  let timer = 0;
  let last = 0;
  const check = async (form) => {
    last += 1;
    const mine = last;
    const answer = await call(form.dataset.check, { form: new FormData(form) }).catch(() => null);
    const html = await answer?.text().catch(() => "");
    if (mine === last && form.isConnected) judge(form, answer?.ok && html ? html : unchecked(form, html));
  };
  root.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-check]");
    if (!form) return;
    const follows = event.target.dataset.how;
    if (follows) form.querySelector(`#how-${follows}`).checked = true;
    if (!follows && event.target.name !== "how") return;
    clearTimeout(timer);
    last += 1; // what is still on its way is about another amount
    const button = form.querySelector("#refund-go");
    button.textContent = button.dataset.plain; // and so are the button's words
    timer = setTimeout(check, PAUSE_MS, form);
  });
}

// Nobody judged this amount: why, as the answer says or, without one, as the form does.
function unchecked(form, html) {
  const made = form.querySelector("#unchecked").content.cloneNode(true).firstElementChild;
  const said = new DOMParser().parseFromString(html || "", "text/html").querySelector(".note p");
  if (said) made.querySelector("span").textContent = said.textContent;
  return made.outerHTML;
}

// The button stays where it is: a click that has begun must not lose its target. What is wrong with the amount is said
// beside it; whoever listens hears what the button would do now.
function judge(form, html) {
  const amount = form.querySelector("#amount");
  for (const one of form.querySelectorAll("#amount ~ p")) one.remove();
  form.querySelector("#verdict").outerHTML = html;
  const verdict = form.querySelector("#verdict");
  const { label, field } = verdict.dataset;
  const button = form.querySelector("#refund-go");
  button.hidden = !label;
  if (label) button.textContent = label;
  const wrong = field === "amount";
  if (wrong) amount.after(verdict.querySelector("#typing"));
  for (const [name, value] of [["aria-invalid", "true"], ["aria-describedby", "typing"]]) {
    if (wrong) amount.setAttribute(name, value);
    else amount.removeAttribute(name);
  }
  say((wrong ? form.querySelector("#typing") : verdict.querySelector(".note"))?.textContent.trim() || label);
}
