"""CloudEvents over HTTP (binding 1.0.2): which single events a request's headers and body hold, each as its JSON object.

Three forms: structured (the body is the event), batched (an array of them), and binary (attributes are `ce-` headers, the body is
`data`). What `application/json` alone says is seen by the body. Nothing in here judges an event.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from pydantic_core import from_json, to_json

STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"
PLAIN = "application/json"
KINDS = (STRUCTURED, BATCHED, PLAIN)


MOST = 5_000
"""Events of one request: an answer can name each of them."""


class TooManyError(ValueError):
    """A request with more than `MOST` events."""


class NoEventsError(ValueError):
    """A body that is neither an event nor a batch; the message repeats nothing of it."""


def events(kind: str, headers: Mapping[str, str], body: bytes) -> Iterator[bytes]:
    """The events of a request with this content type, one by one; `headers` find names in any case.

    Raises `NoEventsError` and `TooManyError` before the first.
    """
    try:
        said = from_json(body)
    except ValueError as error:
        raise NoEventsError(f"the body is not JSON: {error}") from None
    if kind == PLAIN and "ce-specversion" in headers:
        attributes: dict[str, Any] = {
            name.lower().removeprefix("ce-"): unquote(text) for name, text in headers.items() if name.lower().startswith("ce-")
        }
        if attributes.get("replayed") == "true":  # the one attribute that is no text
            attributes["replayed"] = True
        return iter([to_json(attributes | {"data": said})])
    if isinstance(said, list) and kind != STRUCTURED:
        if len(said) > MOST:
            raise TooManyError
        return map(to_json, said)
    if isinstance(said, dict) and kind != BATCHED:
        return iter([body])
    wanted = {STRUCTURED: "one JSON object", BATCHED: "a JSON array", PLAIN: "a JSON object or an array of them"}[kind]
    raise NoEventsError(f"the body must be {wanted} where the content type is {kind}")
