"""The desk: follows the journal of a run and shows it. It may crash or be rebuilt; the trader does not notice."""
