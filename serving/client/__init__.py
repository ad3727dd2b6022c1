"""Adapt and predict in a few lines, from a server or from a SavedModel on disk.

    from serving.client import FewShotClient

    with FewShotClient.connect("http://localhost:8501", model="glyphs") as client:
        answer = client.classify(
            support={"cat": [Path("cat1.png")], "dog": [Path("dog1.png")]},
            queries=[Path("who.png")],
        )
        print(answer.labels, answer.probabilities)

A client of a server imports no TensorFlow; opening a SavedModel on disk does.
"""

from serving.client.adapted import AdaptedModel
from serving.client.answer import Answer
from serving.client.asynchronous import AsyncFewShotClient
from serving.client.client import FewShotClient
from serving.client.transport import Tls
from serving.protocol.status import StatusError

__all__ = ["AdaptedModel", "Answer", "AsyncFewShotClient", "FewShotClient", "StatusError", "Tls"]
