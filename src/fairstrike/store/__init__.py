"""Memory: the journal of a run, tapes of what was received, and the desk's database."""
