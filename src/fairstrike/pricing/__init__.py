"""What it is worth: numbers in, numbers out. Beliefs are floats; they become prices in `core.units` only."""
