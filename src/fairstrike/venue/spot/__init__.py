"""Spot venues: what their public streams say, each venue in a file of its own."""
