"""`pantau112` with another chunk size: `python -m tests.chunked 7 worker ...`."""

import sys

from streams import cli
from streams.worker import transport

if __name__ == "__main__":
    transport.CHUNK_RECORDS = int(sys.argv.pop(1))
    cli.main()
