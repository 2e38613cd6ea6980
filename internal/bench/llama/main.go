// Command llama measures package cache/engine/llama on a real model, and, with a Python
// that has llama-cpp-python, llama.cpp beside it in the same run:
//
//	go run ./llama -gguf FILE [-python PYTHON] [-threads 1] [-rounds 3]
//
// The file is first rewritten as Q8_0 by our writer; both read that one. Speeds are tokens
// per second of processor time, since a shared machine's clock says little. The rounds of
// the two alternate, and the best of each counts. The same tokens give both perplexities.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	_ "embed"

	"github.com/prodailabs/prodai/cache/engine/llama"
	"github.com/prodailabs/prodai/cache/engine/llama/weights"
)

//go:embed peer.py
var peer string

// A result is one round: tokens per second of processor time, and of the clock.
type result struct {
	Prompt, Decode         float64
	PromptWall, DecodeWall float64
	Perplexity             float64
	IDs                    []int32
	Greedy                 []int32
}

const (
	promptTokens = 128
	decodeTokens = 48
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "llama:", err)
		os.Exit(1)
	}
}

func run() error {
	path := flag.String("gguf", os.Getenv("PRODAI_GGUF"), "model to rewrite as Q8_0 and to measure (default $PRODAI_GGUF)")
	python := flag.String("python", "", "Python with llama-cpp-python (default: only our engine)")
	text := flag.String("text", "../../cache/doc.go", "file whose begin is the text of the perplexity")
	threads := flag.Int("threads", 1, "threads of both")
	rounds := flag.Int("rounds", 3, "rounds of each")
	flag.Parse()
	dir, err := os.MkdirTemp("", "llama")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	q8 := filepath.Join(dir, "q8.gguf")
	if err := rewrite(*path, q8); err != nil {
		return err
	}
	data, err := os.ReadFile(*text)
	if err != nil {
		return err
	}
	words := string(data[:min(len(data), 4000)])
	var ours, theirs result
	for range *rounds {
		r, err := ourRound(q8, words, *threads)
		if err != nil {
			return err
		}
		ours = best(ours, r)
		if *python == "" {
			continue
		}
		p, err := peerRound(*python, q8, words, *threads)
		if err != nil {
			return err
		}
		theirs = best(theirs, p)
	}
	fmt.Printf("Q8_0, %d threads, prompt %d, decode %d; tokens per processor second (per second)\n", *threads, promptTokens, decodeTokens)
	report("ours", ours)
	if *python != "" {
		report("llama.cpp", theirs)
		fmt.Printf("ratio       prompt %.2f  decode %.2f  perplexity %+.3f %%  same ids %v\n",
			ours.Prompt/theirs.Prompt, ours.Decode/theirs.Decode, 100*(ours.Perplexity/theirs.Perplexity-1), fmt.Sprint(ours.IDs) == fmt.Sprint(theirs.IDs))
	}
	if err := batched(q8, *threads); err != nil {
		return err
	}
	return constrained(q8, *threads)
}

func report(name string, r result) {
	fmt.Printf("%-10s  prompt %6.1f (%6.1f)  decode %6.1f (%6.1f)  perplexity %.4f\n", name, r.Prompt, r.PromptWall, r.Decode, r.DecodeWall, r.Perplexity)
}

func best(a, b result) result {
	b.Prompt, b.Decode = max(a.Prompt, b.Prompt), max(a.Decode, b.Decode)
	b.PromptWall, b.DecodeWall = max(a.PromptWall, b.PromptWall), max(a.DecodeWall, b.DecodeWall)
	return b
}

func rewrite(from, to string) error {
	f, err := weights.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	err = f.Requantize(out, func(t weights.Tensor) weights.Type {
		if len(t.Shape) < 2 {
			return weights.TypeF32
		}
		return weights.TypeQ8_0
	})
	if e := out.Close(); err == nil {
		err = e
	}
	return err
}

// timed returns tokens per second of processor time and of the clock.
func timed(tokens int, work func() error) (cpu, wall float64, err error) {
	from, start := processorTime(), time.Now()
	err = work()
	return float64(tokens) / (processorTime() - from).Seconds(), float64(tokens) / time.Since(start).Seconds(), err
}

func ourRound(path, text string, threads int) (r result, err error) {
	f, err := weights.Open(path)
	if err != nil {
		return r, err
	}
	defer func() { _ = f.Close() }()
	n, err := llama.Load(f, &llama.LoadOptions{Threads: threads, Precision: llama.PrecisionStored})
	if err != nil {
		return r, err
	}
	tok, err := llama.ReadTokenizer(f)
	if err != nil {
		return r, err
	}
	ctx := context.Background()
	r.IDs = tok.Encode(text, llama.SpecialText)
	r.IDs = r.IDs[:min(len(r.IDs), 512)]
	if r.Perplexity, err = n.Perplexity(ctx, r.IDs); err != nil {
		return r, err
	}
	c := n.NewCache()
	var rows [][][]float32
	if r.Prompt, r.PromptWall, err = timed(promptTokens, func() (err error) {
		rows, err = n.Forward(ctx, []llama.Step{{Cache: c, Tokens: r.IDs[:promptTokens]}})
		return err
	}); err != nil {
		return r, err
	}
	greedy, err := llama.NewSampler(nil)
	if err != nil {
		return r, err
	}
	r.Decode, r.DecodeWall, err = timed(decodeTokens, func() (err error) {
		for range decodeTokens {
			next := greedy.Sample(rows[0][0])
			r.Greedy = append(r.Greedy, next)
			if rows, err = n.Forward(ctx, []llama.Step{{Cache: c, Tokens: []int32{next}}}); err != nil {
				return err
			}
		}
		return nil
	})
	return r, err
}

func peerRound(python, path, text string, threads int) (r result, err error) {
	cmd := exec.Command(python, "-c", peer, path, strconv.Itoa(threads), strconv.Itoa(promptTokens), strconv.Itoa(decodeTokens))
	cmd.Stdin = bytes.NewReader([]byte(text))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(out, &r)
}
