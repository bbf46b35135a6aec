"""A page about a result: one file that loads nothing from elsewhere."""

from __future__ import annotations

from html import escape
from typing import Any, Optional

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #1b1f24; background: #fff }
table { border-collapse: collapse; margin: 1em 0 } td, th { padding: .25em .9em .25em 0; text-align: left; border-bottom: 1px solid #ddd }
td.n { text-align: right; font-variant-numeric: tabular-nums } .bad { color: #b3261e } svg { max-width: 100% }
@media (prefers-color-scheme: dark) { body { color: #e6e6e6; background: #15181c } td, th { border-color: #333 } }
"""

_NAMES = {
    "auc": "AUC",
    "balanced_accuracy": "balanced accuracy",
    "log_loss": "log loss",
    "brier": "Brier score",
    "spearman": "rank correlation",
}


def page(document: dict[str, Any]) -> str:
    """The page of a result's document."""
    title = f"{document['challenge']}: {document['strategy']['file'].rsplit('/', 1)[-1]}"
    parts = [f"<h1>{escape(title)}</h1>", _about(document)]
    if document["headline"]:
        parts += ["<h2>How good</h2>", _measures(document), "<h2>Over time</h2>", _windows(document)]
        if document["headline"]["calibration"]:
            parts += ["<h2>Said, and came</h2>", _calibration(document["headline"]["calibration"])]
    else:
        parts.append("<p>The challenge's plugin does not say its labels: nothing is measured.</p>")
    parts += ["<h2>What was tested</h2>", _causality(document["causality"])]
    if document["log"]:
        parts += ["<h2>Log</h2>", f"<pre>{escape(chr(10).join(document['log'][-200:]))}</pre>"]
    head = f"<meta charset=utf-8><meta name=viewport content='width=device-width'><title>{escape(title)}</title>"
    return f"<!doctype html><html lang=en><head>{head}<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>\n"


def _number(value: Optional[float]) -> str:
    return "-" if value is None else f"{value:.4f}"


def _table(header: list[str], rows: list[list[str]]) -> str:
    """A table whose cells are text; those that are numbers are set to the right."""
    cell = lambda text: f"<td{' class=n' if text[:1].isdigit() or text[:1] == '-' else ''}>{escape(text)}</td>"
    lines = ["<tr>" + "".join(f"<th>{escape(name)}</th>" for name in header) + "</tr>"]
    lines += ["<tr>" + "".join(cell(text) for text in row) + "</tr>" for row in rows]
    return f"<table>{''.join(lines)}</table>"


def _about(document: dict[str, Any]) -> str:
    stretch, answers, strategy = document["stretch"], document["answers"], document["strategy"]
    text = (
        f"{stretch['rows']} rows of blocks {stretch['from_block']} to {stretch['to_block']}; asked {answers['asked']} times: "
        f"{answers['stored']} answers stored, {answers['silent']} silent, {answers['refused']} refused. "
        f"Strategy {strategy['sha256'][:16]}, seed {strategy['seed']}."
    )
    return f"<p>{escape(text)}</p>"


def _measures(document: dict[str, Any]) -> str:
    rows = []
    for of, measures in (("all rows", document["headline"]), ("last 20 days", document["holdout"])):
        for key, name in _NAMES.items():
            if measures and measures[key] is not None:
                interval = measures[f"{key}_ci95"]
                shown = " to ".join(map(_number, interval)) if interval else "-"
                rows.append([of, name, _number(measures[key]), shown, str(measures["rows"]), f"{measures['n_eff']:.0f}"])
    return _table(["", "measure", "value", "95% interval", "rows", "independent"], rows)


def _windows(document: dict[str, Any]) -> str:
    windows = [one for one in document["windows"] if one["value"] is not None]
    if not windows:
        return "<p>No window has enough labels.</p>"
    values = [one["value"] for one in windows]
    low, high = min([*values, 0.5]) - 0.01, max([*values, 0.5]) + 0.01
    y = lambda value: 150 - 140 * (value - low) / (high - low)
    step = 600 / len(windows)
    bars = []
    for at, one in enumerate(windows):
        top, bottom = sorted((y(one["value"]), y(0.5)))
        colour = "#8a5cf5" if one["in_holdout"] else "#3b82c4"
        words = f"blocks {one['from_block']} to {one['to_block']}: {one['value']:.4f}, {one['rows']} rows"
        bars.append(
            f"<rect x='{at * step + 2:.1f}' y='{top:.1f}' width='{max(step - 4, 1):.1f}' height='{max(bottom - top, 1):.1f}' "
            f"fill='{colour}'><title>{escape(words)}</title></rect>"
        )
    chance = f"<line x1=0 x2=600 y1='{y(0.5):.1f}' y2='{y(0.5):.1f}' stroke='#888'/>"
    picture = f"<svg viewBox='0 0 600 160' role=img aria-label='value of each window'>{''.join(bars)}{chance}</svg>"
    rows = [
        [str(one["from_block"]), str(one["to_block"]), _number(one["value"]), str(one["rows"]), "yes" if one["in_holdout"] else ""]
        for one in document["windows"]
    ]
    return picture + _table(["from block", "to block", "value", "rows", "holdout"], rows)


def _calibration(bins: list[dict[str, Any]]) -> str:
    rows = [[f"{one['from']:.1f} to {one['to']:.1f}", _number(one["said"]), _number(one["came"]), str(one["n"])] for one in bins]
    return _table(["probability", "said", "came true", "times"], rows)


def _causality(causality: dict[str, Any]) -> str:
    lines = []
    if causality["enforced"] == "process":
        lines.append("It could not look ahead: each row was told after the answer before, to a process in a sandbox.")
    else:
        lines.append("<b class=bad>Unproven: it ran without a sandbox and could read the ledger.</b>")
    if causality["replayed_rows"]:
        lines.append(f"Answered once more: {causality['replayed_rows']} rows, {causality['differing']} differ.")
    lag = causality["lag_test"]
    if lag:
        verdict = escape(lag["verdict"].replace("_", " "))
        lines.append(f"Told a row later: {_number(lag['value'])}, {_number(lag['drop'])} less ({verdict}).")
    lines.append(f"Labels asked for once more: {causality['checked_labels']}, {causality['differing_labels']} differ.")
    return "<ul>" + "".join(f"<li>{line}</li>" for line in lines) + "</ul>"
