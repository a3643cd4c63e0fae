"""`python -m streams.cli` is `pantau112`."""

from streams.cli import main

main()
