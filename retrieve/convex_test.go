package retrieve_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retrieve"
)

func TestConvex(t *testing.T) {
	a := []retrieve.Ranked[string]{{ID: "x", Score: 10}, {ID: "y", Score: 5}, {ID: "z", Score: 0}}
	b := []retrieve.Ranked[string]{{ID: "z", Score: .9}, {ID: "y", Score: .8}, {ID: "x", Score: .1}}
	got := retrieve.Convex(.25, a, b)
	require.Equal(t, "y", got[0].ID)
	require.InDelta(t, .25*.5+.75*.875, got[0].Score, 1e-12)
	require.InDelta(t, .75, got[1].Score, 1e-12)
	require.Equal(t, "x", retrieve.Convex(7, a, b)[0].ID)
	require.Equal(t, "z", retrieve.Convex(-1, a, b)[0].ID)
	require.Equal(t, retrieve.Convex(.5, a, b), retrieve.Convex(math.NaN(), a, b))
	require.Empty(t, retrieve.Convex[string](.5, nil, nil))
}
