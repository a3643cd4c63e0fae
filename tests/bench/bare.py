"""The bare limits: what the same Kafka, Python and pydantic do when nothing is done with the events."""

import asyncio
import gc
import json
import sys
import time

from aiohttp import web
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic_core import from_json, to_json

from schemas.event import Event
from schemas.topics import PARTITIONS, decode


async def count(bootstrap: str, events: int, topics: list[str]) -> None:
    """Read, decode and count events of all partitions; the clock starts at the first."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, isolation_level="read_committed")
    await consumer.start()
    places = [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    counted, at_first = 0, None
    while counted < events:
        fetched = await consumer.getmany(timeout_ms=1000, max_records=4000)
        if at_first is None and fetched:
            at_first = time.monotonic(), time.process_time()
        for records in fetched.values():
            for record in records:
                counted += isinstance(decode(record.value), Event)
    assert at_first is not None
    said = {"events": counted, "wall": time.monotonic() - at_first[0], "cpu": time.process_time() - at_first[1]}
    await consumer.stop()
    print(json.dumps(said))


async def follow(bootstrap: str, topic: str) -> None:
    """Say of every event that comes when it was decoded, in monotonic seconds."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    consumer.assign(places)
    await consumer.seek_to_end(*places)
    print("ready", flush=True)
    async for record in consumer:
        decode(record.value)
        print(time.monotonic(), flush=True)


async def restore(bootstrap: str, changelog: str) -> None:
    """Read a changelog to its end and decode the newest state of every key."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    places = [TopicPartition(changelog, number) for number in range(PARTITIONS)]
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    newest: dict[bytes, bytes] = {}
    ends, records = await consumer.end_offsets(places), 0
    while any([await consumer.position(place) < ends[place] for place in places]):
        for fetched in (await consumer.getmany(timeout_ms=1000)).values():
            records += len(fetched)
            newest.update((record.key, record.value) for record in fetched)
    sizes = [len(blob) for key, blob in newest.items() if not key.startswith(b"\0") and json.loads(blob)]
    await consumer.stop()
    print(json.dumps({"states": len(sizes), "bytes": sum(sizes), "records": records}))


async def take(port: int) -> None:
    """Take batches of events over HTTP, decode and count them, and keep none."""

    async def events(request: web.Request) -> web.Response:
        good = sum(isinstance(decode(to_json(said)), Event) for said in from_json(await request.read()))
        return web.json_response({"accepted": good}, status=202)

    app = web.Application(client_max_size=2**20)
    app.add_routes([web.post("/v1/events", events)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    gc.set_threshold(100_000, 20, 50)
    what, where, *rest = sys.argv[1:]
    match what:
        case "count":
            asyncio.run(count(where, int(rest[0]), rest[1:]))
        case "follow":
            asyncio.run(follow(where, rest[0]))
        case "take":
            asyncio.run(take(int(where)))
        case "restore":
            asyncio.run(restore(where, rest[0]))
