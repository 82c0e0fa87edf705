"""A trading system for Kalshi's short-term crypto markets."""

__version__ = "0.1.0"
