"""What goes wrong: its one kind and what follows from that, and how a unit is seen to turn in circles."""
