// Lab14-batching compares static, dynamic and continuous batching on a recorded trace, in
// virtual time: how many places are busy, how long users wait, and what a full memory does.
// No network is used. The requests are the first 4,000 conversations of a trace that Azure
// published (CC-BY 4.0). The time of a step is a bound of the hardware, not a measurement.
//
//	go run ./examples/lab14-batching
//	go run ./examples/lab14-batching -html batching.html
package main

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/prodailabs/prodai/cache/engine/kv"
	"github.com/prodailabs/prodai/cache/engine/sched"
	"github.com/prodailabs/prodai/cache/engine/size"
)

//go:embed azure.csv.gz
var azure []byte

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab14-batching:", err)
		os.Exit(1)
	}
}

func run(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab14-batching", flag.ContinueOnError)
	f.SetOutput(errs)
	file := f.String("html", "", "write the timelines to this file")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(azure))
	if err != nil {
		return err
	}
	requests, err := sched.ReadAzure(unpacked)
	if err != nil {
		return err
	}
	if err := places(out, requests); err != nil {
		return err
	}
	if err := waits(out, requests, *file); err != nil {
		return err
	}
	if err := memory(out, requests); err != nil {
		return err
	}
	fmt.Fprintln(out, "What to notice: with static batching half of the places make nothing, and users wait for")
	fmt.Fprintln(out, "answers that are not theirs. Chunks cost the first token a little and spare all answers")
	fmt.Fprintln(out, "the long pause. To fill a small memory means to compute twice.")
	fmt.Fprintln(out, "What to try: -html batching.html, and open it: each row is a request.")
	fmt.Fprintln(out, "What to read: go doc ./cache/engine/sched, the section \"The steps of a request\".")
	return nil
}

// places counts the places that make a token, if all requests wait at once.
func places(out io.Writer, requests []sched.Request) error {
	fmt.Fprintln(out, "1. Which share of the places makes a token, if all 4,000 requests wait at once")
	fmt.Fprintln(out, "     slots     static   continuous")
	at0 := slices.Clone(requests)
	for i := range at0 {
		at0[i].Arrival = 0
	}
	for _, slots := range []int{8, 16, 32} {
		fmt.Fprintf(out, "   %7d", slots)
		for _, policy := range []sched.Policy{sched.PolicyStatic, sched.PolicyContinuous} {
			r, err := simulate(at0, 1<<16, func(size.Step) time.Duration { return time.Millisecond }, &sched.Options{Policy: policy, Slots: slots, Waiting: len(at0)})
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "   %6.1f %%", 100*r.Stats.Share())
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintln(out)
	return nil
}

func simulate(requests []sched.Request, blocks int, cost sched.Cost, o *sched.Options) (*sched.Result, error) {
	pool, err := kv.New(&kv.Options{Blocks: blocks, NoSharing: true})
	if err != nil {
		return nil, err
	}
	return sched.Simulate(requests, pool, cost, o)
}

// l4 is Llama 3.1 8B with weights of 8 bits on an L4.
func l4() (*size.Report, sched.Cost, error) {
	model, _ := size.FindModel("Llama-3.1-8B")
	gpu, _ := size.FindGPU("L4")
	plan, err := size.Plan(model, gpu, &size.Options{Weights: size.FormatFP8, Length: 8192})
	if err != nil {
		return nil, nil, err
	}
	return plan, sched.Roofline(plan, 5*time.Millisecond), nil
}

// setting is a row of the second table.
type setting struct {
	name string
	o    sched.Options
}

func waits(out io.Writer, requests []sched.Request, file string) error {
	plan, cost, err := l4()
	if err != nil {
		return err
	}
	requests = slices.Clone(requests[:1000])
	for i := range requests {
		requests[i].Arrival *= 3 // as many as one small GPU can serve
	}
	fmt.Fprintf(out, "2. What users feel: 1,000 requests in %.0f minutes, %s in FP8 on an %s (simulated)\n", requests[len(requests)-1].Arrival.Minutes(), plan.Model.Name, plan.GPU.Name)
	fmt.Fprintln(out, "                                first token       per token   longest pause   whole answer")
	fmt.Fprintln(out, "                                p50      p95            p95             p95            p95")
	var drawn []*sched.Result
	settings := []setting{
		{"one at a time", sched.Options{Slots: 1}},
		{"static, 16", sched.Options{Policy: sched.PolicyStatic, Slots: 16}},
		{"dynamic, 16, 50 ms", sched.Options{Policy: sched.PolicyDynamic, Slots: 16}},
		{"continuous, whole prompts", sched.Options{Slots: 64, NoChunks: true, StepTokens: 8192}},
		{"continuous, chunks of 512", sched.Options{Slots: 64, StepTokens: 512}},
	}
	for _, s := range settings {
		s.o.Waiting = len(requests)
		r, err := simulate(requests, plan.Tokens/16, cost, &s.o)
		if err != nil {
			return err
		}
		drawn = append(drawn, r)
		fmt.Fprintf(out, "   %-26s %8s %8s %11d ms %15s %14s\n", s.name, seconds(r.TTFT(50)), seconds(r.TTFT(95)), r.TPOT(95).Milliseconds(), seconds(r.Gap(95)), seconds(r.Latency(95)))
	}
	fmt.Fprintln(out)
	if file == "" {
		return nil
	}
	return draw(file, settings, drawn)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func draw(file string, settings []setting, results []*sched.Result) error {
	var b bytes.Buffer
	b.WriteString("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Batching</title>" +
		"<style>:root{color-scheme:light dark}body{font:16px system-ui;margin:1rem auto;max-width:64rem;padding:0 1rem}div{overflow-x:auto}</style><h1>Batching</h1>" +
		"<p>Each row is one of the first 64 requests, in the first 60 seconds. A thin line waits, a high bar computes the prompt, a low bar makes the answer.</p>\n")
	for i, r := range results {
		fmt.Fprintf(&b, "<h2>%s</h2><div>\n", settings[i].name)
		if err := r.WriteSVG(&b, &sched.SVGOptions{Until: time.Minute}); err != nil {
			return err
		}
		b.WriteString("</div>\n")
	}
	return os.WriteFile(file, b.Bytes(), 0o600)
}

// memory compares the ways to reserve blocks when they are short.
func memory(out io.Writer, requests []sched.Request) error {
	_, cost, err := l4()
	if err != nil {
		return err
	}
	requests = slices.Clone(requests[:600])
	for i := range requests {
		requests[i].Arrival /= 4 // far more than the memory serves
		requests[i].Output *= 4
	}
	fmt.Fprintln(out, "3. A memory that is too small: 1,000 blocks of 16 tokens, four times the load and the answers")
	fmt.Fprintln(out, "                              tokens a second   preempted   computed twice   longest pause p95")
	for _, s := range []setting{
		{"reserve the whole answer", sched.Options{StepTokens: 512}},
		{"reserve what is needed", sched.Options{StepTokens: 512, Reserve: sched.ReserveNeeded}},
	} {
		s.o.Waiting = len(requests)
		work := 0
		r, err := simulate(requests, 1000, func(l size.Step) time.Duration {
			work += l.Prefill + l.Decode
			return cost(l)
		}, &s.o)
		if err != nil {
			return err
		}
		needed := 0
		for _, j := range r.Jobs {
			if j.Admitted >= 0 {
				needed += j.Prompt + len(j.Generated) - 1
			}
		}
		fmt.Fprintf(out, "   %-26s %16.0f %11d %14.1f %% %19s\n", s.name, r.Throughput(), r.Stats.Preemptions, 100*(float64(work)/float64(needed)-1), seconds(r.Gap(95)))
	}
	fmt.Fprintln(out)
	return nil
}
