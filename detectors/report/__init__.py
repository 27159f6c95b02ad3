"""What people see of a run: the page, the case of one voyage in pictures and words; made from the run alone."""
