"""What the user chose: values and rules only, no await, no clock, no network."""
