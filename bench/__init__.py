"""Side-by-side measurements: each figure beside a reference of the same run. Start with `python -m bench`."""
