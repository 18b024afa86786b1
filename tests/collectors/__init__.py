"""Tests of the collectors."""

import pytest

pytest.register_assert_rewrite("tests.collectors.contract")  # its failures show what was compared, as a test's do
