"""Money on its way: intents, charges, refunds, disputes."""

from __future__ import annotations

from sandbox.stripe.objects.shape import Object, billing_details

Failure = tuple[str, str]  # code, message


def payment_intent(pid: str, customer_id: str, currency: str, amount: int, created: int) -> Object:
    """An intent that waits for a payment method that works."""
    return {
        "id": pid, "object": "payment_intent", "amount": amount, "amount_capturable": 0, "amount_received": 0,
        "application": None, "application_fee_amount": None, "automatic_payment_methods": None, "canceled_at": None,
        "cancellation_reason": None, "capture_method": "automatic", "client_secret": f"{pid}_secret_S",
        "confirmation_method": "automatic", "created": created, "currency": currency, "customer": customer_id,
        "customer_account": None, "description": "Subscription update", "excluded_payment_method_types": None,
        "last_payment_error": None, "latest_charge": None, "livemode": False, "metadata": {}, "next_action": None,
        "on_behalf_of": None, "payment_method": None, "payment_method_options": {}, "payment_method_types": ["card"],
        "processing": None, "receipt_email": None, "review": None, "setup_future_usage": "off_session",
        "shipping": None, "source": None, "statement_descriptor": None, "statement_descriptor_suffix": None,
        "status": "requires_payment_method", "transfer_data": None, "transfer_group": None,
    }  # fmt: skip


def charge(
    cid: str, customer_id: str, intent: str, currency: str, amount: int, created: int, failure: Failure | None,
    method: Object | None = None,
) -> Object:  # fmt: skip
    """One try to take the money. method: the card it was tried on."""
    ok = failure is None
    card = None
    if method:
        known = {name: method["card"][name] for name in ("brand", "country", "exp_month", "exp_year", "fingerprint",
                                                         "funding", "last4")}  # fmt: skip
        card = {"card": {**known, "network": known["brand"], "wallet": None}, "type": "card"}
    outcome = {
        "network_status": "approved_by_network" if ok else "declined_by_network", "reason": None if ok else
        "generic_decline", "risk_level": "normal", "seller_message": "Payment complete." if ok else
        "The bank did not return any further details with this decline.", "type": "authorized" if ok else
        "issuer_declined",
    }  # fmt: skip
    return {
        "id": cid, "object": "charge", "amount": amount, "amount_captured": amount if ok else 0, "amount_refunded": 0,
        "application": None, "application_fee": None, "application_fee_amount": None, "balance_transaction": None,
        "billing_details": billing_details(), "calculated_statement_descriptor": "ACME", "captured": ok,
        "created": created, "currency": currency, "customer": customer_id, "description": "Subscription update",
        "disputed": False, "failure_balance_transaction": None, "failure_code": failure[0] if failure else None,
        "failure_message": failure[1] if failure else None, "fraud_details": {}, "livemode": False, "metadata": {},
        "on_behalf_of": None, "outcome": outcome, "paid": ok, "payment_intent": intent,
        "payment_method": method["id"] if method else None, "payment_method_details": card, "receipt_email": None,
        "receipt_number": None, "receipt_url": None, "refunded": False, "review": None, "shipping": None,
        "source": None, "source_transfer": None, "statement_descriptor": None, "statement_descriptor_suffix": None,
        "status": "succeeded" if ok else "failed", "transfer_data": None, "transfer_group": None,
    }  # fmt: skip


def refund(rid: str, its_charge: Object, amount: int, created: int, reason: str | None, status: str) -> Object:
    """status: pending, requires_action, succeeded, failed or canceled."""
    return {
        "id": rid, "object": "refund", "amount": amount, "balance_transaction": None, "charge": its_charge["id"],
        "created": created, "currency": its_charge["currency"], "customer": its_charge["customer"],
        "customer_account": None, "destination_details": {"card": {"reference_status": "pending",
        "reference_type": "acquirer_reference_number", "type": "refund"}, "type": "card"}, "metadata": {},
        "payment_intent": its_charge["payment_intent"], "payment_method": its_charge["payment_method"],
        "reason": reason, "receipt_number": None, "source_transfer_reversal": None, "status": status,
        "transfer_reversal": None,
    }  # fmt: skip


def dispute(did: str, its_charge: Object, status: str, created: int, due: int | None, reason: str) -> Object:
    """An inquiry (its status begins with warning_) or a chargeback."""
    return {
        "id": did, "object": "dispute", "amount": its_charge["amount"], "balance_transactions": [],
        "charge": its_charge["id"], "created": created, "currency": its_charge["currency"],
        "enhanced_eligibility_types": [], "evidence": {"access_activity_log": None, "enhanced_evidence": {}},
        "evidence_details": {"due_by": due, "enhanced_eligibility": {}, "has_evidence": False, "past_due": False,
                             "submission_count": 0, "submission_method": "manual"},
        "is_charge_refundable": status.startswith("warning_"), "livemode": False, "metadata": {},
        "payment_intent": its_charge["payment_intent"], "payment_method_details": {"card": {"brand": "visa",
        "case_type": "inquiry" if status.startswith("warning_") else "chargeback", "network": "visa",
        "network_reason_code": "13.1"}, "type": "card"}, "reason": reason, "status": status,
    }  # fmt: skip


def balance_transaction(bid: str, its_dispute: Object, amount: int, created: int) -> Object:
    """Money taken (below zero) or given back for a dispute."""
    return {
        "id": bid, "object": "balance_transaction", "amount": amount, "available_on": created,
        "balance_type": "payments", "created": created, "currency": its_dispute["currency"],
        "description": f"Chargeback for {its_dispute['charge']}", "exchange_rate": None, "fee": 0, "fee_details": [],
        "net": amount, "reporting_category": "dispute" if amount < 0 else "dispute_reversal",
        "source": its_dispute["id"], "status": "available", "type": "adjustment",
    }  # fmt: skip
