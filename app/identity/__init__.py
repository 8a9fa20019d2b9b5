"""Who pays for whom: links between requesters and payers, each with its strength, who made it and when."""

from app.identity.payers import index_payers
from app.identity.policy import IdentitySettings, Match, PayerMatch, Requester, Strength
from app.identity.reverse import requesters_of, requesters_of_many
from app.identity.service import choose, link, link_of, look, match, unlink

__all__ = [
    "IdentitySettings",
    "Match",
    "PayerMatch",
    "Requester",
    "Strength",
    "choose",
    "index_payers",
    "link",
    "link_of",
    "look",
    "match",
    "requesters_of",
    "requesters_of_many",
    "unlink",
]
