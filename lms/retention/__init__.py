"""For how long kinds of records are kept that are no facts: decided once in a network, carried out on every node."""
