"""Measures how soon a server that is killed under load and restarted answers its clients again.

python -m benchmarks.serving.restart [--kills 3] [--record]
"""

import argparse
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reporting import add_record_option
from benchmarks.serving.models import export_maml, random_episode
from benchmarks.serving.running import (
    MODEL_NAME,
    cpu_seconds,
    free_port,
    launch,
    report,
    wait_until_it_answers,
)
from benchmarks.serving.soak import TOLERANCE, expected_probabilities
from serving.client import FewShotClient
from serving.model_versions.folders import publish
from serving.saved_model import signatures as names


def kill_and_restart(
    model: Path, episode: dict, folder: Path, *, kills: int, clients: int = 4
) -> dict[str, Any]:
    """Kills the server under load and starts it again on the same port."""
    ((expected,),) = expected_probabilities([model], [episode])
    publish(model, folder / "models", now=1)
    port = free_port()
    address = f"localhost:{port}"
    stop, faults, answers = threading.Event(), [], [0] * clients

    def send_requests(number: int) -> None:
        with FewShotClient.connect(address, MODEL_NAME, timeout=120) as client:
            while not stop.is_set():
                try:
                    reply = client.run(names.ADAPT_AND_PREDICT, episode)
                    probabilities = reply.outputs[names.PROBABILITIES]
                    if not np.allclose(probabilities, expected, atol=TOLERANCE):
                        faults.append("a wrong answer")
                    answers[number] += 1
                except Exception as error:
                    faults.append(f"{type(error).__name__}: {error}")

    def start() -> Any:
        return launch(folder / "models", port, "--rest_api_port=0", log=folder / "log")

    process = start()
    wait_until_it_answers(address)
    threads = [threading.Thread(target=send_requests, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    first_answer, processor, all_go_on = [], [], []
    try:
        for _ in range(kills):
            _wait_for_another_answer(answers)
            process.kill()
            process.wait()
            begin = time.monotonic()
            process = start()
            first_answer.append(round(wait_until_it_answers(address), 2))
            processor.append(round(cpu_seconds(process.pid), 2))
            _wait_for_another_answer(answers)
            all_go_on.append(round(time.monotonic() - begin, 2))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        process.terminate()
        process.wait()
    return {
        "seconds_until_it_answers": first_answer,
        "processor_seconds_of_the_server_until_then": processor,
        "seconds_until_every_client_goes_on": all_go_on,
        "answers": sum(answers),
        "faults": len(faults),
        "first_faults": faults[:5],
    }


def _wait_for_another_answer(answers: list[int], seconds: float = 120.0) -> None:
    before, end = list(answers), time.monotonic() + seconds
    while any(now <= then for now, then in zip(answers, before)):
        if time.monotonic() > end:
            raise RuntimeError(f"a client had no answer for {seconds} s")
        time.sleep(0.02)


def main() -> None:
    """Serves an untrained MAML, and reports the result of `kill_and_restart`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=3)
    add_record_option(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = export_maml(folder / "exported")
        with FewShotClient.connect(str(model)) as client:
            episode = random_episode(client.signatures[names.ADAPT_AND_PREDICT], queries=5)
        result = kill_and_restart(model, episode, folder, kills=arguments.kills)
    configuration = {"kills": arguments.kills}
    report("serving_restart", configuration, result, arguments.results)


if __name__ == "__main__":
    main()
