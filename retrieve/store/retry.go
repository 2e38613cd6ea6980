package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// maxWait bounds the wait between two attempts.
const maxWait = time.Minute

// try sends a call until it works, fails for good, or has failed Options.Attempts times.
func (s *Store) try(ctx context.Context, call func() error) error {
	wait := s.o.Backoff
	for attempt := 1; ; attempt++ {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("store: %w", err)
		}
		err := call()
		if err == nil {
			return nil
		}
		if ended := ctx.Err(); ended != nil {
			if errors.Is(err, ended) {
				return err
			}
			return fmt.Errorf("%w (%w)", err, ended)
		}
		if faultOf(err) != FaultTemporary || attempt >= s.o.Attempts {
			return err
		}
		pause := wait/2 + rand.N(wait/2+1)
		if e, ok := errors.AsType[*Error](err); ok {
			pause = max(pause, e.After)
		}
		timer := time.NewTimer(min(pause, maxWait))
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w (%w)", err, ctx.Err())
		case <-timer.C:
		}
		wait = min(2*wait, maxWait)
	}
}

func sortFailures(all []Failure) {
	slices.SortFunc(all, func(a, b Failure) int { return cmp.Compare(a.Index, b.Index) })
}
