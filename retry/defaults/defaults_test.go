package defaults_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/defaults"
	"github.com/prodailabs/prodai/retry/limit"
	"github.com/prodailabs/prodai/retry/overload"
)

func TestModelKeepsTheContract(t *testing.T) {
	modeltest.Run(t, func(tb testing.TB, next llms.Model) llms.Model {
		m, err := defaults.NewModel(next, nil)
		require.NoError(tb, err)
		return m
	}, nil)
}

// refusal is what a client's error has of a response: status and headers.
type refusal struct {
	status int
	header http.Header
}

func (r *refusal) Error() string       { return "refused" }
func (r *refusal) HTTPStatus() int     { return r.status }
func (r *refusal) Header() http.Header { return r.header }

// provider is the server of package overload, for a client on goroutines.
type provider struct {
	scenario overload.Scenario

	mu    sync.Mutex
	rand  *rand.Rand
	level float64
	at    time.Time
	queue int
	free  chan struct{}
	calls atomic.Int64
}

func (p *provider) Call(ctx context.Context, prompt string, o ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, p, prompt, o...)
}

func (p *provider) GenerateContent(ctx context.Context, _ []llms.MessageContent, _ ...llms.CallOption) (*llms.ContentResponse, error) {
	p.calls.Add(1)
	p.mu.Lock()
	service := time.Duration(p.rand.ExpFloat64() * float64(time.Second))
	if p.scenario <= overload.ScenarioQuotaCostly {
		now := time.Now()
		p.level = min(overload.Capacity, p.level+overload.Capacity*now.Sub(p.at).Seconds())
		p.at = now
		if p.level < 1 {
			if p.scenario == overload.ScenarioQuotaCostly {
				p.level = max(-overload.Capacity, p.level-0.5)
			}
			e := &refusal{429, http.Header{}}
			e.header.Set("Retry-After-Ms", strconv.Itoa(int((1-p.level)/overload.Capacity*1000)))
			p.mu.Unlock()
			time.Sleep(20 * time.Millisecond)
			return nil, e
		}
		p.level--
		p.mu.Unlock()
		return answer(ctx, time.After(service))
	}
	if p.scenario == overload.ScenarioQueueBounded && p.queue >= 80 {
		p.mu.Unlock()
		return nil, &refusal{503, http.Header{}}
	}
	p.queue++
	p.mu.Unlock()
	done := make(chan time.Time, 1)
	go func() { // the work is done, also if the caller has gone
		p.free <- struct{}{}
		p.mu.Lock()
		p.queue--
		p.mu.Unlock()
		time.Sleep(service)
		<-p.free
		done <- time.Now()
	}()
	return answer(ctx, done)
}

func answer(ctx context.Context, done <-chan time.Time) (*llms.ContentResponse, error) {
	select {
	case <-done:
		return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "ok"}}}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// The model itself, on goroutines and timers, does what the simulation promises of
// its policies, without any rate-limit headers.
func TestTheModelIsAsGoodAsItsSimulation(t *testing.T) {
	for _, scenario := range overload.Scenarios() {
		synctest.Test(t, func(t *testing.T) {
			p := &provider{scenario: scenario, rand: rand.New(rand.NewPCG(1, 2)), level: overload.Capacity, at: time.Now(), free: make(chan struct{}, overload.Capacity)}
			m, err := defaults.NewModel(p, &defaults.Options{Timeouts: retry.Timeouts{Attempt: 4 * time.Second}})
			require.NoError(t, err)
			deadline, phases := 30*time.Second, [][2]float64{{28, 30}, {120, 40}, {28, 150}}
			if scenario <= overload.ScenarioQuotaCostly {
				deadline, phases = 20*time.Second, [][2]float64{{20, 30}, {80, 90}, {20, 150}}
			}
			var ok, late, lateAsked atomic.Int64
			asked := 0
			arrivals := rand.New(rand.NewPCG(1, 0))
			start := time.Now()
			var wg sync.WaitGroup
			for at, i := 0.0, 0; i < len(phases); {
				at += arrivals.ExpFloat64() / phases[i][0]
				if at >= phases[i][1] {
					at = phases[i][1]
					i++
					continue
				}
				time.Sleep(time.Until(start.Add(time.Duration(at * float64(time.Second)))))
				asked++
				if at >= 120 {
					lateAsked.Add(1)
				}
				wg.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), deadline)
					defer cancel()
					if _, err := m.Call(ctx, "q"); err == nil {
						ok.Add(1)
						if at >= 120 {
							late.Add(1)
						}
					}
				})
			}
			wg.Wait()
			time.Sleep(time.Hour) // work for no caller
			var known *overload.Result
			for _, s := range overload.Strategies() {
				if s.Name == "client_rate_limit(known)+full_jitter" {
					known, err = overload.Run(scenario, s, 1)
					require.NoError(t, err)
				}
			}
			share := float64(ok.Load()) / float64(asked)
			of := share / (float64(known.OK) / float64(known.Requests))
			wasted := float64(p.calls.Load()-ok.Load()) / float64(asked)
			lateShare := float64(late.Load()) / float64(lateAsked.Load())
			t.Logf("%v: answered %.1f %%, %.1f %% of the known limit's, late %.1f %%, wasted %.1f %%", scenario, 100*share, 100*of, 100*lateShare, 100*wasted)
			require.GreaterOrEqual(t, of, 0.95)
			require.GreaterOrEqual(t, lateShare, 0.95)
			require.LessOrEqual(t, wasted, 0.1)
		})
	}
}

// adaptive is the limit of the calls in progress of the default policies.
func adaptive(o *retry.Options) *retry.Adaptive { return o.Gates[0].(*defaults.Gate).Adaptive() }

func TestUrgentCallsGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []retry.Priority
		o, err := defaults.New(nil)
		require.NoError(t, err)
		policy, err := retry.NewPolicy(o)
		require.NoError(t, err)
		var mu sync.Mutex
		call := func(p retry.Priority) {
			_, err := retry.Do(retry.WithPriority(t.Context(), p), policy, func(context.Context) (int, error) {
				mu.Lock()
				order = append(order, p)
				mu.Unlock()
				time.Sleep(time.Second)
				return 0, nil
			})
			if err != nil {
				t.Error(err)
			}
		}
		for range adaptive(o).Limit() + 1 { // all places, and the head of the queue
			go call(retry.PriorityNormal)
		}
		synctest.Wait()
		n := len(order)
		for _, p := range []retry.Priority{retry.PriorityLow, retry.PriorityNormal, retry.PriorityHigh} {
			go call(p)
			synctest.Wait()
		}
		left, cancel := context.WithCancel(t.Context())
		go cancel()
		_, err = retry.Do(left, policy, func(context.Context) (int, error) { return 0, nil })
		require.ErrorIs(t, err, context.Canceled)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, []retry.Priority{retry.PriorityNormal, retry.PriorityHigh, retry.PriorityNormal, retry.PriorityLow}, order[n:])
	})
}

func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		states, waits := 0, 0
		log := slog.New(&event.Checker{Report: t.Errorf, Next: handler(func(r slog.Record) {
			switch r.Message {
			case event.RetryBreaker:
				states++
			case event.LimitWait:
				waits++
			}
		})})
		down := &modeltest.Script{Turns: []modeltest.Turn{{Err: &refusal{500, http.Header{}}, Times: -1}}}
		spare := instant{&llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "spare"}}}}
		m, err := defaults.NewModel(down, &defaults.Options{Logger: log, Target: "down", Fallbacks: []llms.Model{spare}})
		require.NoError(t, err)
		for range 40 {
			answer, err := m.Call(t.Context(), "q")
			require.NoError(t, err)
			require.Equal(t, "spare", answer)
		}
		require.Positive(t, states)
		require.Zero(t, waits)

		account, err := limit.NewAccount(&limit.AccountOptions{Requests: limit.Rate{N: 1, Per: time.Second}})
		require.NoError(t, err)
		m, err = defaults.NewModel(spare, &defaults.Options{Logger: log, Account: account})
		require.NoError(t, err)
		for range 3 {
			_, err := m.Call(t.Context(), "q")
			require.NoError(t, err)
		}
		require.Equal(t, 2, waits)
	})
}

type handler func(slog.Record)

func (handler) Enabled(context.Context, slog.Level) bool        { return true }
func (h handler) Handle(_ context.Context, r slog.Record) error { h(r); return nil }
func (h handler) WithAttrs([]slog.Attr) slog.Handler            { return h }
func (h handler) WithGroup(string) slog.Handler                 { return h }

func TestNonsenseIsRefused(t *testing.T) {
	_, err := defaults.NewModel(nil, nil)
	require.ErrorIs(t, err, defaults.ErrOption)
	ok := &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say("ok")}}
	for _, o := range []*defaults.Options{{AnswerTokens: -1}, {Fallbacks: []llms.Model{nil}}, {Timeouts: retry.Timeouts{Total: -1}}, {InProgress: retry.AdaptiveOptions{Min: -1}}} {
		_, err := defaults.NewModel(ok, o)
		require.ErrorIs(t, err, defaults.ErrOption)
		_, err = defaults.New(o)
		require.ErrorIs(t, err, defaults.ErrOption)
	}
}

func ExampleNewModel() {
	account, err := limit.NewAccount(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	// A provider's client has account.HTTPClient(fault.HTTPClient(nil)) as its
	// HTTP client; this one needs none.
	client := &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say("hello")}}
	model, err := defaults.NewModel(client, &defaults.Options{Account: account})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	answer, err := llms.GenerateFromSinglePrompt(ctx, model, "Say hello.")
	fmt.Println(answer, err)
	// Output: hello <nil>
}

// The policies for any call, here one that isn't a model's.
func ExampleNew() {
	options, err := defaults.New(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	policy, err := retry.NewPolicy(options)
	if err != nil {
		fmt.Println(err)
		return
	}
	vector, err := retry.Do(context.Background(), policy, func(context.Context) ([]float32, error) {
		return []float32{1, 0}, nil // an embedding
	})
	fmt.Println(vector, err)
	// Output: [1 0] <nil>
}

func BenchmarkSuccess(b *testing.B) {
	next := instant{&llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "ok"}}}}
	m, err := defaults.NewModel(next, nil)
	require.NoError(b, err)
	messages := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "q")}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.GenerateContent(context.Background(), messages); err != nil {
			b.Fatal(err)
		}
	}
}

type instant struct{ r *llms.ContentResponse }

func (m instant) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	return m.r, nil
}
func (instant) Call(context.Context, string, ...llms.CallOption) (string, error) { return "ok", nil }
