"""The same stories on two stages: the embedded servers, and a real Synapse with a real Sydent."""
