"""What the simulators do some time after they were asked."""

from __future__ import annotations

import threading

from sandbox.base import Context, Later

WAIT_S = 10


def test_each_thing_happens_at_its_time():
    later, done, last = Later(Context(), "later-test"), [], threading.Event()
    later.after(0.2, last.set)
    for delay, name in ((0.1, "second"), (0.0, "first")):
        later.after(delay, lambda name=name: done.append(name))
    assert last.wait(WAIT_S)
    assert done == ["first", "second"]


def test_nothing_happens_after_the_end():
    context, done, ended = Context(), [], []
    later = Later(context, "later-test-ended")
    (thread,) = (one for one in threading.enumerate() if one.name == "later-test-ended")
    later.after(0.1, lambda: done.append("was waiting"))
    context.close()
    later.after(0.0, lambda: ended.append("asked too late"))
    thread.join(WAIT_S)
    assert (thread.is_alive(), done, ended) == (False, [], [])
