"""Several workers and the people who direct them: pauses, stops, orders, and what an interrupted run left. Pure."""
