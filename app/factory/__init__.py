"""Builds the Flask app from the settings; wsgi.py mounts the doors on it."""

from app.factory.create import create_app

__all__ = ["create_app"]
