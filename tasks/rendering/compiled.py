"""Templates in compiled form: the rows of a sweep are one template, rendered thousands of times."""

from __future__ import annotations

import hashlib

import jinja2


class Compiled(jinja2.BytecodeCache):
    """Templates in compiled form, for as long as their environment is there."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """Any name: Jinja's own has to be UTF-8."""
        return f"{name}|{filename}"

    def get_source_checksum(self, source: str) -> str:
        """Of any text, as above."""
        return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        if code := self._code.get(bucket.key):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()
