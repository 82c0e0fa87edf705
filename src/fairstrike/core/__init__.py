"""The words: frozen values and arithmetic. Nothing here reads a clock, a socket or a file."""
