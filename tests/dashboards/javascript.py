"""The wall's pure modules in QuickJS, callable from Python with what JSON can say."""

import json
import re
from pathlib import Path
from typing import Any

import quickjs

WALL = Path(__file__).parents[2] / "dashboards" / "wall"
PURE = ("units.js", "fields.js", "variables.js", "timerange.js", "panels.js", "drift.js", "words.js", "alarms.js")
"""In the order of their imports. The engine has no module loader, so each becomes a function that returns what it exports."""

_IMPORT = re.compile(r'^import (\{[^}]+\}) from "\./([\w.]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:const|function) (\w+))", re.MULTILINE)


def engine() -> quickjs.Context:
    """All pure modules, under their file names in `modules`."""
    context = quickjs.Context()
    context.eval("const modules = {};")
    for name in PURE:
        source = (WALL / name).read_text()
        body = _EXPORT.sub("", _IMPORT.sub(r'const \1 = modules["\2"];', source))
        exports = ", ".join(_EXPORT.findall(source))
        context.eval(f'modules["{name}"] = (() => {{ "use strict"; {body}\nreturn {{ {exports} }}; }})();')
    return context


_ENGINE = engine()


def call(module: str, function: str, *arguments: Any) -> Any:
    """What a function of a module gives back; `undefined` is None."""
    return evaluate(f"modules[{json.dumps(module)}].{function}(...{json.dumps(arguments)})")


def evaluate(expression: str) -> Any:
    """What an expression over `modules` is."""
    said = _ENGINE.eval(f"JSON.stringify({expression})")
    return None if said is None else json.loads(str(said))
