"""A queue_log or call records that an exchange keeps in a database, read and followed by id."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import SplitResult

import psycopg
import pymysql
import pytest

from schemas.event import Event as Told
from streams import centres
from streams.edge import database
from streams.edge.database import Database, DatabaseError, deliver
from streams.sources.answer import MappingError
from streams.sources.door import Door
from streams.sources.pseudonym import keyed
from streams.sources.table import Query, shipped
from tests.conftest import DATA, free_port, wait_until

BOGOR = centres.load([])["32.71"]
SECRET = "rahasia7"
ROWS = [line.split("\t") for line in (DATA / "telephony" / "17-realtime-table.tsv").read_text().splitlines()[1:]]


class Sink:
    """Keeps what it is given; `safe` are those that were flushed."""

    def __init__(self) -> None:
        self.taken: list[Told] = []
        self.safe = 0

    def send(self, event: Told) -> None:
        self.taken.append(event)

    def flush(self) -> None:
        self.safe = len(self.taken)


def query(sql: str = "queue_log") -> Query:
    return Query(shipped(sql), BOGOR, Door(keyed(b"a key of the test, long enough"), [BOGOR]))


def silent(line: int, why: str = "") -> None:
    """What is told of lines is looked at elsewhere."""


def once(table: Database, memory: Path | None = None) -> Sink:
    sink = Sink()
    assert [*deliver(table, query(), sink, silent, silent, memory)][-1:] == ([len(sink.taken)] if sink.taken else [])
    return sink


class Played:
    """A driver that answers as the real ones do, from rows in memory."""

    def __init__(self, rows: list[tuple[Any, ...]], columns: tuple[str, ...]) -> None:
        self.rows, self.description = rows, [(name, None) for name in columns]
        self.asked: list[str] = []
        self.fault: Exception | None = None
        self.refused = 0

    def __call__(self, _: SplitResult) -> "Played":
        if self.fault is not None:
            self.refused += 1
            raise self.fault
        return self

    def cursor(self) -> "Played":
        return self

    def close(self) -> None:
        pass

    def execute(self, sql: str, parameters: tuple[int]) -> None:
        self.asked.append(sql)
        self.page = sorted(row for row in self.rows if row[0] > parameters[0])[: database.PAGE]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.page


COLUMNS = ("id", "time", "callid", "queuename", "agent", "event", "data1", "data2", "data3", "data4", "data5")
URL = f"mysql://asterisk:{SECRET}@pbx/asterisk?table=queue_log"


def entered(n: int) -> tuple[Any, ...]:
    return (n, f"2026-01-05 15:{n // 60 % 60:02}:{n % 60:02}", f"c{n}", "112", "NONE", "ENTERQUEUE", "", "", "1", "", "")


def test_a_table_of_many_pages_is_read_to_its_last_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PAGE", 7)
    driver = Played([entered(n) for n in range(1, 30)], COLUMNS)

    assert len(once(Database(URL, driver)).taken) == 29
    assert len(driver.asked) == 5
    assert all(sql.startswith("SELECT * FROM `queue_log` WHERE `id` > %s") for sql in driver.asked)


def test_what_was_read_is_remembered_and_what_came_late_under_an_earlier_id_is_read_too(tmp_path: Path) -> None:
    driver, memory = Played([entered(1), entered(3)], COLUMNS), tmp_path / "position"
    first = once(Database(URL, driver), memory)
    driver.rows += [entered(2), entered(4)]

    second = once(Database(URL, driver), memory)

    assert memory.read_text() == "4"
    assert {event.id for event in [*first.taken, *second.taken]} == {event.id for event in once(Database(URL, driver)).taken}


def test_rows_are_followed_as_they_come_each_once_and_a_database_that_is_away_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(database, "LOOK_SECONDS", 0.01)
    driver, sink, stop = Played([entered(1)], COLUMNS), Sink(), Event()
    away: list[str] = []
    run = Thread(target=lambda: [*deliver(Database(URL, driver), query(), sink, silent, silent, on_away=away.append, stop=stop)])
    run.start()
    try:
        wait_until(lambda: sink.safe == 1, "the first row")
        driver.fault = pymysql.OperationalError(2013, f"Lost connection for asterisk {SECRET}")
        wait_until(lambda: driver.refused > 2, "some vain looks")
        driver.rows.append(entered(2))
        driver.fault = None
        looks = len(driver.asked)
        wait_until(lambda: sink.safe == 2 and len(driver.asked) > looks + 2, "the second, and some looks more")
    finally:
        stop.set()
        run.join()
    assert len(sink.taken) == 2
    assert away == ["mysql://pbx/asterisk queue_log: the connection was lost"]


def test_a_query_that_groups_is_not_followed_for_the_rest_of_a_group_may_come_later(tmp_path: Path) -> None:
    for more in ({"stop": Event()}, {"memory": tmp_path / "position"}):
        with pytest.raises(MappingError, match="GROUP BY"):
            [*deliver(Database(URL, Played([], COLUMNS)), query("sf_fire"), Sink(), silent, silent, **more)]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            pymysql.OperationalError(1045, f"Access denied for user 'asterisk' (using password {SECRET})"),
            "user or password is wrong",
        ),
        (pymysql.ProgrammingError(1146, "Table 'asterisk.queue_log' doesn't exist"), "no such table"),
        (pymysql.OperationalError(9999, SECRET), "cannot be read (OperationalError 9999)"),
        (psycopg.OperationalError(f"connection to server, user asterisk, {SECRET}"), "cannot be read (OperationalError)"),
        (psycopg.errors.UndefinedTable("queue_log"), "no such table"),
        (ConnectionRefusedError(111, SECRET), "nobody answers there (ConnectionRefusedError)"),
    ],
)
def test_a_fault_is_said_without_user_password_or_cell(fault: Exception, said: str) -> None:
    driver = Played([], COLUMNS)
    driver.fault = fault

    with pytest.raises(DatabaseError) as refused:
        once(Database(URL, driver))

    assert str(refused.value) == f"mysql://pbx/asterisk queue_log: {said}"


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://asterisk:{SECRET}@pbx/asterisk",
        f"mysql://asterisk:{SECRET}@pbx/?table=queue_log",
        f"oracle://asterisk:{SECRET}@pbx/asterisk?table=queue_log",
        f"mysql://asterisk:{SECRET}@pbx/asterisk?table=a;DROP TABLE b",
        f"mysql://asterisk:{SECRET}@pbx:port/asterisk?table=queue_log",
    ],
)
def test_a_url_that_is_none_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(DatabaseError) as refused:
        Database(url)

    assert SECRET not in str(refused.value)


def test_an_id_that_is_no_number_is_named() -> None:
    with pytest.raises(DatabaseError, match="column id is no whole number"):
        once(Database(URL, Played([(1, "2026-01-05")], ("uniqueid", "time"))))


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip(f"no {name} here")
    return found


@pytest.fixture(scope="module")
def postgresql() -> Iterator[tuple[str, Callable[[str], None]]]:
    """The URL of a real PostgreSQL, and what runs SQL there."""
    # It refuses to run as root, and whom it runs as instead may not pass through pytest's own folders.
    user: Any = {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}
    port = free_port()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        password = folder / "password"
        password.write_text(SECRET)
        if user:
            for owned in (folder, password):
                shutil.chown(owned, "nobody", "nogroup")
        access = ["-A", "scram-sha-256", f"--pwfile={password}"]
        command = [_program("initdb"), "-D", str(folder / "data"), "-U", "asterisk", *access]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, env={**os.environ, "LC_ALL": "C"}, **user)
        command = [_program("postgres"), "-D", str(folder / "data"), "-p", str(port), "-k", str(folder), "-h", "127.0.0.1"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, **user) as process:
            login = f"host=127.0.0.1 port={port} user=asterisk password={SECRET} dbname=postgres"
            try:
                _answers(lambda: psycopg.connect(login).close(), psycopg.Error)

                def run(sql: str) -> None:
                    with psycopg.connect(login, autocommit=True) as connection:
                        connection.execute(sql.encode())

                yield f"postgresql://asterisk:{SECRET}@127.0.0.1:{port}/postgres?table=queue_log", run
            finally:
                process.terminate()


@pytest.fixture(scope="module")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Callable[[str], None]]]:
    """The URL of a real MariaDB, and what runs SQL there."""
    folder, port = tmp_path_factory.mktemp("mariadb"), free_port()
    program, base = _program("mariadbd"), Path(_program("mariadbd")).parents[1]
    where = ["--no-defaults", f"--datadir={folder}/data", f"--basedir={base}"]
    command = [_program("mariadb-install-db"), *where, "--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(command, check=True, capture_output=True)
    listens = [f"--port={port}", f"--socket={folder}/socket", "--bind-address=127.0.0.1", f"--pid-file={folder}/pid"]
    command = [program, *where, *listens, *(["--user=root"] if os.geteuid() == 0 else [])]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:

        def run(sql: str, database: str | None = "asterisk") -> None:
            connection = pymysql.connect(unix_socket=f"{folder}/socket", user="root", database=database, autocommit=True)
            with connection, connection.cursor() as cursor:
                cursor.execute(sql)

        try:
            _answers(lambda: run("CREATE DATABASE IF NOT EXISTS asterisk", None), pymysql.Error)
            run(f"GRANT SELECT ON asterisk.* TO 'asterisk'@'127.0.0.1' IDENTIFIED BY '{SECRET}'", None)
            yield f"mysql://asterisk:{SECRET}@127.0.0.1:{port}/asterisk?table=queue_log", run
        finally:
            process.terminate()


def _answers(ask: Callable[[], None], fault: type[Exception]) -> None:
    def answered() -> bool:
        try:
            ask()
        except fault:
            time.sleep(0.1)
            return False
        return True

    wait_until(answered, "the database to answer")


@pytest.mark.stack
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_real_database_s_queue_log_says_what_its_export_says(kind: str, request: pytest.FixtureRequest) -> None:
    url, run = request.getfixturevalue(kind)
    moment = "timestamp" if kind == "postgresql" else "datetime(6)"
    texts = ", ".join(f"{name} varchar(80)" for name in COLUMNS[2:])
    run("DROP TABLE IF EXISTS queue_log")
    run(f"CREATE TABLE queue_log (id bigint PRIMARY KEY, time {moment}, {texts})")
    for row in ROWS:
        run(f"INSERT INTO queue_log VALUES ({', '.join(repr(cell) for cell in (*row, *[''] * (len(COLUMNS) - len(row))))})")

    told = once(Database(url))

    rows = [dict(zip(COLUMNS, row, strict=False)) for row in ROWS]
    assert {event.id for event in told.taken} == {event.id for event in query().events(rows).events}
    assert len(told.taken) == 7
    for wrong, said in ((url.replace(SECRET, "falsch"), "wrong|cannot be read"), (f"{url}s", "no such table")):
        with pytest.raises(DatabaseError, match=said) as refused:
            once(Database(wrong))
        assert "falsch" not in str(refused.value)
