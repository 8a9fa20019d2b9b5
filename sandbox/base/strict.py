"""The simulators' own pages, which load nothing that they do not name."""

from __future__ import annotations

from flask import Blueprint, Flask, Response


def strict(pages: Flask | Blueprint, policy: str) -> None:
    """Send this Content-Security-Policy with each page, beside a default of nothing."""

    @pages.after_request
    def send(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = f"default-src 'none'; {policy}"
        return response
