"""Mends a race of pynetdicom 3.0 in which about one answer in a thousand is lost on a busy machine: `send_c_store` and the like stop the
association's reactor, but take one that is just setting off again for one that has stopped; then the reactor takes the answer
away from who waits for it, and a minute later the association is aborted.

Not here: what is sent.
"""
import threading


class Parking(threading.Event):
    """Where the reactor passes each time round. Who closes it goes on only when the reactor stands in it."""

    def __init__(self, reactor):
        super().__init__()
        self.reactor, self.is_taken = reactor, False
        self.set()

    def wait(self, timeout=None):
        with self._cond:
            while not self._flag:
                self.is_taken = True
                self._cond.notify_all()
                self._cond.wait(timeout)
            self.is_taken = False
        return True

    def clear(self):
        with self._cond:
            self._flag = False
            while not (self.is_taken or self._flag) and self.reactor.is_alive() and self.reactor is not threading.current_thread():
                self._cond.wait(0.05)


def parked(association):
    """The association, whose answers come to who waits for them."""
    association._reactor_checkpoint = Parking(association)
    return association
