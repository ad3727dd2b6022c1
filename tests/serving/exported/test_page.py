"""The page of `fewshot serve --ui` in a real browser: what people see is what the client gets."""

import json
import re
import shutil
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.episode_gen.glyphs.strokes import Hand, draw_alphabet, draw_glyph, draw_prototype
from serving.client import FewShotClient
from tests.serving.exported.page_actions import (
    ANSWERED,
    CARDS,
    PROBLEM,
    QUERY,
    name_class,
    shown,
    teach,
)
from tests.serving.exported.small_exports import RATE
from tests.serving.exported.test_modalities import recordings, wav

PICTURES, FIVE_WAYS = "images-protonet", "images-maml"


@pytest.fixture(scope="module")
def glyphs(tmp_path_factory) -> dict[str, list[Path]]:
    """Files of three drawings of each of two characters that the project draws."""
    folder, rng = tmp_path_factory.mktemp("glyphs"), np.random.RandomState(0)
    files: dict[str, list[Path]] = {}
    for name in ("ka", "mi"):
        alphabet = draw_alphabet(rng)
        prototype = draw_prototype(rng, alphabet)
        for number in range(3):
            path = folder / f"{name}-{number}.png"
            Image.fromarray(draw_glyph(rng, prototype, alphabet, Hand())[..., 0]).save(path)
            files.setdefault(name, []).append(path)
    return files


def by_client(server, model, support, query) -> dict[str, float]:
    with FewShotClient.connect(f"http://localhost:{server.rest_port}", model) as client:
        answer = client.classify(support, [query])
    return dict(zip(answer.class_names, map(float, answer.probabilities[0])))


def same(page: dict[str, float], client: dict[str, float]) -> bool:
    return page == pytest.approx(client, abs=6e-4) and list(page) == sorted(
        client, key=lambda name: -client[name]
    )


def test_two_classes_of_pictures_get_the_clients_answer(page, server, glyphs, tmp_path):
    browser, support = page(PICTURES), {name: files[:2] for name, files in glyphs.items()}
    teach(browser, support, glyphs["mi"][2])
    answer = shown(browser)
    assert same(answer, by_client(server, PICTURES, support, glyphs["mi"][2]))
    assert browser.run("document.querySelector('.verdict').textContent") == next(iter(answer))
    assert re.search(r"Answered in \d+ ms, \d+ kB sent", browser.run("document.body.innerText"))
    card = browser.run("document.querySelector('#card').textContent")
    assert "protonet" in card and "8 × 8 in grey" in card
    run_the_code_shown(browser, server, answer, glyphs["ka"][0].parent, tmp_path)


def run_the_code_shown(browser, server, answer, files, folder):
    blocks = "[...document.querySelectorAll('#code pre')].map((block) => block.textContent)"
    curl, python = browser.run(blocks)
    done = subprocess.run(
        [sys.executable, "-c", python],
        cwd=files,
        env={"PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"['{next(iter(answer))}']")
    if shutil.which("curl"):
        browser("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
        browser.run("document.querySelector('#code button').click()")
        wait_for(folder / "request.json")
        out = subprocess.run([*curl.split(), "-s"], cwd=folder, capture_output=True, check=True)
        outputs = json.loads(out.stdout)["outputs"]
        assert outputs["predicted_labels"] == [[next(iter(answer))]]


def wait_for(path: Path, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"no {path}"
        time.sleep(0.05)


def test_mistakes_are_sentences(page, glyphs, tmp_path):
    browser = page(FIVE_WAYS)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    teach(browser, {"ka": glyphs["ka"][:1]}, broken)
    browser.wait(PROBLEM)
    assert browser.run(PROBLEM) == "“Class 2” has no picture yet: add one, or remove the class."
    browser.drop_files(f"{CARDS}[1]", glyphs["mi"][0])
    browser.wait(f"{PROBLEM}.includes('broken')")
    assert browser.run(PROBLEM) == (
        "The query “broken.png” must be a png, jpg, gif or bmp file, and is not."
    )
    name_class(browser, 1, "ka")
    browser.wait(f"{PROBLEM}.includes('Two classes')")
    name_class(browser, 1, "2")
    browser.drop_files(QUERY, glyphs["mi"][1])
    browser.wait(ANSWERED)
    for number in range(2, 6):
        browser.run("document.querySelector('#add-class').click()")
        browser.drop_files(f"{CARDS}[{number}]", glyphs["mi"][0])
    browser.wait(f"{PROBLEM} && !{PROBLEM}.includes('yet')")
    assert browser.run(PROBLEM) == (
        "`support_labels` must have at most 5 different labels in an episode; got 6."
    )


def test_large_photographs_are_sent_small_and_upright(page, glyphs, tmp_path):
    browser, photo = page(PICTURES), tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: upright is 90 degrees clockwise
    Image.new("RGB", (1600, 1200), "red").save(photo, exif=exif)
    browser.drop_files(QUERY, photo)
    browser.wait(f"{QUERY}.querySelector('img')?.complete")
    sides = f"(() => {{ const i = {QUERY}.querySelector('img');"
    assert browser.run(f"{sides} return [i.naturalWidth, i.naturalHeight]; }})()") == [384, 512]
    browser.run(f"{QUERY}.querySelectorAll('.tools button')[1].click()")  # the camera
    browser.wait("document.querySelector('dialog video')?.videoWidth")
    browser.run("document.querySelector('dialog .main').click()")
    browser.wait(f"{QUERY}.querySelector('img')?.alt === 'query-camera-2.jpg'")


def test_drawings_and_pasted_pictures(page):
    browser = page(PICTURES)
    browser.run(f"{CARDS}[0].querySelectorAll('.tools button')[2].click()")  # draw
    box = browser.run("document.querySelector('dialog canvas').getBoundingClientRect().toJSON()")
    for kind, share in (("mousePressed", 0.2), ("mouseMoved", 0.8), ("mouseReleased", 0.8)):
        place = {"x": box["x"] + share * box["width"], "y": box["y"] + share * box["height"]}
        browser("Input.dispatchMouseEvent", type=kind, button="left", buttons=1, **place)
    browser.run("document.querySelector('dialog .main').click()")
    browser.wait(f"{CARDS}[0].querySelector('img')?.alt === 'Class-1-drawing-1.png'")
    browser.run("document.querySelector('dialog').close()")
    browser.run(f"{CARDS}[1].querySelector('.title input').focus()")  # now used last
    browser.run(
        "new Promise((take) => document.createElement('canvas').toBlob(take)).then((blob) => {"
        "const clipboardData = new DataTransfer();"
        "clipboardData.items.add(new File([blob], 'pasted.png', {type: 'image/png'}));"
        "document.activeElement.dispatchEvent("
        "new ClipboardEvent('paste', {clipboardData, bubbles: true})); })"
    )
    browser.wait(f"{CARDS}[1].querySelector('img')?.alt === 'pasted.png'")


def test_texts(page, server):
    browser = page("texts-protonet")
    support = {"music": ["play a song", "turn it up"], "money": ["my balance", "pay it"]}
    for number, (name, texts) in enumerate(support.items()):
        name_class(browser, number, name)
        browser.run(f"{CARDS}[{number}].querySelector('textarea').focus()")
        browser("Input.insertText", text="\n".join(texts))
    browser.run(f"{QUERY}.querySelector('textarea').focus()")
    browser("Input.insertText", text="play a song")
    assert same(shown(browser), by_client(server, "texts-protonet", support, "play a song"))
    assert "-d '{" in browser.run("document.querySelector('#code pre').textContent")


def test_recordings_of_any_kind_and_from_the_microphone(page, server, tmp_path):
    browser, model = page("recordings-protonet"), "recordings-protonet"
    files = {}
    for name, samples in recordings(0).items():
        files[name] = [tmp_path / f"{name}.wav"]
        files[name][0].write_bytes(wav(samples))
    teach(browser, files, files["high"][0])
    assert same(shown(browser), by_client(server, model, files, files["high"][0]))
    stereo = tmp_path / "stereo.wav"
    with wave.open(str(stereo), "wb") as out:  # of another rate: the server alone would refuse it
        out.setparams((2, 2, 4 * RATE, 0, "NONE", ""))
        out.writeframes(np.random.default_rng(0).integers(-9, 9, 4000, "<i2").tobytes())
    browser.drop_files(QUERY, stereo)
    browser.wait(f"{QUERY}.querySelector('[aria-label=\"Play stereo.wav\"]')")
    shown(browser)
    browser.run(f"{QUERY}.querySelectorAll('.tools button')[1].click()")  # record
    browser.wait("document.querySelector('dialog [role=status]')")
    browser.wait(f"!document.querySelector('dialog') && {QUERY}.innerHTML.includes('recording')")
    shown(browser)


def test_none_of_these(page, tmp_path):
    browser, files = page("with-none"), {}
    for name, grey in (("dark", 0), ("bright", 255), ("between", 128)):
        files[name] = [tmp_path / f"{name}.png"]
        Image.new("L", (4, 4), grey).save(files[name][0])
    between = files.pop("between")[0]
    teach(browser, files, between)
    browser.wait("document.querySelector('.verdict')?.textContent === 'None of these'")
    browser.drop_files(QUERY, files["dark"][0])
    browser.wait("document.querySelector('.verdict')?.textContent === 'dark'")
