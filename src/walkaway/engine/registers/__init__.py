"""What agents write into the registers and look up there, and what they are told of them."""
