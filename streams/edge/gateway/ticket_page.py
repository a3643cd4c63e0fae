"""The page behind the link of a reminder, for a telephone: what the ticket is, and one button. It loads nothing from anywhere."""

import hashlib
from base64 import b64encode
from datetime import datetime
from html import escape
from string import Template

from aiohttp import web

from streams.worker.signed_ticket import SignedTicket

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

_BUTTON = """<form method="post">
<button>Sudah kami terima<small lang="en">We have it</small></button>
</form>
<p>Tombol ini memberi tahu pusat 112 bahwa instansi Anda sudah menerima tiket ini.
<small lang="en">This tells the 112 centre that your agency has the ticket.</small></p>"""


def to_answer(ticket: SignedTicket) -> web.Response:
    """The ticket and the button."""
    return _page(
        200,
        f"Tiket {ticket.ticket} menunggu tanggapan",
        f"Ticket {ticket.ticket} is waiting for an answer",
        _told(ticket) + _BUTTON,
    )


def answered(ticket: SignedTicket) -> web.Response:
    """After the button."""
    return _page(200, "Terima kasih, sudah tercatat", "Thank you, it is noted", _told(ticket))


def answered_before(ticket: SignedTicket, at: datetime, *, again: bool) -> web.Response:
    """Where there is nothing left to answer; `again` says that somebody pressed the button nevertheless."""
    moment = f"{at.astimezone(ticket.due.tzinfo):%d-%m-%Y %H:%M} {ticket.zone}".rstrip()
    said = f"<p>Diterima {escape(moment)}.<small lang='en'>Acknowledged {escape(moment)}.</small></p>"
    return _page(409 if again else 200, "Tiket ini sudah diterima", "This ticket was acknowledged already", said + _told(ticket))


def forged() -> web.Response:
    """A link that we did not make."""
    return _page(403, "Tautan ini tidak sah", "This link is not ours", _ASK)


def expired() -> web.Response:
    """A link that was good once."""
    return _page(410, "Tautan ini sudah kedaluwarsa", "This link has expired", _ASK)


def not_now() -> web.Response:
    """Kafka does not answer, or too many ask at once."""
    page = _page(
        503,
        "Belum tercatat, coba lagi sebentar",
        "Not noted yet, please try again in a moment",
        "<p>Muat ulang halaman ini.<small lang='en'>Load this page again.</small></p>",
    )
    page.headers["Retry-After"] = "5"
    return page


_ASK = "<p>Hubungi pusat 112 Anda untuk menanggapi tiket.<small lang='en'>Call your 112 centre about the ticket.</small></p>"


def _told(ticket: SignedTicket) -> str:
    rows = [
        ("Pusat", "Centre", ticket.centre),
        ("Tiket", "Ticket", ticket.ticket),
        ("Instansi", "Agency", ticket.opd),
        ("Kategori", "Category", ticket.category),
        ("Dikirim", "Sent", f"{ticket.since:%d-%m-%Y %H:%M} {ticket.zone}"),
        (f"Batas {ticket.rung} terlewat", f"Limit {ticket.rung} passed", f"{ticket.due:%d-%m-%Y %H:%M} {ticket.zone}"),
    ]
    lines = [
        f"<div><dt>{escape(name)} <span lang='en'>{escape(name_en)}</span></dt><dd>{escape(text)}</dd></div>"
        for name, name_en, text in rows
        if text
    ]
    return f"<dl>{''.join(lines)}</dl>"


def _page(status: int, title: str, title_en: str, rest: str) -> web.Response:
    text = _PAGE.substitute(title=escape(title), title_en=escape(title_en), style=_STYLE, rest=rest)
    return web.Response(text=text, status=status, content_type="text/html", charset="utf-8", headers=HEADERS)
