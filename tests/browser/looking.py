"""What every state must be, in both schemes, in the helpdesk's 320 px and across the window."""

from __future__ import annotations

import json
from pathlib import Path

import axe_playwright_python

from tests.browser.conftest import keep

AXE = (Path(axe_playwright_python.__file__).with_name("axe.min.js")).read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Of what passes only a count is asked for: to describe each node takes axe longer than to judge it.
HOW = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
AGENT_PX, WINDOW_PX = 320, 1280
# Amounts, pills and buttons stand on one line, and nothing is wider than the page.
BROKEN = """() => {
  const lines = (one) => {
    const words = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
    const found = [];
    while (words.nextNode()) {
      if (words.currentNode.parentElement.closest(".hidden-text")) continue;
      const range = document.createRange();
      range.selectNodeContents(words.currentNode);
      found.push(...[...range.getClientRects()].filter((r) => r.width > 1).map((r) => r.bottom));
    }
    return Math.max(...found) - Math.min(...found) > 8;
  };
  const seen = [...document.querySelectorAll(".amount, .line > strong, .pill, .button, .tabs button")];
  const broken = seen.filter((one) => one.offsetParent && lines(one)).map((one) => `two lines: ${one.textContent}`);
  const { scrollWidth, clientWidth } = document.documentElement;
  return scrollWidth > clientWidth ? [`wider by ${scrollWidth - clientWidth}`, ...broken] : broken;
}"""


def violations(frame):
    if frame.evaluate("window.axe === undefined"):  # half a megabyte, once a document
        frame.evaluate(AXE)
    found = frame.evaluate("async (how) => (await axe.run(document, how)).violations", HOW)
    return [(v["id"], v["help"], json.dumps([n["html"][:200] for n in v["nodes"]])) for v in found]


def check(agent, name):
    """The state that is shown, four times: narrow and wide, light and dark."""
    frame = agent.frame
    for width in (AGENT_PX, WINDOW_PX):
        agent.page.set_viewport_size({"width": width, "height": 900})
        agent.page.evaluate("(wide) => document.body.classList.toggle('wide', wide)", width > AGENT_PX)
        for scheme in ("light", "dark"):
            if agent.page.evaluate("document.documentElement.dataset.scheme") != scheme:
                agent.page.evaluate("document.getElementById('scheme').click()")  # takes no focus out of the frame
            frame.locator(f'html[data-scheme="{scheme}"]').wait_for()
            agent.shot(f"{name}-{width}-{scheme}")
            if width == AGENT_PX:  # colours and names are the same in the window, and axe takes its time
                assert violations(frame) == [], (name, width, scheme)
            broken = frame.evaluate(BROKEN)
            assert broken == [], (name, width, scheme, broken)


def four(page, name, address="", schemes=("light", "dark")):
    """A page of ours, four times: narrow and wide, light and dark. address: of the page in a scheme, where
    it asks for one. schemes: of a page that has one by its address, that one."""
    for width in (AGENT_PX, WINDOW_PX):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            if address:
                page.goto(address.format(scheme=scheme))
            keep(page, f"{name}-{width}-{scheme}", full_page=True)
            assert violations(page.main_frame) == [], (name, width, scheme)
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{name} is {wide} px wider than {width} px"
