// Lab16-observe watches a service whose quality falls without an error: a change of
// the prompt at 10:00 makes answers worse, while status and latency stay as they were.
// It prints which detector notices when, and shows the traffic as a page.
//
//	go run ./examples/lab16-observe                  prints the numbers
//	go run ./examples/lab16-observe -serve :8016     serves the page, with live traffic
//	go run ./examples/lab16-observe traces.jsonl     serves a file of package trace/jsonl
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/prodailabs/prodai/trace/jsonl"
	"github.com/prodailabs/prodai/trace/monitor"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab16-observe:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab16-observe", flag.ContinueOnError)
	f.SetOutput(errs)
	addr := f.String("serve", "", "serve the page at this address, such as :8016 (this machine only)")
	if err := f.Parse(args); err != nil {
		return err
	}
	board, err := monitor.NewBoard(nil)
	if err != nil {
		return err
	}
	if f.NArg() > 1 {
		return fmt.Errorf("unexpected argument %q", f.Arg(1))
	}
	if f.NArg() == 1 {
		if *addr == "" {
			*addr = ":8016"
		}
		file, err := os.Open(f.Arg(0))
		if err != nil {
			return err
		}
		if err := errors.Join(board.Load(file), file.Close()); err != nil {
			fmt.Fprintln(errs, "lab16-observe: some lines are left out:", err)
		}
		return serve(ctx, board, *addr, out, nil)
	}
	traffic := newTraffic()
	if err := watch(board, traffic, out); err != nil {
		return err
	}
	if *addr == "" {
		fmt.Fprintln(out, readAbout)
		return nil
	}
	return serve(ctx, board, *addr, out, traffic)
}

const readAbout = `
What to notice: the share of failed requests and the latency say nothing. Only the
scores fall, by less than their noise, so a limit on a single score finds nothing
either. Detectors that add up small changes find it.

What to try: -serve :8016, and open a failed trace with Tab and Enter. Change drop in
the source to 0.05, and see which detector still notices. Sample 5 % of the traces with
a judge (monitor.NewOnline) and see how much later the alarm comes.

What to read: the notes of package trace/monitor, "Detectors".`

// traffic makes requests of a service, one every 20 seconds from 8:00.
type traffic struct {
	rng *rand.Rand
	n   int
	at  time.Time
}

func newTraffic() *traffic {
	return &traffic{rng: rand.New(rand.NewPCG(16, 1)), at: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)}
}

// change is when the prompt changes, and drop how far the mean score falls.
var change = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

const drop = 0.12

// next returns a request's spans and the score of its answer.
func (t *traffic) next() ([]jsonl.Record, monitor.Score) {
	t.n++
	t.at = t.at.Add(20 * time.Second)
	id := fmt.Sprintf("%032x", t.n)
	tenant := []string{"acme", "acme", "globex", "initech"}[t.rng.IntN(4)]
	version := "7"
	score := 0.82 + 0.12*t.rng.NormFloat64()
	if !t.at.Before(change) {
		version = "8"
		score -= drop
	}
	var records []jsonl.Record
	add := func(name, operation string, from, long time.Duration, failed bool, more map[string]any) {
		s := jsonl.Span{TraceID: id, SpanID: fmt.Sprintf("%014x%02x", t.n, len(records)), Name: name, Kind: "internal", Status: "Unset", Start: t.at.Add(from), End: t.at.Add(from + long),
			Attributes: map[string]any{"gen_ai.operation.name": operation, "prodai.tenant": tenant, "prodai.feature": "support", "prodai.prompt.version": version}}
		if len(records) > 0 {
			s.ParentID = records[0].SpanID
		}
		for k, v := range more {
			s.Attributes[k] = v
		}
		if failed {
			s.Status, s.Attributes["error.type"] = "Error", "429"
		}
		records = append(records, s.Record())
	}
	slow := time.Duration(600+t.rng.IntN(600)) * time.Millisecond
	down := t.n%120 == 60
	add("invoke_workflow support", "invoke_workflow", 0, slow+120*time.Millisecond, down, nil)
	add("retrieval manuals", "retrieval", 5*time.Millisecond, 60*time.Millisecond, false, map[string]any{"prodai.retrieval.count": int64(4)})
	if down || t.rng.IntN(20) == 0 {
		add("chat large", "chat", 70*time.Millisecond, 30*time.Millisecond, true, map[string]any{"gen_ai.request.model": "large"})
	}
	if !down {
		in, out := int64(800+t.rng.IntN(400)), int64(80+t.rng.IntN(80))
		add("chat large", "chat", 110*time.Millisecond, slow, false, map[string]any{"gen_ai.request.model": "large", "gen_ai.usage.input_tokens": in, "gen_ai.usage.output_tokens": out,
			"prodai.cost.pico_usd": in*150_000 + out*600_000, "prodai.from_cache": false})
	}
	return records, monitor.Score{TraceID: id, Name: "judge", Value: min(max(score, 0), 1), At: t.at}
}

// watch sends four hours of traffic through the detectors.
func watch(board *monitor.Board, t *traffic, out io.Writer) error {
	names := []string{"CUSUM", "EWMA", "Page-Hinkley", "ADWIN", "score under 0.3"}
	detectors := make([]monitor.Detector, 4)
	var err error
	for i, fresh := range []func() (monitor.Detector, error){
		func() (monitor.Detector, error) { return monitor.NewCUSUM(monitor.Baseline{SD: 1}, nil) },
		func() (monitor.Detector, error) { return monitor.NewEWMA(monitor.Baseline{SD: 1}, nil) },
	} {
		if detectors[i], err = monitor.NewStandardized(fresh, &monitor.StandardizedOptions{Learn: 200}); err != nil {
			return err
		}
	}
	if detectors[2], err = monitor.NewPageHinkley(&monitor.PageHinkleyOptions{Delta: 0.02, Threshold: 4}); err != nil {
		return err
	}
	if detectors[3], err = monitor.NewADWIN(nil); err != nil {
		return err
	}
	first := make([]time.Time, len(names))
	early := make([]int, len(names))
	var means [2]float64
	var counts, failed [2]int
	for range 720 {
		records, score := t.next()
		board.Add(records...)
		if err := board.Score(score); err != nil {
			return err
		}
		part := 0
		if !score.At.Before(change) {
			part = 1
		}
		counts[part]++
		means[part] += score.Value
		if records[0].Failed() {
			failed[part]++
		}
		for i := range names {
			alarm := score.Value < 0.3
			if i < len(detectors) {
				signal, err := detectors[i].Add(score.Value)
				if err != nil {
					return err
				}
				alarm = signal.State == monitor.StateAlarm
			}
			switch {
			case alarm && part == 0:
				early[i]++
			case alarm && first[i].IsZero():
				first[i] = score.At
				board.Notify(monitor.Notice{At: score.At, Name: names[i], State: "alarm", Text: "the scores of answers changed"})
			}
		}
	}
	fmt.Fprintln(out, "Four hours of traffic. At 10:00 the prompt changes from version 7 to 8.")
	fmt.Fprintf(out, "\n%-24s %8s %8s\n", "", "before", "after")
	fmt.Fprintf(out, "%-24s %8.3f %8.3f\n", "mean score", means[0]/float64(counts[0]), means[1]/float64(counts[1]))
	fmt.Fprintf(out, "%-24s %7.1f%% %7.1f%%\n", "failed requests", 100*float64(failed[0])/float64(counts[0]), 100*float64(failed[1])/float64(counts[1]))
	fmt.Fprintf(out, "\nHow to read it: the first alarm after the change, and alarms before it (false ones).\n\n%-18s %-26s %s\n", "detector", "first alarm", "false alarms")
	for i, name := range names {
		when := "none"
		if !first[i].IsZero() {
			when = fmt.Sprintf("%s, after %d requests", first[i].Format("15:04"), int(first[i].Sub(change)/(20*time.Second))+1)
		}
		fmt.Fprintf(out, "%-18s %-26s %d\n", name, when, early[i])
	}
	return nil
}

// serve serves the page for this machine until the program is interrupted.
func serve(ctx context.Context, board *monitor.Board, addr string, out io.Writer, t *traffic) error {
	if strings.HasPrefix(addr, ":") {
		addr = "127.0.0.1" + addr
	}
	page, err := monitor.NewDashboard(board, nil)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: page, ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	ended := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer ended()
	if t != nil {
		go live(ctx, board, t)
	}
	fmt.Fprintf(out, "the page is at http://%s/ (Ctrl+C ends it)\n", l.Addr())
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// live adds a request a second.
func live(ctx context.Context, board *monitor.Board, t *traffic) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			records, score := t.next()
			board.Add(records...)
			_ = board.Score(score) // it is finite
		}
	}
}
