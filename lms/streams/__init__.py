"""What sync moves, seen from the product: one stream for each kind of record, and the files beside them.

Each module answers ``sync.ports.Stream``: the changes made here in the order they became visible, and how
a record made elsewhere is taken. ``directory`` holds people, groups, enrolments and courses; what a laptop
makes itself goes up as an offer, and comes back down once the centre has taken it into its own directory.
"""
