"""Measures how large and how fast a REST request with pictures as base64 is.

    python -m benchmarks.serving.rest [--calls 60] [--record]

The server is a process of its own on the loopback interface, the model MAML over conv4 of 28 x 28
pictures. The bodies are what curl sends: JSON without compression, one query each. The three
requests alternate, because the speed of a shared machine drifts.
"""

import argparse
import base64
import io
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import requests
from PIL import Image

from benchmarks.reporting import add_record_option
from benchmarks.serving.models import export_maml
from benchmarks.serving.running import MODEL_NAME, free_port, report, serving
from serving.saved_model import signatures as names

WAYS = 5
PHOTOGRAPH = 512  # pixels, the longest side that the page sends


def drawing(rng: np.random.Generator) -> bytes:
    """A png of 28 x 28 pixels, black on white, as a drawn character has them."""
    ink = rng.random((28, 28)) < 0.15
    return _encode(np.where(ink, 0, 255).astype(np.uint8), "png")


def photograph(rng: np.random.Generator) -> bytes:
    """A jpg of colours that vary smoothly, with the noise of a camera."""
    coarse = Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((PHOTOGRAPH, PHOTOGRAPH), Image.Resampling.BICUBIC))
    noisy = smooth + rng.normal(0.0, 4.0, smooth.shape)
    return _encode(np.clip(noisy, 0, 255).astype(np.uint8), "jpeg")


def _encode(pixels: np.ndarray, kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format=kind, quality=92)
    return file.getvalue()


def body(pictures: list[bytes]) -> bytes:
    """A request of the pictures but the last as the support set; the last is the query."""
    encoded = [{"b64": base64.b64encode(picture).decode()} for picture in pictures]
    labels = [f"class {number % WAYS}" for number in range(len(pictures) - 1)]
    inputs = {"support_x": [encoded[:-1]], "support_labels": [labels], "query_x": [encoded[-1:]]}
    return json.dumps({"signature_name": names.ENCODED, "inputs": inputs}).encode()


def run(calls: int, folder: Path) -> dict[str, Any]:
    """Measures each request: bytes of its body, and the median time in milliseconds."""
    rng = np.random.default_rng(0)
    bodies = {
        "5 drawings, png": body([drawing(rng) for _ in range(WAYS + 1)]),
        "25 drawings, png": body([drawing(rng) for _ in range(5 * WAYS + 1)]),
        "25 photographs, jpg": body([photograph(rng) for _ in range(5 * WAYS + 1)]),
    }
    export_maml(folder / "models" / "1")
    port = free_port()
    flag, url = f"--rest_api_port={port}", f"http://localhost:{port}/v1/models/{MODEL_NAME}:predict"
    seconds: dict[str, list[float]] = {name: [] for name in bodies}
    with serving(folder / "models", flag, log=folder / "log"), requests.Session() as session:
        for call in range(calls + 3):
            for name, data in bodies.items():
                start = time.perf_counter()
                session.post(url, data=data, timeout=60).raise_for_status()
                if call >= 3:  # the first calls of a shape are slower
                    seconds[name].append(time.perf_counter() - start)
    return {
        name: {
            "bytes": len(data),
            "median_milliseconds": round(1000 * statistics.median(seconds[name]), 1),
        }
        for name, data in bodies.items()
    }


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=60)
    add_record_option(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = run(arguments.calls, Path(folder))
    report("serving_rest", {"calls": arguments.calls}, result, arguments.results)


if __name__ == "__main__":
    main()
