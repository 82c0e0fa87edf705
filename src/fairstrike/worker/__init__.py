"""The worker: a process of its own for sums longer than a decision may take. It may import what the trader may not."""
