"""A board in Grafana's newer form (schema v2, as `dashboard.grafana.app/v2beta1` has it), made of the classic one."""

from typing import Any

_CURSORS = ("Off", "Crosshair", "Tooltip")
_REFRESHES = ("never", "onDashboardLoad", "onTimeRangeChanged")
_SORTS = ("disabled", "alphabeticalAsc", "alphabeticalDesc")


def resource(board: dict[str, Any]) -> dict[str, Any]:
    """The same board as a resource of Grafana 12 and later: panels by name, and apart from them where each one is."""
    names = {panel["id"]: f"panel-{panel['id']}" for panel in board["panels"]}
    spec = {
        "title": board["title"],
        "description": board["description"],
        "tags": board["tags"],
        "editable": board["editable"],
        "preload": False,
        "cursorSync": _CURSORS[board["graphTooltip"]],
        "timeSettings": {
            "timezone": board["timezone"],
            "from": board["time"]["from"],
            "to": board["time"]["to"],
            "autoRefresh": board["refresh"],
            "autoRefreshIntervals": ["5s", "10s", "30s", "1m", "5m", "15m", "30m", "1h", "2h", "1d"],
            "hideTimepicker": False,
            "fiscalYearStartMonth": 0,
        },
        "links": board["links"],
        "annotations": [_marks(one) for one in board["annotations"]["list"]],
        "variables": [_variable(one) for one in board["templating"]["list"]],
        "elements": {names[panel["id"]]: _panel(panel) for panel in board["panels"]},
        "layout": {
            "kind": "GridLayout",
            "spec": {"items": [_item(names[panel["id"]], panel["gridPos"]) for panel in board["panels"]]},
        },
    }
    return {
        "apiVersion": "dashboard.grafana.app/v2beta1",
        "kind": "Dashboard",
        "metadata": {"name": board["uid"]},
        "spec": spec,
    }


def _query(group: str, source: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "DataQuery", "version": "v0", "group": group, "datasource": {"name": source}, "spec": spec}


def _marks(annotation: dict[str, Any]) -> dict[str, Any]:
    kept = {name: annotation[name] for name in ("name", "enable", "hide", "iconColor")}
    source = annotation["datasource"]
    query = _query(source["type"], source["uid"], annotation["target"])
    return {"kind": "AnnotationQuery", "spec": {**kept, "builtIn": False, "query": query}}


def _variable(variable: dict[str, Any]) -> dict[str, Any]:
    if variable["type"] == "constant":
        value = {"text": variable["query"], "value": variable["query"]}
        spec = {
            "name": variable["name"],
            "query": variable["query"],
            "current": value,
            "hide": "hideVariable",
            "skipUrlSync": True,
        }
        return {"kind": "ConstantVariable", "spec": spec}
    common = {
        "name": variable["name"],
        "label": variable["label"],
        "current": {"text": "", "value": ""},
        "options": [],
        "multi": False,
        "includeAll": False,
        "hide": "dontHide",
        "skipUrlSync": False,
        "allowCustomValue": True,
    }
    if variable["type"] == "datasource":
        own = {"pluginId": variable["query"], "refresh": "onDashboardLoad", "regex": ""}
        return {"kind": "DatasourceVariable", "spec": {**common, **own}}
    own = {
        "query": _query("prometheus", variable["datasource"]["uid"], variable["query"]),
        "definition": variable["definition"],
        "regex": variable["regex"],
        "regexApplyTo": "value",
        "sort": _SORTS[variable["sort"]],
        "refresh": _REFRESHES[variable["refresh"]],
    }
    return {"kind": "QueryVariable", "spec": {**common, **own}}


def _panel(panel: dict[str, Any]) -> dict[str, Any]:
    queries = []
    for target in panel["targets"]:
        own = {name: value for name, value in target.items() if name not in ("datasource", "refId", "hide")}
        query = _query(target["datasource"]["type"], target["datasource"]["uid"], own)
        queries.append({"kind": "PanelQuery", "spec": {"refId": target["refId"], "hidden": False, "query": query}})
    changes = [{"kind": change["id"], "spec": change} for change in panel.get("transformations", ())]
    defaults = {"custom": {}, **panel["fieldConfig"]["defaults"]}
    drawn = {"options": panel["options"], "fieldConfig": {**panel["fieldConfig"], "defaults": defaults}}
    return {
        "kind": "Panel",
        "spec": {
            "id": panel["id"],
            "title": panel["title"],
            "description": panel["description"],
            "links": [],
            "data": {"kind": "QueryGroup", "spec": {"queries": queries, "transformations": changes, "queryOptions": {}}},
            "vizConfig": {"kind": "VizConfig", "group": panel["type"], "version": "", "spec": drawn},
        },
    }


def _item(name: str, place: dict[str, int]) -> dict[str, Any]:
    where = {"x": place["x"], "y": place["y"], "width": place["w"], "height": place["h"]}
    return {"kind": "GridLayoutItem", "spec": {**where, "element": {"kind": "ElementReference", "name": name}}}
