"""The objects of the simulated org and their fields.

Source: ../shared/data/contracts/specs/salesforce_derived.json, fields of recorded describes; which are required: vendor
sheet 4.3 (R).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LENGTHS = {"email": 80, "phone": 40, "url": 255, "picklist": 255, "reference": 18, "id": 18, "textarea": 32_000}
SOAP = {"boolean": "xsd:boolean", "int": "xsd:int", "date": "xsd:date", "datetime": "xsd:dateTime",
        "double": "xsd:double", "currency": "xsd:double", "percent": "xsd:double"}  # fmt: skip
STAGES = {  # name -> (probability, closed, won)
    "Prospecting": (10, False, False), "Qualification": (10, False, False), "Needs Analysis": (20, False, False),
    "Proposal/Price Quote": (75, False, False), "Negotiation/Review": (90, False, False),
    "Closed Won": (100, True, True), "Closed Lost": (0, True, False),
}  # fmt: skip
OPEN, CONVERTED = "Open - Not Contacted", "Closed - Converted"


@dataclass(frozen=True, slots=True)
class Field:
    """One field. writable: by the API. default: of a record that does not say. to: objects that a reference may name."""

    name: str
    kind: str = "string"
    length: int = 0
    required: bool = False
    writable: bool = True
    values: tuple[str, ...] = ()
    restricted: bool = False
    to: tuple[str, ...] = ()
    default: Any = None
    external: bool = False
    unique: bool = False

    def described(self) -> dict[str, Any]:
        """As describe shows it."""
        listed = [{"active": True, "defaultValue": v == self.default, "label": v, "validFor": None, "value": v}
                  for v in self.values]  # fmt: skip
        return {
            "name": self.name, "label": self.name.removesuffix("__c").replace("_", " "), "type": self.kind,
            "length": self.length, "nillable": not self.required and self.default is None,
            "createable": self.writable, "updateable": self.writable, "custom": self.name.endswith("__c"),
            "defaultedOnCreate": self.default is not None, "externalId": self.external, "idLookup": self.external,
            "unique": self.unique, "caseSensitive": False, "restrictedPicklist": self.restricted,
            "picklistValues": listed, "referenceTo": list(self.to), "soapType": SOAP.get(self.kind, "xsd:string"),
            "filterable": self.kind != "textarea", "sortable": self.kind != "textarea",
        }  # fmt: skip


def _text(*names: str, length: int = 255, required: bool = False) -> tuple[Field, ...]:
    return tuple(Field(name, "string", length, required) for name in names)


def _kind(kind: str, *names: str, writable: bool = True, **more: Any) -> tuple[Field, ...]:  # noqa: ANN401 - of Field
    return tuple(Field(name, kind, LENGTHS.get(kind, 0), writable=writable, **more) for name in names)


def _list(name: str, *values: str, default: str | None = None, restricted: bool = False) -> Field:
    return Field(name, "picklist", 255, values=values, default=default, restricted=restricted)


SYSTEM = (
    Field("Id", "id", 18, writable=False), Field("IsDeleted", "boolean", writable=False, default=False),
    *_kind("datetime", "CreatedDate", "LastModifiedDate", "SystemModstamp", writable=False),
    *_kind("reference", "CreatedById", "LastModifiedById", writable=False, to=("User",)),
)  # fmt: skip
OWNER = Field("OwnerId", "reference", 18, to=("User",))
FIELDS: dict[str, tuple[Field, ...]] = {
    "Account": (
        *_text("Name", required=True), _list("Type", "Prospect", "Customer - Direct", "Other"), OWNER,
        Field("ParentId", "reference", 18, to=("Account",)), *_kind("url", "Website"), *_kind("phone", "Phone"),
        _list("Industry", "Technology", "Retail", "Other"), *_text("BillingCountry", length=80),
        *_kind("int", "NumberOfEmployees"), *_kind("textarea", "Description"),
    ),
    "Contact": (
        *_text("LastName", length=80, required=True), *_text("FirstName", length=40), OWNER,
        *_kind("string", "Name", writable=False), *_kind("email", "Email"), *_kind("phone", "Phone"),
        Field("AccountId", "reference", 18, to=("Account",)), *_text("Title", length=128),
        *_kind("textarea", "Description"),
    ),
    "Lead": (
        *_text("LastName", length=80, required=True), *_text("Company", required=True), *_text("FirstName", length=40),
        *_kind("string", "Name", writable=False), *_kind("email", "Email"), *_kind("phone", "Phone"), OWNER,
        *_text("Title", length=128), *_kind("url", "Website"), *_kind("textarea", "Description"),
        *_text("Country", length=80),
        Field("MasterRecordId", "reference", 18, writable=False, to=("Lead",)),
        _list("Status", OPEN, "Working - Contacted", CONVERTED, "Closed - Not Converted", default=OPEN),
        _list("LeadSource", "Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"),
        _list("Rating", "Hot", "Warm", "Cold"), *_kind("int", "NumberOfEmployees"),
        Field("IsConverted", "boolean", writable=False, default=False),
        *_kind("date", "ConvertedDate", writable=False),
        *(Field(f"Converted{one}Id", "reference", 18, writable=False, to=(one,))
          for one in ("Account", "Contact", "Opportunity")),
    ),
    "Opportunity": (
        *_text("Name", length=120, required=True), Field("AccountId", "reference", 18, to=("Account",)), OWNER,
        Field("StageName", "picklist", 255, True, values=tuple(STAGES)), Field("CloseDate", "date", required=True),
        *_kind("currency", "Amount"), *_kind("percent", "Probability"), *_kind("textarea", "Description"),
        _list("Type", "Existing Customer - Upgrade", "Existing Customer - Replacement", "New Customer"),
        _list("LeadSource", "Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"),
        *_text("NextStep"), Field("IsClosed", "boolean", writable=False, default=False),
        Field("IsWon", "boolean", writable=False, default=False),
    ),
    "Task": (
        *_text("Subject"), OWNER, Field("WhoId", "reference", 18, to=("Contact", "Lead")),
        Field("WhatId", "reference", 18, to=("Account", "Opportunity")), *_kind("date", "ActivityDate"),
        _list("Priority", "High", "Normal", "Low", default="Normal"), *_kind("textarea", "Description"),
        _list("Status", "Not Started", "In Progress", "Completed", "Deferred", default="Not Started"),
        Field("IsClosed", "boolean", writable=False, default=False),
    ),
    "User": (
        *_text("Username", "Name", length=121), *_kind("email", "Email"), Field("IsActive", "boolean", default=True),
        _list("UserType", "Standard", "PowerCustomerSuccess", default="Standard"),
    ),
    "AssignmentRule": (
        *_kind("string", "Name", "SobjectType", writable=False), Field("Active", "boolean", writable=False, default=False),
    ),
}  # fmt: skip
PREFIXES = {"Account": "001", "Contact": "003", "User": "005", "Opportunity": "006", "Lead": "00Q", "Task": "00T",
            "AssignmentRule": "01Q"}  # fmt: skip
NO_BIN = ("User", "AssignmentRule")


def fields_of(kind: str) -> dict[str, Field]:
    """Standard fields by name, those of every record first."""
    shared = SYSTEM if kind not in NO_BIN else tuple(f for f in SYSTEM if f.name != "IsDeleted")
    return {field.name: field for field in (*shared, *FIELDS[kind])}


def make_id(kind: str, number: int) -> str:
    """18 characters."""
    return full_id(f"{PREFIXES[kind]}Sb{number:010d}")


def full_id(short: str) -> str:
    """15 characters, and the three that tell their capitals."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    parts = (short[n : n + 5] for n in (0, 5, 10))
    return short + "".join(letters[sum(1 << n for n, c in enumerate(p) if "A" <= c <= "Z")] for p in parts)
