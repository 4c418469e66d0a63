"""Waiting for what comes later: by asking for it, for as long as the slowest machine may need.

Not here: what is waited for.
"""
import time

# Who has waited so long on a machine ten times slower than ours waits in vain.
PATIENCE_S = 180


def until(holds, pause=0.05, patience=PATIENCE_S):
    """What `holds` gives, as soon as it is true; the last of it when patience is at an end."""
    end = time.monotonic() + patience
    while True:
        held = holds()
        if held or time.monotonic() > end:
            return held
        time.sleep(pause)
