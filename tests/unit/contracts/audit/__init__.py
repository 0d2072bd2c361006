"""Tests of services/contracts/audit."""
