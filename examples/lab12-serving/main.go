// Lab12-serving puts the same load on a simulated engine in several configurations:
// one request at a time, static batches, dynamic batches, continuous batching, and
// replicas of it with a router. It is a simulation in virtual time, computed from
// published data of a GPU and a model, and not a measurement of any product.
//
//	go run ./examples/lab12-serving
//	go run ./examples/lab12-serving -rate 20
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab12-serving:", err)
		os.Exit(1)
	}
}

// A setup is one row of the table.
type setup struct {
	name     string
	kind     batching
	batch    int           // the most requests at once
	delay    time.Duration // dynamic: how long the first one waits for others
	replicas int
}

var setups = []setup{
	{"one at a time", static, 1, 0, 1},
	{"static, 16", static, 16, 0, 1},
	{"dynamic, 16 or 50 ms", dynamic, 16, 50 * time.Millisecond, 1},
	{"dynamic, 64 or 50 ms", dynamic, 64, 50 * time.Millisecond, 1},
	{"continuous, 64", continuous, 64, 0, 1},
	{"continuous, 64, 2 replicas", continuous, 64, 0, 2},
}

func run(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab12-serving", flag.ContinueOnError)
	f.SetOutput(errs)
	rate := f.Float64("rate", 8, "requests a second")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if !(*rate > 0 && *rate <= 1000) {
		return fmt.Errorf("-rate is %v: want above 0 to 1000", *rate)
	}
	fmt.Fprintf(out, `A simulation, and not a measurement of a product. Its parameters:
  weights        16.06 GB    Llama 3 8B, 8.03 billion parameters in 16 bits (Llama 3 paper, 2024)
  KV cache       131,072 B   a token: 2 × 32 layers × 8 heads × 128 × 2 bytes (its config.json)
  bandwidth      3.35 TB/s   H100 SXM (NVIDIA's data sheet): each step reads the weights and the cache
  arithmetic     989 TFLOPS  H100 SXM, BF16 dense (data sheet), of which 40 %% is assumed to be reached
  overhead       2 ms        a step, assumed
  the load       %.3g requests a second at random, prompts of 512 tokens, answers of 200 on
                 average (geometric), for 120 s

%-28s %11s %11s %11s %11s %9s
`, *rate, "", "first p50", "first p99", "whole p50", "whole p99", "tokens/s")
	for _, s := range setups {
		r, err := simulate(s, *rate)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-28s %9.2f s %9.2f s %9.2f s %9.2f s %9.0f\n", s.name, r.first50.Seconds(), r.first99.Seconds(), r.whole50.Seconds(), r.whole99.Seconds(), r.tokens)
	}
	fmt.Fprint(out, `
Which engine for what (capabilities by the engines' own documentation):
  vLLM           continuous batching, paged cache, many models; the usual first choice on GPUs
  TensorRT-LLM   compiled for one GPU type: fastest on NVIDIA when a model stays for long;
                 served by Triton, with in-flight (continuous) batching
  Triton         models of many kinds on one server, dynamic batching for those without tokens
  Ray Serve      several models and steps in Python on a cluster, scaled one by one; the engine
                 inside is often vLLM
  BentoML        a model and its Python code as one service and one image
  llama.cpp      CPUs, laptops, quantized files; few requests at once
  Ollama         the same with a catalog of models: development, one person

What to notice: a static batch waits for its slowest answer and for its last request. A
dynamic batch no longer waits for requests. Only continuous batching no longer waits for
answers: first tokens come at once at the same load. A second replica then helps the tail.
What to try: -rate 2 and -rate 30. Which rows can keep up with the load, and which never?
What to read: go doc github.com/prodailabs/prodai/retry/route
`)
	return nil
}
