"""The outside: one folder per counterparty, and the ports they are plugged into."""
