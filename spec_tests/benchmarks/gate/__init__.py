"""A paired gate that decides whether head is slower than base on this machine: yes, no, or undecided.

Base, a second copy of base and head run side by side in separate processes, in turns of random mirrored order. Two
processes of the very same code differ for as long as they live, so a pair of processes counts once, however often it
was timed. Each round starts new processes, and the test is over rounds. Their number follows from the noise of base
against its copy, which is measured before head.
"""
