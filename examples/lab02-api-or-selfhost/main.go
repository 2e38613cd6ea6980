// Lab02-api-or-selfhost compares an API with a model on GPUs of one's own: from how
// many tokens a month does self-hosting pay, and how sure is that? Every number of
// the comparison is a range, because none is known exactly before a year of
// operation.
//
//	go run ./examples/lab02-api-or-selfhost
//	go run ./examples/lab02-api-or-selfhost -gpu 3.5 -speed 1800 -api 0.6 -people 6000
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"

	"github.com/prodailabs/prodai/trace/cost"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab02-api-or-selfhost:", err)
		os.Exit(1)
	}
}

// around is a range of a factor about a likely value.
func around(likely, factor float64) cost.Range {
	return cost.Range{Low: likely / factor, Likely: likely, High: likely * factor}
}

func run(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab02-api-or-selfhost", flag.ContinueOnError)
	f.SetOutput(errs)
	gpu := f.Float64("gpu", 2.5, "the price of a GPU hour in dollars")
	speed := f.Float64("speed", 2500, "tokens that a busy GPU processes in a second, input and output together")
	busy := f.Float64("busy", 0.4, "the share of time in which it is busy")
	api := f.Float64("api", 0, "what the API charges for a million tokens, 0: claude-haiku-4-5's price for 80 % input")
	people := f.Float64("people", 4000, "hours of people and other fixed cost a month, in dollars")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if *api == 0 {
		price, err := mixed("claude-haiku-4-5", 0.8)
		if err != nil {
			return err
		}
		*api = price
	}
	s := cost.SelfHost{
		GPUHourUSD: around(*gpu, 1.4), TokensPerSecond: around(*speed, 1.5), FixedMonthUSD: around(*people, 1.5),
		Utilization:      cost.Range{Low: *busy / 2, Likely: *busy, High: min(*busy*1.6, 1)},
		APIUSDPerMillion: around(*api, 1.2), MinReplicas: 2,
	}
	fmt.Fprintf(out, "API: $%.3f a million tokens. Own: two GPUs or more at $%.2f an hour, %.0f tokens/s when busy, busy %.0f %% of the time, $%.0f a month for people.\n\n", *api, *gpu, *speed, *busy*100, *people)
	if err := models(out, s); err != nil {
		return err
	}
	if err := utilization(out, s); err != nil {
		return err
	}
	if err := volumes(out, s); err != nil {
		return err
	}
	fmt.Fprint(out, `
What to notice
- The price of the API decides first: the cheapest models are never worth a GPU of
  one's own with these numbers, and the expensive ones from some billion tokens a month.
- "never" is a result too: a replica that costs more than its tokens cost on the API.
- Above a utilization of 20 % the people cost more than the GPUs, and the break-even
  stays where it is. Below 10 % it is far away: an idle GPU costs as much as a busy one.
- The range is wide, and each number in it has to be measured before it gets narrower.
What to try
- Enter the prices and the speed that you measured: -gpu, -speed, -api.
- Set -people 0, and ask yourself by whom the server is repaired at night.
- Is the open model as good as the API's? Package eval measures it on your questions.
What to read: go doc ./trace/cost SelfHost
`)
	return nil
}

// mixed is an API's price of a million tokens, of which a share is input.
func mixed(model string, input float64) (float64, error) {
	prices, err := cost.Full()
	if err != nil {
		return 0, err
	}
	in := int64(math.Round(input * 1e6))
	bill, err := prices.Bill(model, "", cost.Usage{Input: in, Output: 1e6 - in})
	if err != nil {
		return 0, err
	}
	return float64(bill.PicoUSD) / 1e12, nil
}

// rng makes each table the same in each run.
func rng() *rand.Rand { return rand.New(rand.NewPCG(2, 2)) }

// models compares with the prices of several APIs.
func models(out io.Writer, s cost.SelfHost) error {
	fmt.Fprintln(out, "1. Break-even by the API's price, in million tokens a month (with 90 % probability within the range)")
	for _, model := range []string{"gpt-4o-mini", "gpt-5-mini", "claude-haiku-4-5", "gpt-4o", "claude-sonnet-4-5"} {
		price, err := mixed(model, 0.8)
		if err != nil {
			return err
		}
		s.APIUSDPerMillion = around(price, 1.2)
		b, err := s.BreakEven(rng())
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-18s $%6.3f a million  %8s  (%s to %s)  never: %2.0f %%\n", model, price, millions(b.Likely), millions(b.P5), millions(b.P95), b.Never*100)
	}
	return nil
}

// utilization shows what an idle GPU does.
func utilization(out io.Writer, s cost.SelfHost) error {
	s.APIUSDPerMillion = around(4, 1.2)
	fmt.Fprintln(out, "\n2. Break-even by utilization, for an API at $4 a million tokens")
	for _, u := range []float64{0.05, 0.1, 0.2, 0.4, 0.8} {
		s.Utilization = cost.Range{Low: u * 0.8, Likely: u, High: min(u*1.2, 1)}
		b, err := s.BreakEven(rng())
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "busy %3.0f %%  %8s  (%s to %s)  never: %3.0f %%\n", u*100, millions(b.Likely), millions(b.P5), millions(b.P95), b.Never*100)
	}
	return nil
}

// volumes shows the probability that self-hosting is cheaper.
func volumes(out io.Writer, s cost.SelfHost) error {
	b, err := s.BreakEven(rng())
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n3. Your numbers: probability that self-hosting is cheaper, by million tokens a month (break-even %s)\n", millions(b.Likely))
	for _, v := range []float64{1e9, 2e9, 3e9, 4e9, 5e9, 7e9, 1e10, 2e10} {
		p := b.Cheaper(v)
		fmt.Fprintf(out, "%10s  %3.0f %%  %s\n", millions(v), p*100, bar(p))
	}
	return nil
}

func bar(p float64) string {
	out := ""
	for i := range 20 {
		if float64(i) < p*20-0.5 {
			out += "#"
		} else {
			out += "."
		}
	}
	return out
}

func millions(tokens float64) string {
	if math.IsInf(tokens, 1) {
		return "never"
	}
	return fmt.Sprintf("%.0f", tokens/1e6)
}
