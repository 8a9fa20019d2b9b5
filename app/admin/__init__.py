"""`/admin/`: the pages of approvers and admins, rendered here; and the sign-in they share with `/approvals`."""

from app.admin import (  # noqa: F401 - each puts its routes on the blueprint
    exports,
    leads,
    policy,
    renewals,
    report,
    review,
    sign_in,
)
from app.admin.console import blueprint

__all__ = ["blueprint"]
