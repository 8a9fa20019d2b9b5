"""The record of who did what: append-only, each row hashed over the one before it."""

from app.audit.chain import AuditError
from app.audit.service import Verdict, copy_head, forget, head, record, verify

__all__ = ["AuditError", "Verdict", "copy_head", "forget", "head", "record", "verify"]
