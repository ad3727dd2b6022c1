"""The page is usable by keyboard, on a phone and in the dark, and takes nothing from elsewhere."""

from pathlib import Path

import pytest
import requests

from tests.serving.exported.page_actions import shown

CONTRASTS = """(() => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = (rgb) => rgb.slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const colour = channels(getComputedStyle(node).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
  };
  const lowest = {};
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((c) => c.nodeType === 3 && c.data.trim());
    if (!own && !node.placeholder || !node.checkVisibility()) continue;
    const style = getComputedStyle(node, node.placeholder && !node.value ? "::placeholder" : null);
    const [a, b] = [channels(style.color), ground(node)].map(luminance).sort((x, y) => y - x);
    lowest[node.tagName + "." + node.className] = (a + 0.05) / (b + 0.05);
  }
  return lowest;
})()"""
CONTROLS = (
    "[...document.querySelectorAll('button, select, input, textarea, summary, pre')]"
    ".filter((e) => e.checkVisibility())"
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_names_focus_and_width(page, scheme):
    browser = page("images-protonet")
    phone = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    browser("Emulation.setDeviceMetricsOverride", **phone)
    preferred = [{"name": "prefers-color-scheme", "value": scheme}]
    browser("Emulation.setEmulatedMedia", features=preferred)
    browser.run("document.querySelector('#sample').click()")
    shown(browser)
    browser.run("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    assert browser.run("document.documentElement.scrollWidth") <= 360
    contrasts = browser.run(CONTRASTS)
    assert len(contrasts) > 20 and min(contrasts.values()) >= 4.5, contrasts
    tree = browser("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "textbox", "combobox", "DisclosureTriangle", "image"}
    parts = [n for n in tree if not n["ignored"] and n["role"]["value"] in roles]
    assert len(parts) > 20 and not [n for n in parts if not n.get("name", {}).get("value")]
    # Tab visits every control once, from top to bottom, and shows where it is.
    wanted = browser.run(f"{CONTROLS}.length")
    browser.run("document.activeElement.blur()")
    for number in range(wanted):
        browser.press("Tab", 9)
        assert browser.run(
            f"{CONTROLS}[{number}] === document.activeElement"
            " && parseFloat(getComputedStyle(document.activeElement).outlineWidth) >= 2"
        ), (number, browser.run("document.activeElement.outerHTML.slice(0, 200)"))


def test_a_strict_policy_and_no_page_unless_asked_for(server):
    url = f"http://localhost:{server.rest_port}"
    for path in ("/", "/ui/", "/ui/app.js", "/ui/models.json"):
        policy = requests.get(url + path, timeout=9).headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; ")
        assert "unsafe" not in policy and "http" not in policy
    assert requests.get(f"{url}/ui/routes.py", timeout=9).status_code == 404
    folder = Path("serving/model_server/page")
    static = [p for p in folder.iterdir() if p.suffix in (".html", ".css", ".js", ".svg")]
    assert sum(p.stat().st_size for p in static) < 40 * 1024
