"""Pure types shared by every room: no I/O, no clock, no randomness."""
