"""Who pays for whom: links between requesters and payers, each with its strength, who made it and when."""

from app.identity.policy import IdentitySettings, Match, PayerMatch, Requester, Strength
from app.identity.service import index_payers, link, match, requesters_of, unlink

__all__ = [
    "IdentitySettings",
    "Match",
    "PayerMatch",
    "Requester",
    "Strength",
    "index_payers",
    "link",
    "match",
    "requesters_of",
    "unlink",
]
