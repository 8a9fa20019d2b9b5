"""Connections: one set of credentials to one vendor workspace, a row each, secrets sealed."""

from app.connections.service import Connections, UnknownConnection

__all__ = ["Connections", "UnknownConnection"]
