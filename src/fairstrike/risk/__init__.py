"""Whether we may: the one door between a wish and an order."""
