"""The pure core: values, facts and rules; nothing here can touch the world."""
