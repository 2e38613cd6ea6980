package sched_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/cache/engine/kv"
	"github.com/prodailabs/prodai/cache/engine/sched"
	"github.com/prodailabs/prodai/cache/engine/size"
)

func pool(t testing.TB, blocks, size int) *kv.Pool {
	t.Helper()
	p, err := kv.New(&kv.Options{Blocks: blocks, BlockSize: size, NoSharing: true})
	require.NoError(t, err)
	return p
}

func scheduler(t testing.TB, p *kv.Pool, o *sched.Options) *sched.Scheduler {
	t.Helper()
	s, err := sched.New(p, o)
	require.NoError(t, err)
	return s
}

func add(t testing.TB, s *sched.Scheduler, r sched.Request) *sched.Job {
	t.Helper()
	j, err := s.Add(r)
	require.NoError(t, err)
	return j
}

// step makes one step of a millisecond and checks that the plan is one an engine can do.
func step(t testing.TB, s *sched.Scheduler, now *time.Duration) *sched.Plan {
	t.Helper()
	p := s.Step(*now)
	*now += time.Millisecond
	for _, c := range p.Prefill {
		require.NotNil(t, c.Job.Seq)
		require.Equal(t, c.Job.Computed, c.From)
		require.Less(t, c.From, c.To)
		require.Equal(t, c.Last, c.To == c.Job.Seq.Len())
	}
	for _, j := range p.Decode {
		require.NotNil(t, j.Seq)
		require.Equal(t, j.Computed+1, j.Seq.Len())
	}
	s.Complete(p, *now, make([]sched.Token, len(p.Outputs())))
	return p
}

// flat costs a millisecond a step.
func flat(size.Step) time.Duration { return time.Millisecond }

func azure(t testing.TB) []sched.Request {
	t.Helper()
	f, err := os.Open("../../../examples/lab14-batching/azure.csv.gz")
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	requests, err := sched.ReadAzure(z)
	require.NoError(t, err)
	return requests
}

// atOnce lets all requests arrive at the start.
func atOnce(requests []sched.Request) []sched.Request {
	requests = slices.Clone(requests)
	for i := range requests {
		requests[i].Arrival = 0
	}
	return requests
}

// What the README of the golden vectors says of Azure's conversations.
func TestStaticBatchingWastesHalf(t *testing.T) {
	requests := azure(t)
	var outputs []int
	for _, r := range requests {
		outputs = append(outputs, r.Output)
	}
	for batch, want := range map[int]float64{8: 53.28, 16: 48.59, 32: 44.00} {
		require.InDelta(t, want, 100*sched.StaticShare(outputs, batch), 0.005)
		r, err := sched.Simulate(atOnce(requests), pool(t, 1<<16, 16), flat, &sched.Options{Policy: sched.PolicyStatic, Slots: batch, Waiting: 1 << 20})
		require.NoError(t, err)
		require.InDelta(t, sched.StaticShare(outputs, batch), r.Stats.Share(), 1e-12, "the scheduler does what the formula says")
	}
	require.Zero(t, sched.StaticShare(outputs[:3], 8))
	require.Zero(t, sched.StaticShare(outputs, 0))
}

func TestContinuousBatchingFillsTheSlots(t *testing.T) {
	requests := atOnce(azure(t)[:2000])
	for _, o := range []sched.Options{{Slots: 32}, {Slots: 32, Reserve: sched.ReserveNeeded}, {Slots: 32, StepTokens: 512}} {
		o.Waiting = 1 << 20
		r, err := sched.Simulate(requests, pool(t, 1<<16, 16), flat, &o)
		require.NoError(t, err)
		require.Greater(t, r.Stats.Share(), 0.9, "%+v", o)
		require.Zero(t, r.Stats.Preemptions)
	}
}

// Whatever the policy and the pressure, all requests end with all their tokens, and all
// blocks come back.
func TestEveryRequestEnds(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 14))
	preempted := 0
	for range 150 {
		blockSize := 1 + r.IntN(8)
		p, err := kv.New(&kv.Options{Blocks: 20 + r.IntN(60), BlockSize: blockSize, NoSharing: r.IntN(2) == 0})
		require.NoError(t, err)
		o := sched.Options{
			Policy: sched.Policy(r.IntN(3)), Slots: 1 + r.IntN(12), NoChunks: r.IntN(2) == 0, Reserve: sched.Reserve(r.IntN(2)), SkipAhead: r.IntN(3),
			PrefillSteps: r.IntN(3), Delay: time.Duration(r.IntN(50)) * time.Millisecond,
		}
		o.StepTokens = o.Slots + r.IntN(40)
		var requests []sched.Request
		at := time.Duration(0)
		for i := range 60 {
			at += time.Duration(r.IntN(8)) * time.Millisecond
			tokens := make([]int, 1+r.IntN(40))
			for k := range tokens {
				tokens[k] = k % (1 + r.IntN(3))
			}
			requests = append(requests, sched.Request{ID: fmt.Sprint(i), Arrival: at, Tokens: tokens, Output: 1 + r.IntN(30), Priority: r.IntN(3)})
		}
		got, err := sched.Simulate(requests, p, flat, &o)
		require.NoError(t, err, "%+v", o)
		require.Equal(t, p.Blocks(), p.Free())
		for i, j := range got.Jobs {
			if j.Admitted < 0 {
				require.False(t, p.Fits(len(requests[i].Tokens)+requests[i].Output))
				continue
			}
			require.Len(t, j.Generated, requests[i].Output, "%+v", o)
			require.LessOrEqual(t, j.Arrival, j.Admitted)
			require.Less(t, j.Admitted, j.First)
			require.LessOrEqual(t, j.First, j.End)
			require.Nil(t, j.Seq)
		}
		preempted += got.Stats.Preemptions
	}
	require.Greater(t, preempted, 100)
}

// 1,000 aborts at any time give back everything (vllm-ascend#16662).
func TestCancelAtAnyTime(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 1))
	p := pool(t, 50, 4)
	s := scheduler(t, p, &sched.Options{Slots: 6, Reserve: sched.ReserveNeeded, StepTokens: 16})
	var jobs []*sched.Job
	now := time.Duration(0)
	for range 1000 {
		j, err := s.Add(sched.Request{Prompt: 1 + r.IntN(60), Output: 1 + r.IntN(40), Priority: r.IntN(2)})
		if err == nil {
			jobs = append(jobs, j)
		}
		plan := s.Step(now)
		now += time.Millisecond
		for range r.IntN(3) { // between a step and its completion too
			s.Cancel(jobs[r.IntN(len(jobs))], now)
		}
		s.Complete(plan, now, make([]sched.Token, len(plan.Outputs())))
	}
	for _, j := range jobs {
		s.Cancel(j, now)
		s.Cancel(j, now+1)
	}
	s.Cancel(nil, now)
	require.Equal(t, p.Blocks(), p.Free())
	require.Zero(t, s.Running()+s.Waiting())
	j := add(t, s, sched.Request{Prompt: 190, Output: 10})
	for range 100 {
		step(t, s, &now)
	}
	require.Len(t, j.Generated, 10, "nothing stays reserved")
}

// For all lengths around the capacity: what is accepted ends (vllm#39734, sglang#39271,
// vllm#56028).
func TestAcceptedMeansServed(t *testing.T) {
	for _, reserve := range []sched.Reserve{sched.ReserveAll, sched.ReserveNeeded} {
		for n := 30; n < 80; n++ {
			p := pool(t, 16, 4)
			s := scheduler(t, p, &sched.Options{Reserve: reserve})
			j, err := s.Add(sched.Request{Prompt: n - 10, Output: 10})
			if n > 64 {
				var long *kv.TooLongError
				require.ErrorAs(t, err, &long)
			} else {
				require.NoError(t, err)
				now := time.Duration(0)
				for range 20 {
					step(t, s, &now)
				}
				require.Len(t, j.Generated, 10)
			}
			next := add(t, s, sched.Request{Prompt: 3, Output: 1})
			now := time.Second
			step(t, s, &now)
			require.Len(t, next.Generated, 1)
		}
	}
}

// A full pool is a normal state: a growing answer preempts the last one, once for each
// block it needs (sglang#26266, vllm-ascend#16315).
func TestPreemptionTakesOneVictim(t *testing.T) {
	p := pool(t, 12, 4)
	s := scheduler(t, p, &sched.Options{Reserve: sched.ReserveNeeded})
	now := time.Duration(0)
	var jobs []*sched.Job
	for range 3 {
		jobs = append(jobs, add(t, s, sched.Request{Prompt: 11, Output: 20}))
		step(t, s, &now)
	}
	require.Equal(t, 3, s.Running())
	for s.Stats().Preemptions == 0 {
		plan := step(t, s, &now)
		require.LessOrEqual(t, len(plan.Preempted), 1)
	}
	require.Equal(t, []int{0, 0, 1}, []int{jobs[0].Preemptions, jobs[1].Preemptions, jobs[2].Preemptions})
	first := jobs[2].First
	for s.Running()+s.Waiting() > 0 {
		step(t, s, &now)
	}
	require.Equal(t, first, jobs[2].First, "the first token came once (vllm#13169)")
	require.Greater(t, jobs[2].MaxGap, 5*time.Millisecond)
	require.Zero(t, p.Stats().HitRate(), "computing again is no hit (vllm#25780)")
}

// A step that does nothing changes the choice of the next: while work exists, no two
// steps in succession are empty (vllm#733).
func TestNoEmptySteps(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 40 {
		s := scheduler(t, pool(t, 20, 2), &sched.Options{Slots: 1 + r.IntN(5), NoChunks: r.IntN(2) == 0, Reserve: sched.Reserve(r.IntN(2)), StepTokens: 8})
		now, empty := time.Duration(0), 0
		for i := range 300 {
			if i < 150 {
				_, _ = s.Add(sched.Request{Prompt: 1 + r.IntN(20), Output: 1 + r.IntN(15), Priority: r.IntN(3)})
			}
			if step(t, s, &now).Tokens() == 0 && s.Waiting()+s.Running() > 0 {
				empty++
				require.Less(t, empty, 2)
			} else {
				empty = 0
			}
		}
	}
}

// Under endless arrivals of prompts, an answer still grows every few steps (sglang#32549).
func TestPrefillDoesNotStarveDecode(t *testing.T) {
	for _, o := range []sched.Options{{NoChunks: true}, {NoChunks: true, PrefillSteps: 3}, {}} {
		o.Slots, o.StepTokens = 64, 64
		s := scheduler(t, pool(t, 10_000, 4), &o)
		j := add(t, s, sched.Request{Prompt: 5, Output: 50})
		now := time.Duration(0)
		for i := range 300 {
			if i > 0 {
				_, _ = s.Add(sched.Request{Prompt: 60, Output: 1})
			}
			step(t, s, &now)
		}
		require.Len(t, j.Generated, 50)
		require.LessOrEqual(t, j.MaxGap, time.Duration(max(o.PrefillSteps, 1)+1)*time.Millisecond)
	}
}

// Equal prompts that come together get their first tokens one after the other
// (mlx-serve#205).
func TestFirstTokensComeInTurn(t *testing.T) {
	s := scheduler(t, pool(t, 1000, 4), &sched.Options{Slots: 8, StepTokens: 100})
	var jobs []*sched.Job
	for range 4 {
		jobs = append(jobs, add(t, s, sched.Request{Prompt: 100, Output: 20}))
	}
	now := time.Duration(0)
	for range 10 {
		step(t, s, &now)
	}
	for i := range 3 {
		require.Less(t, jobs[i].First, jobs[i+1].First)
	}
}

// A more important request takes a slot from a less important one, also if only slots are
// short; an equally important one waits (vllm#40004).
func TestPriorities(t *testing.T) {
	for _, c := range []struct {
		name   string
		pool   *kv.Pool
		high   int
		pushed bool
	}{{"slots", pool(t, 1000, 4), 1, true}, {"equal", pool(t, 1000, 4), 0, false}, {"blocks", pool(t, 16, 4), 1, true}} {
		s := scheduler(t, c.pool, &sched.Options{Slots: 1 + 3*min(1, 1000/c.pool.Blocks()/60)})
		low := add(t, s, sched.Request{Prompt: 20, Output: 30})
		now := time.Duration(0)
		for range 4 {
			step(t, s, &now)
		}
		high := add(t, s, sched.Request{Prompt: 20, Output: 3, Priority: c.high})
		step(t, s, &now)
		require.Equal(t, c.pushed, high.First >= 0, c.name)
		require.Equal(t, c.pushed, low.Preemptions == 1, c.name)
		for s.Running()+s.Waiting() > 0 {
			step(t, s, &now)
		}
		require.Len(t, low.Generated, 30)
		require.Equal(t, c.pool.Blocks(), c.pool.Free())
	}
}

// Light requests pass a heavy one that does not fit yet, but not forever (vllm#33499).
func TestAHeavyRequestGetsItsTurn(t *testing.T) {
	s := scheduler(t, pool(t, 50, 1), &sched.Options{Slots: 8, SkipAhead: 5})
	now := time.Duration(0)
	add(t, s, sched.Request{Prompt: 9, Output: 1 + 4})
	step(t, s, &now)
	heavy := add(t, s, sched.Request{Prompt: 39, Output: 1})
	light := 0
	for i := 0; heavy.First < 0; i++ {
		require.Less(t, i, 30)
		j := add(t, s, sched.Request{Prompt: 5, Output: 3})
		step(t, s, &now)
		if j.Admitted >= 0 {
			light++
		}
	}
	require.Equal(t, 5, light)
}

// The queue has a bound, and what is refused is refused at once (vllm#18826).
func TestTheQueueIsBounded(t *testing.T) {
	s := scheduler(t, pool(t, 10, 4), &sched.Options{Waiting: 10})
	refused := 0
	for range 100 {
		if _, err := s.Add(sched.Request{Prompt: 4, Output: 4}); errors.Is(err, sched.ErrBusy) {
			refused++
		}
	}
	require.Equal(t, 90, refused)
	require.Equal(t, 90, s.Stats().Refused)
}

func TestDynamicBatching(t *testing.T) {
	o := &sched.Options{Policy: sched.PolicyDynamic, Slots: 4, Delay: 20 * time.Millisecond}
	ms := time.Millisecond
	r, err := sched.Simulate([]sched.Request{
		{ID: "a", Arrival: 0, Prompt: 4, Output: 3}, {ID: "b", Arrival: 15 * ms, Prompt: 4, Output: 2}, // the batch of two starts when a has waited 20 ms
		{ID: "c", Arrival: 50 * ms, Prompt: 4, Output: 3}, {ID: "d", Arrival: 51 * ms, Prompt: 4, Output: 1}, {ID: "e", Arrival: 52 * ms, Prompt: 4, Output: 1},
		{ID: "f", Arrival: 53 * ms, Prompt: 4, Output: 1}, // full
		{ID: "g", Arrival: 200 * ms, Prompt: 4, Output: 1},
	}, pool(t, 100, 4), flat, o)
	require.NoError(t, err)
	var first []time.Duration
	for _, j := range r.Jobs {
		first = append(first, j.First)
	}
	require.Equal(t, []time.Duration{21 * ms, 21 * ms, 54 * ms, 54 * ms, 54 * ms, 54 * ms, 201 * ms}, first, "the last one flushes")
	require.Equal(t, 203*ms-2*ms, r.Makespan)
}

func TestSharedPrefixesAreNotComputedAgain(t *testing.T) {
	p, err := kv.New(&kv.Options{Blocks: 100, BlockSize: 4})
	require.NoError(t, err)
	system := make([]int, 40)
	var requests []sched.Request
	for i := range 5 {
		requests = append(requests, sched.Request{ID: fmt.Sprint(i), Arrival: time.Duration(i) * time.Second, Tokens: append(slices.Clone(system), 100+i, 200+i), Output: 3})
	}
	prefill := 0
	r, err := sched.Simulate(requests, p, func(s size.Step) time.Duration { prefill += s.Prefill; return 1 }, nil)
	require.NoError(t, err)
	require.Equal(t, 42+4*2, prefill)
	require.Equal(t, 40, r.Jobs[4].Cached)
	require.Equal(t, 160, r.Reuse.CachedTokens)
}

// Run drives an engine in real time: here one that adds up the tokens it is given, from
// its own memory of blocks.
func TestRunReadsWhatItWrote(t *testing.T) {
	const blockSize = 4
	p, err := kv.New(&kv.Options{Blocks: 24, BlockSize: blockSize})
	require.NoError(t, err)
	memory := make([]int, 24*blockSize)
	engine := func(_ context.Context, plan *sched.Plan) (out []sched.Token, err error) {
		for _, c := range plan.Copies {
			copy(memory[c.To*blockSize:(c.To+1)*blockSize], memory[c.From*blockSize:])
		}
		at := func(j *sched.Job, i int) *int {
			return &memory[j.Seq.Table()[i/blockSize]*blockSize+i%blockSize]
		}
		compute := func(j *sched.Job, from, to int) {
			for i := from; i < to; i++ {
				*at(j, i) = j.Seq.Tokens()[i]
			}
		}
		next := func(j *sched.Job) sched.Token {
			sum := 0
			for i := range j.Seq.Len() {
				sum += *at(j, i) * (i + 1)
			}
			return sched.Token{ID: sum % 97, Stop: sum%31 == 0}
		}
		for _, c := range plan.Prefill {
			compute(c.Job, c.From, c.To)
			if c.Last {
				out = append(out, next(c.Job))
			}
		}
		for _, j := range plan.Decode {
			compute(j, j.Seq.Len()-1, j.Seq.Len())
			out = append(out, next(j))
		}
		return out, nil
	}
	alone := func(tokens []int, n int) (out []int) {
		tokens = slices.Clone(tokens)
		for range n {
			sum := 0
			for i, x := range tokens {
				sum += x * (i + 1)
			}
			out = append(out, sum%97)
			tokens = append(tokens, sum%97)
			if sum%31 == 0 {
				break
			}
		}
		return out
	}
	var requests []sched.Request
	for i := range 40 {
		tokens := make([]int, 3+i%17)
		for k := range tokens {
			tokens[k] = k * (1 + i%3)
		}
		requests = append(requests, sched.Request{ID: fmt.Sprint(i), Tokens: tokens, Output: 4 + i%20, Priority: i % 2})
	}
	for _, o := range []sched.Options{{Slots: 5}, {Slots: 9, Reserve: sched.ReserveNeeded, StepTokens: 11}, {Slots: 4, NoChunks: true, Reserve: sched.ReserveNeeded}, {Slots: 4, Policy: sched.PolicyStatic}} {
		r, err := sched.Run(t.Context(), requests, p, engine, &o)
		require.NoError(t, err)
		for i, j := range r.Jobs {
			require.Equal(t, alone(requests[i].Tokens, requests[i].Output), j.Generated, "%+v", o)
		}
		require.Equal(t, p.Blocks(), p.Free())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = sched.Run(ctx, requests, p, engine, nil)
	require.ErrorIs(t, err, context.Canceled)
	broken := errors.New("broken")
	_, err = sched.Run(t.Context(), requests, p, func(context.Context, *sched.Plan) ([]sched.Token, error) { return nil, broken }, nil)
	require.ErrorIs(t, err, broken)
}

func TestPercentilesAndPicture(t *testing.T) {
	ms := time.Millisecond
	r, err := sched.Simulate([]sched.Request{{ID: "<a>", Prompt: 10, Output: 5}, {ID: "b", Prompt: 10, Output: 11}}, pool(t, 100, 4), flat, &sched.Options{Slots: 1})
	require.NoError(t, err)
	require.Equal(t, []time.Duration{ms, 6 * ms, 6 * ms}, []time.Duration{r.TTFT(50), r.TTFT(51), r.TTFT(200)})
	require.Equal(t, ms, r.TPOT(99))
	require.Equal(t, ms, r.Gap(99))
	require.Equal(t, 16*ms, r.Latency(100))
	require.InDelta(t, 1000, r.Throughput(), 1e-9)
	var svg strings.Builder
	require.NoError(t, r.WriteSVG(&svg, nil))
	require.Contains(t, svg.String(), "&lt;a&gt;")
	require.Equal(t, 2, strings.Count(svg.String(), "<title>prefill"))
	require.ErrorIs(t, r.WriteSVG(&svg, &sched.SVGOptions{Width: -1}), sched.ErrOption)
	require.Zero(t, new(sched.Result).TTFT(50))
	require.NoError(t, new(sched.Result).WriteSVG(&svg, nil))
}

func TestOptions(t *testing.T) {
	for _, o := range []sched.Options{{Slots: -1}, {StepTokens: -1}, {StepTokens: 3, Slots: 4}, {Delay: -1}, {Policy: 9}, {Reserve: 9}, {Waiting: -1}, {SkipAhead: -1}, {PrefillSteps: -1}} {
		_, err := sched.New(pool(t, 10, 4), &o)
		require.ErrorIs(t, err, sched.ErrOption, "%+v", o)
	}
	_, err := sched.New(nil, nil)
	require.ErrorIs(t, err, sched.ErrOption)
	s := scheduler(t, pool(t, 10, 4), nil)
	for _, r := range []sched.Request{{}, {Prompt: 1}, {Output: 1}, {Prompt: -1, Output: 1}, {Prompt: 1, Output: 1, Arrival: -1}, {Prompt: 1 << 40, Output: 1}, {Tokens: []int{}, Output: 1}} {
		_, err := s.Add(r)
		require.ErrorIs(t, err, sched.ErrOption, "%+v", r)
	}
	_, err = sched.Simulate([]sched.Request{{Prompt: 1, Output: 1, Arrival: 5}, {Prompt: 1, Output: 1}}, pool(t, 10, 4), flat, nil)
	require.ErrorIs(t, err, sched.ErrOption)
	_, err = sched.Simulate(nil, pool(t, 10, 4), nil, nil)
	require.ErrorIs(t, err, sched.ErrOption)
	_, err = sched.Simulate([]sched.Request{{Prompt: 1, Output: 1}}, pool(t, 10, 4), func(size.Step) time.Duration { return -1 }, nil)
	require.ErrorIs(t, err, sched.ErrOption)
	_, err = sched.Run(t.Context(), nil, pool(t, 10, 4), nil, nil)
	require.ErrorIs(t, err, sched.ErrOption)
}

func TestReadAzure(t *testing.T) {
	got, err := sched.ReadAzure(strings.NewReader("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.9951690,396,0\n"))
	require.NoError(t, err)
	require.Equal(t, []sched.Request{{ID: "0", Prompt: 374, Output: 44}, {ID: "1", Arrival: 4314579 * time.Microsecond, Prompt: 396, Output: 1}}, got)
	for _, bad := range []string{"a,b", "x,1,2", "2023-11-16 18:15:46.6805900,-1,2", "2023-11-16 18:15:46.6805900,1,99999999999", "2023-11-16 18:15:46,1,2\n2022-11-16 18:15:46,1,2", "\"a"} {
		_, err := sched.ReadAzure(strings.NewReader(bad))
		require.Error(t, err, bad)
	}
}

func FuzzReadAzure(f *testing.F) {
	f.Add("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n")
	f.Add("2023-11-16 18:15:46,1,2\n2023-11-16 18:15:47,0,0\n")
	f.Fuzz(func(t *testing.T, text string) {
		requests, err := sched.ReadAzure(strings.NewReader(text))
		if err != nil || len(requests) > 50 {
			return
		}
		for _, r := range requests {
			if r.Prompt > 1000 || r.Output > 100 {
				return
			}
		}
		if !slices.IsSortedFunc(requests, func(a, b sched.Request) int { return int(a.Arrival - b.Arrival) }) {
			return
		}
		_, err = sched.Simulate(requests, pool(t, 200, 16), flat, nil)
		require.NoError(t, err)
	})
}
