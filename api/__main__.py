"""`python -m api` is the command line."""

from api.start import main

main()
