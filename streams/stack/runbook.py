"""The runbook as pages for a browser: one for each of its Markdown files, and one for each alert."""

import re
from html import escape

from markdown_it import MarkdownIt

_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_SECTION = re.compile(r"^(?=## )", re.MULTILINE)
_INDONESIAN = re.compile(r"^(?=\*Bahasa Indonesia\*(?::|$))", re.MULTILINE)
_PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="dark">
    <title>{title}</title>
    <link rel="icon" href="/icon.svg">
    <link rel="stylesheet" href="/runbook.css">
  </head>
  <body>
    <nav><a href="/">112</a> <a href="/dashboards/runbook/README.md">Runbook</a>{whole}</nav>
    <main>
{body}
    </main>
  </body>
</html>
"""


def page(text: str) -> str:
    """A file of the runbook as HTML. Each alert's section has an anchor, its name in small letters, as `runbook_url` says it."""
    title = text.removeprefix("# ").partition("\n")[0]
    return _PAGE.format(title=escape(title), whole="", body="\n".join(_section(part) for part in _SECTION.split(text)))


def alerts(name: str, text: str) -> dict[str, str]:
    """The page of each alert of a file so called, by the alert's name: what a person wants who was woken by one."""
    whole = f' <a href="/dashboards/runbook/{escape(name)}">{escape(name.removesuffix(".md"))}</a>'
    parts = {_name(part): part for part in _SECTION.split(text)[1:]}
    return {alert: _PAGE.format(title=escape(alert), whole=whole, body=_section(part)) for alert, part in parts.items()}


def _name(section: str) -> str:
    return section.removeprefix("## ").partition("\n")[0].strip()


def _section(text: str) -> str:
    english, *indonesian = _INDONESIAN.split(text)
    anchor = f' id="{escape(_name(text).lower())}"' if text.startswith("## ") else ""
    said = "".join(f'<div lang="id">\n{_MARKDOWN.render(part)}</div>\n' for part in indonesian)
    return f"<section{anchor}>\n{_MARKDOWN.render(english)}{said}</section>"
