"""Many files compared with each other: each fitted once, every pair solved once and kept."""
