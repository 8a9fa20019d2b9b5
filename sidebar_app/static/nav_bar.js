// The page in the navigation bar: one button, which fetches a code that works once and posts it into a new tab.

const form = document.getElementById("enter");
const meta = document.querySelector('meta[name="session"]');
const bearer = meta.content;
meta.remove();

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const address = `/sidebar/${encodeURIComponent(document.body.dataset.connection)}/code`;
  const answer = await fetch(address, { method: "POST", headers: { Authorization: `Bearer ${bearer}` }, credentials: "omit" });
  if (answer.ok) {
    form.elements.code.value = (await answer.json()).code;
    form.submit();
    form.elements.code.value = "";
  } else {
    document.getElementById("said").textContent = "Your session ended. Reload this page.";
  }
});
