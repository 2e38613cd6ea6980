// Lab14-kv-cache shows what blocks do for the memory of a serving engine: how little stays
// empty, what equal beginnings share, and which of them survive when the memory is full.
// No network is used. The requests are the first 1,500 conversations of a trace that
// Mooncake published (Apache License 2.0).
//
//	go run ./examples/lab14-kv-cache
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

	"github.com/prodailabs/prodai/cache/engine/kv"
	"github.com/prodailabs/prodai/cache/engine/size"
	"github.com/prodailabs/prodai/cache/evict"
)

//go:embed mooncake.jsonl.gz
var mooncake []byte

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab14-kv-cache:", err)
		os.Exit(1)
	}
}

func run(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab14-kv-cache", flag.ContinueOnError)
	f.SetOutput(errs)
	name := f.String("model", "Llama-3.1-8B", "a model of package size")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	model, ok := size.FindModel(*name)
	if !ok {
		return fmt.Errorf("unknown model %q: want one of package size, such as Llama-3.1-8B", *name)
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(mooncake))
	if err != nil {
		return err
	}
	trace, err := kv.ReadMooncake(unpacked)
	if err != nil {
		return err
	}
	for _, part := range []func(io.Writer, []kv.Prompt, size.Model) error{waste, share, room} {
		if err := part(out, trace, model); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "What to notice: blocks waste less than one per cent; a prompt that was seen before")
	fmt.Fprintln(out, "costs one block; and the rule that is best for stored answers is not best for prompts.")
	fmt.Fprintln(out, "What to try: -model DeepSeek-V3, whose tokens need half the memory of an 8B model's.")
	fmt.Fprintln(out, "What to read: go doc ./cache/engine/kv, and go doc ./cache/evict.")
	return nil
}

// waste compares ways to reserve memory.
func waste(out io.Writer, trace []kv.Prompt, model size.Model) error {
	const longest = 131_072
	var lengths []int
	tokens := 0
	for _, p := range trace {
		lengths = append(lengths, min(p.Input+p.Output, longest))
		tokens += p.Input + p.Output
	}
	perToken := model.KVBytesPerToken(size.FormatBF16)
	fmt.Fprintf(out, "1. Memory for %d conversations of %d tokens on average, %.0f bytes a token (%s)\n", len(trace), tokens/len(trace), perToken, model.Name)
	for _, row := range []struct {
		name string
		o    kv.WasteOptions
	}{
		{"blocks of 16 tokens", kv.WasteOptions{BlockSize: 16}},
		{"blocks of 512 tokens", kv.WasteOptions{BlockSize: 512}},
		{"powers of two", kv.WasteOptions{Layout: kv.LayoutPowerOfTwo}},
		{"room for the longest allowed", kv.WasteOptions{Layout: kv.LayoutMax, MaxLen: longest}},
	} {
		reserved, empty, err := kv.Waste(lengths, &row.o)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "   %-30s %9.0f GB  %5.2f %% stays empty\n", row.name, float64(reserved)*perToken/1e9, 100*empty)
	}
	fmt.Fprintln(out)
	return nil
}

// share lets requests with one system prompt run through a pool.
func share(out io.Writer, _ []kv.Prompt, _ size.Model) error {
	fmt.Fprintln(out, "2. Two chats with one system prompt of 1,000 tokens, in blocks of 16")
	pool, err := kv.New(&kv.Options{Blocks: 256, BlockSize: 16})
	if err != nil {
		return err
	}
	system := make([]int, 1000)
	for i := range system {
		system[i] = i
	}
	ask := func(who string, tokens []int, salt string) ([]int, error) {
		s, err := pool.Allocate(kv.Request{Tokens: tokens, Extra: []string{salt}})
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(out, "   %-34s %5d tokens, %5d of them computed before, %2d blocks are new\n", who, s.Len(), s.Cached(), len(s.Table())-s.Cached()/pool.BlockSize())
		s.Computed(s.Len())
		for range 60 { // the answer
			if _, _, err := s.Append(len(tokens)); err != nil {
				return nil, err
			}
		}
		s.Computed(s.Len())
		all := append([]int(nil), s.Tokens()...)
		s.Free()
		return all, nil
	}
	first, err := ask("the first question of Ann", append(system[:1000:1000], 5001, 5002, 5003), "shop a")
	if err != nil {
		return err
	}
	for _, r := range []struct {
		who    string
		tokens []int
		salt   string
	}{
		{"the first question of Ben", append(system[:1000:1000], 6001, 6002), "shop a"},
		{"the second question of Ann", append(first, 5004, 5005), "shop a"},
		{"the same one, from another tenant", append(first, 5004, 5005), "shop b"},
	} {
		if _, err := ask(r.who, r.tokens, r.salt); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "   hit rate %.0f %%\n\n", 100*pool.Stats().HitRate())
	return nil
}

// room replays the trace with less and less memory.
func room(out io.Writer, trace []kv.Prompt, model size.Model) error {
	perBlock := model.KVBytesPerToken(size.FormatBF16) * kv.MooncakeBlock
	fmt.Fprintln(out, "3. Which share of the blocks of 512 tokens was still there when it was needed")
	fmt.Fprintln(out, "     blocks    memory      LRU   S3-FIFO   W-TinyLFU")
	for _, n := range []int{1000, 5000, 10_000, 20_000} {
		fmt.Fprintf(out, "   %8d   %4.0f GB ", n, float64(n)*perBlock/1e9)
		for _, policyOf := range []func(int) (evict.Policy, error){
			func(n int) (evict.Policy, error) { return evict.NewLRU(n) },
			func(n int) (evict.Policy, error) { return evict.NewS3FIFO(n) },
			func(n int) (evict.Policy, error) { return evict.NewTinyLFU(n) },
		} {
			policy, err := policyOf(n)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "   %4.1f %%", 100*kv.Replay(trace, policy).HitRate())
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintln(out)
	return nil
}
