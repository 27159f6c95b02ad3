"""The batch job: settings, engine, scan and outputs."""
