"""`python -m detectors.cli` is `wakewatch`."""

import sys

from detectors.cli.app import main

sys.exit(main())
