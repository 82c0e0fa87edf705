"""`python -m fairstrike`."""

from fairstrike.app.cli import main

main()
