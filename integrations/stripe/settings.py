"""What a connection to Stripe needs."""

from integrations.kernel.vendor import Setting

SETTINGS = (
    Setting(
        "api_key",
        "Restricted key",
        "rk_live_... or rk_test_..., with the permissions of the README; sk_ keys may do anything, see `full_key`",
        secret=True,
        pattern=r"[rs]k_[A-Za-z0-9_]+",
    ),
    Setting("webhook_secret", "Signing secret", "whsec_... of the endpoint; several while it is rotated", secret=True),
    Setting("calls_per_second", "Calls a second", "100 live, 25 in a sandbox", default="25"),
    Setting("full_key", "Secret keys", "`allowed` to refund with an sk_ key, which may do anything", required=False),
    Setting("limits", "Own limits", "`off` only against a simulator without limits", default="real"),
)
