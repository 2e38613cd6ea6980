package limit

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/fault"
)

func TestTryAcquireTellsTheWait(t *testing.T) {
	a := account(t, &AccountOptions{Requests: Rate{N: 1, Per: time.Minute}})
	_, err := a.TryAcquire(start, "m", Use{})
	require.NoError(t, err)
	_, err = a.TryAcquire(start, "m", Use{})
	var e *Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, fault.RefusalWait, e.Refusal)
	require.Equal(t, time.Minute, e.Delay)
	require.True(t, e.HasDelay)
}

// A permit that is canceled leaves the room as it was, once.
func TestCanceledRoomComesBack(t *testing.T) {
	a := account(t, &AccountOptions{Requests: Rate{N: 2, Per: time.Hour}, Tokens: Rate{N: 100, Per: time.Hour}})
	p, err := a.TryAcquire(start, "m", Use{InputTokens: 60})
	require.NoError(t, err)
	_, err = a.TryAcquire(start, "m", Use{InputTokens: 60})
	require.Error(t, err)
	p.Cancel(start)
	p.Cancel(start)
	p.Settle(start, Use{InputTokens: 1e6})
	p.Done(start, admission.OutcomeThrottled)
	require.Equal(t, 2, burst(a, start, "m", Use{}))
	require.Zero(t, a.models["m"].pace.rate, "an ended permit teaches nothing")
	var zero AccountPermit
	zero.Cancel(start)
	zero.Learn(start, learned(1, 0, time.Hour))
	zero.LearnRefusal(start, time.Hour)
	zero.Done(start, admission.OutcomeThrottled)
}

// After room was given back, an older response doesn't make the room larger than it
// is.
func TestLearnAfterACancel(t *testing.T) {
	a := account(t, nil)
	first, _ := a.take(start, "m", Use{})
	second, _ := a.take(start, "m", Use{})
	second.Cancel(start)
	first.Learn(start, learned(10, 9, time.Minute))
	l, _ := roomOf(a, start, "m", "requests")
	require.LessOrEqual(t, l.Remaining, int64(9))
	third, _ := a.take(start, "m", Use{})
	third.Learn(start, learned(10, 8, time.Minute))
	l, _ = roomOf(a, start, "m", "requests")
	require.EqualValues(t, 8, l.Remaining)
}

// A refusal counts once, whether or not its wait was learned.
func TestThrottledIsARefusal(t *testing.T) {
	refused := func(end func(p *AccountPermit)) float64 {
		a := account(t, nil)
		for range 9 {
			p, _ := a.take(start, "m", Use{})
			p.Done(start, admission.OutcomeHealthy)
		}
		p, _ := a.take(start, "m", Use{})
		end(&p)
		return a.models["m"].pace.refused[0]
	}
	require.EqualValues(t, 1, refused(func(p *AccountPermit) { p.Done(start, admission.OutcomeThrottled) }))
	require.EqualValues(t, 1, refused(func(p *AccountPermit) {
		p.LearnRefusal(start, time.Second)
		p.Done(start, admission.OutcomeThrottled)
	}))
	require.Zero(t, refused(func(p *AccountPermit) { p.Done(start, admission.OutcomeUnhealthy) }))
}

// An attempt that the account admits and another gate refuses takes no room.
func TestAnAttemptThatIsRefusedTakesNoRoom(t *testing.T) {
	for _, with := range []bool{true, false} {
		a := account(t, &AccountOptions{Requests: Rate{N: 10, Per: time.Hour}})
		b, err := retry.NewBulkhead(1, nil)
		require.NoError(t, err)
		_, err = b.TryAcquire(time.Now())
		require.NoError(t, err)
		p, err := retry.NewPolicy(&retry.Options{Gates: []admission.Gate{a}, Bulkhead: b, MaxAttempts: 1})
		require.NoError(t, err)
		ctx, model := t.Context(), ""
		if with {
			ctx, model = a.WithCall(ctx, "m", Use{}), "m"
		}
		_, err = retry.Do(ctx, p, func(context.Context) (int, error) { return 1, nil })
		require.ErrorIs(t, err, retry.ErrBusy)
		require.EqualValues(t, 10, a.Allowances(time.Now(), model)[0].Remaining)
	}
}

// A thousand other models may remove one while a call to it is in progress. Its
// response is learned nevertheless, and so are later responses.
func TestAccountForgetsAndLearns(t *testing.T) {
	a := account(t, nil)
	for range 50 {
		a.take(start, "m", Use{})
	}
	permit, _ := a.take(start, "m", Use{})
	for i := range 2 * maxModels {
		a.take(start.Add(time.Second+time.Duration(i)), strconv.Itoa(i), Use{})
	}
	now := start.Add(time.Minute)
	says := func(remaining int64) []fault.Allowance {
		return []fault.Allowance{{Dimension: "requests", Limit: 100, Remaining: remaining, Reset: time.Minute}}
	}
	permit.Learn(now, says(40))
	require.EqualValues(t, 40, a.Allowances(now, "m")[0].Remaining)
	permit, _ = a.take(now, "m", Use{})
	permit.Learn(now, says(20))
	require.EqualValues(t, 20, a.Allowances(now, "m")[0].Remaining)
}
