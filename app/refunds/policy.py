"""The admin's policy on refunds: a document, its checks, its defaults. Nobody may refund until it says so. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from app.access import Role
from app.identity import Strength
from integrations.kernel.errors import InputError, NotAllowed
from integrations.kernel.money import is_currency

# Least and most. A proposal of 0 hours expires before anybody reads of it, and one of a billion years cannot be stored.
BOUNDS: Final = {"charge_days": (0, 9999), "payer_count": (0, 1_000_000), "approval_hours": (1, 720)}


class OutOfBounds(ValueError):
    """A value that can be read and would break what it is for; says its bounds."""


class PolicyError(InputError):
    code, public = "refund.policy", "The policy is not usable as it is written."


class NotPermitted(NotAllowed):
    code, public = "refund.not_permitted", "The policy does not allow this refund."


@dataclass(frozen=True, slots=True)
class Limit:
    """Minor units of one currency. Above either, somebody with a higher limit must approve."""

    per_refund: int
    per_day: int


@dataclass(frozen=True, slots=True)
class Policy:
    """limits: role -> currency -> Limit; a role without a limit in a currency may not refund in it.

    charge_days: how old a charge may be. payer_count, payer_total (by currency): refunds of a company in 90 days above
    which it takes an approval. strength: the weakest match that may move money. approval_hours: how long one waits.
    """

    enabled: bool = False
    limits: Mapping[Role, Mapping[str, Limit]] = field(default_factory=dict)
    charge_days: int = 120
    payer_count: int = 2
    payer_total: Mapping[str, int] = field(default_factory=dict)
    strength: Strength = Strength.VERIFIED
    approval_hours: int = 24

    def limit(self, role: Role, currency: str) -> Limit | None:
        return self.limits.get(role, {}).get(currency)

    def to_json(self) -> dict[str, Any]:
        """As stored; `from_json` reads it back."""
        limits = {
            role.value: {c: {"per_refund": one.per_refund, "per_day": one.per_day} for c, one in sorted(by.items())}
            for role, by in sorted(self.limits.items())
        }
        return {
            "enabled": self.enabled, "limits": limits, "charge_days": self.charge_days,
            "payer_count": self.payer_count, "payer_total": dict(sorted(self.payer_total.items())),
            "strength": self.strength.value, "approval_hours": self.approval_hours,
        }  # fmt: skip


def from_json(data: Mapping[str, Any]) -> Policy:
    """A stored policy."""
    known = {one.name for one in fields(Policy)}
    values = {name: value for name, value in data.items() if name in known}
    values["limits"] = {
        Role(role): {c: Limit(**one) for c, one in by.items()} for role, by in data.get("limits", {}).items()
    }
    values["strength"] = Strength(data.get("strength", Strength.VERIFIED.value))
    return Policy(**values)


def changed(policy: Policy, wishes: Mapping[str, str]) -> Policy:
    """The policy with settings of the command line put in; what is not named stays, also what would be refused today.

    Args:
        wishes: `enabled=yes`, `limit.refunder.USD=5000/20000` (minor units, per refund / per day; `none` takes it away),
            `charge_days=120`, `payer_count=2`, `payer_total.USD=100000`, `strength=verified`, `approval_hours=24`.

    Raises:
        PolicyError: with every wish that cannot be read, and every one out of its bounds with them.
    """
    unread, unfit = [], []
    for name, value in wishes.items():
        try:
            policy = _put(policy, name, value)
        except OutOfBounds as error:
            unfit.append(f"{name}={value} ({error})")
        except (ValueError, KeyError):
            unread.append(f"{name}={value}")
    told = [f"{what}: {', '.join(some)}." for what, some in (("Not understood", unread), ("Not taken", unfit)) if some]
    if told:
        raise PolicyError(f"{' '.join(told)} See `flask policy set --help`.")
    return policy


def _put(policy: Policy, name: str, value: str) -> Policy:
    head, _, rest = name.partition(".")
    if head == "limit":
        role, _, currency = rest.partition(".")
        return _limit(policy, Role(role), _currency(currency, value), value)
    if head == "payer_total":
        currency = _currency(rest, value)
        totals = {k: v for k, v in policy.payer_total.items() if k != currency}
        return replace(policy, payer_total=totals if value == "none" else totals | {currency: _whole(value)})
    if name == "enabled":
        return replace(policy, enabled={"yes": True, "no": False}[value])
    if name == "strength":
        if Strength(value) is Strength.COMPANY:
            raise ValueError("a company is nobody who pays")
        return replace(policy, strength=Strength(value))
    if name in BOUNDS:
        number, (least, most) = _whole(value), BOUNDS[name]
        if not least <= number <= most:
            raise OutOfBounds(f"{least} to {most}")
        changes: dict[str, Any] = {name: number}
        return replace(policy, **changes)
    raise KeyError(name)


def _limit(policy: Policy, role: Role, currency: str, value: str) -> Policy:
    mine = {c: one for c, one in policy.limits.get(role, {}).items() if c != currency}
    if value != "none":
        per_refund, _, per_day = value.partition("/")
        mine[currency] = limit = Limit(_whole(per_refund), _whole(per_day))
        if limit.per_day < limit.per_refund:
            raise OutOfBounds(f"{limit.per_day} a day is less than {limit.per_refund} a refund")
    if role is Role.VIEWER and mine:
        raise ValueError("a viewer refunds nothing")
    return replace(policy, limits={**policy.limits, role: mine})


def _currency(text: str, value: str) -> str:
    if len(text) != 3 or not text.isascii() or not text.isupper():
        raise ValueError(text)
    if value != "none" and not is_currency(text):
        raise OutOfBounds(f"{text} is no currency; give its three letters of ISO 4217")
    return text


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise ValueError(text)
    return int(text)
