"""Whatever form a table of rows was saved in, it is the same table."""

import bz2
import gzip
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from streams.sources import rows
from streams.sources.opened import UnreadableError
from streams.sources.rows import Grid, Records

PLAIN = "id,at,note\n1,2026-01-05 08:00,café\n2,2026-01-05 09:00,\n"
SAME = (["id", "at", "note"], [(2, ["1", "2026-01-05 08:00", "café"]), (3, ["2", "2026-01-05 09:00", ""])])


def grid(path: Path, sheet: str | None = None, header: int | None = None) -> tuple[list[str], list[tuple[int, list[str | None]]]]:
    def bad(line: int, why: str) -> None:
        pytest.fail(f"{line}: {why}")

    with rows.opened(path, bad, sheet, header) as found:
        assert isinstance(found, Grid)
        return [*found.columns], [(line, [*cells]) for line, cells in found.rows]


@pytest.mark.parametrize(
    "write",
    [
        lambda text: text.encode(),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.encode("cp1252"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: gzip.compress(text.encode()),
        lambda text: bz2.compress(text.encode()),
        lambda text: lzma.compress(text.encode()),
        lambda text: text.replace(",", ";").encode(),
        lambda text: text.replace(",", "\t").encode(),
        lambda text: text.replace(",", "|").encode(),
        lambda text: text.rstrip("\n").encode(),
    ],
)
def test_a_table_is_the_same_in_any_encoding_packing_and_dialect(tmp_path: Path, write: Callable[[str], bytes]) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(write(PLAIN))

    assert grid(path) == SAME


@pytest.mark.parametrize(
    ("text", "columns", "cells"),
    [
        ('sep=;\nid;n\n1;"70,5"\n', ["id", "n"], [(3, ["1", "70,5"])]),
        ("id;n\n1;70,5\n2;80,5\n", ["id", "n"], [(2, ["1", "70,5"]), (3, ["2", "80,5"])]),
        ('id,n\n1,"two\nlines"\n2,x\n', ["id", "n"], [(2, ["1", "two\nlines"]), (4, ["2", "x"])]),
        ("id\n1\n\n2\n", ["id"], [(2, ["1"]), (4, ["2"])]),
        ("id,n,,\n1,x,,\n", ["id", "n", "column2", "column3"], [(2, ["1", "x", "", ""])]),
        ("id,n\n1,x,,\n", ["id", "n"], [(2, ["1", "x"])]),
        ("LAPORAN,,\n\nid,n,m\n1,x,y\n", ["id", "n", "m"], [(4, ["1", "x", "y"])]),
        ("LAPORAN\n\nid,n,m\n1,x,y\n2,x,y\n", ["id", "n", "m"], [(4, ["1", "x", "y"]), (5, ["2", "x", "y"])]),
        ("a,2026-01-05,x\nb,2026-01-06,y\n", ["column0", "column1", "column2"], None),
        ("a,0800000001\nb,0800000002\n", ["column0", "column1"], None),
        ('1\t"a ""b"""\n', ["1", 'a "b"'], []),
    ],
)
def test_header_rows_and_their_lines_are_found(
    tmp_path: Path, text: str, columns: list[str], cells: list[tuple[int, list[str]]] | None
) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)

    found, told = grid(path)

    assert found == columns
    assert cells is None or told == cells


def test_where_the_header_stands_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("x,y\nid,n\n1,2\n")

    assert grid(path, header=2) == (["id", "n"], [(3, ["1", "2"])])
    assert grid(path, header=0)[0] == ["column0", "column1"]
    with pytest.raises(UnreadableError, match="line 9 is no row"):
        grid(path, header=9)


def test_a_row_of_another_width_is_told_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("id,n\n1,2\n3\n4,5,6\n7,8\n")
    bad: list[tuple[int, str]] = []

    with rows.opened(path, lambda line, why: bad.append((line, why))) as found:
        assert isinstance(found, Grid)
        assert [line for line, _ in found.rows] == [2, 5]
    assert bad == [(3, "1 columns where the header has 2"), (4, "3 columns where the header has 2")]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('{"id": 1, "who": {"name": "x"}}\n{"id": 2}\n', [1, 2]),
        ('[{"id": 1, "who": {"name": "x"}},\n {"id": 2}]', [1, 2]),
        (json.dumps([{"id": 1, "who": {"name": "x"}}, {"id": 2}], indent=2), [2, 8]),
        ('{\n "id": 1,\n "who":\n {"name": "x"}}\n\n{"id": 2}', [1, 6]),
    ],
)
def test_objects_are_rows_whether_in_lines_or_in_an_array(tmp_path: Path, text: str, lines: list[int]) -> None:
    path = tmp_path / "table.json"
    path.write_text(text)

    with rows.opened(path, lambda line, why: pytest.fail(f"{line}: {why}")) as found:
        assert isinstance(found, Records)
        assert [*found.rows] == [(lines[0], {"id": 1, "who": {"name": "x"}}), (lines[1], {"id": 2})]


def test_a_broken_object_is_told_by_its_line_and_the_others_go_on(tmp_path: Path) -> None:
    path = tmp_path / "table.jsonl"
    path.write_text('{"id": 1}\n{"id": Budi}\n7\n{"id": 2}\n')
    bad: list[tuple[int, str]] = []

    with rows.opened(path, lambda line, why: bad.append((line, why))) as found:
        assert isinstance(found, Records)
        assert [line for line, _ in found.rows] == [1, 4]
    assert bad == [(2, "no JSON object"), (3, "no JSON object")]


def test_parquet_is_a_table_too(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    duckdb.execute(f"COPY (SELECT 1 AS id, TIMESTAMP '2026-01-05 08:00' AS time) TO '{path}'")

    with rows.opened(path, lambda *_: None) as found:
        assert found == rows.Parquet(path)


def sheet(path: Path, named: str = "Januari") -> None:
    """A workbook as Excel writes one, with its dates as days since 1900."""
    cells = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>LAPORAN</t></is></c></row>'
        '<row r="3"><c r="A3" t="inlineStr"><is><t>id</t></is></c><c r="B3" t="inlineStr"><is><t>at</t></is></c>'
        '<c r="C3" t="inlineStr"><is><t>fraction</t></is></c></row>'
        '<row r="4"><c r="A4"><v>7</v></c><c r="B4" s="1"><v>46027.3333333333</v></c><c r="C4"><v>0.38400462962963</v></c></row>'
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packed = "http://schemas.openxmlformats.org/package/2006"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{packed}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'  # noqa: E501
        "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{packed}/relationships"><Relationship Id="r1" Type="{kind}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{kind}"><sheets><sheet name="{named}" sheetId="1" r:id="r1"/>'
        '<sheet name="Lain" sheetId="2" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{packed}/relationships"><Relationship Id="r1" '
        f'Type="{kind}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{kind}/styles" '
        'Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}">'
        '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w") as file:
        for name, text in parts.items():
            file.writestr(name, text)


def test_a_workbook_s_dates_are_iso_text_and_its_fractions_stay(tmp_path: Path) -> None:
    path = tmp_path / "table.xlsx"
    sheet(path)

    assert grid(path) == (["id", "at", "fraction"], [(4, ["7", "2026-01-05 08:00:00", "0.38400462962963"])])
    assert grid(path, sheet="Lain")[0] == ["id", "at", "fraction"]
    with pytest.raises(UnreadableError, match="has no sheet Februari; it has Januari, Lain"):
        grid(path, sheet="Februari")


def test_what_is_no_table_is_refused_in_words(tmp_path: Path) -> None:
    for name, text, said in (
        ("a.zip", b"PK\x03\x04rubbish", "no workbook that can be read"),
        ("b.csv", b"", "is empty: it has not even a header"),
        ("c.csv", b"\0\1\2\3\n", "is no text"),
    ):
        path = tmp_path / name
        path.write_bytes(text)
        with pytest.raises(UnreadableError, match=said):
            grid(path)
