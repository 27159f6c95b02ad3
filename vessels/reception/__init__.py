"""Reception: who was there and who was heard, learned from the data themselves."""
