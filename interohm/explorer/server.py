"""The explorer's web server: for this machine and this user alone, reading only."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import tempfile
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from interohm.errors import InputError

if TYPE_CHECKING:
    from dash import Dash
    from werkzeug.serving import BaseWSGIServer

    from interohm.explorer.measured import Predict
    from interohm.settings import Settings

_LOOPBACK = "127.0.0.1"
_OWN_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})

#: Nothing but this server is asked for anything, and no other page may hold this one in a frame.
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def explorer(settings: Settings, predict: Predict | None = None) -> Dash:
    """Return the page over the database of the settings.

    Its address has a random part, so that other users of the machine cannot read along; requests
    for another host's name, as a web page elsewhere might cause, are refused.

    Parameters
    ----------
    settings : Settings
        Name the database.
    predict : callable, optional
        Predicts the measured values of the tab ``validation``; see `Predict`.

    Raises
    ------
    InputError
        The database cannot be reached.
    """
    from dash import Dash
    from flask import Flask, Response, abort, request
    from werkzeug.exceptions import HTTPException

    from interohm.database import Database
    from interohm.explorer.callbacks import register
    from interohm.explorer.layout import page
    from interohm.explorer.measured import MeasuredValues
    from interohm.explorer.requests import is_request
    from interohm.report.palette import style_sheet

    with Database.open(settings) as database:
        location = database.location
    server = Flask(__name__)
    app = Dash(
        __name__,
        server=server,
        title=escape(f"interohm – {location}"),
        update_title=None,
        url_base_pathname=f"/{secrets.token_urlsafe(16)}/",
        serve_locally=True,
        add_log_handler=False,
        enable_mcp=False,
    )
    app.index_string = app.index_string.replace("<html>", '<html lang="en">').replace(
        "{%css%}", f"{{%css%}}<style>{style_sheet()}</style>"
    )
    app.layout = page(location)
    register(app, settings, MeasuredValues(predict))
    root = app.config.requests_pathname_prefix

    @server.before_request
    def only_this_machine() -> None:
        name = request.host.rpartition(":")[0] if ":" in request.host else request.host
        if request.host.startswith("["):
            name = request.host[: request.host.find("]") + 1]
        if name.lower() not in _OWN_HOSTS:
            abort(403, "This page answers on this machine alone.")
        # The page itself may be opened from elsewhere, as from the file that leads to it: whoever
        # opens it has the address, and sees nothing of what it shows.
        opened = request.method == "GET" and request.path == root
        opened &= request.headers.get("Sec-Fetch-Mode") == "navigate"
        opened &= request.headers.get("Sec-Fetch-Dest") == "document"
        if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin") and (
            not opened
        ):
            abort(403, "Another page asked for this one.")
        if request.path == f"{root}_dash-update-component" and not is_request(
            request.get_json(silent=True)
        ):
            abort(400, "This is not a request of the page.")

    @server.errorhandler(Exception)
    def without_traceback(error: Exception) -> Response:
        """Answer requests without a traceback: a fault of the program is reported in one line."""
        if isinstance(error, HTTPException):
            return error.get_response()  # type: ignore[return-value]
        logging.getLogger(__name__).warning("a request failed: %s: %s", type(error).__name__, error)
        if isinstance(error, (AttributeError, LookupError, RecursionError, TypeError, ValueError)):
            return Response("This is not a request of the page.", 400, mimetype="text/plain")
        return Response("The request failed.", 500, mimetype="text/plain")

    @server.after_request
    def with_headers(response):  # type: ignore[no-untyped-def]
        response.headers.update(_HEADERS)
        return response

    return app


def listen(app: Dash, port: int) -> tuple[BaseWSGIServer, str]:
    """Return a server that listens on the loopback interface, and the page's address.

    Parameters
    ----------
    app : Dash
        The page.
    port : int
        0 for any that is free.

    Raises
    ------
    InputError
        The port is not free.
    """
    from werkzeug.serving import make_server

    # a line for each request helps nobody, and would show the secret address
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    try:
        server = make_server(_LOOPBACK, port, app.server, threaded=True)
    except (OSError, OverflowError, SystemExit):
        raise InputError(
            f"port {port} cannot be used: another program may be using it",
            where="--port",
            fix="choose another one with --port, or 0 for any free port",
        ) from None
    path = app.config.requests_pathname_prefix
    return server, f"http://{_LOOPBACK}:{server.server_port}{path}"


@contextlib.contextmanager
def page_that_leads_to(address: str) -> Iterator[str]:
    """Yield the address of a file, for this user alone, that leads a browser to the page.

    The arguments of a process, as a browser's, are read by all users of a machine.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    directory = runtime if os.path.isdir(runtime) else None
    # folder and file are made with modes 0700 and 0600
    with tempfile.TemporaryDirectory(prefix="interohm-", dir=directory) as folder:
        handle, name = tempfile.mkstemp(dir=folder, suffix=".html")
        link = escape(address)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(
                f'<!doctype html><meta charset="utf-8"><title>interohm</title>'
                f'<meta http-equiv="refresh" content="0; url={link}"><a href="{link}">interohm</a>'
            )
        yield Path(name).as_uri()
