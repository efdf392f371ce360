"""What Brihaspati is: values and decisions. No I/O, no clock, no chance, no environment."""
