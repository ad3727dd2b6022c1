"""kill -9 in mid-load: how long until the restarted server answers, and what the clients notice.

python -m benchmarks.serving.restart [--kills 3]
"""

import argparse
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.serving.models import export_maml, random_episode
from benchmarks.serving.running import (
    MODEL_NAME,
    free_port,
    launch,
    wait_until_it_answers,
    write_result,
)
from benchmarks.serving.soak import TOLERANCE, known_answers
from serving import signatures as names
from serving.client import FewShotClient
from serving.versions import publish


def kill_and_restart(
    model: Path, episode: dict, folder: Path, *, kills: int, clients: int = 4
) -> dict[str, Any]:
    """Kills the server under load and starts it again on the same port."""
    ((right,),) = known_answers([model], [episode])
    publish(model, folder / "models", now=1)
    port = free_port()
    address = f"localhost:{port}"
    stop, faults, answers = threading.Event(), [], [0] * clients

    def ask(number: int) -> None:
        with FewShotClient.connect(address, MODEL_NAME, timeout=60) as client:
            while not stop.is_set():
                try:
                    reply = client.run(names.ADAPT_AND_PREDICT, episode)
                    given = reply.outputs[names.PROBABILITIES]
                    if not np.allclose(given, right, atol=TOLERANCE):
                        faults.append("a wrong answer")
                    answers[number] += 1
                except Exception as error:
                    faults.append(f"{type(error).__name__}: {error}")

    def start() -> Any:
        return launch(folder / "models", port, "--rest_api_port=0", log=folder / "log")

    process = start()
    wait_until_it_answers(address)
    threads = [threading.Thread(target=ask, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    seconds = []
    try:
        for _ in range(kills):
            time.sleep(1.0)
            process.kill()
            process.wait()
            process = start()
            seconds.append(round(wait_until_it_answers(address), 2))
        time.sleep(1.0)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        process.terminate()
        process.wait()
    return {
        "seconds_until_it_answers": seconds,
        "answers": sum(answers),
        "faults": len(faults),
        "first_faults": faults[:5],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = export_maml(folder / "exported")
        with FewShotClient.connect(str(model)) as client:
            episode = random_episode(client.signatures[names.ADAPT_AND_PREDICT], queries=5)
        result = kill_and_restart(model, episode, folder, kills=arguments.kills)
    print(write_result("serving_restart", vars(arguments), result))
    print(result)


if __name__ == "__main__":
    main()
