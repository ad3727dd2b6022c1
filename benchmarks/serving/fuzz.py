"""Sends malformed requests over REST and gRPC: each must get an error that names the fault.

    python -m benchmarks.serving.fuzz [--requests 10000] [--seed 0] [--record]

Valid requests in between must get right answers, and the server's memory must not grow.
"""

import argparse
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from benchmarks.reporting import add_record_option
from benchmarks.serving.malformed import KINDS, Server
from benchmarks.serving.models import export_maml, random_episode
from benchmarks.serving.running import (
    MODEL_NAME,
    free_port,
    report,
    resident_bytes,
    serving,
)
from benchmarks.serving.soak import TOLERANCE, expected_probabilities
from serving.client import FewShotClient
from serving.model_versions.folders import publish
from serving.saved_model import signatures as names

GOOD_EVERY = 50
MEASURE_AFTER = 0.2  # of the requests: by then every buffer and pool has been filled once


def fuzz(
    address: str, url: str, pid: int, good: dict, right: np.ndarray, *, count: int, seed: int
) -> dict[str, Any]:
    """Sends malformed requests of all kinds, and valid ones in between.

    Args:
      address: the server's gRPC address.
      url: the URL of its REST port.
      pid: the server's process.
      good: inputs of a valid request.
      right: its probabilities.
      count: number of malformed requests.
      seed: seed of the random numbers.
    """
    rng = np.random.default_rng(seed)
    accepted: Counter[str] = Counter()
    silent: Counter[str] = Counter()
    messages_seen: set[str] = set()
    wrong_answers, memory = 0, 0
    with (
        grpc.insecure_channel(address) as channel,
        FewShotClient.connect(address, MODEL_NAME) as client,
    ):
        server = Server(channel, url, good)
        for number in range(count):
            kind = KINDS[number % len(KINDS)]
            refusal = kind(server, rng)
            accepted[kind.__name__] += not refusal.is_error
            silent[kind.__name__] += refusal.is_error and not refusal.message
            messages_seen.add(refusal.message[:40])
            if number % GOOD_EVERY == 0:
                reply = client.run(names.ADAPT_AND_PREDICT, good)
                probabilities = reply.outputs[names.PROBABILITIES]
                wrong_answers += not np.allclose(probabilities, right, atol=TOLERANCE)
            if number == int(count * MEASURE_AFTER):
                memory = resident_bytes(pid)
    return {
        "requests": count,
        "not_refused": +accepted,
        "refused_without_a_word": +silent,
        "wrong_answers_to_good_requests": wrong_answers,
        "good_requests": -(-count // GOOD_EVERY),
        "different_messages": len(messages_seen),
        "megabytes_after_a_fifth": memory >> 20,
        "megabytes_at_the_end": resident_bytes(pid) >> 20,
    }


def main() -> None:
    """Serves an untrained MAML, and writes the result of `fuzz`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    add_record_option(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = export_maml(folder / "exported")
        with FewShotClient.connect(str(model)) as client:
            signature = client.signatures[names.ADAPT_AND_PREDICT]
        good = random_episode(signature, queries=3)
        ((right,),) = expected_probabilities([model], [good])
        publish(model, folder / "models", now=1)
        port = free_port()
        flags = [f"--rest_api_port={port}"]
        with serving(folder / "models", *flags, log=folder / "log") as (address, process):
            result = fuzz(
                address,
                f"http://localhost:{port}",
                process.pid,
                good,
                right,
                count=arguments.requests,
                seed=arguments.seed,
            )
            result["still_running"] = process.poll() is None
    configuration = {"requests": arguments.requests, "seed": arguments.seed}
    report("serving_fuzz", configuration, result, arguments.results)


if __name__ == "__main__":
    main()
