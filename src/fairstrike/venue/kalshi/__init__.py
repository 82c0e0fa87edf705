"""The venue Kalshi: its wire, its session, its requests, and three shells that only move bytes."""
