"""What Carillon is measured against, each in a process and an environment of its own. None of it is imported by us.

A peer is run with this directory's parent on its path and gets ready, says "ready", waits for a line, does its work and
says "done". See running.py, which is on our side.
"""
