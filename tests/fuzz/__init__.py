"""Hostile input against the whole of edge-ser, a target at a time.

    make fuzz                              10,000 trials of every target
    make fuzz N=500 ONLY=wav               fewer, of one
    python -m fuzz --only wav --seed 123   a single trial again (with tests on the path)

A trial is a function of its target and its seed alone. What it may end in: a typed error, or a
right result. What it must not: another exception or a warning, a result that cannot be right,
more than a second of processor time or 256 MB, an end of the process, a program, a socket, or a
file written outside the trial's own folder.
"""
