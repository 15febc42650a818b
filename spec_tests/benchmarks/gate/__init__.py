"""A paired gate: is head slower than base, on this machine and now? It says yes, no, or that it cannot tell.

Base, a second copy of base and head run side by side, each in a process of its own, in turns of random mirrored
order. Processes of the very same code differ for as long as they live, so that a pair of processes counts once,
however often it was timed: each round starts new ones, and the test is over rounds. How many there are follows from
the noise of base against its copy, measured before head is looked at.
"""
