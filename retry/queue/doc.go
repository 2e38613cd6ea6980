// Package queue runs jobs in the background and loses none of them.
//
// # What you will be able to do
//
//   - Decide which work goes into a queue, and answer a request with a job's id.
//   - Explain at-least-once delivery, and write a handler that may run twice.
//   - Give urgent jobs priority without starving the others.
//   - Find out why a job is a dead letter, repair the cause, and redrive it.
//   - Stop a worker without losing or repeating work, and survive one that is killed.
//
// # The problem
//
// A team lets users upload documents. The handler of the upload splits a document,
// embeds 300 chunks and stores them, which takes 40 seconds. Browsers give up after 30,
// and users press the button again. So the team starts a goroutine for each upload and
// answers at once.
//
// Then the service is deployed. Each deployment ends the process, and with it 20 to 50
// uploads that users see as in progress. One document makes a PDF library
// crash. The process restarts, the client sends the document again, and the process
// crashes again: 212 restarts in one night, and no other upload succeeds.
//
// # The idea
//
// A queue separates accepting work from doing it. The request stores a job and gets an
// id; a worker does the job when it has a free slot. What makes the queue trustworthy
// is when each thing is written down. A job is accepted when it is on the disk. A run
// is counted before it begins. A job is done when its end is on the disk.
//
//	request ─ Enqueue ─▶ ┌─────────┐ ─ Claim, for a lease ─▶ worker ─▶ handler ─▶ model
//	        ◀── id ───── │  store  │ ◀─ Renew, a heartbeat ─┤
//	browser ─ Get ─────▶ │         │ ◀─ Finish ─────────────┘
//	                     └─────────┘
//
// Nothing can make a job run exactly once. A worker may die after the work and before
// the end is written. Then the job is given to another worker and runs again. So a
// handler must be idempotent: it looks first whether the result is there.
//
// The package has three stores, and the same code runs on each. [Journal] keeps jobs in
// a folder and needs no server. [github.com/prodailabs/prodai/retry/queue/redis] keeps
// them in Redis, for several machines.
// [github.com/prodailabs/prodai/retry/queue/celery] exchanges tasks with Celery.
//
// # Terms
//
//   - Job (also: task, message): A job is one piece of work in a queue, with its
//     arguments as data. See [Job].
//   - Kind (also: task name, job type): A kind is a name that says which handler does a
//     job, with the types of its payload and of its result. See [Kind].
//   - Handler: A handler is the function that does the jobs of one kind.
//   - Payload (also: arguments): A payload is the data that a job is about, in JSON. It
//     should be small: the address of a document, not the document.
//   - Worker (also: consumer): A worker takes jobs from queues and runs their handlers.
//     See [Worker].
//   - Producer: A producer is a program that puts jobs into a queue.
//   - Lease (also: visibility timeout, lock): A lease is a worker's right to a job for a
//     time, for example 30 s. When it ends without a sign of life, another worker gets
//     the job.
//   - Heartbeat: A heartbeat is the sign of life by which a worker renews its leases. It
//     comes three times in a lease, however long the job takes.
//   - Acknowledgment (also: ack): An acknowledgment is the report that a job is done. It
//     comes after the work; before it, a crash would lose the job.
//   - At-least-once delivery (also: at least once, exactly once, duplicate jobs):
//     At-least-once delivery means that no job is lost, and that a job may run twice.
//   - Idempotent handler (also: idempotency): An idempotent handler has the same effect
//     if it runs twice, for example because it stores its result under the job's id.
//   - Dead letter (also: dead letter queue, DLQ, archive): A dead letter is a job that
//     failed for good or too often. It is kept with its error until a person decides.
//   - Redrive (also: replay, requeue): A redrive makes a dead letter pending again, after
//     its cause is repaired.
//   - Poison pill (also: poison message): A poison pill is a job that ends each program
//     that runs it, for example by a crash in a C library. It becomes a dead letter
//     because its lost workers are counted.
//   - Lost worker (also: orphaned job): A lost worker has stopped renewing its leases,
//     because it was killed or cut off from the store.
//   - Priority (also: lane, urgent): A priority orders jobs when there isn't a slot for
//     all. Here each priority is a queue of its own, a [Lane] of the worker.
//   - Starvation: Starvation is what happens to jobs that never get a slot, because more
//     urgent ones keep coming. Weights prevent it.
//   - Unique key (also: deduplication, unique job): A unique key is a name that only one
//     job may have while it waits or runs, so that two clicks make one job.
//   - Graceful drain (also: graceful shutdown, drain): A graceful drain takes no new jobs
//     and lets those that run end before the program does.
//   - Periodic job (also: cron job, scheduled job, beat): A periodic job is made at fixed
//     times, the slots of its schedule. See [Schedule].
//   - Chain (also: pipeline of jobs): A chain is a row of jobs in which each gets the
//     result of the one before. See [Chain].
//   - Group (also: chord, fan-out and fan-in): A group is a row of jobs that run side by
//     side, with a last job that gets all their results. See [EnqueueGroup].
//   - Journal (also: write-ahead log, append-only file): A journal is a file to which
//     each change is appended before it counts. After a crash the changes are read again
//     from its beginning.
//   - Checksum (also: CRC): A checksum is a small number computed from bytes. If a byte
//     changes, it doesn't fit any more.
//   - Group commit (also: batching of fsyncs): Group commit puts the changes of all
//     callers that wait onto the disk together, since one fsync costs as much for a
//     hundred changes as for one.
//   - Fsync: Fsync is the call that waits until a file's bytes are on the disk. Before
//     it, a power failure may lose them; the end of a process may not.
//   - Torn tail: A torn tail is the half-written record that a crash leaves at the end of
//     a journal. It was not acknowledged, so it is cut off.
//   - Compaction (also: snapshot): Compaction replaces the row of changes by the state
//     that they lead to, so that the journal does not grow forever.
//
// # The states of a job
//
// A job is in one of four states. The picture shows what leads from one to the next.
//
//	           ┌──── failed, after the backoff; or its worker was lost ────┐
//	           ▼                                                           │
//	Add ──▶ pending ──────────────── Claim ──────────────────────────▶ running
//	           ▲                                                       │     │
//	           └── Redrive ── dead ◀── permanent, too often ───────────┘     └──▶ done
//
// Pending jobs wait for a slot, or for their time. A running job belongs to a worker
// until its lease ends. A done job is deleted when its result need not be kept any
// more. A dead job stays until it is redriven or deleted.
//
// # What becomes of a failure
//
// The class of an error decides whether a job runs again. Package
// [github.com/prodailabs/prodai/retry/fault] finds it. The table lists the cases.
//
//	the handler's error              what follows
//	server error, timeout, network   again, after the backoff
//	rate limit with Retry-After      again, not before that, and up to 20 % later
//	an error without a class         again: it may be a mistake that a deployment repairs
//	bad request, quota, wrong key    a dead letter at once: waiting doesn't help
//	Permanent(err)                   a dead letter at once
//	the payload has another type     a dead letter at once
//	a panic                          again: it counts as a failure
//	the worker was lost              again, at once; counted apart, three times at most
//	the worker drains                again, and not counted
//
// # Priorities
//
// A worker looks at its lanes in one of two ways. With weights, the lanes that have
// jobs share the picks: 6 to 3 to 1 means 60, 30 and 10 of 100. With
// [WorkerOptions].Strict, a lane is looked at only when those before it are empty.
//
// A priority doesn't free a slot. If long jobs of a low lane hold all slots, an urgent
// job waits for one of them to end. [Lane].Reserved keeps slots free for a lane.
//
// # The journal
//
// A journal is a folder with two kinds of files. The snapshot has the state at one
// instant. The log has the steps after it, each with its length and its checksum. The
// picture shows a log after a crash.
//
//	prodaiL1 │ len crc add a │ len crc add b │ len crc claim a │ len crc do
//	                                                             └─ torn: cut off
//
// Two kinds of damage look alike at first: a torn tail and a byte that has changed on
// the disk. The first was never acknowledged and may be cut off. The second may be
// followed by jobs that were acknowledged. So the log notes from time to time up to
// which byte it was on the disk. If the damage is before such a note, [Open] fails with
// a [CorruptError] instead of forgetting jobs.
//
// A claim is written before the handler begins, and doesn't wait for an fsync. The end
// of a process can't lose it, so a poison pill is counted. A power failure may.
//
// When the disk is full, [Journal] refuses new steps with the system's error, and goes
// on when there is room. After an fsync that failed it goes on never: the system may
// have dropped what was to be written. Open it again.
//
// # A minimal program
//
// The program stores a job, does it, and reads the result. In a service, the part with
// the worker is mostly another program.
//
//	journal, err := queue.Open("jobs", nil)
//	…
//	defer journal.Close()
//	q, err := queue.New(journal, nil)
//	…
//	embed, err := queue.NewKind[Document, Report]("embed", &queue.KindOptions{MaxAttempts: 5})
//	…
//	id, err := embed.Enqueue(ctx, q, Document{Address: "s3://…"}, &queue.JobOptions{Unique: "s3://…"})
//	…
//	worker, err := queue.NewWorker(q, []queue.Handler{
//		embed.Handler(func(ctx context.Context, d Document) (Report, error) {
//			run, _ := queue.RunOf(ctx)
//			… run.Progress(ctx, 0.5) …
//		}),
//	}, nil)
//	…
//	go worker.Run(ctx) // until ctx is done
//	report, err := embed.Result(ctx, q, id)
//
// # Measured
//
// The table shows one run of this package, of asynq and of Celery on a busy machine
// with two cores. In each, a task is on the disk before it is acknowledged. In Go 64
// goroutines enqueue, and 64 work; in Celery one program enqueues, and ten threads
// work. Compare the rows with one another only.
//
//	                      enqueued /s  consumed /s  processor time a task  of redis-server
//	journal                    13,940       25,668                  29 µs                –
//	retry/queue/redis           5,692        2,240                 108 µs           112 µs
//	asynq 0.26                 10,783        1,475                 200 µs           188 µs
//	Celery 5.7                    270          351                1788 µs           573 µs
//
// The command is the following. Without PRODAI_CELERY, Celery is left out.
//
//	cd internal/bench && PRODAI_CELERY=VENV/bin/python go test ./queue -run Rates -v -tasks 5000 -rounds 3
//
// A program that was killed (kill -9) at 200 random points lost none of 18,803 jobs
// that had been acknowledged. 70 ran twice; they were running at a kill. The command is
//
//	PRODAI_GROWTH=1 go test ./retry/queue -run GrowthKill -v
//
// A journal with a million pending jobs opened in 1.3 s from a log and in 1.8 s from a
// snapshot, and in two to three times that while other programs used both cores. The
// command is
//
//	PRODAI_GROWTH=1 go test ./retry/queue -run GrowthAMillion -v
//
// # Pitfalls
//
//   - Don't write a handler that may not run twice: because it will. Store the result
//     under the job's id, and look there first.
//   - Don't put a document into a payload: because each copy costs memory and disk, and
//     the limit is 1 MiB. Store it elsewhere and enqueue its address.
//   - Don't retry inside a handler for minutes: because the slot is taken meanwhile.
//     Return the error, and let the queue wait.
//   - Don't ignore the context of a handler: because it is how a lost lease, a timeout
//     and a drain are reported. Pass it to each call.
//   - Don't use Strict with a lane that is never empty: because the lanes after it
//     starve. Use weights.
//   - Don't let dead letters pile up unseen: because each is a promise to a user that was
//     not kept. Alert on their number, and look at [Inspector].
//   - Don't redrive before the cause is repaired: because the jobs die again. For a spent
//     quota, wait until it is filled.
//   - Don't keep the results of very many small jobs: because a [Journal] has all its jobs
//     in memory too, each with about 500 bytes besides a large payload or result. Set
//     [KindOptions].Keep to minutes, or to a negative number if no caller reads results.
//   - Don't open one journal from two programs: because only one can. Use the Redis store
//     when there are several.
//   - Don't set a lease shorter than the longest pause of the program: because a pause of
//     the machine or of the collector then loses it. The default of 30 s is safe.
//   - Don't serve the [Inspector] to the internet: because it has no login of its own. Put
//     it where only operators come.
//
// # Questions
//
// Why not a goroutine for each job? A goroutine for each job ends with the program: a
// deployment or a crash loses the job, although the user has seen that it is accepted.
// Goroutines also have no limit by themselves, and no memory of failures. A queue keeps
// the job on the disk until a worker has done it.
//
// When do I use a queue and when a direct call? A direct call is right while the user
// waits and the answer comes in seconds. A queue is right for work that takes longer
// than a person waits, that must survive a restart, or that must be retried for hours.
//
// Can a job run exactly once? A job can't be promised to run exactly once, because a
// worker may die between the work and its acknowledgment. The queue delivers at least
// once. An idempotent handler makes the effect the same as once.
//
// What happens when a worker is killed? When a worker is killed, its leases are not
// renewed. Another worker gives the jobs back at the latest one second after the lease
// has ended. With a [Journal] it is at the next [Open], since one program has it.
//
// What is a poison pill, and how is the queue protected? A poison pill is a job that
// ends each program that runs it. The queue counts a run before it begins, so the count
// survives the crash. After three lost workers the job is a dead letter with
// [ReasonLosses]. Its last run is alone in its program, so that the jobs which happened
// to run beside a poison pill are not taken for one.
//
// Why are lost workers counted apart from failures? Lost workers are counted apart,
// because a deployment or a full memory is mostly not the job's fault. A job with one
// attempt must survive the restart of its worker. [KindOptions].MaxLosses bounds it.
//
// How do I give users the progress of a job? The progress of a job is what its handler
// reports with [Run.Progress]. The browser asks for the job by its id and gets
// [Job].Progress. A next attempt finds it too, and can go on from there.
//
// How do I stop a worker in a deployment? A worker stops when the context of
// [Worker.Run] is done, for example by signal.NotifyContext. It takes no more jobs and
// waits up to [WorkerOptions].Drain for those that run. Those that are not done then
// are released, and run again elsewhere without a failure counted.
//
// What do chains and groups do when a job fails? In a chain the next job is stored in
// the same step that ends the one before, so a failed job holds the rest, and a redrive
// continues it. In a group the last job waits until each member is done. A member that
// is a dead letter holds it until it is redriven.
//
// Which store do I choose? The [Journal] suits one machine and needs no server. The
// Redis store suits workers on several machines. The Celery store suits a team that has
// Python producers or workers already.
//
// How do periodic jobs survive a restart? Periodic jobs survive a restart because the
// store has the last slot of each schedule. After a pause, [CatchUp] decides whether the
// missed slots make one job, none, or one each. Of several workers one makes the job.
//
// # Lab
//
// The first lab kills a program again and again and counts what is lost. Look at the
// rows journal and channel, and at the poison job.
//
//	go run ./examples/lab04-queues
//
// The second lab runs one workload in several ways, with asyncio's form beside each.
// Look at what is refused, and at what waits in the pipeline.
//
//	go run ./examples/lab04-async
//
// # Exercises
//
//  1. Write a handler that sends an e-mail, and make it idempotent. Which two orders of
//     "send" and "note that it was sent" are there, and what does each lose?
//  2. A provider is down for an hour. How long do jobs with five attempts last with the
//     default backoff? Choose options that survive the hour.
//  3. Run the lab with [SyncNever]. Why is still nothing lost? What would lose something?
//  4. Give the lab three lanes with weights, and then Strict. Measure how long a low job
//     waits.
//  5. Damage one byte in the middle of a log and open it. Then damage one in the last
//     record. Explain the difference.
//
// # Further reading
//
//   - Gray and Reuter, "Transaction Processing", 1993, chapter 10: queues, and what
//     exactly once means.
//   - Mohan et al., "ARIES", 1992: write-ahead logs.
//   - Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014; Rebello et al.,
//     "Can Applications Recover from fsync Failures?", USENIX ATC 2020.
//   - Celery's documentation, "Tasks: acks_late" and "Redis: visibility timeout".
package queue
