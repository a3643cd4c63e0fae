"""The token in the address of a wall that other machines see: whoever knows the address reads it, and nobody else.

A browser shows it once, in the address that somebody typed or keeps as its first page. From then on it goes in a cookie, and
stands neither in the address bar nor in what a page says of where it was.
"""

import hmac
import re
import secrets
from http import HTTPStatus
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Middleware

from streams import secret
from streams.serving import Handler
from streams.stack import StackError
from streams.stack.gateway import write_secret

COOKIE = "pantau112_wall"
QUESTION = "token"
REFUSED = """Layar ini hanya untuk yang tahu alamatnya. Buka alamat yang ditampilkan `pantau112 up`, lengkap dengan ?token=…
This screen is for those who know its address. Open the address that `pantau112 up` shows, with its ?token=…
"""
TOKEN = re.compile(r"[A-Za-z0-9_-]{22,}")


def ensure_token(path: Path) -> str:
    """The token in this file, made by chance when there is none yet: 128 bits, short enough to type. Errors: StackError."""
    try:
        if not path.exists():
            write_secret(path, secrets.token_urlsafe(16))
        token = secret.read(path).decode("ascii", "replace").strip()
    except OSError as error:
        raise StackError(f"Cannot read {path}: {error.strerror}.") from None
    except secret.SecretError as error:
        raise StackError(str(error)) from None
    if not TOKEN.fullmatch(token):
        raise StackError(f"{path} holds no token: one word of 22 or more letters, digits, - and _. Remove it: a new one is made.")
    return token


def only_with(token: str) -> Middleware:
    """A middleware that answers whoever shows the token, in the address or in the cookie, and refuses all others."""

    def is_it(shown: str) -> bool:
        return hmac.compare_digest(shown.encode(errors="replace"), token.encode())

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        is_known = is_it(request.cookies.get(COOKIE, ""))
        shown = request.query.get(QUESTION) if request.method in {"GET", "HEAD"} else None
        if is_known and shown is None:
            return await handler(request)
        if not is_known and not is_it(shown or ""):
            return web.Response(status=HTTPStatus.UNAUTHORIZED, text=REFUSED)
        # Lax: a link in a message may lead here; what other sites' pages ask by themselves bears no cookie.
        answer = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": _without_token(request)})
        answer.set_cookie(COOKIE, token, path="/", httponly=True, samesite="Lax", secure=request.secure)
        return answer

    return guard


def _without_token(request: web.Request) -> str:
    """The same page. It begins with one slash: with two it would be another server."""
    rest = request.rel_url.without_query_params(QUESTION)
    return "/" + str(rest).lstrip("/\\")
