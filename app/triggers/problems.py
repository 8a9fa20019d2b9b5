"""What is wrong with rules, as sentences: rule, place, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from integrations.kernel.errors import InputError


@dataclass(frozen=True, slots=True)
class Problem:
    """rule: its id, or its number where it has none. path: where in the rule, such as `all.2.at_least`."""

    rule: str
    path: str
    text: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.rule, self.path, self.text) if part)


class RulesInvalid(InputError):
    """The rules cannot be published. `problems`: all of them."""

    code = "rules.invalid"
    public = "The rules cannot be published; every problem is listed with what to do."

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("The rules cannot be published:\n" + "\n".join(f"  {problem}" for problem in self.problems))


def of_validation(rule: str, path: str, error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """pydantic's findings as ours."""
    found = []
    for item in error.errors(include_url=False, include_input=False):
        where = ".".join([path] * bool(path) + [str(part) for part in item["loc"]])
        text = item["msg"].removeprefix("Value error, ")
        if item["type"] == "missing":
            text = "is missing; add it"
        elif item["type"] == "extra_forbidden":
            names = (field.alias or name for name, field in model.model_fields.items())
            text = f"there is no such name here; there are {', '.join(names)}"
        found.append(Problem(rule, where, text))
    return found
