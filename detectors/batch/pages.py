"""Pages for people beside the tables of a run: made of the tables alone, and never at the price of them.

Takes a run that is about to be written; gives text by file name and what could not be made. A page that fails is a
defect of wakewatch, to be said and mended, but the night's tables are written all the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from detectors.report.page import report_page
from detectors.run_folder import Written, run_in_memory

REPORT_FILE: Final = "report.html"


@dataclass(frozen=True)
class Pages:
    """Text by file name, and failures as run.json has them."""

    texts: Mapping[str, str]
    failures: Sequence[Mapping[str, Any]] = ()


def pages_of(result: Written, folder: Path | str) -> Pages:
    """The pages of a run that will be written to `folder`."""
    try:
        page = report_page(run_in_memory(result, folder))
    except Exception as error:  # whatever a page fails on must not cost the night its tables
        return Pages({}, [_failure(f"{REPORT_FILE}: could not be made; the tables are complete", error)])
    return Pages({REPORT_FILE: page.html}, [_failure(f"{REPORT_FILE}: {words}") for words in page.failures])


def _failure(words: str, error: Exception | None = None) -> dict[str, Any]:
    said = "" if error is None else f"{type(error).__name__}: {error}"
    whole = f"{words} ({said})" if said else words
    return {"detector": "report", "mmsi": [], "together": [], "error": said, "words": whole}
