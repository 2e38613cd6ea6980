// Lab06-agents compares two agents on the same tasks, eight times each: one that looks
// first, and one that acts at once and is cheaper.
//
// The tools are scripted: a shop with orders, of which some were lost, and a service
// that fails now and then. The agents are scripted models in the loop of package
// agent, so the lab runs offline. With OPENAI_MODEL and OPENAI_API_KEY set (and
// OPENAI_BASE_URL for another server), a real model is a third agent.
//
//	go run ./examples/lab06-agents
//
// See the notes of eval/agent.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/eval/agent"
	"github.com/prodailabs/prodai/retry/openai"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab06-agents:", err)
		os.Exit(1)
	}
}

const policy = "You answer for a shop. Refund an order only if its status is lost; look it up first. Then tell the customer what you did."

func run(args []string, w io.Writer) error {
	flags := flag.NewFlagSet("lab06-agents", flag.ContinueOnError)
	flags.SetOutput(w)
	trials := flags.Int("trials", 8, "trials of each task")
	seed := flags.Uint64("seed", 6, "seed of the scripted agents")
	if err := flags.Parse(args); err != nil {
		return err
	}
	careful := &clerk{random: rand.New(rand.NewPCG(*seed, 1)), slip: 0.06, looks: true, tries: 3}
	fast := &clerk{random: rand.New(rand.NewPCG(*seed, 2)), slip: 0.04, tries: 1}
	models := []struct {
		name  string
		model llms.Model
		price int64 // 10⁻¹² USD a token
	}{
		{"careful", careful.model(), 2_000_000},
		{"fast", fast.model(), 500_000},
	}
	if name := os.Getenv("OPENAI_MODEL"); name != "" {
		client, err := openai.New(name, &openai.Options{BaseURL: os.Getenv("OPENAI_BASE_URL"), APIKey: os.Getenv("OPENAI_API_KEY")})
		if err != nil {
			return err
		}
		models = append(models, struct {
			name  string
			model llms.Model
			price int64
		}{name, client, 0})
	}
	var reports []*agent.Report
	for _, m := range models {
		loop, err := agent.NewLoop(m.model, &agent.LoopOptions{System: policy, Cost: cost(m.price)})
		if err != nil {
			return err
		}
		r, err := agent.Run(context.Background(), loop, tasks(), &agent.Options{Trials: *trials, MaxSteps: 10})
		if err != nil {
			return err
		}
		reports = append(reports, r)
		fmt.Fprintf(w, "%s\n%s\n", m.name, indent(r.String()))
	}
	return compare(w, reports)
}

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n  ") + "\n"
}

// compare shows the two scripted agents task by task.
func compare(w io.Writer, reports []*agent.Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "task\tcareful\tfast\ta trial of the fast agent that failed")
	for i := range reports[0].Tasks {
		a, b := reports[0].Tasks[i], reports[1].Tasks[i]
		why := ""
		for _, trial := range b.Trials {
			if !trial.Solved && why == "" {
				var names []string
				for _, s := range trial.Steps {
					names = append(names, s.Name)
				}
				why = fmt.Sprintf("called %s and said %q", strings.Join(names, ", "), trial.Answer)
			}
		}
		fmt.Fprintf(t, "%s\t%d of %d\t%d of %d\t%s\n", a.ID, solvedOf(a), len(a.Trials), solvedOf(b), len(b.Trials), why)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprint(w, `
How to read it: pass@k is the chance that one of k trials solves a task, pass^k that all
k do. The cost of a solved task has the failed trials in it.
Notice: the fast agent solves most tasks at least once in eight trials (pass@8), and few of
them every time (pass^8). In order 101 it says that it made a refund, and made none. It is
cheaper by solved task all the same: what a wrong refund costs is not in the table.
Try: -trials 1, and look at what the intervals can't tell then. Give the fast agent a
second try after an error (tries: 2 in main.go).
Read: the notes of eval/agent.
`)
	return nil
}

func solvedOf(t agent.TaskResult) int {
	n := 0
	for _, trial := range t.Trials {
		if trial.Solved {
			n++
		}
	}
	return n
}

func cost(price int64) func(*llms.ContentResponse) (int64, bool) {
	return func(r *llms.ContentResponse) (int64, bool) {
		if price == 0 || len(r.Choices) == 0 {
			return 0, false
		}
		total, ok := r.Choices[0].GenerationInfo["TotalTokens"].(int)
		return price * int64(total), ok
	}
}

type order struct {
	Order string `json:"order"`
}

// tasks are ten orders; three were lost, and for some the shop's service fails first.
func tasks() []agent.Task {
	var out []agent.Task
	for i := range 10 {
		id, status, fails := fmt.Sprint(100+i), "delivered", 0
		if i%3 == 1 {
			status = "lost"
		}
		if i%4 == 1 {
			fails = 1
		}
		arguments := fmt.Sprintf(`{"order": %q}`, id)
		expected := []eval.Call{{Name: "lookup", Arguments: arguments}}
		if status == "lost" {
			expected = append(expected, eval.Call{Name: "refund", Arguments: arguments})
		}
		out = append(out, agent.Task{
			ID: "order " + id + " " + status, Request: "My order " + id + " didn't arrive. I want my money back.",
			New: func() (agent.World, error) { return shop(id, status, fails) },
			Solved: func(w agent.World, _ string) bool {
				return (w.(*agent.Tools).State("refunded") == id) == (status == "lost")
			},
			Expected: expected,
		})
	}
	return out
}

func shop(id, status string, fails int) (agent.World, error) {
	schema := map[string]any{"type": "object", "properties": map[string]any{"order": map[string]any{"type": "string"}}, "required": []string{"order"}}
	busy := errors.New("503: try again")
	find := func(arguments string) error {
		var o order
		if err := json.Unmarshal([]byte(arguments), &o); err != nil || o.Order != id {
			return errors.New("there is no such order")
		}
		return nil
	}
	return agent.NewTools(nil,
		agent.Tool{Name: "lookup", Description: "The status of an order: delivered or lost.", Parameters: schema, Fail: busy, FailTimes: fails,
			Do: func(arguments string, _ map[string]string) (string, error) { return status, find(arguments) }},
		agent.Tool{Name: "refund", Description: "Refunds an order.", Parameters: schema, Fail: busy, FailTimes: fails,
			Do: func(arguments string, state map[string]string) (string, error) {
				if err := find(arguments); err != nil {
					return "", err
				}
				state["refunded"] = id
				return "refunded", nil
			}})
}
