"""Tests: each name states a rule that holds."""
