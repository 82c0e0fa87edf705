"""An exchange in a box: a matching floor, generated worlds and, on top, the venue's own wire."""
