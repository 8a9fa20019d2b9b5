"""Names, currencies, plans and stories that the world is made of."""

from __future__ import annotations

FIRST = (
    "Ada Ben Cleo Dov Ema Finn Gia Hugo Ida Jon Kaja Leo Mia Nils Oda Per Quin Rosa Sven Tova Uma Vito Wren Xenia "
    "Yara Zoe Anouk Bruno Carla Dmitri"
).split()
LAST = (
    "Abel Brandt Costa Dahl Eriksen Fabre Gomez Hahn Ito Jansen Kaya Lund Moreau Novak Okafor Petit Quist Rossi "
    "Sato Toth Ueda Varga Weiss Yilmaz Zeller"
).split()
COMPANIES = (
    "acorn birch cobalt delta ember fjord grove harbor indigo juniper kestrel lumen maple nimbus orchid pebble quartz "
    "ridge spruce tundra umber violet willow xenon yarrow zephyr alpine beacon cedar drift"
).split()
SECOND_DOMAINS = {"acorn": "acorn-labs.example", "fjord": "fjørd.example", "maple": "maple.test"}
FREE_MAIL = ("gmail.com", "outlook.com", "gmx.de")
GROUPS = ("Billing", "Technical", "Sales")
PLANS = (("Starter", 900), ("Team", 2900), ("Business", 5900), ("Enterprise", 14900))  # cents a month and seat

# (currency, country), more of the common ones
PLACES = (
    ("usd", "US"), ("eur", "DE"), ("usd", "US"), ("gbp", "GB"), ("usd", "CA"), ("eur", "FR"), ("jpy", "JP"),
    ("kwd", "KW"),
)  # fmt: skip
INTERVALS = (("month", 1), ("month", 1), ("month", 1), ("year", 1), ("month", 3), ("week", 1), ("day", 1))
STATES = "active past_due trialing unpaid paused canceled incomplete incomplete_expired".split()

# What happened to those whose subscription is active. "plain": nothing. Each is acted out in sandbox/stripe/stories.py.
STORIES = (
    "plain failed_payment plain dispute plain inquiry plain refund partial_refund plain credit_note two_items plain "
    "coupon_once coupon_repeating coupon_forever coupon_amount plain metered cancels paused_collection won_dispute "
    "lost_dispute card_expiring plain proration seats_full credit_to_balance card_replaced no_seats_metadata "
    "answered_dispute plain paid_after_failure second_subscription pending_refund failed_refund"
).split()
