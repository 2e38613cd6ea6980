"""Celery as it is used with Redis: a task that does nothing, and a producer."""
import os
import sys

from celery import Celery

app = Celery("peer", broker=os.environ["PEER_REDIS"])
app.conf.update(task_acks_late=True, task_ignore_result=True, broker_connection_retry_on_startup=True)


@app.task(name="peer.embed")
def embed(document, model):
    pass


if __name__ == "__main__":
    for i in range(int(sys.argv[1])):
        embed.delay("documents/%d.md" % i, "text-embedding-3-small")
