"""Tests of services/contracts."""
