"""A PromQL expression: the series it asks for, and the labels of what it gives."""

from __future__ import annotations

from promql_parser import (
    AggregateExpr,
    BinaryExpr,
    Call,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    StringLiteral,
    SubqueryExpr,
    UnaryExpr,
    VectorSelector,
    parse,
)

from socketio_cluster.cluster.metrics.families import FAMILIES, HISTOGRAM

ALWAYS = {"node", "namespace", "pod"}
"""Labels that every series has: ours, and those that Prometheus adds."""


def series(family):
    """The labels of each series of a metric by its name."""
    own = {*family.labels, *ALWAYS}
    if family.kind != HISTOGRAM:
        return {family.name: own}
    parts = {f"{family.name}_{part}": own for part in ("sum", "count")}
    return {f"{family.name}_bucket": own | {"le"}} | parts


SERIES = {name: labels for family in FAMILIES for name, labels in series(family).items()}


class Query:
    """An expression; ValueError when it is none."""

    def __init__(self, text):
        self.selectors = []
        """What selects existing series, in their order."""
        self.unknown = []
        """Names of series that no node has, and of labels that are not there where they are asked for."""
        self.labels = self._labels(parse(text))
        """Those that the answer may have."""

    @property
    def series(self):
        return {selector.name for selector in self.selectors}

    def _labels(self, tree):
        match tree:
            case VectorSelector():
                return self._select(tree)
            case MatrixSelector():
                return self._select(tree.vector_selector)
            case AggregateExpr():
                return self._group(tree)
            case BinaryExpr():
                return self._pair(tree)
            case Call():
                return set().union(*map(self._labels, tree.args))
            case ParenExpr() | UnaryExpr() | SubqueryExpr():
                return self._labels(tree.expr)
            case NumberLiteral() | StringLiteral():
                return set()
        raise TypeError(f"what is {type(tree)}?")

    def _select(self, tree):
        if tree.name not in SERIES:
            self.unknown.append(tree.name)
            return set()
        self.selectors.append(tree)
        self._ask([matcher.name for matcher in tree.matchers.matchers], SERIES[tree.name])
        return SERIES[tree.name]

    def _group(self, tree):
        inner = self._labels(tree.expr)
        if not tree.modifier:
            return set()
        self._ask(tree.modifier.labels, inner)
        named = set(tree.modifier.labels)
        return inner & named if tree.modifier.type == tree.modifier.type.By else inner - named

    def _pair(self, tree):
        left, right = self._labels(tree.lhs), self._labels(tree.rhs)
        if tree.modifier and (match := tree.modifier.matching):
            on = match.type == match.type.Include
            self._ask(match.labels, left & right if on else left | right)
            self._ask(tree.modifier.group_labels or (), left | right)
        return left | right

    def _ask(self, names, there):
        self.unknown += [name for name in names if name not in there]
