package limit

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// Names of tenants are forgotten although there is always a call that waits.
func TestFairForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f fair
		require.NoError(t, f.enter(t.Context(), "first", 1, 1))
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = f.enter(ctx, "patient", 1e9, 1) }()
		for i := range 5000 {
			go func() { _ = f.enter(t.Context(), strconv.Itoa(i), 1, 1) }()
			synctest.Wait()
			f.leave()
		}
		cancel()
		synctest.Wait()
		require.Less(t, len(f.tags), 2500)
	})
}
