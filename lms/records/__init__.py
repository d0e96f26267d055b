"""The record store for people: statements as sentences, their JSON, how many there are, exports, a validator."""
