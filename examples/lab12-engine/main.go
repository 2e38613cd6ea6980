// Lab12-engine follows one request through a serving engine: it waits, gets blocks, has
// its prompt computed in chunks, makes its answer token by token, and loses its blocks to
// an older request once. Then the same scheduler drives a real, tiny model. No network is
// used.
//
//	go run ./examples/lab12-engine
//	go run ./examples/lab12-engine -html engine.html
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/prodailabs/prodai/cache/engine/kv"
	"github.com/prodailabs/prodai/cache/engine/sched"
	"github.com/prodailabs/prodai/cache/engine/size"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab12-engine:", err)
		os.Exit(1)
	}
}

const (
	ms        = time.Millisecond
	blocks    = 26
	blockSize = 4
)

// prompt returns n tokens. All begin with the same system prompt of 16.
func prompt(n, own int) []int {
	tokens := make([]int, n)
	for i := range tokens {
		tokens[i] = i
		if i >= 16 {
			tokens[i] = 1000*own + i
		}
	}
	return tokens
}

// requests are the story: "you" come while two others run, and a third comes after you.
func requests() []sched.Request {
	return []sched.Request{
		{ID: "Ann", Tokens: prompt(36, 1), Output: 30},
		{ID: "Ben", Tokens: prompt(20, 2), Output: 12},
		{ID: "you", Arrival: 15 * ms, Tokens: prompt(34, 3), Output: 14},
		{ID: "Cem", Arrival: 25 * ms, Tokens: prompt(18, 4), Output: 8},
	}
}

func options() *sched.Options {
	return &sched.Options{Slots: 3, StepTokens: 12, Reserve: sched.ReserveNeeded}
}

// cost is the time of a step: 8 ms, and a quarter of one for each token.
func cost(s size.Step) time.Duration {
	return 8*ms + time.Duration(s.Prefill+s.Decode)*ms/4
}

func run(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab12-engine", flag.ContinueOnError)
	f.SetOutput(errs)
	file := f.String("html", "", "write the timeline to this file")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	pool, err := kv.New(&kv.Options{Blocks: blocks, BlockSize: blockSize})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "An engine with 3 places, %d blocks of %d tokens, and 12 tokens a step\n\n", blocks, blockSize)
	fmt.Fprintln(out, "      time   free   what the step computes                        your request")
	if err := story(out, pool); err != nil {
		return err
	}
	if err := drive(context.Background(), out); err != nil {
		return err
	}
	fmt.Fprintln(out)
	fmt.Fprintln(out, "What to notice: the first 16 tokens are never computed, because Ann's blocks have them;")
	fmt.Fprintln(out, "Ann's answer grows in every step while your prompt is computed in chunks; and the blocks")
	fmt.Fprintln(out, "that you lose come back, with one computation more but the same first token. A pass of a")
	fmt.Fprintln(out, "model reads all weights: with twelve requests at once it does so a tenth as often.")
	fmt.Fprintln(out, "What to try: -html engine.html; or another Reserve, Slots and StepTokens in the source.")
	fmt.Fprintln(out, "What to read: go doc ./cache/engine/sched, and go doc ./cache/engine/kv.")
	if *file == "" {
		return nil
	}
	return draw(*file)
}

// story runs the scheduler by hand, as an engine does, and prints each step.
func story(out io.Writer, pool *kv.Pool) error {
	s, err := sched.New(pool, options())
	if err != nil {
		return err
	}
	var you *sched.Job
	now, rest := time.Duration(0), requests()
	for len(rest) > 0 || s.Waiting()+s.Running() > 0 {
		for len(rest) > 0 && rest[0].Arrival <= now {
			j, err := s.Add(rest[0])
			if err != nil {
				return err
			}
			if j.ID == "you" {
				you = j
			}
			rest = rest[1:]
		}
		p := s.Step(now)
		words := describe(p)
		what := life(you, p)
		now += cost(size.Step{Prefill: p.Tokens() - len(p.Decode), Decode: len(p.Decode)})
		free := pool.Free()
		s.Complete(p, now, make([]sched.Token, len(p.Outputs())))
		fmt.Fprintf(out, "%7d ms %6d   %-44s  %s\n", now.Milliseconds(), free, words, what)
	}
	fmt.Fprintf(out, "\nYour first token came %d ms after you asked, the last after %d ms. You were preempted\n", (you.First - you.Arrival).Milliseconds(), (you.End - you.Arrival).Milliseconds())
	fmt.Fprintf(out, "%d time(s); the longest pause in your answer was %d ms.\n", you.Preemptions, you.MaxGap.Milliseconds())
	return nil
}

// describe names what a step computes.
func describe(p *sched.Plan) string {
	var parts []string
	for _, j := range p.Decode {
		parts = append(parts, j.ID+" +1")
	}
	for _, c := range p.Prefill {
		parts = append(parts, fmt.Sprintf("%s %d-%d", c.Job.ID, c.From, c.To-1))
	}
	for _, j := range p.Preempted {
		parts = append(parts, j.ID+" preempted")
	}
	return strings.Join(parts, ", ")
}

// life says what happens to a job in a step.
func life(j *sched.Job, p *sched.Plan) string {
	if j == nil {
		return ""
	}
	for _, v := range p.Preempted {
		if v == j {
			return "gives up its blocks"
		}
	}
	if j.Seq == nil {
		if j.End >= 0 {
			return "done"
		}
		return "waits"
	}
	for _, c := range p.Prefill {
		if c.Job == j {
			text := fmt.Sprintf("prompt, %d of %d", c.To, j.Seq.Len())
			if c.From == j.Seq.Cached() && c.From > 0 {
				text += fmt.Sprintf(" (%d were there)", c.From)
			}
			if c.Last {
				text += ", and a token"
			}
			return text
		}
	}
	for _, d := range p.Decode {
		if d == j {
			return fmt.Sprintf("token %d of %d, %d blocks", len(j.Generated)+1, j.Output, len(j.Seq.Table()))
		}
	}
	return "has blocks, its prompt waits for room in the step"
}

func draw(file string) error {
	pool, err := kv.New(&kv.Options{Blocks: blocks, BlockSize: blockSize})
	if err != nil {
		return err
	}
	r, err := sched.Simulate(requests(), pool, cost, options())
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.WriteString("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>One request in a serving engine</title>" +
		"<style>:root{color-scheme:light dark}body{font:16px system-ui;margin:1rem auto;max-width:64rem;padding:0 1rem}div{overflow-x:auto}</style><h1>One request in a serving engine</h1>" +
		"<p>Four requests share an engine with three places. A gap in a row is a preemption: the request has given up its blocks and waits.</p><div>\n")
	if err := r.WriteSVG(&b, nil); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o600)
}
