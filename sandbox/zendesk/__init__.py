"""Simulated Zendesk Support of the account `acme`, over HTTP.

`state.py` holds the account and all that can happen to it: tests act through it, or by POST /sandbox/control/zendesk/act
from another process. `store.Switches` is what differs from account to account (`act` with `do: switch`). `gate.py` has
credentials, scopes and limits; `hooks.py`, `triggers.py` and `happening.py` what is sent; the others are routes.
"""
