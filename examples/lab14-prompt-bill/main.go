// Lab14-prompt-bill computes what prompt caching saves a support desk: the same
// conversation under the rules of several providers, as its prompt was written and in a
// better order. No network is used.
//
//	go run ./examples/lab14-prompt-bill
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/cache/prefix"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab14-prompt-bill:", err)
		os.Exit(1)
	}
}

func run(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab14-prompt-bill", flag.ContinueOnError)
	f.SetOutput(errs)
	pause := f.Duration("pause", time.Minute, "the time between two questions")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if *pause < 0 {
		return fmt.Errorf("a pause of %v: want 0 or more", *pause)
	}
	written := requests(*pause)
	if err := lint(out, written); err != nil {
		return err
	}
	if err := bills(out, written); err != nil {
		return err
	}
	fmt.Fprint(out, `
What to notice: one line with the time, before what stays the same, makes the price
of every token full, or 1.25 to 2 times full where writes cost. In the better order
all questions together cost about a sixth of the full price, or a half where a read
costs a half.
What to try: -pause 10m. Which rules still find the prompt? Rules without a time to
live look better then than they are: their providers promise nothing.
What to read: the notes of cache/prefix, and of cache on prompt caching.
`)
	return nil
}

const questions = 20

// requests are the questions of a morning. The prompt has the time in its first line.
func requests(pause time.Duration) []prefix.Request {
	tools := []llms.Tool{tool("order_status"), tool("refund")}
	var out []prefix.Request
	for i := range questions {
		at := time.Duration(i) * pause
		now := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC).Add(at)
		messages := []llms.MessageContent{
			llms.TextParts(llms.ChatMessageTypeSystem,
				fmt.Sprintf("The time is %s.", now.Format("2006-01-02 15:04:05")),
				strings.Repeat("A rule of the support desk, with an example of a good answer. ", 220),
				strings.Repeat("A page of the handbook on shipping, returns and payment. ", 560)),
			llms.TextParts(llms.ChatMessageTypeHuman, fmt.Sprintf("Question %d of a customer about an order.", i+1)),
		}
		segments := prefix.Segments(messages, tools, nil)
		for k, name := range []string{"tool order_status", "tool refund", "time", "rules", "handbook", "question"} {
			segments[k].Name = name
		}
		segments[4].Breakpoint = true // as a team does that has read of cache_control
		out = append(out, prefix.Request{At: at, Segments: segments})
	}
	return out
}

func tool(name string) llms.Tool {
	return llms.Tool{Type: "function", Function: &llms.FunctionDefinition{Name: name,
		Description: "Looks up or changes an order of the shop.", Parameters: map[string]any{"type": "object"}}}
}

func lint(out io.Writer, written []prefix.Request) error {
	rule, err := prefix.Named("anthropic 5m")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "1. What the linter says about the prompt, under the rule \"anthropic 5m\"")
	warnings, err := rule.Lint(written)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		fmt.Fprintln(out, "  ", w)
	}
	plan, err := rule.PlanOf(written)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "   The plan: %s\n   Breakpoints after: %s\n\n", strings.Join(plan.Order, ", "), strings.Join(plan.Marks, ", "))
	return nil
}

func bills(out io.Writer, written []prefix.Request) error {
	fmt.Fprintf(out, "2. %d questions, in units of 1,000 input tokens at full price\n", questions)
	fmt.Fprintln(out, "   rule              as of     no cache   as written   as planned   saved by the plan")
	rules, err := prefix.Rules()
	if err != nil {
		return err
	}
	for _, rule := range rules {
		plan, err := rule.PlanOf(written)
		if err != nil {
			return err
		}
		planned := make([]prefix.Request, len(written))
		for i, q := range written {
			planned[i] = plan.Apply(q)
		}
		plain, bad, err := sum(rule, written)
		if err != nil {
			return err
		}
		_, good, err := sum(rule, planned)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "   %-16s  %s   %8.1f   %10.1f   %10.1f   %15.0f %%\n", rule.Name, rule.AsOf, plain/1000, bad/1000, good/1000, 100*(1-good/bad))
	}
	return nil
}

// sum returns the cost units of all requests without a cache, and with the rule.
func sum(rule prefix.Rule, requests []prefix.Request) (plain, units float64, err error) {
	all, err := rule.Bill(requests)
	if err != nil {
		return 0, 0, err
	}
	for _, b := range all {
		plain += float64(b.Read + b.Written + b.Uncached)
		units += b.Units
	}
	return plain, units, nil
}
