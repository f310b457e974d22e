"""What ``listen`` and ``classify`` take and keep: time, memory, hours, overload, archives."""
