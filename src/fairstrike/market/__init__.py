"""What is: state folded from events. Catalogue, books, reference index, settlement window, views."""
