"""The panel in Chromium, cold each time: bytes, requests, nodes, console; first paint and data, at full speed and slower."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from typing import Any

from bench.report import line
from bench.sidebar_scene import DESK, URL, Scene
from tests import sidebar_world as world
from tests.chromium import ARGUMENTS

RUNS = 10
PANEL = '.panel[data-state="one"]'
# Notes when the panel is there, by the frame's own clock; of no other frame.
WATCH = """
new MutationObserver((_, me) => {
  if (!document.querySelector('.panel[data-state="one"]')) return;
  window.__data = performance.now();
  me.disconnect();
}).observe(document, { childList: true, subtree: true });
"""
TOLD = """() => ({
  data: window.__data, nodes: document.getElementsByTagName("*").length,
  paint: (performance.getEntriesByName("first-contentful-paint")[0] || {}).startTime,
})"""


class Opened:
    """One cold opening. sizes: path -> packed bytes of what came from us until the panel was there."""

    def __init__(self, browser: Any, shown: Scene, slower: int) -> None:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.add_init_script(WATCH)
        page = context.new_page()
        self.said: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        answers: list[Any] = []
        page.on("response", lambda answer: answers.append(answer) if answer.url.startswith(URL) else None)
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
        how = f"connection={world.DESK}&agent=501&scheme=light&place=ticket_sidebar&wide=0"
        page.goto(f"http://127.0.0.1:{DESK}/sandbox/desk/tickets/{shown.ticket}?{how}")
        page.frame_locator("#app").locator(PANEL).wait_for(timeout=30_000)
        self.sizes = {one.url.rsplit("/", 1)[1].split("?")[0]: self._size(one) for one in answers}
        frame = page.frame(name="zafapp")
        assert frame is not None
        self.told: Mapping[str, float] = frame.evaluate(TOLD)
        while not self.told["paint"]:
            self.told = frame.evaluate(TOLD)
        context.close()

    @staticmethod
    def _size(answer: Any) -> int:
        return int(answer.request.sizes()["responseBodySize"])

    def bytes(self, *ends: str) -> int:
        return sum(size for name, size in self.sizes.items() if name.endswith(ends))


def _counts(one: Opened, said: int, load: dict[str, object]) -> None:
    """What is the same in every run."""
    page = one.bytes(world.DESK)
    line("sidebar: document, packed", "bytes", [page], load=load, goal=("<=", 2000))
    line("sidebar: billing fragment, packed", "bytes", [one.bytes("open")], load=load, goal=("<=", 6000))
    line("sidebar: own scripts, packed", "bytes", [one.bytes(".js")], load=load, goal=("<=", 8000))
    line("sidebar: styles, packed", "bytes", [one.bytes(".css")], load=load, goal=("<=", 8000))
    line("sidebar: all transfers without the SDK", "bytes", [sum(one.sizes.values())], load={**load, **one.sizes},
         goal=("<=", 25_000))  # fmt: skip
    line("sidebar: requests without the SDK", "requests", [len(one.sizes)], load=load, goal=("<=", 6))
    line("sidebar: nodes", "nodes", [one.told["nodes"]], load=load, goal=("<=", 400))
    line("sidebar: console messages", "messages", [said], load=load, goal=("<=", 0))


def run(shown: Scene, load: dict[str, object]) -> None:
    """Print all figures of the browser; without one, say so and print none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        print("sidebar: NOT MEASURED in a browser: no chromium here (apt-get install chromium)", file=sys.stderr)
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        versions = {"chromium": browser.version}
        Opened(browser, shown, 1)
        for slower, paint, data in ((1, 250, 400), (4, 600, 900)):
            runs = [Opened(browser, shown, slower) for _ in range(RUNS)]
            if slower == 1:
                _counts(runs[0], sum(len(one.said) for one in runs), load)
            how = {**load, "cpu_slower": slower}
            for name, key, goal in (("first paint", "paint", paint), ("data", "data", data)):
                line(f"sidebar: {name}, {slower}x slower CPU" if slower > 1 else f"sidebar: {name}", "ms",
                     [one.told[key] for one in runs], load=how, goal=("<=", goal), versions=versions)  # fmt: skip
        browser.close()
