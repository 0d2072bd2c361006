"""YAML as people write it here: one way in, and one error for whatever is none."""

from __future__ import annotations

from typing import Any

import yaml


class NotYaml(ValueError):
    """The text is no YAML that is read here. Holds the line and a reason, nothing of the text."""

    def __init__(self, why: str, mark: yaml.Mark | None) -> None:
        self.line = mark.line + 1 if mark else None
        super().__init__(f"not YAML{f' at line {self.line}' if self.line else ''}{why}")


# Nothing that people write is nested deeper; PyYAML takes seconds for a line of some thousand brackets.
_DEEPEST = 50


class Once(yaml.SafeLoader):
    """With each field of a mapping once: YAML takes the last, and who reads from the top believes the first."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:  # noqa: ANN401 - PyYAML's own anchors
        node = super().compose_mapping_node(anchor)
        first: dict[tuple[str, str], yaml.ScalarNode] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                earlier = first.setdefault((key.tag, key.value), key)
                if earlier is not key:
                    raise NotYaml(
                        f": the field stands at line {earlier.start_mark.line + 1} already", key.start_mark
                    )
        return node


class _Plain(Once):
    """With aliases of single values alone: a few lines of others stand for gigabytes, or for themselves."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:  # noqa: ANN401 - PyYAML's own nodes
        is_alias = self.check_event(yaml.events.AliasEvent)
        self._depth += 1
        if self._depth > _DEEPEST:
            raise NotYaml(f": nested deeper than {_DEEPEST}", getattr(parent, "start_mark", None))
        node = super().compose_node(parent, index)
        self._depth -= 1
        if is_alias and node is not None and not isinstance(node, yaml.ScalarNode):
            raise NotYaml(": an alias (*name) of more than one value is not read, write it out", node.start_mark)
        return node


def loaded(text: str) -> object:
    """What the text says. Raises NotYaml, not chained to YAML's own words: those show the lines around."""
    try:
        found: object = yaml.load(text, _Plain)  # noqa: S506 - a SafeLoader with less
    except NotYaml as refused:
        raise refused from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # ValueError: what looks like a date and is none
        raise NotYaml(why(error), getattr(error, "problem_mark", None)) from None
    return found


def why(error: Exception) -> str:
    """What can be said of YAML's own error without a word of the text."""
    return ": a tab indents it, write blanks" if "'\\t'" in str(getattr(error, "problem", "")) else ""
