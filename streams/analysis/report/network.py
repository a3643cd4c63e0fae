"""The network: when links were down and what it took meanwhile, link by link, and who was never heard of."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Annotated, Any

from streams.analysis.lost_calls import LostCalls
from streams.analysis.notice import notice
from streams.analysis.report.scope import ALL, WHOLE, Scope
from streams.analysis.report.subject import Ratio, Real, Row, Seconds, Subject
from streams.analysis.report.words import Words
from streams.analysis.rows.row import Moment
from streams.core.network import State

_KIND = Words(
    "down: sambungan terputus; unregistered: registrasi SIP hilang.",
    "down: it was down; unregistered: its SIP registration was lost.",
)


@dataclass(slots=True, kw_only=True)
class Outage(Row):
    """A time in which a link was down or not registered, whenever it began, if it went on in the report's time."""

    link: Annotated[str, Words("Sambungan", "Link"), Words("Kodenya; * untuk semua sambungan.", "Its code; * for all links.")]
    kind: Annotated[str, Words("Jenis", "Kind"), _KIND]
    carrier: Annotated[str | None, Words("Operator", "Carrier"), Words("Menurut berkas pusat layanan.", "By the centre's file.")]
    began: Annotated[
        Moment,
        Words("Mulai", "Began"),
        Words("Pertama diberitakan, UTC; dari semua: yang pertama.", "When it was first told, UTC; of all: the first."),
    ]
    ended: Annotated[
        Moment | None, Words("Selesai", "Ended"), Words("UTC; kosong bila tidak diberitakan.", "UTC; empty where nobody told.")
    ]
    seconds: Annotated[
        Seconds,
        Words("Lama", "Lasted"),
        Words(
            "Seluruhnya; yang masih berlangsung, sampai data berakhir.", "In all; of one that goes on, until the events ended."
        ),
    ]
    seconds_within: Annotated[
        Seconds,
        Words("Dalam periode", "In the time"),
        Words("Bagiannya dalam periode laporan.", "What of it is in the report's time."),
    ]
    network_dropped: Annotated[
        int,
        Words("Putus sebelum dijawab", "Dropped unanswered"),
        Words(
            "Panggilan yang sementara itu diambil jaringan; yang datang lewat sambungan itu, atau tidak diketahui lewat mana.",
            "Calls that the network took meanwhile; of those that came in on it, or nobody knows on which.",
        ),
    ]
    cut_off: Annotated[
        int,
        Words("Percakapan terputus", "Cut off"),
        Words(
            "Percakapan yang sementara itu diakhiri jaringan, sama.",
            "Conversations that the network ended meanwhile, of the same.",
        ),
    ]

    share: Annotated[
        Ratio | None,
        Words("Bagian yang tidak terdengar", "Share not heard"),
        Words(
            "Bagian panggilan empat minggu sebelumnya yang lewat sambungan itu; kosong bila terlalu sedikit.",
            "Of the calls of the four weeks before, those that came in on that link; empty of too few.",
        ),
    ]
    calls_came: Annotated[
        int, Words("Masuk selama itu", "Came meanwhile"), Words("Panggilan lewat sambungan itu.", "Calls on that link.")
    ]
    calls_expected: Annotated[
        Real | None,
        Words("Biasanya", "Usual"),
        Words(
            "Yang biasanya masuk, dari minggu-minggu di sekitarnya; kosong bila tidak diketahui.",
            "What usually comes, by the weeks around; empty where not known.",
        ),
    ]
    calls_lost: Annotated[
        Real | None,
        Words("Perkiraan hilang", "Likely lost"),
        Words("Biasanya dikurangi yang masuk.", "Usual less came (streams/core/README.md, Calls lost)."),
    ]
    calls_lost_lower: Annotated[int | None, Words("batas bawah", "lower"), Words("Selang 95 %.", "95 % interval.")]
    calls_lost_upper: Annotated[int | None, Words("batas atas", "upper"), Words("Selang 95 %.", "95 % interval.")]


@dataclass(slots=True, kw_only=True)
class Notice(Row):
    """The notice of an outage, as it can be sent on."""

    link: Annotated[str, Words("Sambungan", "Link"), Words("Kodenya.", "Its code.")]
    began: Annotated[Moment, Words("Mulai", "Began"), Words("UTC.", "UTC.")]
    notice_id: Annotated[str, Words("Pemberitahuan", "Notice in Indonesian"), Words("Bahasa Indonesia.", "In Indonesian.")]
    notice_en: Annotated[str, Words("dalam bahasa Inggris", "Notice"), Words("Bahasa Inggris.", "In English.")]


@dataclass(slots=True, kw_only=True)
class Link(Row):
    """How long a link carried, of the time in which that is known."""

    link: Annotated[str, Words("Sambungan", "Link"), Words("Kodenya; * untuk semua sambungan.", "Its code; * for all links.")]
    kind: Annotated[str, Words("Jenis", "Kind"), _KIND]
    carrier: Annotated[str | None, Words("Operator", "Carrier"), Words("Menurut berkas pusat layanan.", "By the centre's file.")]
    outages: Annotated[int, Words("Gangguan", "Outages"), Words("Yang berlangsung dalam periode.", "That went on in the time.")]
    seconds_down: Annotated[Seconds, Words("Lama gangguan", "Seconds down"), Words("Dalam periode.", "In the time.")]
    known_seconds: Annotated[
        Seconds,
        Words("Lama diketahui", "Known for"),
        Words(
            "Bagian periode sejak sambungan itu pertama diberitakan, sampai data berakhir; 0: tidak pernah diberitakan.",
            "Of the time, since anything was first told of the link, until the events ended; 0: nothing ever was.",
        ),
    ]
    availability: Annotated[
        Ratio | None,
        Words("Ketersediaan", "Availability"),
        Words(
            "1 − lama gangguan / lama diketahui; kosong bila tidak diketahui.",
            "1 − seconds down / known for; empty where not known.",
        ),
    ]


def _outages(scope: Scope) -> str:
    """Every outage with the spans that it went on in, and what of it was in each, in microseconds."""
    # Of a link that made way for another one the end was never told: no more is known than that it was over by the next.
    ends = "coalesce(epoch_us(ended), lead(epoch_us(began)) OVER (PARTITION BY city, link, kind ORDER BY began), now)"
    return (
        f"(FROM (FROM (FROM outages SELECT *, {round(scope.moment * 1e6)} AS now) SELECT *, {ends} AS ends) AS row "
        "JOIN spans AS time ON row.city = time.city AND row.began < time.until AND row.ends >= epoch_us(time.began) "
        "SELECT row.*, time.span, time.period, "
        "greatest(0, least(row.ends, epoch_us(time.until)) - greatest(epoch_us(row.began), epoch_us(time.began))) AS inside)"
    )


def outages(scope: Scope) -> Iterator[Outage]:
    """Each that went on in the whole time, as they began; and of several centres together what those of each kind sum to."""
    each = (
        "row.city AS city, row.link AS link, kind, carrier, epoch_us(began) / 1e6 AS began, epoch_us(ended) / 1e6 AS ended, "
        "(ends - epoch_us(row.began)) / 1e6 AS seconds, inside / 1e6 AS seconds_within"
    )
    found = defaultdict[str, list[Outage]](list)
    for told in _taken(scope, each, "city, began, link, kind"):
        cost = scope.costs()[told["city"], told["link"], told["kind"], told["began"]]
        known = cost.lost if isinstance(cost.lost, LostCalls) else None
        row = Outage(
            **told,
            share=cost.share,
            calls_came=cost.lost.came,
            calls_expected=known and known.expected,
            calls_lost=known and known.lost,
            calls_lost_lower=known and known.lower,
            calls_lost_upper=known and known.upper,
        )
        found[row.kind].append(row)
        yield row
    if len(scope.periods) > 1:
        # A call of which no link was told counts once, however many links were down.
        for told in _taken(scope, f"'{ALL}' AS city, '{ALL}' AS link, kind", "kind"):
            yield _together(told, found[told["kind"]])


def _together(told: Mapping[str, Any], of_kind: Sequence[Outage]) -> Outage:
    """The outages of a kind as one; what they lost is known where it is of each of them."""
    expected, lost = ([getattr(row, name) for row in of_kind] for name in ("calls_expected", "calls_lost"))
    return Outage(
        **told,
        carrier=None,
        began=min(row.began for row in of_kind),
        ended=None,
        seconds=sum(row.seconds for row in of_kind),
        seconds_within=sum(row.seconds_within for row in of_kind),
        share=None,
        calls_came=sum(row.calls_came for row in of_kind),
        calls_expected=None if None in expected else sum(expected),
        calls_lost=None if None in lost else sum(lost),
        calls_lost_lower=None,
        calls_lost_upper=None,
    )


def _taken(scope: Scope, each: str, order: str) -> Iterator[dict[str, Any]]:
    """These columns of the outages that went on in the whole time, with how many calls the network took meanwhile."""
    taken = (
        "(FROM journeys SELECT city, link, journey, true AS dropped, "
        "coalesce(epoch_us(arrived) + wait_seconds * 1e6, epoch_us(ended), epoch_us(arrived)) AS moment "
        "WHERE outcome = 'network_dropped' AND NOT is_test UNION ALL "
        "FROM journeys SELECT city, link, journey, false, epoch_us(coalesce(ended, arrived)) WHERE cut_off AND NOT is_test)"
    )
    yield from scope.ask(
        f"FROM {_outages(scope)} AS row LEFT JOIN {taken} AS call ON row.city = call.city "
        "AND call.moment BETWEEN epoch_us(row.began) AND row.ends "
        "AND coalesce(call.link = row.link, row.link_kind IS DISTINCT FROM 'uplink') "
        f"SELECT span, period, {each}, count(DISTINCT (call.city, call.journey)) FILTER (dropped) AS network_dropped, "
        "count(DISTINCT (call.city, call.journey)) FILTER (NOT dropped) AS cut_off "
        f"WHERE span = '{WHOLE}' GROUP BY ALL ORDER BY {order}"
    )


def notices(scope: Scope) -> Iterator[Notice]:
    """The notice of each outage that went on in the whole time."""
    for told in scope.ask(
        f"FROM {_outages(scope)} SELECT city, span, period, link, kind, epoch_us(began) / 1e6 AS began "
        f"WHERE span = '{WHOLE}' ORDER BY city, began, link, kind"
    ):
        cost = scope.costs()[told["city"], told["link"], told.pop("kind"), told["began"]]
        texts = notice(cost, scope.centres[told["city"]], scope.moment)
        yield Notice(**told, notice_id=texts[0], notice_en=texts[1])


def links(scope: Scope) -> Iterator[Link]:
    """Each link of the centre's file and each other that was heard of, in each span; and of several centres all together."""
    found = defaultdict[tuple[str, str, str], list[Link]](list)
    for row in _links(scope):
        found[row.span, row.period, row.kind].append(row)
        yield row
    if len(scope.periods) > 1:
        for _, rows in sorted(found.items()):
            down, known = (sum(getattr(row, name) for row in rows) for name in ("seconds_down", "known_seconds"))
            yield replace(
                rows[0],
                city=ALL,
                link=ALL,
                carrier=None,
                outages=sum(row.outages for row in rows),
                seconds_down=down,
                known_seconds=known,
                availability=1 - down / known if known else None,
            )


def _links(scope: Scope) -> Iterator[Link]:
    down = {
        (told["city"], told["span"], told["period"], told["link"], told["kind"]): (told["outages"], told["seconds"])
        for told in scope.ask(
            f"FROM {_outages(scope)} SELECT city, span, period, link, kind, count(*) AS outages, sum(inside) / 1e6 AS seconds "
            "GROUP BY ALL"
        )
    }
    states = scope.states("network", State)
    for span in scope.spans():
        centre, heard = scope.centres[span.city], scope.hindsight.heard[span.city].links
        known, carriers = states[span.city].links, {each.code: each.carrier for each in centre.links}
        for link in sorted({*carriers, *known}):
            kinds = [] if link not in known or known[link].up is None else ["down"]
            kinds += [] if link not in known or known[link].registered is None else ["unregistered"]
            for kind in kinds or ["down"]:
                since, until = scope.known(span, heard.get(link) if kinds else None)
                if since == until and span.span != WHOLE:
                    continue
                n, seconds = down.get((span.city, span.span, span.period, link, kind), (0, 0.0))
                yield Link(
                    city=span.city,
                    span=span.span,
                    period=span.period,
                    link=link,
                    kind=kind,
                    carrier=carriers.get(link),
                    outages=n,
                    seconds_down=seconds,
                    known_seconds=until - since,
                    availability=1 - seconds / (until - since) if until > since else None,
                )


OUTAGES = Subject(
    "outages",
    Words("Gangguan jaringan", "Outages"),
    Words(
        "Setiap gangguan yang berlangsung dalam periode; dari saat diberitakan sampai saat diberitakan pulih.",
        "Every outage that went on in the time, from when it was told until its end was.",
    ),
    Outage,
    outages,
    on_page=40,
    foremost=attrgetter("seconds"),
)
NOTICES = Subject(
    "notices",
    Words("Pemberitahuan gangguan", "Notices of outages"),
    Words(
        "Untuk diteruskan: isi penyebab dan kontak; sebagian dari yang tidak terdengar mungkin menelepon lagi.",
        "To be sent on: fill in the cause and a contact; some of those not heard may have called again.",
    ),
    Notice,
    notices,
    on_page=10,
    foremost=attrgetter("began"),
)
LINKS = Subject(
    "links",
    Words("Sambungan", "Links"),
    Words(
        "Sambungan yang tidak pernah diberitakan tidak dianggap baik: ketersediaannya tidak diketahui.",
        "A link of which nothing was ever told is not taken to be well: its availability is not known.",
    ),
    Link,
    links,
)
