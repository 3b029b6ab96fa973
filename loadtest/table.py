"""The result of a run as a table for the terminal."""

from __future__ import annotations

from typing import Any

KINDS = {"same_node": "within a node", "cross_node": "between nodes", "all": "all deliveries"}


def render(result: dict[str, Any]) -> str:
    """Return the verdict, latencies, counts, errors, thresholds and warnings as lines of text."""
    parts = [_title(result), _verdict(result["verdict"]), _latencies(result), _counts(result)]
    parts += [_errors(result["errors"]), _thresholds(result["thresholds"])]
    parts += [f"Warning: {warning}" for warning in result["warnings"]]
    parts.append("PASSED" if result["ok"] else "FAILED")
    return "\n\n".join(part for part in parts if part)


def _title(result: dict[str, Any]) -> str:
    return f"{result['scenario']} on {', '.join(result['hosts'])}, {result['seconds']} s"


def _verdict(verdict: dict[str, int]) -> str:
    if not any(verdict.values()):
        return ""
    names = {name: name.replace("_", " ") for name in verdict}
    return "\n".join(f"  {names[name]:<16} {count:>12,}" for name, count in verdict.items())


def _latencies(result: dict[str, Any]) -> str:
    rows = [(title, result["latency_ms"][kind]) for kind, title in KINDS.items()]
    rows += [("acks", result["calls_ms"]), ("connecting", result["connecting_ms"])]
    lines = [f"  {'milliseconds':<16} {'p50':>9} {'p90':>9} {'p99':>9} {'max':>9} {'count':>10}"]
    for title, row in rows:
        if row["count"]:
            values = " ".join(f"{row[name]:>9.2f}" for name in ("p50", "p90", "p99", "max"))
            lines.append(f"  {title:<16} {values} {row['count']:>10,}")
    return "\n".join(lines) if len(lines) > 1 else ""


def _counts(result: dict[str, Any]) -> str:
    return "  " + " · ".join(f"{name} {count:,}" for name, count in result["counts"].items())


def _errors(errors: dict[str, int]) -> str:
    return "\n".join(f"  {count:>8,} x {text}" for text, count in errors.items())


def _thresholds(rows: list[dict[str, Any]]) -> str:
    lines = []
    for row in rows:
        value = "nothing measured" if row["value"] is None else f"{row['value']:g}"
        lines.append(
            f"  {'ok  ' if row['ok'] else 'FAIL'} {row['name']:<16} limit {row['limit']:g}, got {value}"
        )
    return "\n".join(lines)
