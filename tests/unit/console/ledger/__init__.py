"""Tests of console/ledger."""
