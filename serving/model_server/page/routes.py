"""Serves the page's files as they are, and one list of the models; all else is the REST API."""

import asyncio
from concurrent.futures import Executor
from pathlib import Path

from aiohttp import web

from serving.model_server.core import ServerCore
from serving.model_server.page.model_list import list_models

PATH = "/ui/"
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
HEADERS = {
    # Nothing of another server, nothing inline, in no other page's frame.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; media-src 'self' blob:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(self), microphone=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",  # a newer server's page is not mixed with an older one's
}


def add_page(app: web.Application, core: ServerCore, executor: Executor) -> None:
    """Adds the page at `PATH`, to which `/` leads."""
    files = {
        path.name: path.read_bytes()
        for path in Path(__file__).parent.iterdir()
        if path.suffix in _TYPES
    }
    files[""] = files["index.html"]

    async def to_page(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": PATH.removeprefix("/")})

    async def file(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in files:
            raise web.HTTPNotFound
        kind = _TYPES[Path(name or "index.html").suffix]
        return web.Response(body=files[name], content_type=kind, charset="utf-8", headers=HEADERS)

    async def models(request: web.Request) -> web.Response:
        found = await asyncio.get_running_loop().run_in_executor(executor, list_models, core)
        return web.json_response({"models": found}, headers=HEADERS)

    app.router.add_get("/", to_page)
    app.router.add_get(f"{PATH}models.json", models)
    app.router.add_get(PATH + "{name:[^/]*}", file)
