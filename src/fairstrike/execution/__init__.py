"""What became of it: order lifecycle, our ledger, and finding the truth after doubt."""
