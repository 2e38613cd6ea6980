// Lab16-incident works through an incident: a provider refuses one tenant's calls for
// 20 minutes. The program notices it, runs a playbook, compares a good trace with a bad
// one, drafts the post-mortem, and replays the failed requests into an evaluation
// dataset without the secrets that users typed.
//
//	go run ./examples/lab16-incident
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/prodailabs/prodai/eval/dataset"
	"github.com/prodailabs/prodai/trace/jsonl"
	"github.com/prodailabs/prodai/trace/monitor"
	"github.com/prodailabs/prodai/trace/redact"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "lab16-incident:", err)
		os.Exit(1)
	}
}

var (
	start = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	from  = start.Add(time.Hour)
	to    = from.Add(20 * time.Minute)
)

const playbook = `# Playbook: answers fail

- [ ] How many requests fail? (check: failing)
- [ ] Which tenants are affected? (check: tenants)
- [ ] What do failed calls say? (check: errors)
- [ ] Tell the tenants, and ask the provider
`

func run(ctx context.Context, out io.Writer) error {
	traces := jsonl.Traces(traffic())
	fmt.Fprintln(out, "1. The error budget notices it")
	notice, err := detect(traces)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nThe provider refuses calls from %s. %s %s at %s: %s.\n", from.Format("15:04"), notice.Name, notice.State, notice.At.Format("15:04"), notice.Text)

	mask, err := redact.Patterns(map[string]string{"CARD": `\b\d{4} \d{4} \d{4} \d{4}\b`, "EMAIL": `[\w.]+@[\w.]+`})
	if err != nil {
		return err
	}
	in, err := monitor.NewIncident(traces, monitor.IncidentOptions{
		Title: "The provider refuses calls of globex", From: from, To: to, Evidence: []monitor.Notice{notice}, Mask: mask,
		Timeline: []monitor.TimelineEntry{{At: from.Add(-5 * time.Minute), Text: "globex begins its import"}, {At: to, Text: "the provider raises the limit"}},
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "\n2. The playbook, with what its checks found")
	fmt.Fprintln(out)
	if err := respond(ctx, in, out); err != nil {
		return err
	}
	fmt.Fprintln(out, "\n3. A good trace and a bad one")
	if err := compare(traces, out); err != nil {
		return err
	}
	fmt.Fprintln(out, "\n4. The draft of the post-mortem")
	fmt.Fprintln(out)
	if err := in.WritePostMortem(out); err != nil {
		return err
	}
	fmt.Fprintln(out, "\n5. The failed requests as an evaluation dataset")
	if err := replay(traces, mask, out); err != nil {
		return err
	}
	fmt.Fprintln(out, `
What to notice: the draft has numbers and a timeline, and no cause. A cause that a
program writes is believed, and the search ends. The dataset has one case for each
question, and no card number.

What to try: make the refusals last 3 minutes. Does the budget still alert, and should
it? Add a check to the playbook that looks at the median time.

What to read: the notes of package trace/monitor, "Incidents".`)
	return nil
}

// detect looks at the error budget each minute, as an alert does.
func detect(traces []*jsonl.Trace) (monitor.Notice, error) {
	budget, err := monitor.NewTracker(monitor.SLO{Name: "answers", Objective: 0.99})
	if err != nil {
		return monitor.Notice{}, err
	}
	next := start
	for _, t := range traces {
		for ; t.Start.After(next); next = next.Add(time.Minute) {
			for _, b := range budget.Budget(next).Burns {
				if b.Severity == monitor.SeverityPage && b.Condition == monitor.ConditionTrue {
					return monitor.Notice{At: next, Name: "The error budget", State: "alerts", Text: fmt.Sprintf("it burns %.0f times too fast in %.0f h", b.LongRate, b.Long.Hours())}, nil
				}
			}
		}
		o := monitor.OutcomeGood
		if t.Roots[0].Failed() {
			o = monitor.OutcomeBad
		}
		if err := budget.Observe(t.Start, o); err != nil {
			return monitor.Notice{}, err
		}
	}
	return monitor.Notice{}, monitor.ErrNoData
}

func respond(ctx context.Context, in *monitor.Incident, out io.Writer) error {
	p, err := monitor.ReadPlaybook(strings.NewReader(playbook))
	if err != nil {
		return err
	}
	_, err = p.Run(ctx, out, map[string]monitor.Check{
		"failing": func(context.Context) (string, error) {
			return fmt.Sprintf("%d of %d, before %d of %d", in.Bad, in.All, in.Before, in.BeforeAll), nil
		},
		"tenants": func(context.Context) (string, error) {
			top := in.Tenants[0]
			return fmt.Sprintf("%s has %d of the %d failed ones", top.Key, top.Bad, in.Bad), nil
		},
		"errors": func(context.Context) (string, error) { return fmt.Sprint(in.Errors), nil },
	})
	return err
}

func compare(traces []*jsonl.Trace, out io.Writer) error {
	var good, bad *jsonl.Trace
	for _, t := range traces {
		if bad == nil && t.Roots[0].Failed() && !t.Start.Before(from) {
			bad = t
		} else if good == nil {
			good = t
		}
	}
	d, err := monitor.DiffTraces(good, bad)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nThe bad one has more steps: %v. It took %.2f s instead of %.2f s.\n", d.Added, d.Seconds[1], d.Seconds[0])
	return nil
}

func replay(traces []*jsonl.Trace, mask redact.Mask, out io.Writer) error {
	var file bytes.Buffer
	stats, err := monitor.Replay(&file, traces, monitor.ReplayOptions{Mask: mask, Keep: func(t *jsonl.Trace) bool { return t.Roots[0].Failed() }})
	if err != nil {
		return err
	}
	text := file.String()
	d, err := dataset.FromTraces("incident", func(yield func(dataset.Record, error) bool) {
		dec := json.NewDecoder(&file)
		for dec.More() {
			var r dataset.Record
			if err := dec.Decode(&r); !yield(r, err) || err != nil {
				return
			}
		}
	}, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d questions, %d duplicates left out; %d regression cases wait for a reference.\nThe first: %s\n", stats.Written, stats.Duplicates, len(d.Unlabeled()), d.Cases[0].Input)
	if strings.Contains(text, "4111") {
		return fmt.Errorf("a card number is in the dataset")
	}
	return nil
}

// traffic is two hours of requests, one every 5 seconds.
func traffic() []jsonl.Record {
	rng := rand.New(rand.NewPCG(16, 3))
	var out []jsonl.Record
	for i := range 1440 {
		at := start.Add(time.Duration(i) * 5 * time.Second)
		tenant := []string{"acme", "globex", "initech"}[rng.IntN(3)]
		refused := tenant == "globex" && !at.Before(from) && at.Before(to)
		root := ""
		n := 0
		add := func(name, operation string, offset, long time.Duration, failed bool, more map[string]any) {
			n++
			s := jsonl.Span{TraceID: fmt.Sprintf("%032x", i+1), SpanID: fmt.Sprintf("%014x%02x", i+1, n), ParentID: root, Name: name, Kind: "internal", Status: "Unset", Start: at.Add(offset), End: at.Add(offset + long),
				Attributes: map[string]any{"gen_ai.operation.name": operation, "prodai.tenant": tenant, "prodai.feature": "billing"}}
			for k, v := range more {
				s.Attributes[k] = v
			}
			if failed {
				s.Status, s.Attributes["error.type"] = "Error", "429"
			}
			if root == "" {
				root = s.SpanID
			}
			out = append(out, s.Record())
		}
		question := fmt.Sprintf(`[{"role":"user","parts":[{"type":"text","content":"Why was card 4111 1111 1111 1111 charged for invoice %d?"}]}]`, rng.IntN(12))
		took := time.Duration(700+rng.IntN(300)) * time.Millisecond
		asked := map[string]any{"gen_ai.request.model": "large", "gen_ai.input.messages": question}
		if refused {
			add("invoke_workflow billing", "invoke_workflow", 0, 3200*time.Millisecond, true, nil)
			for try := range 3 {
				add("chat large", "chat", time.Duration(try)*time.Second, 40*time.Millisecond, true, asked)
			}
			continue
		}
		add("invoke_workflow billing", "invoke_workflow", 0, took+20*time.Millisecond, rng.IntN(800) == 0, nil)
		asked["prodai.cost.pico_usd"] = int64(180_000_000)
		add("chat large", "chat", 10*time.Millisecond, took, false, asked)
	}
	return out
}
