package defaults_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/defaults"
	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/limit"
)

// A streamer is a healthy upstream. Each answer begins after the time first and
// lasts the time long, for up to places calls at once. Other calls wait.
type streamer struct {
	first, long time.Duration
	places      chan struct{}
}

func (s *streamer) Call(ctx context.Context, prompt string, o ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, s, prompt, o...)
}

func (s *streamer) GenerateContent(ctx context.Context, _ []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	var o llms.CallOptions
	for _, f := range options {
		f(&o)
	}
	if s.places != nil {
		select {
		case s.places <- struct{}{}:
			defer func() { <-s.places }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	wait := func(d time.Duration) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := wait(s.first); err != nil {
		return nil, err
	}
	for range 10 {
		if o.StreamingFunc != nil {
			if err := o.StreamingFunc(ctx, []byte("a")); err != nil {
				return nil, err
			}
		}
		if err := wait((s.long - s.first) / 10); err != nil {
			return nil, err
		}
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "aaaaaaaaaa", StopReason: "stop"}}}, nil
}

// streamed has n callers ask for a stream at once, as the service of the capstone
// does, and returns how many failed, and the times to the first token of the others.
func streamed(t *testing.T, next llms.Model, n int) (failed int, first []time.Duration) {
	m, err := defaults.NewModel(next, &defaults.Options{Timeouts: retry.Timeouts{FirstToken: time.Minute, BetweenTokens: 30 * time.Second, Total: 2 * time.Minute}})
	require.NoError(t, err)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			begin, spoke := time.Now(), time.Duration(0)
			_, err := m.GenerateContent(t.Context(), []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "q")},
				llms.WithStreamingFunc(func(context.Context, []byte) error {
					if spoke == 0 {
						spoke = time.Since(begin)
					}
					return nil
				}))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed++
				return
			}
			first = append(first, spoke)
		})
	}
	wg.Wait()
	slices.Sort(first)
	return failed, first
}

// 200 streams of 10 s at once begin without a wait at a healthy upstream, and 1,000
// take a few rounds of first tokens.
func TestStreamsAreNotStarved(t *testing.T) {
	for n, most := range map[int]time.Duration{200: time.Second, 1000: 2 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			failed, first := streamed(t, &streamer{first: 300 * time.Millisecond, long: 10 * time.Second}, n)
			p := func(q int) time.Duration { return first[(len(first)-1)*q/100] }
			t.Logf("%d streams of 10 s: time to first token p50 %v, p99 %v, %d failed", n, p(50), p(99), failed)
			require.Zero(t, failed)
			require.LessOrEqual(t, p(99), most)
		})
	}
}

// An upstream of 100 places: the limit stops to grow when first tokens come late, and
// the streams that find no place wait at the client.
func TestStreamsBeforeAFullUpstream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &streamer{first: 300 * time.Millisecond, long: 10 * time.Second, places: make(chan struct{}, 100)}
		failed, first := streamed(t, s, 500)
		p := func(q int) time.Duration { return first[(len(first)-1)*q/100] }
		t.Logf("500 streams before 100 places: time to first token p50 %v, p99 %v, %d failed", p(50), p(99), failed)
		require.Zero(t, failed)
		require.LessOrEqual(t, p(99), 55*time.Second, "all places are in use")
	})
}

// What can't be answered in time is refused at once, with the time to come back, not
// after it has waited for most of its time.
func TestEarlyRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := &streamer{first: 300 * time.Millisecond, long: 10 * time.Second}
		m, err := defaults.NewModel(next, &defaults.Options{InProgress: retry.AdaptiveOptions{Initial: 10, Max: 10}})
		require.NoError(t, err)
		var wg sync.WaitGroup
		var mu sync.Mutex
		var refused []time.Duration
		ended, wait := 0, time.Duration(0)
		for range 600 { // one each 100 ms: ten times of what 10 places can answer
			time.Sleep(100 * time.Millisecond)
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				begin := time.Now()
				_, err := m.Call(ctx, "q", llms.WithStreamingFunc(func(context.Context, []byte) error { return nil }))
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					ended++
					return
				}
				require.ErrorIs(t, err, retry.ErrShed)
				var e *fault.Error
				require.ErrorAs(t, err, &e)
				if d, ok := e.RetryAfter(); ok {
					wait = max(wait, d)
				}
				refused = append(refused, time.Since(begin))
			})
		}
		wg.Wait()
		slices.Sort(refused)
		t.Logf("%d of 600 answered; refused after p50 %v, p99 %v; asked to wait up to %v", ended, refused[len(refused)/2], refused[len(refused)*99/100], wait)
		require.GreaterOrEqual(t, ended, 60, "the places are in use all the time")
		require.Zero(t, refused[len(refused)/2])
		require.LessOrEqual(t, refused[len(refused)*99/100], 45*time.Second)
		require.Positive(t, wait)
	})
}

// A quota that refills before the deadlines costs no answer, for any number of
// waiting calls.
func TestAQueueBeforeAQuotaIsNotHopeless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account, err := limit.NewAccount(nil)
		require.NoError(t, err)
		permit, err := account.TryAcquire(time.Now(), "", limit.Use{})
		require.NoError(t, err)
		permit.LearnRefusal(time.Now(), 30*time.Second)
		m, err := defaults.NewModel(&streamer{first: time.Millisecond, long: time.Second}, &defaults.Options{Account: account})
		require.NoError(t, err)
		var wg sync.WaitGroup
		for range 25 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				_, err := m.Call(ctx, "q")
				if err != nil {
					t.Error(err)
				}
			})
			time.Sleep(time.Second)
		}
		wg.Wait()
	})
}

// shifting is a healthy upstream whose first tokens take ten times as long from then on:
// the prompts have become longer.
type shifting struct {
	streamer
	from time.Time
}

func (s *shifting) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	now := s.streamer
	if time.Now().After(s.from) {
		now.first *= 10
	}
	return now.GenerateContent(ctx, messages, options...)
}

func TestLongerPromptsAreNoCongestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := &shifting{streamer{first: 300 * time.Millisecond, long: 10 * time.Second}, time.Now().Add(time.Minute)}
		m, err := defaults.NewModel(next, &defaults.Options{InProgress: retry.AdaptiveOptions{Max: 200}})
		require.NoError(t, err)
		begin := time.Now()
		var minutes [4]int // streams that ended in each
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 300 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 33 * time.Millisecond)
				for time.Since(begin) < 4*time.Minute {
					if _, err := m.Call(t.Context(), "q", llms.WithStreamingFunc(func(context.Context, []byte) error { return nil })); err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					if i := int(time.Since(begin) / time.Minute); i < len(minutes) {
						minutes[i]++
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		t.Logf("streams a minute, of 1,200: %v", minutes)
		require.GreaterOrEqual(t, minutes[1], 800)
		require.GreaterOrEqual(t, minutes[2], 1100)
	})
}

// flaky is an upstream that refuses a twentieth of the calls at once, while the streams
// that it serves go on for 10 s after first tokens of about a second.
type flaky struct {
	streamer
	mu   sync.Mutex
	rand *rand.Rand
}

func (s *flaky) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	s.mu.Lock()
	first, refuses := time.Duration(s.rand.ExpFloat64()*float64(time.Second)), s.rand.Float64() < 0.05
	s.mu.Unlock()
	if refuses {
		return nil, fault.Classify(fault.Response{Status: http.StatusServiceUnavailable}, time.Now())
	}
	this := streamer{first: first, long: first + 10*time.Second}
	return this.GenerateContent(ctx, messages, options...)
}

// Failures come at once, and the ends of streams late: those failures are not a
// run.
func TestAFewFailuresAmongStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed, first := streamed(t, &flaky{rand: rand.New(rand.NewPCG(1, 2))}, 1000)
		t.Logf("1000 streams, a twentieth refused at first: time to first token p50 %v, p99 %v, %d failed", first[len(first)/2], first[len(first)*99/100], failed)
		require.LessOrEqual(t, failed, 20)
		require.LessOrEqual(t, first[len(first)*99/100], 15*time.Second)
	})
}
