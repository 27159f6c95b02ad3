"""Who a ship says it is, held against the standard, against what it said before and against what others say."""
