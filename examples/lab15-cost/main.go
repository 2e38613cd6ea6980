// Lab15-cost explains a month's bill of an assistant: by tenant, feature, prompt
// version and model, exactly. It finds the day on which a new prompt made it
// expensive, warns by a budget, and asks what the month would have cost on other
// models. The calls are made up, with a fixed seed; the prices are real.
//
//	go run ./examples/lab15-cost
//	go run ./examples/lab15-cost -csv tenants.csv
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/prodailabs/prodai/trace/cost"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab15-cost:", err)
		os.Exit(1)
	}
}

func run(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab15-cost", flag.ContinueOnError)
	f.SetOutput(errs)
	file := f.String("csv", "", "write the cost of each tenant to this file")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	prices, err := cost.Full()
	if err != nil {
		return err
	}
	entries := month()
	fmt.Fprintf(out, "%d calls in November, prices of %s for %d models\n", len(entries), prices.Taken, len(prices.Models()))
	ledger, err := bill(out, prices, entries)
	if err != nil {
		return err
	}
	if err := mistakes(out, prices, entries); err != nil {
		return err
	}
	if err := alarms(out, prices, entries); err != nil {
		return err
	}
	if err := others(out, prices, entries); err != nil {
		return err
	}
	fmt.Fprint(out, `
What to notice
- Every table adds up to the same sum, to the last millionth of a millionth of a dollar.
- The table by prompt explains the anomaly: version 8 sends far more tokens a call.
- Calls of a model without a price are counted as unpriced, and not as $0.
What to try
- Give the model "internal-draft" a price with cost.Load and Table.With.
- Set the growth of version 8 in month() to 20 %. Is the day still found?
- Open the file of -csv in a spreadsheet.
What to read: go doc ./trace/cost
`)
	if *file == "" {
		return nil
	}
	w, err := os.Create(*file)
	if err != nil {
		return err
	}
	return errors.Join(cost.WriteCSV(w, "tenant", ledger.Totals(cost.ByTenant)), w.Close())
}

// day is the start of a day of November.
func day(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }

// month makes the calls. On the 20th the feature "answer" gets version 8 of its
// prompt, which includes three times as many passages.
func month() []cost.Entry {
	rng := rand.New(rand.NewPCG(15, 1))
	tenants := []string{"acme", "acme", "acme", "globex", "globex", "initech", "umbra"}
	var out []cost.Entry
	for d := 1; d <= 30; d++ {
		for i := range 400 + rng.IntN(60) {
			e := cost.Entry{ID: fmt.Sprint(d, "/", i), Time: day(d).Add(time.Duration(rng.IntN(86400)) * time.Second), Tenant: tenants[rng.IntN(len(tenants))],
				Feature: "answer", Prompt: "answer@7", Model: "gpt-4o",
				Usage: cost.Usage{Input: 6000 + rng.Int64N(4000), CacheRead: 5000, Output: 150 + rng.Int64N(200)}}
			switch {
			case i%10 == 0:
				e.Feature, e.Prompt, e.Model = "summary", "summary@3", "gpt-4o-mini"
			case i%97 == 0:
				e.Feature, e.Prompt, e.Model = "draft", "draft@1", "internal-draft"
			case d >= 20:
				e.Prompt = "answer@8"
				e.Usage.Input = 3 * e.Usage.Input
			}
			out = append(out, e)
		}
	}
	return out
}

// bill books the calls, and prints where the money went.
func bill(out io.Writer, prices *cost.Table, entries []cost.Entry) (*cost.Ledger, error) {
	ledger, err := cost.NewLedger(prices, nil)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if _, err := ledger.Book(e); err != nil && !errors.Is(err, cost.ErrUnknownModel) {
			return nil, err
		}
	}
	fmt.Fprintf(out, "\n1. The bill: %s, and %d calls without a price\n", cost.USD(ledger.Sum().PicoUSD), ledger.Sum().Unpriced)
	for _, by := range []struct {
		name string
		by   cost.By
	}{{"tenant", cost.ByTenant}, {"feature", cost.ByFeature}, {"prompt", cost.ByPrompt}, {"model", cost.ByModel}} {
		totals := ledger.Totals(by.by)
		var sum int64
		for _, t := range totals {
			sum += t.PicoUSD
		}
		if err := cost.WriteTable(out, by.name, totals); err != nil {
			return nil, err
		}
		fmt.Fprintf(out, "adds up to the bill: %t\n\n", sum == ledger.Sum().PicoUSD)
	}
	return ledger, nil
}

// mistakes computes the month as wrong reports do.
func mistakes(out io.Writer, prices *cost.Table, entries []cost.Entry) error {
	var right, twice, noDiscount int64
	for _, e := range entries {
		b, err := prices.Bill(e.Model, e.Service, e.Usage)
		if errors.Is(err, cost.ErrUnknownModel) {
			continue
		}
		if err != nil {
			return err
		}
		full := e.Usage
		full.CacheRead = 0
		n, err := prices.Bill(e.Model, e.Service, full)
		if err != nil {
			return err
		}
		right, noDiscount, twice = right+b.PicoUSD, noDiscount+n.PicoUSD, twice+n.PicoUSD+b.CacheReadPicoUSD
	}
	fmt.Fprintln(out, "2. The same month in wrong reports")
	for _, r := range []struct {
		name string
		pico int64
	}{{"right", right}, {"cached tokens at the full price", noDiscount}, {"and once more as cached", twice}} {
		fmt.Fprintf(out, "%-32s $%9.2f  %+.0f %%\n", r.name, float64(r.pico)/1e12, 100*(float64(r.pico)/float64(right)-1))
	}
	return nil
}

// alarms plays the month: what a budget and the detector of anomalies report, and
// when.
func alarms(out io.Writer, prices *cost.Table, entries []cost.Entry) error {
	fmt.Fprintln(out, "\n3. What would have raised an alarm, and when")
	budget, err := cost.NewBudget(250e12, nil)
	if err != nil {
		return err
	}
	slices.SortFunc(entries, func(a, b cost.Entry) int { return a.Time.Compare(b.Time) })
	days := make([]cost.Point, 30)
	for i := range days {
		days[i].Start = day(i + 1)
	}
	for _, e := range entries {
		b, err := prices.Bill(e.Model, e.Service, e.Usage)
		if err != nil {
			continue // unpriced, see part 1
		}
		days[e.Time.Day()-1].PicoUSD += b.PicoUSD
		for _, a := range budget.Spend(e.Time, b.PicoUSD) {
			when := "and lasts until the end of the month at this speed"
			if !a.Exceeded.IsZero() {
				when = "and is used up on " + a.Exceeded.Format("2 January") + " at this speed"
			}
			fmt.Fprintf(out, "%s: %3.0f %% of the budget of $250 are spent, %s\n", e.Time.Format("2 Jan"), a.Share*100, when)
		}
	}
	found, err := cost.Anomalies(days, &cost.AnomalyOptions{MinPicoUSD: 1e12})
	if err != nil {
		return err
	}
	for _, a := range found {
		fmt.Fprintf(out, "%s: anomaly, $%.2f instead of about $%.2f a day (%.0f robust deviations)\n", a.Start.Format("2 Jan"), float64(a.PicoUSD)/1e12, float64(a.ExpectedPicoUSD)/1e12, a.Deviations)
	}
	return nil
}

// others prices the month on other models.
func others(out io.Writer, prices *cost.Table, entries []cost.Entry) error {
	fmt.Fprintln(out, "\n4. What the month would have cost on another model (tokenizers differ by up to 15 %)")
	for _, model := range []string{"gpt-4o", "gpt-4o-mini", "gpt-5", "gpt-5-mini", "claude-sonnet-4-5", "claude-haiku-4-5", "gemini-2.5-flash"} {
		w, err := prices.WhatIf(slices.Values(entries), model, nil)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-18s $%8.2f  (from $%.2f to $%.2f)  %+.0f %%\n", model, float64(w.PicoUSD)/1e12, float64(w.LowPicoUSD)/1e12, float64(w.HighPicoUSD)/1e12, 100*(float64(w.PicoUSD)/float64(w.PaidPicoUSD)-1))
	}
	return nil
}
