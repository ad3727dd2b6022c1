"""The models that come with the package: small, whole, and they answer without a network."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from serving.zoo import fetch, index

ENTRIES = index.read_index(index.PACKAGED)


def test_each_name_that_the_pages_use_is_packaged():
    assert {"omniglot", "omniglot-maml", "glyphs"} <= {entry.name for entry in ENTRIES}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_a_packaged_model_is_small_whole_and_free(entry, tmp_path, monkeypatch):
    monkeypatch.setenv("FEWSHOT_CACHE_DIR", str(tmp_path))
    assert entry.size == entry.beside_index.stat().st_size < 1_000_000
    assert (entry.data_licence, entry.weights_licence) == ("MIT", "MIT")
    folder = fetch.fetch(entry)  # checks the sha256
    summary = json.loads((folder / f"{entry.version}.summary.json").read_text())
    assert summary["blessed"] and summary["test"]["accuracy"] == entry.value
    assert entry.commit and "dirty" not in entry.commit
    assert f"{entry.value:.4f}" in (folder / "MODEL_CARD.md").read_text()


def test_a_question_is_answered_without_a_network(tmp_path):
    rng = np.random.default_rng(0)
    for name, ink in (("cross", np.eye(28)), ("bar", np.ones(28)[:, None] * (np.arange(28) == 14))):
        for copy in range(2):
            shifted = np.roll(ink, rng.integers(-2, 3), axis=1)
            pixels = np.uint8(255 * (1 - np.clip(shifted, 0, 1)))[..., None]
            file = tmp_path / ("support" if copy else "queries") / (name if copy else "") / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.with_suffix(".png").write_bytes(tf.io.encode_png(pixels).numpy())
    words = [sys.executable, "-m", "pipeline.cli", "query", "--json", "--model", "zoo:omniglot"]
    words += ["--support", tmp_path / "support", tmp_path / "queries"]
    nowhere = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    environment = os.environ | nowhere | {"FEWSHOT_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["class"] for answer in answers] == ["bar", "cross"]
