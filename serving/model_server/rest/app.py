"""Routes the requests of the REST API."""

import asyncio
import json
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from contextlib import ExitStack
from functools import partial
from typing import Any

from aiohttp import web
from tensorflow_serving.apis import input_pb2

from serving.model_server import examples
from serving.model_server.core import ServerCore
from serving.model_server.introspection import model_metadata_json, model_status
from serving.model_server.page.routes import add_page
from serving.model_server.request_cost import json_bytes
from serving.model_server.request_log.messages import example_messages, predict_messages
from serving.model_server.request_memory import TooLarge
from serving.model_server.request_share import Share
from serving.model_server.rest import examples_json, open_inference
from serving.model_server.rest.bodies import Body, receive, send
from serving.model_server.rest.connections import mark_request
from serving.model_server.rest.json_text import MAX_EXACT, read_body
from serving.model_server.rest.message_json import message_to_dict
from serving.model_server.rest.paths import read_path
from serving.model_server.rest.predict_json import (
    PredictBody,
    read_request,
    write_response,
)
from serving.model_server.rest.replies import Reply, error_reply
from serving.model_server.servable import Servable
from serving.protocol.model_spec import ModelSpec
from serving.protocol.status import HTTP, StatusError

_COMPRESS_ABOVE = 16 * 1024  # bytes of an answer, if the client takes gzip


def make_app(
    core: ServerCore,
    executor: Executor,
    large_executor: Executor,
    *,
    timeout_seconds: float,
    metrics_path: str | None,
    enable_cors: bool,
    ui: bool = False,
) -> web.Application:
    """Makes the aiohttp application, which handles requests in the executors' threads."""

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(text=core.metrics.exposition(), content_type="text/plain")

    async def api(request: web.Request) -> web.StreamResponse:
        # Not in a `with`: an answer that is late must be sent too.
        share = Share(core.memory)
        try:
            response = await answer(request, share)
            if enable_cors and "Origin" in request.headers:
                _add_cors_headers(response)
            if len(response.body or b"") > _COMPRESS_ABOVE:  # type: ignore[arg-type]
                response.enable_compression()
            await send(request, response, share)
            return response
        finally:
            share.release()

    async def answer(request: web.Request, share: Share) -> web.Response:
        try:
            if request.method == "OPTIONS":
                return _preflight(request)
            share.open()
            body = await receive(request, share, core.max_message_bytes)
            call = route(request, body, time.monotonic() + timeout_seconds)
            chosen = large_executor if body.is_large else executor
            reply = await asyncio.get_running_loop().run_in_executor(chosen, call)
            share.add(2 * len(reply.body))
            return _response(reply)
        except StatusError as error:
            code = 413 if isinstance(error, TooLarge) else HTTP[error.code]
            return _error_response(code, error.message)

    def route(request: web.Request, body: Body, deadline: float) -> Callable[[], Reply]:
        if request.path == "/v2" or request.path.startswith("/v2/"):
            length = request.headers.get(open_inference.JSON_LENGTH, "")
            path = request.rel_url.raw_path
            return open_inference.route(core, request.method, path, length, body, deadline)
        return _route(core, request.method, request.raw_path, body, deadline)

    app = web.Application(middlewares=[mark_request])
    if metrics_path:
        app.router.add_get(metrics_path, metrics)
    if ui:
        add_page(app, core, executor)
    # /v1/ in any case belongs to the API; other paths get the 404 of a plain web server.
    app.router.add_route("*", "/{version:[vV]1}/{rest:.*}", api)
    app.router.add_route("*", "/v2{rest:(?:/.*)?}", api)
    return app


def _route(
    core: ServerCore, method: str, raw_path: str, body: Body, deadline: float
) -> Callable[[], Reply]:
    spec, verb = read_path(method, raw_path)
    if verb == "metadata":
        return lambda: _look(core, spec, "GetModelMetadata", model_metadata_json)
    if verb == "status":
        return lambda: _look(core, spec, "GetModelStatus", _status_json)
    return lambda: _run(core, spec, verb, body, deadline)


def _run(core: ServerCore, spec: ModelSpec, verb: str, body: Body, deadline: float) -> Reply:
    with core.observe(spec.name, verb.capitalize(), "REST"):
        text = body.unpacked()
        body.share.add(json_bytes(text))
        run = _predict if verb == "predict" else _infer
        return Reply(run(core, spec, verb, text, deadline).encode())


def _predict(core: ServerCore, spec: ModelSpec, verb: str, text: bytes, deadline: float) -> str:
    with ExitStack() as stack:
        if len(text) > MAX_EXACT:
            found: Servable | StatusError
            try:
                found = servable = stack.enter_context(core.servable(spec))
            except StatusError as error:
                found = error  # which comes after those of the text
            name, tensors, by_row = core.large.read_json(found, text, deadline)
        else:
            servable, name, (tensors, by_row) = _read_predict(core, spec, text, stack)
        readers = {alias: lambda array=array: array for alias, array in tensors.items()}
        outputs = core.predict(servable, name, readers, deadline=deadline)
        messages = partial(predict_messages, servable, name, tensors, outputs)
        core.log("Predict", servable.name, messages)
    return write_response(outputs, by_row=by_row)


def _read_predict(
    core: ServerCore, spec: ModelSpec, text: bytes, stack: ExitStack
) -> tuple[Servable, str, PredictBody]:
    """Reads a body; the servable that it names, looked up on the way, is held by the stack."""
    found: list[Servable] = []

    def inputs_of(key: str) -> Mapping[str, Any] | None:
        found.append(stack.enter_context(core.servable(spec)))
        signature = found[-1].signature_defs.get(key)
        return None if signature is None else signature.inputs

    def read(document: dict[str, Any], exact: bool) -> tuple[str, PredictBody]:
        return read_request(document, inputs_of, exact=exact)

    name, body = read_body(text, read)
    return found[-1], name, body


def _infer(core: ServerCore, spec: ModelSpec, verb: str, text: bytes, deadline: float) -> str:
    if len(text) > MAX_EXACT:
        name, serialized = core.large.read_examples(text, deadline)
    else:
        name, serialized = examples_json.read_request(text)
    message = input_pb2.Input.FromString(serialized)
    with core.servable(spec) as servable:
        run = examples.classify if verb == "classify" else examples.regress
        result = run(servable, name, message, core.run, deadline)
        api = verb.capitalize()
        core.log(api, spec.name, partial(example_messages, api, servable, name, message, result))
    classifies = verb == "classify"
    write = examples_json.write_classifications if classifies else examples_json.write_regressions
    return write(result)


def _look(core: ServerCore, spec: ModelSpec, api: str, write: Callable[..., str]) -> Reply:
    with core.observe(spec.name, api, "REST"):
        return Reply(write(core, spec).encode())


def _status_json(core: ServerCore, spec: ModelSpec) -> str:
    return json.dumps(message_to_dict(model_status(core, spec)), indent=2)


def _preflight(request: web.Request) -> web.Response:
    if not re.match("https?://", request.headers.get("Origin", "")):
        return _error_response(400, "Origin header is missing in CORS preflight")
    response = web.Response()
    _add_cors_headers(response)
    return response


def _add_cors_headers(response: web.Response) -> None:
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Methods"] = "GET, POST"
    response.headers["Access-Control-Allow-Headers"] = "Content-Type"


def _error_response(code: int, message: str) -> web.Response:
    return _response(error_reply(message), code)


def _response(reply: Reply, code: int = 200) -> web.Response:
    return web.Response(
        body=reply.body,
        status=code,
        content_type=reply.content_type,
        headers=reply.headers,
        zlib_executor_size=_COMPRESS_ABOVE,  # not in the event loop
    )
