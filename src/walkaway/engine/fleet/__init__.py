"""What makes a worker one of several: hearing orders, stopping, taking over from the dead, running as processes."""
