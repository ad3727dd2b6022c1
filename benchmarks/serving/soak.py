"""Tests that no answer fails or is wrong while new versions are pushed under constant load.

    python -m benchmarks.serving.soak [--seconds 300] [--push-every 20] [--clients 8] [--record]

Each answer is checked against what the version it names gives in this process.
"""

import argparse
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reporting import add_record_option
from benchmarks.serving.models import export_maml, random_episode
from benchmarks.serving.running import MODEL_NAME, report, resident_bytes, serving
from serving.client import FewShotClient
from serving.model_versions.folders import drop_versions, publish
from serving.saved_model import signatures as names

TOLERANCE = 1e-3  # joined and single runs sum in another order
REST = 5.0  # seconds after the last load, in which its memory is measured and given back


def expected_probabilities(
    models: Sequence[Path], episodes: Sequence[dict]
) -> list[list[np.ndarray]]:
    """Computes the probabilities of each model for each episode, in this process."""
    answers = []
    for model in models:
        with FewShotClient.connect(str(model)) as client:
            replies = [client.run(names.ADAPT_AND_PREDICT, episode) for episode in episodes]
        answers.append([reply.outputs[names.PROBABILITIES] for reply in replies])
    return answers


def soak(
    models: Sequence[Path],
    episodes: Sequence[dict],
    folder: Path,
    *,
    seconds: float,
    push_every: float,
    clients: int = 8,
    flags: Sequence[str] = (),
) -> dict[str, Any]:
    """Serves the models by turns as versions 1, 2, 3, ...; the newest two stay on disk.

    Returns:
      Counts of answers by version, the versions pushed, and every fault as a text.
    """
    right = expected_probabilities(models, episodes)
    base_path = folder / "models"
    publish(models[0], base_path, now=1)
    answered: Counter[int] = Counter()
    faults: list[str] = []
    stop = threading.Event()

    def send_requests(number: int, address: str) -> None:
        count = number
        with FewShotClient.connect(address, MODEL_NAME) as client:
            while not stop.is_set():
                count += 1
                index = count % len(episodes)
                try:
                    reply = client.run(names.ADAPT_AND_PREDICT, episodes[index])
                except Exception as error:
                    faults.append(f"{type(error).__name__}: {error}")
                    continue
                assert reply.version is not None
                expected = right[(reply.version - 1) % len(models)][index]
                probabilities = reply.outputs[names.PROBABILITIES][..., : expected.shape[-1]]
                if not np.allclose(probabilities, expected, atol=TOLERANCE):
                    faults.append(f"version {reply.version} answered episode {index} wrongly")
                answered[reply.version] += 1

    with serving(
        base_path,
        "--rest_api_port=0",
        "--file_system_poll_wait_seconds=0.2",
        *flags,
        log=folder / "log",
    ) as (address, process):
        threads = [
            threading.Thread(target=send_requests, args=(n, address)) for n in range(clients)
        ]
        for thread in threads:
            thread.start()
        end = time.monotonic() + seconds
        memory = [resident_bytes(process.pid)]
        pushed = 1
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(push_every, left))
            memory.append(resident_bytes(process.pid))
            if time.monotonic() < end:
                publish(models[pushed % len(models)], base_path, now=0)
                pushed += 1
                drop_versions(base_path, keep=2, loads=lambda _: True)
        stop.set()
        for thread in threads:
            thread.join()
        wait_until_loaded(address, episodes[0], pushed)
        time.sleep(REST)
        at_rest = resident_bytes(process.pid)
    return {
        "answers": sum(answered.values()),
        "answers_by_version": dict(sorted(answered.items())),
        "versions_pushed": pushed,
        "faults": len(faults),
        "first_faults": faults[:5],
        "server_megabytes": [value >> 20 for value in memory],
        "server_megabytes_at_rest": at_rest >> 20,
    }


def wait_until_loaded(address: str, episode: dict, version: int, seconds: float = 120.0) -> None:
    """Waits until this version, the last one pushed, answers."""
    end = time.monotonic() + seconds
    with FewShotClient.connect(address, MODEL_NAME) as client:
        while client.run(names.ADAPT_AND_PREDICT, episode).version != version:
            if time.monotonic() > end:
                raise RuntimeError(f"Version {version} does not answer after {seconds:.0f} s.")
            time.sleep(0.5)


def main() -> None:
    """Serves two untrained models, and reports the result of `soak`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--push-every", type=float, default=20.0)
    parser.add_argument("--clients", type=int, default=8)
    add_record_option(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        models = [export_maml(folder / f"exported-{seed}", seed=seed) for seed in (0, 1)]
        with FewShotClient.connect(str(models[0])) as client:
            signature = client.signatures[names.ADAPT_AND_PREDICT]
        shapes = [(5, 1, 5), (2, 1, 1), (5, 2, 10), (3, 3, 2)]
        episodes = [
            random_episode(signature, ways=ways, shots=shots, queries=queries, seed=seed)
            for seed, (ways, shots, queries) in enumerate(shapes)
        ]
        result = soak(
            models,
            episodes,
            folder,
            seconds=arguments.seconds,
            push_every=arguments.push_every,
            clients=arguments.clients,
            flags=["--enable_batching"],
        )
    configuration = {
        "seconds": arguments.seconds,
        "push_every": arguments.push_every,
        "clients": arguments.clients,
    }
    report("serving_soak", configuration, result, arguments.results)


if __name__ == "__main__":
    main()
