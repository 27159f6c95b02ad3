"""Ships whose number or name is a slip away from a listed one: found, compared, weighed."""
