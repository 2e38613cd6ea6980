// Lab01-runaway-cost runs the $100,000 weekend twice. A batch job has a loop that
// never ends: first without limits, then under a rate of money, a budget and a kill
// switch. Time is simulated, and no network is used.
//
//	go run ./examples/lab01-runaway-cost
//	go run ./examples/lab01-runaway-cost -budget 50 -hourly 10
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/limit"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab01-runaway-cost:", err)
		os.Exit(1)
	}
}

// The job asks 26 times a second, 2,000 tokens in and 500 out each time, at $5 and
// $15 a million: $0.0175 a call, $1,638 an hour.
const (
	perSecond = 26
	tokensIn  = 2000
	tokensOut = 500
	callCost  = (tokensIn*5 + tokensOut*15) * limit.USD / 1_000_000
)

func cost(string, *llms.ContentResponse) (int64, bool) { return callCost, true }

// provider answers every call at once, at any cost.
type provider struct{ calls int64 }

func (p *provider) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	p.calls++
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "…"}}}, nil
}

func (p *provider) Call(ctx context.Context, prompt string, o ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, p, prompt, o...)
}

func run(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab01-runaway-cost", flag.ContinueOnError)
	f.SetOutput(errs)
	budget := f.Int64("budget", 500, "what the job may spend in all, in dollars")
	hourly := f.Float64("hourly", 100, "how fast it may spend, in dollars an hour")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	friday := time.Date(2026, 9, 18, 18, 0, 0, 0, time.UTC)
	monday := friday.Add(63 * time.Hour)

	unlimited := friday.Sub(monday).Abs().Seconds() * perSecond * float64(callCost) / limit.USD
	fmt.Fprintf(out, "Friday 18:00 to Monday 9:00, %d calls a second at $%.4f.\n\n", perSecond, float64(callCost)/limit.USD)
	fmt.Fprintf(out, "Without a limit: no call is refused, nothing fails.    $%10.2f on Monday\n", unlimited)

	now := friday
	next := &provider{}
	var off limit.Switch
	m, err := limit.New(next, &limit.Options{
		Quota: limit.Quota{
			Money:        limit.Rate{N: *hourly * limit.USD, Per: time.Hour},
			SpendPicoUSD: *budget * limit.USD,
		},
		Cost:   cost,
		Store:  &limit.Memory{Now: func() time.Time { return now }},
		Switch: &off,
	})
	if err != nil {
		return err
	}
	said := map[string]bool{}
	ctx := context.Background()
	for now = friday; now.Before(monday); now = now.Add(time.Second / perSecond) {
		_, err := m.Call(ctx, "next item")
		var e *limit.Error
		if !errors.As(err, &e) {
			continue
		}
		if !said[e.Dimension] {
			said[e.Dimension] = true
			fmt.Fprintf(out, "%s  HTTP %d, %-6s $%9.2f spent   %v\n", now.Format("Monday 15:04"), e.HTTPStatus(), e.Dimension+":", dollars(m), e)
		}
		if e.Dimension == "money" {
			// A client that obeys Retry-After sleeps until then.
			now = now.Add(e.Delay)
		}
		if e.Refusal == fault.RefusalStop {
			break
		}
	}
	fmt.Fprintf(out, "\nWith the limits: %d calls, $%.2f, and a refusal on Friday evening instead of a bill on Monday.\n", next.calls, dollars(m))
	off.StopAll("incident 1: batch job in a loop")
	_, err = m.Call(ctx, "next item")
	fmt.Fprintf(out, "The switch, which stops all calls: %v\n", err)
	return nil
}

func dollars(m *limit.Model) float64 { return float64(m.Spent("")) / limit.USD }
