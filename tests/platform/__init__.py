"""Tests of the platform, one file for each of its modules."""
