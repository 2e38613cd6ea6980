package admission

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A ledger counts how permits end.
type ledger struct {
	done     []Outcome
	canceled int
	last     Held
}

func (l *ledger) Done(_ time.Time, h Held, o Outcome) { l.done, l.last = append(l.done, o), h }
func (l *ledger) Cancel(_ time.Time, h Held)          { l.canceled++; l.last = h }

func TestPermitEndsOnce(t *testing.T) {
	now := time.Unix(1000, 0)
	l := &ledger{}
	p := NewPermit(l, 7)
	p.Done(now, OutcomeUnhealthy)
	p.Done(now, OutcomeHealthy)
	p.Cancel(now)
	require.Equal(t, []Outcome{OutcomeUnhealthy}, l.done)
	require.Zero(t, l.canceled)
	require.EqualValues(t, 7, l.last.Mark)
	p = NewPermit(l, 8)
	p.Cancel(now)
	p.Cancel(now)
	p.Done(now, OutcomeHealthy)
	require.Len(t, l.done, 1)
	require.Equal(t, 1, l.canceled)
	require.EqualValues(t, 8, l.last.Mark)
}

func TestZeroPermitDoesNothing(t *testing.T) {
	var p Permit
	p.Begin(time.Unix(1, 0))
	p.Done(time.Unix(2, 0), OutcomeHealthy)
	p.Cancel(time.Unix(3, 0))
}

func TestBeginSeparatesTheWait(t *testing.T) {
	now := time.Unix(1000, 0)
	l := &ledger{}
	p := NewTimedPermit(l, now, 9)
	p.Begin(now.Add(2 * time.Second))
	p.Begin(now.Add(3 * time.Second))
	p.Done(now.Add(10*time.Second), OutcomeHealthy)
	require.EqualValues(t, 9, l.last.Mark)
	require.Equal(t, 3*time.Second, l.last.Waited)
	require.Equal(t, 7*time.Second, l.last.Took(now.Add(10*time.Second)))
	p = NewPermit(l, 9)
	p.Begin(now)
	p.Done(now, OutcomeHealthy)
	require.Equal(t, Held{Mark: 9}, l.last, "not a timed one")
	p = NewTimedPermit(l, epoch, 0)
	p.Begin(epoch.Add(time.Second))
	p.Cancel(epoch)
	require.InDelta(t, time.Second, l.last.Waited, 1, "whenever it begins")
}

func TestPermitsDontAllocate(t *testing.T) {
	now, l := time.Unix(1000, 0), &ledger{}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		p := NewTimedPermit(l, now, 1)
		p.Begin(now)
		p.Cancel(now)
	}))
}

// An outcome that is not set must not mean healthy.
func TestZeroOutcomeIsIgnored(t *testing.T) {
	var o Outcome
	require.Equal(t, OutcomeIgnored, o)
	require.Equal(t, "ignored", o.String())
	require.Equal(t, "unknown", Outcome(99).String())
	require.Equal(t, "throttled", OutcomeThrottled.String())
}

// A witness is a ledger that records first tokens too.
type witness struct {
	ledger
	first []Held
}

func (w *witness) FirstToken(_ time.Time, h Held) { w.first = append(w.first, h) }

func TestFirstToken(t *testing.T) {
	now := time.Unix(1000, 0)
	w := &witness{}
	p := NewTimedPermit(w, now, 7)
	p.Begin(now.Add(time.Second))
	p.FirstToken(now.Add(3 * time.Second))
	p.FirstToken(now.Add(4 * time.Second))
	require.Len(t, w.first, 1)
	require.Equal(t, time.Second, w.first[0].Waited)
	require.Equal(t, 2*time.Second, w.first[0].Took(now.Add(3*time.Second)))
	require.False(t, w.first[0].Answering)
	p.Done(now.Add(9*time.Second), OutcomeHealthy)
	require.True(t, w.last.Answering)
	p.FirstToken(now)
	require.Len(t, w.first, 1, "a call that has ended doesn't begin")

	l := &ledger{}
	p = NewPermit(l, 1)
	p.FirstToken(now) // its owner doesn't record first tokens
	p.Done(now, OutcomeHealthy)
	require.True(t, l.last.Answering)
	var zero Permit
	zero.FirstToken(now)
}
