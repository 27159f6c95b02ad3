"""What is odd about it: findings with evidence, scores and flagged voyages."""
