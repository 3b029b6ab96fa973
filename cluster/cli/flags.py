"""The options of a command line, in sections; each can also be given as an environment variable."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any, NoReturn

from socketio_cluster.cluster.cli import values


class Parser(argparse.ArgumentParser):
    """A parser that reports a mistake in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")

    def parse_known_args(self, *args: Any, **more: Any) -> Any:
        """Refuse what a command does not know: the parser of all would name its own help, without options."""
        options, unknown = super().parse_known_args(*args, **more)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return options, unknown

    def section(self, title: str, text: str | None = None) -> Section:
        """Add a part of the help, to which options are added."""
        return Section(self.add_argument_group(title, text))


class Section:
    """The options that the help shows below one title."""

    def __init__(self, group: argparse._ArgumentGroup) -> None:
        self._group = group

    def option(
        self,
        flag: str,
        text: str,
        *,
        convert: Callable[[str], Any] = str,
        default: str | None = None,
        shown: str | None = None,
        **more: Any,
    ) -> None:
        """Add an option that can also be given as CLUSTER_<OPTION>.

        Args:
            flag: the option, with its dashes.
            text: the help.
            convert: turns the given text into a value, or raises ValueError.
            default: the text that stands for the option when it is not given.
            shown: the default as the help shows it; None is the default itself.
            more: further arguments of argparse.
        """
        variable = "CLUSTER_" + flag.strip("-").replace("-", "_").upper()

        def read(given: str) -> Any:
            try:
                return convert(given)
            except ValueError as error:
                raise argparse.ArgumentTypeError(f"{error} (set by {flag} or {variable})") from None

        shown = shown or default
        text += f" [{variable}]" + (f" (default: {shown})" if shown else "")
        default = os.environ.get(variable, default)
        more["required"] = more.pop("required", False) and default is None
        self._group.add_argument(flag, type=read, default=default, help=text.replace("%", "%%"), **more)

    def switch(self, flag: str, text: str) -> None:
        """Add an option that is off unless it is given; its opposite begins with --no-."""
        self.option(flag, text, convert=values.switch, default="no", action=_Switch)

    def several(self, flag: str, text: str, **more: Any) -> None:
        """Add an option that can be given several times; each value, and the variable, may be a list."""
        self.option(flag, text, convert=values.texts, default="", action=_Several, **more)

    def argument(self, name: str, **how: Any) -> None:
        """Add an argument that is given by its place."""
        self._group.add_argument(name, **how)


class _Switch(argparse.Action):
    """An option without a value, and the opposite of it."""

    def __init__(self, option_strings: list[str], dest: str, **more: Any) -> None:
        (flag,) = option_strings
        super().__init__([flag, f"--no-{flag.strip('-')}"], dest, nargs=0, **more)

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        setattr(namespace, self.dest, not (option_string or "").startswith("--no-"))


class _Several(argparse.Action):
    """An option whose values are put one behind the other."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        before = getattr(namespace, self.dest)
        # A default is a text until the end. What is given comes in the place of it.
        setattr(namespace, self.dest, (*(() if isinstance(before, str) else before), *values))
