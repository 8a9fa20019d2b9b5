// The page in the navigation bar: one button, which fetches a code that works once and posts it into a new tab.

const form = document.getElementById("enter");
const meta = document.querySelector('meta[name="session"]');
const bearer = meta.content;
meta.remove();
const AWAY = "Deskbridge does not answer. Press again in a moment.";

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const address = `/sidebar/${encodeURIComponent(document.body.dataset.connection)}/code`;
  const said = document.getElementById("said");
  said.textContent = "";
  try {
    const answer = await fetch(address, { method: "POST", headers: { Authorization: `Bearer ${bearer}` }, credentials: "omit" });
    if (answer.ok) {
      form.elements.code.value = (await answer.json()).code;
      form.submit();
      form.elements.code.value = "";
    } else {
      said.textContent = answer.status === 401 ? "Your session ended. Reload this page." : reason(await answer.text());
    }
  } catch {
    said.textContent = AWAY;
  }
});

// Why it was refused, as the answer says; a page that is none of ours says nothing.
function reason(html) {
  return new DOMParser().parseFromString(html, "text/html").querySelector(".panel .note p")?.textContent || AWAY;
}
