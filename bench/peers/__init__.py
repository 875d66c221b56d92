"""The servers that bench/run compares: each starts, says how it is talked to,
and ends."""
