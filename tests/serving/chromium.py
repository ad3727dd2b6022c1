"""A headless Chromium, driven over its DevTools protocol by two pipes: no package is needed."""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # as root there is none
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--use-fake-device-for-media-stream",  # a camera and a microphone that need no hardware
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-pipe",
)


class Chromium:
    """One browser with one page; keeps all events, among them every request of the page."""

    def __init__(self, profile: Path):
        self._commands, theirs = _pipe(reads=False)
        self._replies, ours = _pipe(reads=True)
        # The protocol's pipes are file descriptors 3 (read) and 4 (write) of the browser.
        shell = f'exec "$@" 3<&{theirs} 4>&{ours}'
        command = ["bash", "-c", shell, "bash", PROGRAM, *_FLAGS, f"--user-data-dir={profile}"]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(
            [*command, "about:blank"], pass_fds=(theirs, ours), stdout=quiet, stderr=quiet
        )
        os.close(theirs)
        os.close(ours)
        self._received, self._number, self._session = b"", 0, None
        self.events: list[dict[str, Any]] = []
        targets = self("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        attached = self("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "DOM"):
            self(f"{domain}.enable")

    def __call__(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Calls a method of the protocol and returns its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (reply := self._read(30)).get("id") != self._number:
            self.events.append(reply)
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply['error']['message']}")
        return reply["result"]

    def _read(self, seconds: float) -> dict[str, Any]:
        while b"\0" not in self._received:
            if not select.select([self._replies], [], [], seconds)[0]:
                raise TimeoutError(f"Chromium said nothing for {seconds} s")
            self._received += os.read(self._replies, 1 << 20)
        message, self._received = self._received.split(b"\0", 1)
        return json.loads(message)

    def run(self, script: str) -> Any:
        """The value of an expression in the page; promises are awaited."""
        result = self(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"])[:1000])
        return result["result"].get("value")

    def wait(self, script: str, seconds: float = 120.0) -> None:
        """Waits until an expression is true."""
        end = time.monotonic() + seconds
        while not self.run(f"Boolean({script})"):
            if time.monotonic() > end:
                text = self.run("document.body.innerText")
                raise TimeoutError(f"not within {seconds} s: {script}\n{text}")
            time.sleep(0.03)

    def open(self, url: str) -> None:
        """Opens a page and waits until it has loaded."""
        self.run("window.isOld = true")
        self("Page.navigate", url=url)
        self.wait("!window.isOld && document.readyState === 'complete'")

    def choose_files(self, script: str, *paths: Path) -> None:
        """Gives files to the file input that an expression names, as a file dialog does."""
        node = self("Runtime.evaluate", expression=script)["result"]["objectId"]
        self("DOM.setFileInputFiles", files=list(map(str, paths)), objectId=node)

    def drop_files(self, script: str, *paths: Path) -> None:
        """Drags files from the desktop onto the middle of the element of an expression."""
        self.run(f"{script}.scrollIntoView({{block: 'center'}})")
        box = self.run(f"(({script}).getBoundingClientRect()).toJSON()")
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        data = {"items": [], "files": list(map(str, paths)), "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self("Input.dispatchDragEvent", type=kind, data=data, **place)

    def press(self, key: str, code: int) -> None:
        """Presses a key that types nothing, as Tab (9) or Enter (13)."""
        text = {"Enter": "\r"}.get(key, "")
        for kind in ("keyDown", "keyUp"):
            self(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                text=text if kind == "keyDown" else "",
            )

    def screenshot(self, path: Path) -> None:
        """Writes a png of what is seen."""
        path.write_bytes(base64.b64decode(self("Page.captureScreenshot")["data"]))

    def requests(self) -> list[str]:
        """The URLs that the page has asked for."""
        return [
            event["params"]["request"]["url"]
            for event in self.events
            if event.get("method") == "Network.requestWillBeSent"
        ]

    def complaints(self) -> list[str]:
        """Errors of scripts, and what the browser logs of violated policies and failed loads."""
        found = []
        for event in self.events:
            if event.get("method") == "Runtime.exceptionThrown":
                found.append(json.dumps(event["params"]["exceptionDetails"])[:500])
            elif event.get("method") == "Log.entryAdded":
                found.append(event["params"]["entry"]["text"])
        return found

    def close(self) -> None:
        """Ends the browser."""
        self._session = None
        try:
            self("Browser.close")
        except (TimeoutError, OSError, ValueError):
            self._process.kill()
        self._process.wait(10)
        os.close(self._commands)
        os.close(self._replies)


def _pipe(*, reads: bool) -> tuple[int, int]:
    """A pipe: this process's end (to read, or to write), and the browser's."""
    read, write = os.pipe()
    return (read, write) if reads else (write, read)
