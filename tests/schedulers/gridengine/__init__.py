"""The captured answers that these tests read."""

ROUND1, ROUND2, DOWN = (f"gridengine-8.1.9-{part}.txt" for part in ("round1", "round2", "qmaster-down"))
