// Lab04-queues kills a program in the middle of its work, again and again, and counts
// what is lost: with jobs in a Go channel, and with jobs in a queue that has a journal.
// One of the jobs ends its own program; see what becomes of it.
//
//	go run ./examples/lab04-queues
//	go run ./examples/lab04-queues -kills 20
//	go run ./examples/lab04-queues -serve localhost:8080    the page of the queue, at the end
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/prodailabs/prodai/retry/queue"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab04-queues:", err)
		os.Exit(1)
	}
}

func run(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab04-queues", flag.ContinueOnError)
	f.SetOutput(errs)
	kills := f.Int("kills", 6, "how often the program is killed")
	serve := f.String("serve", "", "serve the page of the queue at this `address` at the end, until Ctrl-C")
	child := f.String("child", "", "be the program that is killed, in this `folder`")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if *child != "" {
		return work(*child)
	}
	dir, err := os.MkdirTemp("", "lab04-queues")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\taccepted so far\tdone by the journal\tdone by the channel\t")
	for n := range *kills {
		if err := killed(self, dir, time.Duration(120+67*n%150)*time.Millisecond); err != nil {
			return err
		}
		fmt.Fprintf(w, "kill %d\t%d\t%d\t%d\t\n", n+1, len(unique(dir, "accepted")), len(unique(dir, "journal")), len(unique(dir, "channel")))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return finish(dir, *serve, out)
}

// killed starts the child, lets it work for a while, and kills it (kill -9).
func killed(self, dir string, after time.Duration) error {
	before := len(unique(dir, "accepted"))
	cmd := exec.Command(self, "-child", dir)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	for wait := 0; wait < 12_000 && len(unique(dir, "accepted")) == before; wait++ {
		select {
		case <-ended: // the poison job was faster
			return nil
		case <-time.After(5 * time.Millisecond):
		}
	}
	select {
	case <-ended:
		return nil
	case <-time.After(after):
	}
	_ = cmd.Process.Kill()
	<-ended
	return nil
}

// A program has these.
type program struct {
	q       *queue.Queue
	journal *queue.Journal
	embed   *queue.Kind[string, int]
}

func open(dir string) (*program, error) {
	journal, err := queue.Open(filepath.Join(dir, "jobs"), nil)
	if err != nil {
		return nil, err
	}
	q, err := queue.New(journal, nil)
	if err != nil {
		return nil, err
	}
	embed, err := queue.NewKind[string, int]("embed", nil)
	return &program{q, journal, embed}, err
}

// handler does a job: it "embeds" a document in 10 ms, and notes that it did.
func handler(dir string) func(context.Context, string) (int, error) {
	return func(_ context.Context, doc string) (int, error) {
		if doc == "poison" {
			os.Exit(3) // as a crash in a C library, or the end of memory, would do
		}
		time.Sleep(10 * time.Millisecond)
		return len(doc), note(dir, "journal", doc)
	}
}

// Urgent jobs come first, but don't starve the others.
var lanes = []queue.Lane{{Queue: "urgent", Weight: 3}, {Queue: "default", Weight: 1}}

// work is the child: it accepts documents, does them in two ways, and never ends.
func work(dir string) error {
	p, err := open(dir)
	if err != nil {
		return err
	}
	ctx := context.Background()
	_, err = p.embed.Enqueue(ctx, p.q, "poison", &queue.JobOptions{ID: "poison", Queue: "urgent", Delay: 40 * time.Millisecond})
	var duplicate *queue.DuplicateError
	if err != nil && !errors.As(err, &duplicate) { // an earlier life of the program has stored it
		return err
	}
	channel := make(chan string, 1000)
	for range 4 {
		go func() {
			for doc := range channel {
				time.Sleep(10 * time.Millisecond)
				_ = note(dir, "channel", doc)
			}
		}()
	}
	go func() {
		for n := 0; ; n++ {
			doc := fmt.Sprintf("document-%d-%d", os.Getpid(), n)
			if _, err := p.embed.Enqueue(ctx, p.q, doc, nil); err != nil {
				continue
			}
			channel <- doc
			_ = note(dir, "accepted", doc) // both have it: the user gets status 202
		}
	}()
	w, err := queue.NewWorker(p.q, []queue.Handler{p.embed.Handler(handler(dir))}, &queue.WorkerOptions{Concurrency: 4, Lanes: lanes})
	if err != nil {
		return err
	}
	return w.Run(ctx)
}

// finish does what is left in the queue, counts, and shows the dead letter.
func finish(dir, serve string, out io.Writer) error {
	p, err := open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = p.journal.Close() }()
	// The poison job is a dead letter by now, or is made one: this program must live.
	calm := handler(dir)
	w, err := queue.NewWorker(p.q, []queue.Handler{p.embed.Handler(func(ctx context.Context, doc string) (int, error) {
		if doc == "poison" {
			return 0, queue.Permanent(errors.New("this document ended its program before"))
		}
		return calm(ctx, doc)
	})}, &queue.WorkerOptions{Lanes: lanes})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	for left := 1; left > 0; time.Sleep(10 * time.Millisecond) {
		stats, err := p.q.Stats(ctx)
		if err != nil {
			cancel()
			return err
		}
		left = 0
		for _, s := range stats {
			left += s.Ready + s.Scheduled + s.Running
		}
		if left == 0 {
			if left, err = redrive(ctx, p.q); err != nil {
				cancel()
				return err
			}
		}
	}
	cancel()
	if err := <-ended; err != nil {
		return err
	}
	accepted := unique(dir, "accepted")
	fmt.Fprintln(out, "\nAfter a last start that does what is left:")
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\taccepted\tlost\tdone twice\t")
	for _, name := range []string{"journal", "channel"} {
		done := unique(dir, name)
		lost, twice := 0, 0
		for doc := range accepted {
			if done[doc] == 0 {
				lost++
			}
		}
		for _, n := range done {
			twice += n - 1
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t\n", name, len(accepted), lost, twice)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	poison, err := p.q.Get(context.Background(), "poison")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nThe poison job: %v, because of %v; %d workers lost, %d failures. %s\n", poison.State, poison.Reason, poison.Losses, poison.Failures, poison.Error)
	fmt.Fprint(out, "\nThe journal has lost nothing: a document is accepted when it is on the disk. Those that\n"+
		"were in work at a kill may be done twice: so a job must be idempotent. The channel has lost all\n"+
		"that it had in memory. The poison job could not stop the others: its runs were counted before they began.\n")
	if serve == "" {
		return nil
	}
	page, err := queue.NewInspector(p.q, &queue.InspectorOptions{ShowPayloads: true})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nThe page of the queue is at http://%s\n", serve)
	server := &http.Server{Addr: serve, Handler: page, ReadHeaderTimeout: 5 * time.Second}
	return server.ListenAndServe()
}

// redrive gives the documents that are dead letters another chance: they did nothing but
// run beside the poison job, or at a kill, three times. It returns how many there are.
func redrive(ctx context.Context, q *queue.Queue) (n int, err error) {
	dead, err := q.List(ctx, queue.Listing{State: queue.StateDead})
	for _, j := range dead {
		if j.ID != "poison" && j.Reason == queue.ReasonLosses && err == nil {
			n, err = n+1, q.Redrive(ctx, j.ID)
		}
	}
	return n, err
}

// note appends a line to a file, in one write, which survives the end of the program.
func note(dir, name, line string) error {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	return errors.Join(err, f.Close())
}

// unique counts the lines of a file.
func unique(dir, name string) map[string]int {
	data, err := os.ReadFile(filepath.Join(dir, name))
	out := map[string]int{}
	if err != nil {
		return out // not there yet
	}
	for _, line := range strings.Fields(string(data)) {
		out[line]++
	}
	return out
}
