"""Say what never changes while a template is compiled: sentences without facts, and drawings.

Each language has an environment of its own, so ``_("Passed")`` and ``icon("done")`` mean the same on every page
it will ever draw. They become text of the template; sentences with facts in them are still said page by page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Environment, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup


class FixedSayings(Environment):
    """An environment in which some functions of constants are called once, by the compiler.

    Set ``sayings``, functions by their names in templates, before the first template is loaded.
    """

    sayings: Mapping[str, Callable[..., Markup]] = {}

    def _generate(self, source: nodes.Template, *args: Any, **options: Any) -> str:
        return super()._generate(_Saying(self.sayings).visit(source), *args, **options)


class _Saying(NodeTransformer):
    def __init__(self, sayings: Mapping[str, Callable[..., Markup]]) -> None:
        self.sayings = sayings

    def visit_Call(self, node: nodes.Call) -> nodes.Expr:  # noqa: N802 - named by Jinja
        self.generic_visit(node)
        if not isinstance(node.node, nodes.Name) or node.node.name not in self.sayings:
            return node
        values = [one.value for one in node.args if isinstance(one, nodes.Const)]
        if len(values) < len(node.args) or node.kwargs or node.dyn_args or node.dyn_kwargs:
            return node
        return nodes.Const(self.sayings[node.node.name](*values), lineno=node.lineno)
