"""The nightly job's store: Delta Lake tables that only grow, one commit a group of input files."""
