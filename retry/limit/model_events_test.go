package limit

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry/fault"
)

func checkedLog(t *testing.T) (*slog.Logger, *bytes.Buffer) {
	var log bytes.Buffer
	return slog.New(&event.Checker{Report: t.Errorf, Next: slog.NewTextHandler(&log, nil)}), &log
}

func TestEventsOfAModel(t *testing.T) {
	l, log := checkedLog(t)
	m, err := New(hostileModel(func(context.Context) (*llms.ContentResponse, error) { return hostileAnswer(-5, 7), nil }),
		&Options{Quota: Quota{Tokens: Rate{N: 1e6, Per: time.Hour}, Concurrency: 1}, Store: brokenStore{}, Logger: l})
	require.NoError(t, err)
	_, err = hostileAsk(m)
	require.NoError(t, err)
	require.Contains(t, log.String(), "msg=limit.store")
	require.Contains(t, log.String(), "msg=usage.invalid")
	log.Reset()
	release := make(chan struct{})
	m.next = hostileModel(func(context.Context) (*llms.ContentResponse, error) {
		_, err := hostileAsk(m)
		require.Error(t, err)
		close(release)
		return hostileAnswer(1, 1), nil
	})
	_, err = hostileAsk(m)
	require.NoError(t, err)
	<-release
	require.Contains(t, log.String(), "msg=limit.deny")
	require.NotContains(t, log.String(), "delay=", "no delay is known")
}

// A store that names a claim which there isn't has failed.
type wildStore struct{ Memory }

func (*wildStore) Take(context.Context, []Claim, time.Duration) (Decision, error) {
	return Decision{Claim: 7}, nil
}

func TestClaimOutOfRange(t *testing.T) {
	m, err := New(&fakeModel{}, &Options{Quota: Quota{Requests: Rate{N: 1, Per: time.Hour}}, Store: &wildStore{}, RefuseOnStoreFailure: true})
	require.NoError(t, err)
	_, err = m.Call(t.Context(), "q")
	require.ErrorIs(t, err, ErrStore)
}

func TestZeroValues(t *testing.T) {
	var m Model
	_, err := m.GenerateContent(t.Context(), nil)
	require.ErrorIs(t, err, ErrOption)
	var a Account
	_, err = a.TryAcquire(time.Now(), "m", Use{})
	require.NoError(t, err)
}

func TestTenantsNeedATenant(t *testing.T) {
	_, err := New(&fakeModel{}, &Options{Tenants: map[string]Quota{"a": {}}})
	require.ErrorIs(t, err, ErrOption)
}

// A Switch that is off is an outage by hand: status 503, and no retry helps.
func TestSwitchIsNotRetried(t *testing.T) {
	var s Switch
	s.StopAll("incident 7")
	m, err := New(&fakeModel{}, &Options{Switch: &s})
	require.NoError(t, err)
	_, err = m.Call(t.Context(), "q")
	var ours *Error
	require.ErrorAs(t, err, &ours)
	require.Equal(t, 503, ours.HTTPStatus())
	require.Equal(t, "service_unavailable", ours.Code())
	e := fault.FromError(t.Context(), err)
	require.False(t, e.Retryable)
	require.True(t, e.Unsent)
}
