"""The Celery side of the round trips: tasks for its worker, and a producer."""
import os
import sys

from celery import Celery, chain, chord, group

app = Celery("lab", broker=os.environ["LAB_REDIS"], backend=os.environ["LAB_REDIS"])
app.conf.update(
    broker_transport_options={"visibility_timeout": 3, "unacked_restore_interval": 1, "unacked_restore_throttle": 1},
    task_acks_late=True,
    broker_connection_retry_on_startup=True,
)


@app.task(name="lab.add")
def add(x, y=0):
    return x + y


@app.task(name="lab.fail")
def fail(word):
    raise ValueError(word)


def signature(name, *args, **kwargs):
    return app.signature(name, args=args, kwargs=kwargs, queue="go")


def produce():
    """Sends tasks to the Go worker, and reads the results with AsyncResult."""
    for priority in (0, 3, 9):
        sent = signature("go.add", 2, y=3).apply_async(priority=priority)
        assert sent.get(timeout=120) == 5, "priority %d" % priority
    assert signature("go.add", "h\u00e9llo \U0001f30d", y=" \u65e5\u672c").apply_async().get(timeout=120) == "h\u00e9llo \U0001f30d \u65e5\u672c"
    failed = signature("go.fail", "no such file").apply_async()
    try:
        failed.get(timeout=120)
    except Exception as e:
        assert "no such file" in str(e), repr(e)
    else:
        raise AssertionError("go.fail succeeded")
    assert failed.state == "FAILURE", failed.state
    assert signature("go.add", 1, y=1).apply_async(countdown=1).get(timeout=120) == 2
    # Go, then Celery's own worker, then Go again.
    mixed = chain(signature("go.add", 1, y=1), app.signature("lab.add", args=(10,)), signature("go.add", 100))()
    assert mixed.get(timeout=120) == 112, mixed
    several = group(signature("go.add", 1, y=i) for i in range(3))()
    assert several.get(timeout=120) == [1, 2, 3], several
    # A chord is refused, and its caller does not wait forever: it gets a ChordError, or
    # the error of a member if it looks at that first.
    try:
        chord([signature("go.add", 1, y=1)] * 2)(app.signature("lab.total")).get(timeout=120)
    except Exception as e:
        assert "takes no part in a chord" in str(e), repr(e)
    else:
        raise AssertionError("the chord succeeded")
    slow = signature("go.slow").apply_async()
    assert slow.get(timeout=60) == 1, "the task was started more than once"
    print("ok")


if __name__ == "__main__":
    if sys.argv[1:] == ["produce"]:
        produce()
