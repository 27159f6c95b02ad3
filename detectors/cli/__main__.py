"""`python -m detectors.cli` is `wakewatch`."""

import sys

from detectors.cli.entry import main

sys.exit(main())
