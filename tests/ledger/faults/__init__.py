"""Faults of threats.md's embedded log, each a named test: kill, EIO, ENOSPC, torn tail, flipped bit, old backup,
second sequencer, repeated and reordered submission, clock jumps, a store half-way between versions."""
