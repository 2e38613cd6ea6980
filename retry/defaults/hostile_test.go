package defaults

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/limit"
)

type hostileModel func(context.Context) (*llms.ContentResponse, error)

func (f hostileModel) GenerateContent(ctx context.Context, _ []llms.MessageContent, _ ...llms.CallOption) (*llms.ContentResponse, error) {
	return f(ctx)
}
func (f hostileModel) Call(context.Context, string, ...llms.CallOption) (string, error) {
	return "", nil
}

// In the end the gate is empty, in whatever order calls come and go.
func TestGateStorm(t *testing.T) {
	a, err := limit.NewAccount(&limit.AccountOptions{Requests: limit.Rate{N: 5000, Per: time.Second, Burst: 50}})
	require.NoError(t, err)
	settings, err := New(&Options{Account: a})
	require.NoError(t, err)
	gate := settings.Gates[0].(*Gate)
	settings.Budget, settings.Backoff = retry.NoBudget, retry.Exponential{Base: time.Microsecond, Cap: time.Millisecond}
	limited, err := limit.New(hostileModel(func(ctx context.Context) (*llms.ContentResponse, error) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Duration(rand.IntN(1000)) * time.Microsecond):
		}
		switch rand.IntN(10) {
		case 0:
			panic("boom")
		case 1:
			return nil, fault.New(fault.ClassServerError, errors.New("down"))
		case 2:
			return nil, fault.New(fault.ClassRateLimit, errors.New("slow"))
		}
		return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "x", StopReason: "stop"}}}, nil
	}), &limit.Options{Account: a, Wait: time.Second})
	require.NoError(t, err)
	m, err := retry.New(limited, settings)
	require.NoError(t, err)
	var wait sync.WaitGroup
	for i := range 60 {
		wait.Go(func() {
			for range 15 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(20000))*time.Microsecond)
				ctx = retry.WithPriority(ctx, retry.Priority(i%3-1))
				func() {
					defer func() { _ = recover() }()
					_, _ = m.GenerateContent(a.WithCall(ctx, "", limit.Use{}), nil)
				}()
				cancel()
			}
		})
	}
	wait.Wait()
	gate.mu.Lock()
	defer gate.mu.Unlock()
	require.Empty(t, gate.queues)
	for range gate.Adaptive().Limit() {
		_, err := gate.Adaptive().TryAcquire(time.Now())
		require.NoError(t, err, "a place is lost")
	}
}

// Below an open breaker the account keeps its room in the stack of NewModel.
func TestOpenBreakerKeepsTheRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, err := limit.NewAccount(&limit.AccountOptions{Requests: limit.Rate{N: 1000, Per: time.Hour}})
		require.NoError(t, err)
		made := 0
		m, err := NewModel(hostileModel(func(context.Context) (*llms.ContentResponse, error) {
			made++
			return nil, fault.New(fault.ClassServerError, errors.New("down"))
		}), &Options{Account: a})
		require.NoError(t, err)
		for range 60 {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			_, _ = m.GenerateContent(ctx, nil)
			cancel()
		}
		require.InDelta(t, 1000-made, a.Allowances(time.Now(), "")[0].Remaining, 1)
	})
}
