// Package celery exchanges tasks with Celery over its own queues in Redis: Go programs
// send tasks to Celery's workers, and Go workers do the tasks of Celery's producers.
//
// # The problem
//
// A team has a service in Python with forty Celery tasks. One of them, which parses
// documents, is to move to Go. Rewriting all at once is too risky, and a second broker
// beside the first means two systems to operate.
//
// # The idea
//
// Celery's messages are JSON in lists of Redis. A [Store] reads and writes them, so
// package queue's Worker and Kind work with them unchanged. Route one task to a queue
// of its own, and start a Go worker for that queue. The producers don't change.
//
//	@app.task → apply_async(queue="go") ─▶ Redis list "go" ─▶ Go worker
//	AsyncResult.get()  ◀── celery-task-meta-ID ◀───────────────┘
//
// A task's arguments are a [Call]. The result is written where AsyncResult reads it.
// Chains work across both languages. A queue of Celery has four lists for the
// priorities 0, 3, 6 and 9, of which 0 is the most urgent; the header "priority" of a
// job chooses one.
//
// # Terms
//
//   - Message protocol (also: task message, protocol 2): A message protocol is the form
//     of the data that a producer and a worker exchange. Celery's protocol 2 has the task
//     and its id in headers, and the arguments in a body.
//   - Envelope (also: kombu message): An envelope is what kombu, Celery's library for
//     brokers, puts around a message to store it in Redis.
//   - Visibility timeout: A visibility timeout is the time after which Celery's workers
//     give an unacknowledged task to another worker, even if it still runs. A Go worker
//     renews it, so its long tasks run once.
//   - Parked message: A parked message could not be read. It is kept in a list of its
//     own, and the worker goes on.
//   - AsyncResult: AsyncResult is Celery's handle of a task's state and result.
//
// # A minimal program
//
// The program does Celery's tasks docs.parse from the queue "go".
//
//	store, err := celery.New(redis.NewClient(&redis.Options{Addr: "localhost:6379"}), nil)
//	…
//	q, err := queue.New(store, &queue.Options{NewID: celery.NewID})
//	…
//	parse, err := queue.NewKind[celery.Call, string]("docs.parse", &queue.KindOptions{Queue: "go"})
//	…
//	worker, err := queue.NewWorker(q, []queue.Handler{
//		parse.Handler(func(ctx context.Context, c celery.Call) (string, error) {
//			var address string
//			if err := c.Bind([]string{"address"}, &address); err != nil {
//				return "", queue.Permanent(err)
//			}
//			…
//		}),
//	}, &queue.WorkerOptions{Lanes: []queue.Lane{{Queue: "go"}}})
//
// # Pitfalls
//
//   - Don't let Go and Python share a queue unless both have all its tasks: because a
//     Celery worker drops a task that it doesn't know. Use a queue for each language.
//   - Don't use pickle: because only JSON is read here, and pickle runs code of the
//     sender. Set task_serializer = "json", the default.
//   - Don't run a chord's tasks in Go: because the Go worker doesn't count them. It
//     refuses them, and the chord fails with a ChordError. Use a group or a chain, or
//     queue.EnqueueGroup on another store.
//   - Don't use early acknowledgments in Celery (acks_late=False): because its worker
//     then loses the task that it runs when it is killed. A Go worker acknowledges late
//     always.
//
// # Questions
//
// Why does AsyncResult.get wait forever? AsyncResult.get waits forever if the result is
// only stored: Celery waits for a message on a channel with the name of the result's
// key. This package sends it in the same step.
//
// What happens to a message that can't be read? A message that can't be read is parked,
// and Store.Parked lists it. A Celery worker that gets a body with wrong base64 ends.
//
// # Further reading
//
//   - Celery documentation, "Message Protocol"; kombu documentation, "Redis transport".
package celery
