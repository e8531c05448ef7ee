"""`python -m walkaway`."""

import sys

from walkaway.entry import main

if __name__ == "__main__":
    sys.exit(main())
