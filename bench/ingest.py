"""The door (verified, stored, committed, answered) / the same server's route that only reads the body."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import multiprocessing
import threading
import time

import sqlalchemy as sa
import waitress
from flask import request

from app.config import load
from app.db import Database, migrations
from app.factory import create_app
from app.servers import temporary
from bench.report import line
from integrations import registry
from webhooks import blueprint

PORT, SECRET, THREADS, SECONDS, ROUNDS = 21_700, "whsec_bench", 16, 3.0, 5
FILLER = {"amount": 5000, "currency": "usd", "customer": "cus_1", "description": "x" * 600}


def serve(database_url, redis_url, ready):
    """One web process, as `flask web` runs it."""
    settings = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "MODE": "sandbox", "LOG_LEVEL": "error"}
    app = create_app(load(settings))
    app.register_blueprint(blueprint)

    @app.post("/noop")
    def noop():
        return {"bytes": len(request.get_data())}, 202

    app.extensions["deskbridge"].connections.add(
        registry.by_slug("stripe"), "Bench", {}, {"api_key": ["x"], "webhook_secret": [SECRET]}, connection_id="bench"
    )
    server = waitress.create_server(app, host="127.0.0.1", port=PORT, threads=8, connection_limit=4000, ident=None)
    ready.set()
    server.run()


def client(path, number, until, counts, failures):
    """One connection, one request after the other, each with a new event."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
    sent = 0
    while time.monotonic() < until:
        event = {"id": f"evt_{number}x{sent}x{int(until * 1000)}", "type": "charge.updated", "created": 1}
        body = json.dumps({**event, "data": {"object": {"id": "ch_1", **FILLER}}}).encode()
        stamp = str(int(time.time()))
        digest = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "Stripe-Signature": f"t={stamp},v1={digest}"}
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        failures[0] += answer.status != 202
        sent += 1
    counts.append(sent)
    connection.close()


def rate(path):
    """Requests a second over some connections."""
    counts, failures, until = [], [0], time.monotonic() + SECONDS
    threads = [threading.Thread(target=client, args=(path, n, until, counts, failures)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures[0]:
        raise SystemExit(f"{failures[0]} answers of {path} were not 202")
    return sum(counts) / SECONDS


def run():
    """Print the ratio of both rates, taken in turn."""
    with temporary() as urls:
        migrations.upgrade(urls.migration_url)
        ready = multiprocessing.Event()
        server = multiprocessing.Process(target=serve, args=(urls.database_url, urls.redis_url, ready), daemon=True)
        server.start()
        ready.wait(20)
        rate("/noop")
        rate("/webhooks/stripe/bench")
        noop, door = [], []
        for _ in range(ROUNDS):
            noop.append(rate("/noop"))
            door.append(rate("/webhooks/stripe/bench"))
        server.kill()
        server.join()
        database = Database(urls.database_url)
        with database.begin() as cx:
            rows = cx.execute(sa.text("SELECT count(*) FROM delivery_body")).scalar_one()
        database.close()
        if rows < sum(door) * SECONDS:
            raise SystemExit(f"only {rows} rows stand for {sum(door) * SECONDS:.0f} answers")
        line(
            "ingest: stored deliveries / body read", "1/s", door, noop, load="Python client, 16 connections, fsync off"
        )
