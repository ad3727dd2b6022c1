"""The client: sends support set and queries of an episode, and returns the answer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from serving.client.adapted import AdaptedModel, BoundSignature, chunks
from serving.client.answer import Answer, read_answer, read_targets
from serving.client.checks import check_inputs, check_some
from serving.client.connect import open_transport
from serving.client.episode import (
    Example,
    SupportSet,
    modality_of,
    query_inputs,
    signature_for,
    support_inputs,
    target_inputs,
)
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
        """Opens a model.

        Args:
          target: `http://host:port` (REST), `host:port` or `unix:PATH` (gRPC), or the folder of
            a SavedModel or of its versions.
          model: the model's name on the server.
          version: a version number; the newest by default.
          label: a version label instead of a number.
          tls: certificates for a server with TLS.
          timeout: seconds for a call, its retries included.
        """
        return cls(
            open_transport(str(target), ModelSpec(model, version, label), tls), timeout=timeout
        )

    @property
    def signatures(self) -> dict[str, Signature]:
        """The model's signatures by name, fetched once."""
        if self._signatures is None:
            self._signatures = with_retries(self._transport.signatures, self._timeout)
        return self._signatures

    def run(
        self, signature_name: str, inputs: Mapping[str, Any], *, timeout: float | None = None
    ) -> Reply:
        """Runs a signature on whole episodes, `[E, ...]` in every tensor.

        Args:
          signature_name: one of `signatures`.
          inputs: arrays or nested lists by name.
          timeout: seconds for this call; the client's timeout if None.

        Returns:
          The outputs by name, and the version of the model.

        Raises:
          UserError: the inputs do not fit the signature; nothing was sent.
          StatusError: the server refused or did not answer.
        """
        return self.bind(signature_name, {})(inputs, timeout=timeout)

    def bind(self, signature_name: str, shared: Mapping[str, Any]) -> BoundSignature:
        """Prepares many requests to a signature that have some inputs in common.

        Args:
          signature_name: one of `signatures`.
          shared: the common inputs; they are checked, and over gRPC encoded, only once.

        Returns:
          A function of the other inputs that sends the request and returns the reply.

        Raises:
          UserError: there is no such signature, or `shared` does not fit it.
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

        Args:
          support: the examples of each class by its name: arrays of the model's example shape;
            image or sound files by name, as `Path` or as `bytes`; PIL images; or texts. Pictures
            are read as a viewer shows them: upright, transparency on white.
          queries: examples of these kinds; files and arrays of images may be mixed.
          timeout: seconds for this call; the client's timeout if None.
        """
        signature_name = signature_for(self.signatures, support, queries)
        specs, modality = self.signatures[signature_name].inputs, modality_of(self.signatures)
        inputs = support_inputs(support, specs, modality) | query_inputs(queries, specs, modality)
        reply = self.run(signature_name, inputs, timeout=timeout)
        return read_answer(reply, list(support))

    def regress(
        self,
        support_x: Sequence[Any],
        support_y: Sequence[Any],
        query_x: Sequence[Any],
        *,
        timeout: float | None = None,
    ) -> np.ndarray:
        """Adapts a regression model to one episode's examples and predicts for its queries.

        Args:
          support_x: `[S, ...example]`.
          support_y: `[S, ...target]`: numbers, or whole images for a model from image to image.
          query_x: `[Q, ...example]`.
          timeout: seconds for this call; the client's timeout if None.

        Returns:
          `[Q, ...target]` float32.
        """
        specs = self.signatures[names.ADAPT_AND_PREDICT].inputs
        inputs = target_inputs(self.signatures, support_x, support_y)
        inputs |= query_inputs(query_x, specs, modality_of(self.signatures))
        return read_targets(self.run(names.ADAPT_AND_PREDICT, inputs, timeout=timeout))

    def adapt(self, support: SupportSet, *, timeout: float | None = None) -> AdaptedModel:
        """Adapts once and keeps the weights in the client, for any number of queries.

        Takes arrays and texts only: the signature that decodes files adapts in every request.
        """
        name = signature_for(self.signatures, support)
        if name == names.ENCODED or names.ADAPT not in self.signatures:
            raise UserError(
                "`adapt` needs a model with the signature `adapt`, and arrays or texts as "
                "examples; use `classify` for this support set."
            )
        specs = self.signatures[names.ADAPT].inputs
        inputs = support_inputs(support, specs, modality_of(self.signatures))
        reply = self.run(names.ADAPT, inputs, timeout=timeout)
        return AdaptedModel(self, reply.outputs, list(support))

    def adapt_to_targets(
        self, support_x: Sequence[Any], support_y: Sequence[Any], *, timeout: float | None = None
    ) -> AdaptedModel:
        """Adapts a regression model once; the arguments are those of `regress`."""
        inputs = target_inputs(self.signatures, support_x, support_y)
        return AdaptedModel(self, self.run(names.ADAPT, inputs, timeout=timeout).outputs, [])

    def stream(
        self, support: SupportSet, queries: Iterable[Example], *, chunk: int = 32
    ) -> Iterator[Answer]:
        """Classifies any number of queries, `chunk` at a time; yields one answer per chunk.

        Adapts only once if the model and the examples allow it. At most one chunk is in memory.
        """
        adapted = None
        for part in chunks(queries, chunk):
            encoded = signature_for(self.signatures, support, part) == names.ENCODED
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
