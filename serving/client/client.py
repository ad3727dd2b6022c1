"""The client: sends support set and queries of an episode, and returns the answer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from serving.client import classifier, episode
from serving.client.adapted import AdaptedModel, BoundSignature, chunks
from serving.client.answer import Answer, read_answer, read_targets
from serving.client.checks import check_inputs, check_some
from serving.client.connect import open_transport
from serving.client.episode import Example, SupportSet
from serving.client.on_server import KeptOnServer
from serving.client.retry import with_retries
from serving.client.transport import Reply, Signature, Tls, Transport
from serving.errors import UserError
from serving.protocol.model_spec import ModelSpec
from serving.saved_model import signatures as names

DEFAULT_TIMEOUT = 30.0  # seconds, retries included


class FewShotClient:
    """Adapts and predicts with one model; several threads may share it."""

    def __init__(self, transport: Transport, *, timeout: float = DEFAULT_TIMEOUT):
        self._transport = transport
        self._timeout = timeout
        self._signatures: dict[str, Signature] | None = None

    @classmethod
    def connect(
        cls,
        target: str,
        model: str = "default",
        *,
        version: int | None = None,
        label: str = "",
        tls: Tls | None = None,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> "FewShotClient":
        """Opens a model of a server, a SavedModel on disk, or a model of the zoo.

        `target` is `http://host:port` (REST), `host:port` or `unix:PATH` (gRPC), the folder of a
        SavedModel or of its versions, or `zoo:NAME`. Without a version number or a label it is the
        newest version; `timeout` is in seconds for a call, its retries included.
        """
        spec = ModelSpec(model, version, label)
        return cls(open_transport(str(target), spec, tls), timeout=timeout)

    @property
    def signatures(self) -> dict[str, Signature]:
        """The model's signatures by name, fetched once."""
        if self._signatures is None:
            self._signatures = with_retries(self._transport.signatures, self._timeout)
        return self._signatures

    def run(
        self, signature_name: str, inputs: Mapping[str, Any], *, timeout: float | None = None
    ) -> Reply:
        """Runs a signature on whole episodes, `[E, ...]` in every tensor: arrays or nested lists.

        `timeout` is in seconds; the client's if None. Raises a UserError if the inputs do not fit
        the signature (nothing was sent), a StatusError if the server refused or did not answer.
        """
        return self.bind(signature_name, {})(inputs, timeout=timeout)

    def bind(self, signature_name: str, shared: Mapping[str, Any]) -> BoundSignature:
        """Prepares many requests to a signature that have some inputs in common.

        Those are checked, and over gRPC encoded, only once (UserError if they do not fit). The
        function that is returned takes the other inputs, sends the request and returns the reply.
        """
        if signature_name not in self.signatures:
            raise UserError(
                f"The model has no signature `{signature_name}`; it offers "
                f"{', '.join(f'`{name}`' for name in sorted(self.signatures))}."
            )
        signature = self.signatures[signature_name]
        shared_arrays = check_some(signature_name, signature, shared)
        send = self._transport.bind(signature_name, shared_arrays)

        def run(inputs: Mapping[str, Any], *, timeout: float | None = None) -> Reply:
            arrays = check_inputs(signature_name, signature, inputs, shared_arrays)
            return with_retries(
                lambda remaining: send(arrays, remaining),
                self._timeout if timeout is None else timeout,
            )

        return run

    def classify(
        self, support: SupportSet, queries: Sequence[Example], *, timeout: float | None = None
    ) -> Answer:
        """Adapts to the support set and classifies the queries, in one request.

        The support set has the examples of each class by its name: arrays of the model's example
        shape; image or sound files by name, as `Path` or as `bytes`; PIL images; or texts. Files
        and arrays of images may be mixed. Pictures are read as a viewer shows them: upright,
        transparency on white.
        """
        signature_name = episode.signature_for(self.signatures, support, queries)
        specs = self.signatures[signature_name].inputs
        modality = episode.modality_of(self.signatures)
        inputs = episode.support_inputs(support, specs, modality)
        inputs |= episode.query_inputs(queries, specs, modality)
        reply = self.run(signature_name, inputs, timeout=timeout)
        own = episode.takes_phrases(self.signatures)
        return read_answer(reply, None if own else list(support))

    def predict(self, queries: Sequence[Example], *, timeout: float | None = None) -> Answer:
        """Classifies files or texts with a classifier that `fewshot specialise` wrote."""
        name = classifier.input_name(self.signatures)
        if name is None:
            raise UserError("`predict` needs a classifier; give a few-shot model a support set.")
        files = [str(query) for query in queries if isinstance(query, str | Path)]
        modality = "text" if name == names.TEXTS else classifier.kind_of(files).modality
        inputs = classifier.pack(name, queries, modality)
        reply = self.run(names.ADAPT_AND_PREDICT, inputs, timeout=timeout)
        return classifier.read(reply.outputs, reply.version)

    def regress(
        self,
        support_x: Sequence[Any],
        support_y: Sequence[Any],
        query_x: Sequence[Any],
        *,
        timeout: float | None = None,
    ) -> np.ndarray:
        """Adapts a regression model to one episode's examples and predicts for its queries.

        Takes `support_x` [S, ...example], `support_y` [S, ...target] (numbers, or whole images for
        a model from image to image) and `query_x` [Q, ...example]; returns [Q, ...target] float32.
        """
        specs = self.signatures[names.ADAPT_AND_PREDICT].inputs
        inputs = episode.target_inputs(self.signatures, support_x, support_y)
        inputs |= episode.query_inputs(query_x, specs, episode.modality_of(self.signatures))
        return read_targets(self.run(names.ADAPT_AND_PREDICT, inputs, timeout=timeout))

    def adapt(
        self, support: SupportSet, *, on_server: bool = False, timeout: float | None = None
    ) -> AdaptedModel:
        """Adapts once, for any number of queries, and keeps the weights in the client.

        Takes arrays and texts only: the signature that decodes files adapts in every request. With
        `on_server` a server that offers it keeps the weights (`fewshot serve
        --adapted-cache-bytes`): a request then holds a handle in place of them, and where the
        server has lost it, the client adapts again by itself. Other servers go on with weights.
        """
        name = episode.signature_for(self.signatures, support)
        if name == names.ENCODED or names.ADAPT not in self.signatures:
            raise UserError(
                "`adapt` needs a model with the signature `adapt`, and arrays or texts as "
                "examples; use `classify` for this support set."
            )
        specs = self.signatures[names.ADAPT].inputs
        inputs = episode.support_inputs(support, specs, episode.modality_of(self.signatures))
        return self._adapted(inputs, list(support), on_server, timeout)

    def adapt_to_targets(
        self,
        support_x: Sequence[Any],
        support_y: Sequence[Any],
        *,
        on_server: bool = False,
        timeout: float | None = None,
    ) -> AdaptedModel:
        """Adapts a regression model once; the arguments are those of `regress` and `adapt`."""
        inputs = episode.target_inputs(self.signatures, support_x, support_y)
        return self._adapted(inputs, [], on_server, timeout)

    def _adapted(
        self, inputs: Mapping[str, Any], classes: list[str], on_server: bool, timeout: float | None
    ) -> AdaptedModel:
        if on_server and names.PREDICT_ON_SERVER in self.signatures:
            return AdaptedModel(self, {}, classes, KeptOnServer(self.run, inputs, timeout))
        return AdaptedModel(self, self.run(names.ADAPT, inputs, timeout=timeout).outputs, classes)

    def stream(
        self, support: SupportSet, queries: Iterable[Example], *, chunk: int = 32
    ) -> Iterator[Answer]:
        """Classifies any number of queries, `chunk` at a time; yields one answer per chunk.

        Adapts only once if the model and the examples allow it. At most one chunk is in memory.
        """
        adapted = None
        for part in chunks(queries, chunk):
            encoded = episode.signature_for(self.signatures, support, part) == names.ENCODED
            if encoded or names.ADAPT not in self.signatures:
                yield self.classify(support, part)
                continue
            adapted = adapted or self.adapt(support)
            yield adapted.classify(part)

    def close(self) -> None:
        """Closes the connection, or frees the model."""
        self._transport.close()

    def __enter__(self) -> "FewShotClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
