"""The page behind the link of a reminder, for a telephone: what the ticket is, and one button."""

from datetime import datetime

from aiohttp import web

from streams.edge.gateway.telephone import both, page, rows
from streams.worker.signed_ticket import SignedTicket

_BUTTON = """<form method="post">
<button>Sudah kami terima<small lang="en">We have it</small></button>
</form>
<p>Tombol ini memberi tahu pusat 112 bahwa instansi Anda sudah menerima tiket ini.
<small lang="en">This tells the 112 centre that your agency has the ticket.</small></p>"""


def to_answer(ticket: SignedTicket) -> web.Response:
    """The ticket and the button."""
    return page(
        200,
        f"Tiket {ticket.ticket} menunggu tanggapan",
        f"Ticket {ticket.ticket} is waiting for an answer",
        _told(ticket) + _BUTTON,
    )


def answered(ticket: SignedTicket) -> web.Response:
    """After the button."""
    return page(200, "Terima kasih, sudah tercatat", "Thank you, it is noted", _told(ticket))


def answered_before(ticket: SignedTicket, at: datetime, *, again: bool) -> web.Response:
    """Where there is nothing left to answer; `again` says that somebody pressed the button nevertheless."""
    moment = f"{at.astimezone(ticket.due.tzinfo):%d-%m-%Y %H:%M} {ticket.zone}".rstrip()
    said = both(f"Diterima {moment}.", f"Acknowledged {moment}.")
    return page(409 if again else 200, "Tiket ini sudah diterima", "This ticket was acknowledged already", said + _told(ticket))


def forged() -> web.Response:
    """A link that we did not make."""
    return page(403, "Tautan ini tidak sah", "This link is not ours", _ASK)


def expired() -> web.Response:
    """A link that was good once."""
    return page(410, "Tautan ini sudah kedaluwarsa", "This link has expired", _ASK)


_ASK = both("Hubungi pusat 112 Anda untuk menanggapi tiket.", "Call your 112 centre about the ticket.")


def _told(ticket: SignedTicket) -> str:
    return rows(
        [
            ("Pusat", "Centre", ticket.centre),
            ("Tiket", "Ticket", ticket.ticket),
            ("Instansi", "Agency", ticket.opd),
            ("Kategori", "Category", ticket.category),
            ("Dikirim", "Sent", f"{ticket.since:%d-%m-%Y %H:%M} {ticket.zone}"),
            (f"Batas {ticket.rung} terlewat", f"Limit {ticket.rung} passed", f"{ticket.due:%d-%m-%Y %H:%M} {ticket.zone}"),
        ]
    )
