"""What we want: each strategy turns what is seen into signals. None of them can reach the venue."""
