"""A CRM that many processes share: its records are rows, written in transactions of their own, so that a time-out after
acceptance and a kill -9 leave there what a real one would keep. Upserts by a unique key, counts calls, fails on demand.

Scaffolding over the `Crm` protocol: what the vendor's folder does with the same words is tested against its simulator.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta

import sqlalchemy as sa

from integrations.kernel.clock import parse_iso, utc_now
from integrations.kernel.crm import Bulk, DirectoryPage, PushResult, PushState, Shape, Standing, StandingPage, Usage
from integrations.kernel.errors import OutcomeUnknown, RateLimited, VendorUnavailable
from integrations.kernel.money import Money

CRM = "con_crm"
TABLES = """
CREATE TABLE their_record (object_id text PRIMARY KEY, shape text NOT NULL, key text NOT NULL, at timestamptz NOT NULL,
    fields jsonb NOT NULL, standing jsonb NOT NULL DEFAULT '{}', writes int NOT NULL DEFAULT 1, UNIQUE (shape, key));
CREATE SEQUENCE their_id;
CREATE TABLE their_call (id bigserial, name text, size int);
CREATE TABLE their_fault (id bigserial, name text, deed text);
CREATE TABLE their_result (key text PRIMARY KEY, state text, object_id text);
CREATE TABLE their_job (id text PRIMARY KEY, looks int NOT NULL, results jsonb NOT NULL);
"""
PREFIX = {Shape.LEAD: "00Q", Shape.DEAL: "006", Shape.TASK: "00T"}


class TheirCrm:
    """pages: what directory answers. Faults: `fail("push", "after")`; results by key: `answer(key, state, object_id)`."""

    def __init__(self, url):
        self._url, self._engines, self.pages = url, {}, []

    @property
    def engine(self):
        """One a process: the harness forks."""
        if os.getpid() not in self._engines:
            made = sa.make_url(self._url).set(drivername="postgresql+psycopg")
            self._engines[os.getpid()] = sa.create_engine(made, poolclass=sa.NullPool)
        return self._engines[os.getpid()]

    def set_up(self):
        self._do(TABLES)
        return self

    def _do(self, text, **values):
        with self.engine.begin() as cx:
            found = cx.execute(sa.text(text), values)
            return found.mappings().all() if found.returns_rows else []

    def _called(self, name, size=1):
        """Count a call; answers the fault it meets, once."""
        self._do("INSERT INTO their_call (name, size) VALUES (:n, :s)", n=name, s=size)
        told = self._do(
            "DELETE FROM their_fault WHERE id = (SELECT min(id) FROM their_fault WHERE name = :n) RETURNING deed",
            n=name,
        )
        deed = told[0]["deed"] if told else ""
        if deed == "before":
            raise VendorUnavailable
        if deed == "limit":
            raise RateLimited(retry_after_s=0.2)
        if deed == "lost":
            raise OutcomeUnknown
        return deed

    def fail(self, name, *deeds):
        for deed in deeds:
            self._do("INSERT INTO their_fault (name, deed) VALUES (:n, :d)", n=name, d=deed)

    def answer(self, key, state, object_id=""):
        self._do("INSERT INTO their_result VALUES (:k, :s, :o) ON CONFLICT (key) DO UPDATE SET state = :s, object_id = :o",
                 k=key, s=state, o=object_id)  # fmt: skip

    def heal(self):
        self._do("DELETE FROM their_result")
        self._do("DELETE FROM their_fault")

    def calls(self, name=""):
        return self._do("SELECT count(*) AS n FROM their_call WHERE :n = '' OR name = :n", n=name)[0]["n"]

    def records(self, shape=None):
        return self._do("SELECT * FROM their_record WHERE :s = '' OR shape = :s ORDER BY object_id", s=shape or "")

    def push(self, drafts):
        assert 0 < len(drafts) <= 200, len(drafts)
        assert len({one.shape for one in drafts}) == 1
        deed = self._called("push", len(drafts))
        results = self._all(drafts)
        if deed == "after":
            raise OutcomeUnknown
        return results

    def _all(self, drafts):
        """Plain ones in one statement, the others one by one."""
        told = {r["key"]: r for r in self._do("SELECT * FROM their_result")}
        plain = [one for one in drafts if one.key not in told and not one.object_id]
        rows = [{"k": one.key, "s": one.shape.value, "p": PREFIX[one.shape], "f": self._fields(one)} for one in plain]
        made = self._do(
            "INSERT INTO their_record (object_id, shape, key, at, fields) SELECT p || nextval('their_id'), s, k, now(), f"
            " FROM jsonb_to_recordset(CAST(:r AS jsonb)) AS n(k text, s text, p text, f jsonb)"
            " ON CONFLICT (shape, key) DO UPDATE SET fields = excluded.fields, at = now(),"
            " writes = their_record.writes + 1 RETURNING key, object_id, writes", r=json.dumps(rows)) if rows else []  # fmt: skip
        results = {
            r["key"]: PushResult(r["key"], PushState.CREATED if r["writes"] == 1 else PushState.UPDATED, r["object_id"])
            for r in made
        }  # fmt: skip
        return [results.get(one.key) or self._one(one, told.get(one.key)) for one in drafts]

    @staticmethod
    def _fields(one):
        return {
            "subject": one.subject, "description": one.description, "owner": one.owner_id, "account": one.account_id,
            "company": one.company, "amount": one.amount.minor if one.amount else None, "kind": one.kind,
            "only": list(one.only),
        }  # fmt: skip

    def _one(self, one, told):
        if told:
            return PushResult(one.key, PushState(told["state"]), told["object_id"], "SAID", "They said so.")
        fields = self._fields(one)
        kept = {name: fields[name] for name in fields if not one.only or name in (*one.only, "only")}
        there = self._do(
            "UPDATE their_record SET fields = fields || CAST(:f AS jsonb), at = now(), writes = writes + 1"
            " WHERE object_id = :o RETURNING standing", f=json.dumps(kept), o=one.object_id)  # fmt: skip
        if not there:
            return PushResult(one.key, PushState.REFUSED, "", "ENTITY_IS_DELETED", "It was deleted.")
        if there[0]["standing"].get("converted"):
            return PushResult(one.key, PushState.CONVERTED, one.object_id, "CONVERTED", "")
        return PushResult(one.key, PushState.UPDATED, one.object_id)

    def bulk(self, drafts):
        deed = self._called("bulk", len(drafts))
        results = {result.key: result for result in self._all(drafts)}
        told = json.dumps({key: [r.state.value, r.object_id, r.code, r.detail] for key, r in results.items()})
        job_id = self._do("INSERT INTO their_job VALUES ('job' || nextval('their_id'), 1, CAST(:r AS jsonb)) RETURNING id",
                          r=told)[0]["id"]  # fmt: skip
        if deed == "after":
            raise OutcomeUnknown
        return job_id

    def bulk_state(self, job_id, shape):
        self._called("bulk_state")
        row = self._do("UPDATE their_job SET looks = looks - 1 WHERE id = :i RETURNING looks, results", i=job_id)[0]
        if row["looks"] >= 0:
            return Bulk(job_id, finished=False)
        results = (PushResult(k, PushState(s), o, code, d) for k, (s, o, code, d) in row["results"].items())
        return Bulk(job_id, finished=True, results=tuple(results))

    def find(self, shape, keys):
        self._called("find", len(keys))
        rows = self._do("SELECT * FROM their_record WHERE shape = :s AND key = ANY(:k)", s=shape.value, k=list(keys))
        return {row["key"]: self._standing(row) for row in rows}

    def show(self, shape, object_ids):
        self._called("show", len(object_ids))
        rows = self._do("SELECT * FROM their_record WHERE object_id = ANY(:k)", k=list(object_ids))
        return {row["object_id"]: self._standing(row) for row in rows}

    def _standing(self, row):
        told = dict(row["standing"])
        if "amount" in told:
            told["amount"] = Money(*told["amount"])
        return Standing(Shape(row["shape"]), row["object_id"], row["at"], row["key"], **told)

    def say(self, object_id, **standing):
        """What a rep does with a record."""
        self._do("UPDATE their_record SET standing = standing || CAST(:s AS jsonb), at = clock_timestamp() WHERE object_id = :o",
                 s=json.dumps(standing), o=object_id)  # fmt: skip

    def add(self, object_id, shape="deal", key="", **standing):
        """A record the CRM made by itself."""
        self._do("INSERT INTO their_record VALUES (:o, :s, :k, now(), '{}', CAST(:t AS jsonb))",
                 o=object_id, s=shape, k=key or object_id, t=json.dumps(standing))  # fmt: skip

    def standings(self, cursor, since):
        self._called("standings")
        begin = parse_iso(cursor) - timedelta(minutes=5) if cursor else since
        rows = self._do("SELECT * FROM their_record WHERE at >= :b AND key <> object_id ORDER BY at", b=begin)
        return StandingPage(tuple(self._standing(row) for row in rows), utc_now().isoformat(), at_end=True)

    def directory(self, cursor=""):
        self._called("directory")
        number = int(cursor or 0)
        if number >= len(self.pages):
            return DirectoryPage(str(number), at_end=True)
        accounts, contacts, users = self.pages[number]
        return DirectoryPage(
            str(number + 1), number + 1 == len(self.pages), tuple(accounts), tuple(contacts), tuple(users)
        )

    def usage(self):
        return Usage()

    def check(self):
        return []
