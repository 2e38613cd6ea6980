package llama_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/cache/engine/kv"
	"github.com/prodailabs/prodai/cache/engine/llama"
	"github.com/prodailabs/prodai/cache/engine/llama/tiny"
	"github.com/prodailabs/prodai/cache/engine/llama/weights"
	"github.com/prodailabs/prodai/cache/engine/sched"
	"github.com/prodailabs/prodai/internal/growth"
)

// A scheduler with chunks, shared blocks and preemptions gives each request the answer that
// it gets alone.
func TestTheSchedulerRunsTheModel(t *testing.T) {
	f := tiny.Draft()
	n, err := llama.Load(f, nil)
	require.NoError(t, err)
	tok, err := llama.ReadTokenizer(f)
	require.NoError(t, err)
	system := tok.Prompt("A circuit breaker stops calls to a service that fails, and tries again after a while. A retry budget bounds how many calls are repeated, so that an outage does not multiply the load. The server refuses what it cannot do in time. ", llama.SpecialText)
	var requests []sched.Request
	var alone [][]int
	for i, question := range []string{"What is a token?", "A cache keeps", "The queue", "If the model", "An error", "What is a token?", "Why", "The number of"} {
		ids := append(append([]int32(nil), system...), tok.Encode(question, llama.SpecialText)...)
		tokens := make([]int, len(ids))
		for k, id := range ids {
			tokens[k] = int(id)
		}
		r := sched.Request{ID: fmt.Sprint(i), Tokens: tokens, Output: 45 + 3*i}
		requests = append(requests, r)
		var answer []int
		for id, err := range n.Generate(t.Context(), n.NewCache(), ids, &llama.GenerateOptions{MaxTokens: r.Output}) {
			require.NoError(t, err)
			answer = append(answer, int(id))
		}
		alone = append(alone, answer)
	}
	preempted, cached := 0, 0
	for _, o := range []sched.Options{{}, {Slots: 3, StepTokens: 16}, {Slots: 8, StepTokens: 64, Reserve: sched.ReserveNeeded}, {Slots: 2, Policy: sched.PolicyStatic}} {
		pool, err := kv.New(&kv.Options{Blocks: 10, BlockSize: llama.PageTokens})
		require.NoError(t, err)
		engine, err := n.Engine(pool, nil)
		require.NoError(t, err)
		r, err := sched.Run(t.Context(), requests, pool, engine, &o)
		require.NoError(t, err)
		for i, j := range r.Jobs {
			require.Equal(t, alone[i], j.Generated, "request %d, %+v", i, o)
		}
		preempted += r.Stats.Preemptions
		cached += r.Reuse.CachedTokens
	}
	require.Positive(t, preempted)
	require.Positive(t, cached)
	small, err := kv.New(nil)
	require.NoError(t, err)
	_, err = n.Engine(small, nil)
	require.ErrorIs(t, err, llama.ErrOption)
	_, err = n.Engine(nil, nil)
	require.ErrorIs(t, err, llama.ErrOption)
}

// BenchmarkScheduled answers 24 requests with a scheduler of some slots, and reports tokens
// for each second of processor time. PRODAI_GGUF names a larger model.
func BenchmarkScheduled(b *testing.B) {
	f := tiny.Target()
	if name := os.Getenv("PRODAI_GGUF"); name != "" {
		var err error
		f, err = weights.Open(name)
		require.NoError(b, err)
		defer f.Close()
	}
	n, err := llama.Load(f, &llama.LoadOptions{Threads: 1})
	require.NoError(b, err)
	tok, err := llama.ReadTokenizer(f)
	require.NoError(b, err)
	var requests []sched.Request
	for i := range 24 {
		var tokens []int
		for _, id := range tok.Prompt(fmt.Sprintf("The number %d is", i), llama.SpecialText) {
			tokens = append(tokens, int(id))
		}
		requests = append(requests, sched.Request{ID: fmt.Sprint(i), Tokens: tokens, Output: 24})
	}
	for _, slots := range []int{1, 4, 12, 24} {
		b.Run(fmt.Sprint(slots), func(b *testing.B) {
			tokens, before := 0, growth.ProcessorTime()
			for b.Loop() {
				pool, err := kv.New(&kv.Options{Blocks: 64, BlockSize: llama.PageTokens, NoSharing: true})
				require.NoError(b, err)
				engine, err := n.Engine(pool, nil)
				require.NoError(b, err)
				r, err := sched.Run(b.Context(), requests, pool, engine, &sched.Options{Slots: slots})
				require.NoError(b, err)
				for _, j := range r.Jobs {
					tokens += len(j.Generated)
				}
			}
			b.ReportMetric(float64(tokens)/(growth.ProcessorTime()-before).Seconds(), "tokens/cpu-s")
		})
	}
}
