"""What others wrote, as it may stand on a terminal or in a line of a log."""


def printable(text: str) -> str:
    """The text on one line; what would steer a terminal, hide, or turn the direction of writing is spelt out."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
