package limit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retry/fault"
)

// A flakyStore fails at the calls whose numbers, from 1, are in down.
type flakyStore struct {
	Memory
	calls int
	down  map[int]bool
}

func (s *flakyStore) fails() error {
	s.calls++
	if s.down[s.calls] {
		return fmt.Errorf("down at call %d", s.calls)
	}
	return nil
}

func (s *flakyStore) Take(ctx context.Context, claims []Claim, ahead time.Duration) (Decision, error) {
	if err := s.fails(); err != nil {
		return Decision{}, err
	}
	return s.Memory.Take(ctx, claims, ahead)
}

func (s *flakyStore) Charge(ctx context.Context, claims []Claim) error {
	if err := s.fails(); err != nil {
		return err
	}
	return s.Memory.Charge(ctx, claims)
}

// A call that a failing store refuses is not counted against the tenant, at
// whichever step the store fails: at the tenant's limit, at the limit of all
// tenants, when what was taken goes back, or at several of them.
func TestACallThatTheStoreRefusesIsNotCounted(t *testing.T) {
	for _, down := range [][]int{{1}, {2}, {2, 3}, {2, 3, 4}, {1, 2, 3}, {2, 3, 4, 5}} {
		t.Run(fmt.Sprint(down), func(t *testing.T) {
			store := &flakyStore{down: map[int]bool{}}
			for _, n := range down {
				store.down[n] = true
			}
			three := Rate{N: 3, Per: 24 * time.Hour}
			next := &fakeModel{use: func(string) int { return 1 }}
			m, err := New(next, &Options{
				Quota: Quota{Requests: three, Concurrency: 1}, Shared: Quota{Requests: three}, Store: store, RefuseOnStoreFailure: true,
			})
			require.NoError(t, err)
			passed := 0
			for range 20 {
				_, err := m.Call(t.Context(), "q")
				var e *Error
				switch {
				case err == nil:
					passed++
				case !errors.As(err, &e):
					t.Fatal(err)
				case e.Dimension == "store":
					require.Equal(t, http.StatusServiceUnavailable, e.HTTPStatus())
					require.Equal(t, fault.RefusalNone, e.Refusal)
					require.Equal(t, fault.ClassOverloaded, fault.FromError(t.Context(), err).Class)
					require.ErrorIs(t, err, ErrStore)
					require.ErrorContains(t, err, "down at call")
				default:
					require.Equal(t, http.StatusTooManyRequests, e.HTTPStatus())
				}
			}
			require.Equal(t, 3, passed, "three a day, whatever the store refused meanwhile")
		})
	}
}

// What the spare store has granted doesn't go back to the store.
func TestCorrectionsGoWhereTheClaimsWereTaken(t *testing.T) {
	day := Rate{N: 1000, Per: 24 * time.Hour}
	store := &flakyStore{down: map[int]bool{1: true, 3: true}}
	m, err := New(&fakeModel{use: func(string) int { return 10 }}, &Options{Quota: Quota{Tokens: day}, Store: store, AnswerTokens: 900})
	require.NoError(t, err)
	check := func(calls int, inStore, inSpare float64) {
		t.Helper()
		_, err = m.Call(t.Context(), "q")
		require.NoError(t, err)
		require.Equal(t, calls, store.calls)
		for s, want := range map[Store]float64{&store.Memory: inStore, &m.backing.spare: inSpare} {
			d, err := s.Take(t.Context(), []Claim{{Key: "limit:tenant::tokens", Rate: day}}, 0)
			require.NoError(t, err)
			require.InDelta(t, want, d.Remaining, 0.1)
		}
	}
	check(1, 1000, 990) // the store was down at the claim, so the correction is not for it
	check(3, 95, 990)   // it was down at the correction, which is kept
	check(6, 980, 990)  // the correction is made before the next claim
}

// A Model above one whose store is down charges nothing for the call either: no
// model was asked.
func TestACallThatWasRefusedBelowCostsNothing(t *testing.T) {
	inner, err := New(&fakeModel{}, &Options{Quota: Quota{Requests: Rate{N: 1, Per: time.Hour}}, Store: brokenStore{}, RefuseOnStoreFailure: true})
	require.NoError(t, err)
	store := &Memory{}
	outer, err := New(inner, &Options{Quota: Quota{Tokens: Rate{N: 1000, Per: 24 * time.Hour}}, Store: store, AnswerTokens: 900})
	require.NoError(t, err)
	for range 3 {
		_, err = outer.Call(t.Context(), "q")
		var e *Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, "store", e.Dimension)
	}
}

func TestOwedIsBounded(t *testing.T) {
	b := backing{store: brokenStore{}}
	for i := range 2 * maxOwed {
		b.owe([]Claim{{Key: fmt.Sprint(i), Rate: Rate{N: 1, Per: 1}, N: -1}})
	}
	require.Len(t, b.owed, maxOwed)
	b.charge([]Claim{{Key: "0", Rate: Rate{N: 1, Per: 1}, N: -1}}, false)
	require.EqualValues(t, -2, b.owed["0"].N, "what is owed adds up")
}

type brokenStore struct{}

func (brokenStore) Take(context.Context, []Claim, time.Duration) (Decision, error) {
	return Decision{}, errors.New("down")
}

func (brokenStore) Charge(context.Context, []Claim) error { return errors.New("down") }

func TestStoreDown(t *testing.T) {
	quota := Quota{Requests: Rate{N: 2, Per: time.Hour}}
	open, err := New(&fakeModel{use: func(string) int { return 1 }}, &Options{Quota: quota, Store: brokenStore{}})
	require.NoError(t, err)
	for i := range 3 {
		_, err = open.Call(t.Context(), "q")
		require.Equal(t, i == 2, err != nil, "the limits of this process hold meanwhile")
	}
	closed, err := New(&fakeModel{}, &Options{Quota: quota, Store: brokenStore{}, RefuseOnStoreFailure: true})
	require.NoError(t, err)
	_, err = closed.Call(t.Context(), "q")
	require.ErrorContains(t, err, "down")
}
