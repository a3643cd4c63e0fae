"""The page behind the link of a page, for a telephone: what the alarm is, what to do, and one button, "I have it"."""

from datetime import datetime
from zoneinfo import ZoneInfo

from aiohttp import web

from streams.core.centre import Centre
from streams.edge.gateway.alarms import Alarm
from streams.edge.gateway.signed_alarm import SignedAlarm
from streams.edge.gateway.telephone import both, page, rows

MINUTES = {"30": "30 mnt", "60": "1 jam", "120": "2 jam", "240": "4 jam"}
"""For how long somebody can have an alarm: longer than it takes to get there, shorter than a shift."""

_JAKARTA = ZoneInfo("Asia/Jakarta")

_FORM = """<form method="post" class="alarm">
{lasting}
<input name="by" required minlength="2" maxlength="8" pattern="(?=.*[0-9])[A-Za-z0-9]{{2,8}}" autocomplete="off"
 autocapitalize="characters" placeholder="Kode Anda / your code: NOC1" aria-label="Kode Anda / your code">
<button>Saya tangani<small lang="en">I have it</small></button>
</form>
"""
_HINT = both(
    "Kode: 2–8 huruf dan angka, sedikitnya satu angka, misalnya nomor meja. Jangan nama orang: kode tampil di papan. "
    "Selama waktu itu tidak ada panggilan lagi untuk alarm ini; bila belum selesai, panggilan dikirim lagi.",
    "Code: 2–8 letters and digits, at least one digit, such as a desk's. No person's name: boards show it. "
    "For that long nobody is paged for this alarm (mnt: minutes, jam: hours); if it is not over then, it is sent again.",
)
_WRONG = (
    '<p class="wrong">Kode harus 2–8 huruf dan angka, sedikitnya satu angka.'
    '<small lang="en">The code must be 2–8 letters and digits, at least one digit.</small></p>'
)
_ASK = both("Lihat papan, atau hubungi pusat 112.", "Look at the boards, or call the 112 centre.")


def to_answer(alarm: Alarm, centre: Centre | None, *, wrong: bool = False) -> web.Response:
    """The alarm and the button; `wrong` says that it was pressed without a code or a time that we take."""
    lasting = "".join(
        f'<label><input type="radio" name="minutes" value="{minutes}"{" checked" * (minutes == "30")}>{words}</label>'
        for minutes, words in MINUTES.items()
    )
    form = (_WRONG if wrong else "") + _FORM.format(lasting=lasting)
    return page(422 if wrong else 200, *_title(alarm), _todo(alarm, centre) + form + _HINT + _told(alarm, centre))


def noted(alarm: Alarm, centre: Centre | None, by: str, until: datetime) -> web.Response:
    """After the button."""
    moment = _words(until, centre)
    said = both(f"{by} menangani sampai {moment}.", f"{by} has it until {moment}.")
    return page(200, "Tercatat, terima kasih", "Noted, thank you", said + _todo(alarm, centre) + _told(alarm, centre))


def taken(alarm: Alarm, centre: Centre | None, *, again: bool) -> web.Response:
    """Somebody has it already; `again` says that the button was pressed nevertheless."""
    moment = _words(alarm.until, centre) if alarm.until else "?"
    said = both(f"{alarm.by} menangani sampai {moment}.", f"{alarm.by} has it until {moment}.")
    title = "Alarm ini sudah ditangani", "Somebody has this alarm already"
    return page(409 if again else 200, *title, said + _told(alarm, centre))


def over(signed: SignedAlarm, centre: Centre | None, *, again: bool) -> web.Response:
    """The alarm has ended; `again` says that the button was pressed nevertheless."""
    told = rows([("Pusat", "Centre", centre.name if centre else signed.city), ("Alarm", "Alarm", signed.name)])
    return page(409 if again else 200, "Alarm ini sudah selesai", "This alarm is over", told)


def forged() -> web.Response:
    """A link that we did not make."""
    return page(403, "Tautan ini tidak sah", "This link is not ours", _ASK)


def expired() -> web.Response:
    """A link that was good once."""
    return page(410, "Tautan ini sudah kedaluwarsa", "This link has expired", _ASK)


def _title(alarm: Alarm) -> tuple[str, str]:
    name = alarm.labels.get("alertname", "")
    return alarm.annotations.get("summary_id", name), alarm.annotations.get("summary", name)


def _todo(alarm: Alarm, centre: Centre | None) -> str:
    since = _words(alarm.since, centre)
    return both(
        f"Sejak {since}. {alarm.annotations.get('todo_id', '')}".rstrip(),
        f"Since {since}. {alarm.annotations.get('todo', '')}".rstrip(),
    )


def _told(alarm: Alarm, centre: Centre | None) -> str:
    said = both(alarm.annotations.get("description_id", ""), alarm.annotations.get("description", ""))
    labels = [
        ("Pusat", "Centre", alarm.labels.get("name") or (centre.name if centre else alarm.labels.get("city", ""))),
        ("Tentang", "About", alarm.about),
        ("Alarm", "Alarm", alarm.labels.get("alertname", "")),
    ]
    follows = both("Mengikuti alarm lain yang sudah dikirim.", "Follows from another alarm, which was sent.")
    return said + (follows if alarm.state == "inhibited" else "") + rows(labels)


def _words(moment: datetime, centre: Centre | None) -> str:
    """In the centre's zone; in Jakarta's where an alarm is of no centre."""
    here = moment.astimezone(centre.timezone if centre else _JAKARTA)
    return f"{here:%d-%m-%Y %H:%M} {here.tzname()}"
