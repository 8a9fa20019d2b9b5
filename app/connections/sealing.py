"""Secrets at rest: AES-256-GCM, the key's id and the connection's id bound in, so that a row cannot be moved."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from integrations.kernel.errors import ConfigError

_KEY_ID_BYTES = 8
_NONCE_BYTES = 12


class CannotUnseal(ConfigError):
    code = "config.unseal"
    public = "The secrets of a connection cannot be opened: no master key fits. Put the key they were sealed with back."


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"deskbridge key id" + key).digest()[:_KEY_ID_BYTES]


def sealed_with(sealed: bytes, key: bytes) -> bool:
    """Was this sealed with this key?"""
    return sealed[:_KEY_ID_BYTES] == _key_id(key)


def seal(secrets: Mapping[str, Sequence[str]], connection_id: str, keys: Sequence[bytes]) -> bytes:
    """Seal with the newest key. Layout: key id, nonce, ciphertext."""
    key_id, nonce = _key_id(keys[0]), os.urandom(_NONCE_BYTES)
    text = json.dumps({name: list(values) for name, values in secrets.items()}).encode()
    return key_id + nonce + AESGCM(keys[0]).encrypt(nonce, text, key_id + connection_id.encode())


def unseal(sealed: bytes, connection_id: str, keys: Sequence[bytes]) -> dict[str, tuple[str, ...]]:
    """Open with whichever key sealed it. Raises CannotUnseal."""
    key_id, nonce = sealed[:_KEY_ID_BYTES], sealed[_KEY_ID_BYTES : _KEY_ID_BYTES + _NONCE_BYTES]
    for key in keys:
        if _key_id(key) == key_id:
            try:
                rest = sealed[_KEY_ID_BYTES + _NONCE_BYTES :]
                text = AESGCM(key).decrypt(nonce, rest, key_id + connection_id.encode())
            except InvalidTag as error:
                raise CannotUnseal(connection_id=connection_id) from error
            return {name: tuple(values) for name, values in json.loads(text).items()}
    raise CannotUnseal(connection_id=connection_id)
