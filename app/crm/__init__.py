"""What the CRM knows of companies, mirrored, so that matching costs no call."""

from app.crm.mirror import Mirrored, mirror
from app.crm.names import fold_name

__all__ = ["Mirrored", "fold_name", "mirror"]
