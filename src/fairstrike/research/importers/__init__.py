"""Recordings by format: one importer a file, each turning its lines into the events a live run would give."""
