package judge_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval/judge"
)

func won(a, b string, n int) []judge.Game {
	return slices.Repeat([]judge.Game{{A: a, B: b, Value: 1}}, n)
}

// With two players the fit is the log odds of the wins: 3 to 1 is 400·log10(3).
func TestBradleyTerryOfTwoIsTheLogOdds(t *testing.T) {
	r, err := judge.BradleyTerry(append(won("a", "b", 75), won("b", "a", 25)...), nil)
	require.NoError(t, err)
	d, interval, err := r.Difference("a", "b")
	require.NoError(t, err)
	assert.InDelta(t, 400*math.Log10(3), d, 1e-6)
	// The standard error of log odds is 1/√(n p (1−p)).
	half := 1.959963984540054 * 400 / math.Ln10 / math.Sqrt(100*0.75*0.25)
	assert.InDelta(t, half, (interval.High-interval.Low)/2, 1e-6)
	assert.Equal(t, "a", r.Players[0].Name)
	assert.Equal(t, 100, r.Players[0].Games)
	assert.InDelta(t, 2000, r.Players[0].Rating+r.Players[1].Rating, 1e-6)
}

func TestTiesAreHalfAWinForBoth(t *testing.T) {
	ties := slices.Repeat([]judge.Game{{A: "a", B: "b", Value: 0.5}}, 10)
	r, err := judge.BradleyTerry(ties, nil)
	require.NoError(t, err)
	d, _, err := r.Difference("a", "b")
	require.NoError(t, err)
	assert.InDelta(t, 0, d, 1e-9)
}

func TestTheOrderOfGamesChangesNothing(t *testing.T) {
	games, _ := season(rand.New(rand.NewPCG(1, 2)), 300)
	first, err := judge.BradleyTerry(games, nil)
	require.NoError(t, err)
	slices.Reverse(games)
	second, err := judge.BradleyTerry(games, nil)
	require.NoError(t, err)
	for i := range first.Players {
		assert.Equal(t, first.Players[i].Name, second.Players[i].Name)
		assert.InDelta(t, first.Players[i].Rating, second.Players[i].Rating, 1e-6)
	}
}

func TestAFitThatDoesNotExist(t *testing.T) {
	_, err := judge.BradleyTerry(won("a", "b", 9), nil)
	require.ErrorIs(t, err, judge.ErrUndefined)
	apart := append(append(won("a", "b", 3), won("b", "a", 1)...), append(won("c", "d", 3), won("d", "c", 1)...)...)
	_, err = judge.BradleyTerry(apart, nil)
	require.ErrorIs(t, err, judge.ErrUndefined)
	_, err = judge.BradleyTerry(append(apart, won("a", "c", 1)...), nil)
	require.ErrorIs(t, err, judge.ErrUndefined, "a path in one direction only")
	_, err = judge.BradleyTerry(append(apart, append(won("a", "c", 1), won("d", "b", 1)...)...), nil)
	require.NoError(t, err)
	_, err = judge.BradleyTerry(nil, nil)
	require.ErrorIs(t, err, judge.ErrUndefined)
	for _, g := range []judge.Game{{"a", "a", 1}, {"a", "b", math.NaN()}, {"a", "b", 1.1}} {
		_, err = judge.BradleyTerry([]judge.Game{g}, nil)
		require.ErrorIs(t, err, judge.ErrOption)
		_, err = judge.Elo([]judge.Game{g}, nil)
		require.ErrorIs(t, err, judge.ErrOption)
	}
	_, err = judge.BradleyTerry(apart, &judge.RankOptions{Level: 2})
	require.ErrorIs(t, err, judge.ErrOption)
	_, err = judge.Elo(apart, &judge.EloOptions{K: -1})
	require.ErrorIs(t, err, judge.ErrOption)
}

// season plays n games of five players with known strengths.
func season(random *rand.Rand, n int) ([]judge.Game, map[string]float64) {
	truth := map[string]float64{"a": 1, "b": 0.5, "c": 0, "d": -0.5, "e": -1}
	names := []string{"a", "b", "c", "d", "e"}
	games := make([]judge.Game, n)
	for i := range games {
		order := random.Perm(5)
		g := judge.Game{A: names[order[0]], B: names[order[1]]}
		if random.Float64() < 1/(1+math.Exp(truth[g.B]-truth[g.A])) {
			g.Value = 1
		}
		games[i] = g
	}
	return games, truth
}

func TestIntervalsOfARankingCover(t *testing.T) {
	random := rand.New(rand.NewPCG(28, 6))
	covered, differences, total := 0, 0, 0
	for range 1000 {
		games, truth := season(random, 400)
		r, err := judge.BradleyTerry(games, nil)
		require.NoError(t, err)
		for _, p := range r.Players {
			total++
			if p.Interval.Contains(1000 + truth[p.Name]*400/math.Ln10) {
				covered++
			}
		}
		_, interval, err := r.Difference("a", "d")
		require.NoError(t, err)
		if interval.Contains(1.5 * 400 / math.Ln10) {
			differences++
		}
	}
	share := float64(covered) / float64(total)
	t.Logf("covered: %.3f of ratings, %.3f of differences", share, float64(differences)/1000)
	assert.InDelta(t, 0.95, share, 0.02)
	assert.InDelta(t, 0.95, float64(differences)/1000, 0.02)
}

func TestEloOrdersPlayers(t *testing.T) {
	games, _ := season(rand.New(rand.NewPCG(3, 4)), 2000)
	got, err := judge.Elo(games, &judge.EloOptions{Rounds: 200})
	require.NoError(t, err)
	order := ""
	for _, p := range got {
		order += p.Name
		assert.Less(t, p.Interval.Low, p.Rating)
		assert.Greater(t, p.Interval.High, p.Rating)
	}
	assert.Equal(t, "abcde", order)
	again, err := judge.Elo(games, &judge.EloOptions{Rounds: 200})
	require.NoError(t, err)
	assert.Equal(t, got, again)
	other, err := judge.Elo(games, &judge.EloOptions{Rounds: 200, Seed: 1})
	require.NoError(t, err)
	assert.NotEqual(t, got, other)
}

func ExampleBradleyTerry() {
	games := []judge.Game{
		{"new", "old", 1}, {"new", "old", 1}, {"new", "old", 0.5}, {"new", "old", 0},
		{"old", "tiny", 1}, {"old", "tiny", 1}, {"tiny", "old", 1},
	}
	r, err := judge.BradleyTerry(games, nil)
	if err != nil {
		panic(err)
	}
	for _, p := range r.Players {
		fmt.Printf("%-4s %4.0f\n", p.Name, p.Rating)
	}
	_, interval, _ := r.Difference("new", "old")
	fmt.Println("new and old differ for sure:", !interval.Contains(0))
	// Output:
	// new  1099
	// old  1011
	// tiny  890
	// new and old differ for sure: false
}
