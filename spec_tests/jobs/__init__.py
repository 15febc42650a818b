"""Lists of independent jobs: each writes one file when it is done, on this machine or on a Ray cluster.

An interrupted run can continue with the jobs that are left. A job that fails or is lost is repeated before it is
reported.
"""
