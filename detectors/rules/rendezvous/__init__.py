"""Ships that met at sea, seen both or one only: where, who, what their draughts say, and what ordinary reason fits."""
