"""Boards with an Arm processor, without one: labels and instructions under emulation."""
