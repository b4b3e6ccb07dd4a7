"""Fixtures of the tests that go the whole road on real systems."""

from __future__ import annotations

from orderhe_dagster_tests.road.systems import s3_with_tls, systems

__all__ = ["s3_with_tls", "systems"]  # fixtures
