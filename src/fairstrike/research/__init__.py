"""Looking back: recordings in, evidence out. Drives the same engine; owns no fill logic and no profit formula."""
