"""Kalshi's messages as typed values, decoded and encoded. Strings here, the integers of `core.units` inside."""
