"""The machine as it is: files of the kernel, programs, clock, heat, supply and meters."""
