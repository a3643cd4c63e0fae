"""A page of ours for a telephone: two languages, no scripts, and nothing that is loaded from anywhere."""

import hashlib
from base64 import b64encode
from collections.abc import Iterable
from html import escape
from string import Template

from aiohttp import web

_STYLE = """
:root{color-scheme:light dark}
body{font:18px/1.5 system-ui,sans-serif;margin:0 auto;padding:24px 20px;max-width:30rem}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .25rem}
small,[lang=en]{display:block;font-size:.8rem;opacity:.75}
dl{margin:1.5rem 0;border-top:1px solid #8886}
dl div{display:flex;align-items:center;gap:.75rem;padding:.4rem 0;border-bottom:1px solid #8886}
dt{flex:0 0 38%;font-size:.85rem;line-height:1.3}
dd{margin:0;font-weight:600;overflow-wrap:anywhere}
button{width:100%;padding:1.1rem;font:inherit;font-size:1.25rem;font-weight:700;border:0;border-radius:.75rem;background:#0b6b3a;color:#fff}
p{margin:1rem 0 0}
form.alarm{margin:.75rem 0 0;display:flex;flex-wrap:wrap;gap:.5rem}
form.alarm label,form.alarm input[name=by]{border:1px solid #8888;border-radius:.5rem}
form.alarm label{flex:1 0 0;white-space:nowrap;text-align:center;padding:.5rem 0;font-size:.9rem}
form.alarm label:has(:checked){border-color:#0b6b3a;box-shadow:0 0 0 2px #0b6b3a}
form.alarm input[type=radio]{margin:0 .2rem 0 0}
form.alarm input[name=by]{flex:1 0 100%;box-sizing:border-box;min-width:0;padding:.6rem .75rem;font:inherit}
form.alarm button{padding:.6rem;line-height:1.2}
.wrong{color:#b00020;font-weight:700}
"""
_DIGEST = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_DIGEST}'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}

_PAGE = Template(
    """<!doctype html>
<html lang="id">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>$style</style>
<main>
<h1>$title</h1>
<small lang="en">$title_en</small>
$rest
</main>
</html>
"""
)


def page(status: int, title: str, title_en: str, rest: str) -> web.Response:
    """A page; `rest` is HTML."""
    text = _PAGE.substitute(title=escape(title), title_en=escape(title_en), style=_STYLE, rest=rest)
    return web.Response(text=text, status=status, content_type="text/html", charset="utf-8", headers=HEADERS)


def both(text: str, text_en: str) -> str:
    """A paragraph in both languages, as HTML."""
    return f"<p>{escape(text)}<small lang='en'>{escape(text_en)}</small></p>"


def rows(told: Iterable[tuple[str, str, str]]) -> str:
    """Rows of a name in both languages and a text, as HTML; without those that have no text."""
    lines = [
        f"<div><dt>{escape(name)} <span lang='en'>{escape(name_en)}</span></dt><dd>{escape(text)}</dd></div>"
        for name, name_en, text in told
        if text
    ]
    return f"<dl>{''.join(lines)}</dl>"


def not_now() -> web.Response:
    """What would have to be asked or told does not answer, or too many ask at once."""
    answer = page(
        503,
        "Belum tercatat, coba lagi sebentar",
        "Not noted yet, please try again in a moment",
        both("Muat ulang halaman ini.", "Load this page again."),
    )
    answer.headers["Retry-After"] = "5"
    return answer
