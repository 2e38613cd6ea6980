package queue_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/prodailabs/prodai/retry/queue"
)

// A Report is what the example's job returns.
type Report struct{ Chunks int }

// A job is stored, done by a worker, and its result is read by its id. The journal in
// the folder keeps it if the program ends in between.
func Example() {
	dir, err := os.MkdirTemp("", "jobs")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	journal, err := queue.Open(dir, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer journal.Close()
	q, err := queue.New(journal, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	split, err := queue.NewKind[string, Report]("split", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	id, err := split.Enqueue(ctx, q, "docs/manual.md", &queue.JobOptions{Unique: "docs/manual.md"})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = split.Enqueue(ctx, q, "docs/manual.md", &queue.JobOptions{Unique: "docs/manual.md"}) // a second click
	var duplicate *queue.DuplicateError
	fmt.Println("second click is the same job:", errors.As(err, &duplicate) && duplicate.ID == id)

	worker, err := queue.NewWorker(q, []queue.Handler{
		split.Handler(func(_ context.Context, address string) (Report, error) {
			return Report{Chunks: len(address)}, nil
		}),
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	stopped := make(chan error, 1)
	go func() { stopped <- worker.Run(ctx) }()
	report, err := split.Result(ctx, q, id)
	fmt.Println(report.Chunks, err)
	cancel()
	fmt.Println(<-stopped)
	// Output:
	// second click is the same job: true
	// 14 <nil>
	// <nil>
}

// A dead letter is kept with its error until a person has repaired the cause.
func ExampleQueue_RedriveAll() {
	q, err := queue.New(queue.NewMemory(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	pay, err := queue.NewKind[string, string]("summarize", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	quota := 0
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	worker, err := queue.NewWorker(q, []queue.Handler{pay.Handler(func(context.Context, string) (string, error) {
		if quota == 0 {
			return "", queue.Permanent(errors.New("insufficient_quota"))
		}
		return "a summary", nil
	})}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	id, err := pay.Enqueue(ctx, q, "a text", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() { _ = worker.Run(ctx) }()
	_, err = pay.Result(ctx, q, id)
	var dead *queue.DeadError
	fmt.Println(errors.As(err, &dead), dead.Reason)
	quota = 100 // a person has paid
	n, err := q.RedriveAll(ctx, "")
	fmt.Println(n, err)
	fmt.Println(pay.Result(ctx, q, id))
	// Output:
	// true permanent
	// 1 <nil>
	// a summary <nil>
}

// Each step of a chain gets the result of the one before, and the compiler checks that
// the types fit.
func ExampleChain() {
	q, err := queue.New(queue.NewMemory(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	split, err1 := queue.NewKind[string, []string]("split", nil)
	count, err2 := queue.NewKind[[]string, int]("count", nil)
	if err := errors.Join(err1, err2); err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	worker, err := queue.NewWorker(q, []queue.Handler{
		split.Handler(func(_ context.Context, s string) ([]string, error) { return []string{s[:3], s[3:]}, nil }),
		count.Handler(func(_ context.Context, parts []string) (int, error) { return len(parts), nil }),
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	id, err := queue.Then(queue.Chain(q, split, "abcdef", nil), count).Enqueue(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() { _ = worker.Run(ctx) }()
	if _, err := split.Result(ctx, q, id); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(count.Result(ctx, q, queue.StepID(id, 2)))
	// Output:
	// 2 <nil>
}

// Each night at three in Berlin one job is made, by whichever worker is first. If all
// were down at three, it is made when one starts.
func ExampleKind_Schedule() {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		fmt.Println(err)
		return
	}
	nightly, err := queue.Cron("0 3 * * *", berlin)
	if err != nil {
		fmt.Println(err)
		return
	}
	reindex, err := queue.NewKind[string, int]("reindex", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	schedule, err := reindex.Schedule("nightly reindex", nightly, "all", &queue.ScheduleOptions{CatchUp: queue.CatchUpOnce})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = queue.WorkerOptions{Schedules: []queue.Schedule{schedule}}
	fmt.Println(nightly.Next(time.Date(2030, 3, 30, 12, 0, 0, 0, berlin)).Format(time.RFC3339))
	// Output: 2030-03-31T03:00:00+02:00
}

// The page of the queue, below a path of an internal server.
func ExampleNewInspector() {
	q, err := queue.New(queue.NewMemory(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := queue.NewInspector(q, &queue.InspectorOptions{Hosts: []string{"admin.internal"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	http.Handle("/queues/", http.StripPrefix("/queues", page))
}
