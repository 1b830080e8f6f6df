"""``python -m connector_service`` is the command ``connector``."""

import sys

from connector_service.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
