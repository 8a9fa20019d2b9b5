"""What reps do in the org, by the control door or the page `/reps/`: a verdict, a conversion, a stage, a deal's end."""

from __future__ import annotations

from typing import Any

from sandbox.salesforce.errors import Failed
from sandbox.salesforce.kinds import CONVERTED
from sandbox.salesforce.state import State

VERDICT, REASON = "Deskbridge_Verdict__c", "Deskbridge_Reason__c"
WORDS = {"Lead": ("Working - Contacted", "Closed - Not Converted"), "Task": ("In Progress", "Deferred")}


class Acts(State):
    """The state with the acts of people. Each answers the record's id; raises Failed as the org would."""

    def accept(self, kind: str, object_id: str) -> str:
        return self._verdict(kind, object_id, {VERDICT: "Accepted"}, WORDS.get(kind, ("", ""))[0])

    def reject(self, kind: str, object_id: str, reason: str = "") -> str:
        """A deal without our fields is closed as lost."""
        values = {VERDICT: "Rejected", REASON: reason or None}
        return self._verdict(kind, object_id, values, WORDS.get(kind, ("", ""))[1])

    def merge(self, object_id: str, into: str) -> str:
        """Two Leads are one: the first goes to the bin and names the one that stays."""
        self.get("Lead", into)
        row = self.get("Lead", object_id)
        self.delete("Lead", object_id)
        row["MasterRecordId"] = into
        return into

    def _verdict(self, kind: str, object_id: str, values: dict[str, Any], status: str) -> str:
        """In the fields we offer where they exist, else by the status."""
        known = {name: value for name, value in values.items() if name in self.fields[kind]}
        if VERDICT not in known:
            lost = {"StageName": "Closed Lost"} if values[VERDICT] == "Rejected" else {"StageName": "Qualification"}
            known |= {"Status": status} if status else lost
        return str(self.update(kind, object_id, known)["Id"])

    def stage(self, object_id: str, name: str) -> str:
        return str(self.update("Opportunity", object_id, {"StageName": name})["Id"])

    def win(self, object_id: str, amount: float | None = None) -> str:
        """amount: in the currency's whole units, as the org keeps it; the deal's own when left out."""
        more = {} if amount is None else {"Amount": amount}
        return str(self.update("Opportunity", object_id, {"StageName": "Closed Won", **more})["Id"])

    def lose(self, object_id: str, reason: str = "") -> str:
        """With the reason, where the org has a field for it."""
        more = {REASON: reason} if reason and REASON in self.fields["Opportunity"] else {}
        return str(self.update("Opportunity", object_id, {"StageName": "Closed Lost", **more})["Id"])

    def complete(self, object_id: str) -> str:
        return str(self.update("Task", object_id, {"Status": "Completed"})["Id"])

    def convert(self, object_id: str) -> dict[str, str]:
        """A lead becomes an account, a contact and a deal; it is read-only from then on."""
        with self.context.lock:
            lead = self.get("Lead", object_id)
            if lead["IsConverted"]:
                raise Failed("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
            owner, today = {"OwnerId": lead["OwnerId"]}, self.now()[:10]
            account = self._insert("Account", {"Name": lead["Company"], **owner})["Id"]
            person = {name: lead[name] for name in ("FirstName", "LastName", "Email")}
            contact = self._insert("Contact", {**person, "AccountId": account, **owner})["Id"]
            deal = {
                "Name": f"{lead['Company']} -",
                "StageName": "Qualification",
                "CloseDate": today,
                "AccountId": account,
            }
            made = {
                "Account": account,
                "Contact": contact,
                "Opportunity": self._insert("Opportunity", deal | owner)["Id"],
            }
            lead |= {"IsConverted": True, "Status": CONVERTED, "ConvertedDate": today}
            lead |= {f"Converted{kind}Id": one for kind, one in made.items()}
            self._touch("Lead", lead)
            return made
