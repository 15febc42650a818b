"""Lists of independent jobs: each leaves one file when it is done, on this machine or on a Ray cluster.

A run that was ended goes on with what is left, and a job that fails or is lost is done again before it is reported.
"""
