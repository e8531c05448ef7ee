"""What a person is asked: questions, gates, and what they hold."""
