package judge

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/prodailabs/prodai/eval/stats"
	"github.com/prodailabs/prodai/internal/dist"
)

// A Game is one comparison of two systems.
type Game struct {
	A, B  string
	Value float64 // A's part: 1 won, ½ a tie, 0 lost; [Comparison.Value] fits
}

// A Player is a system in a ranking.
type Player struct {
	Name     string
	Games    int
	Rating   float64        // on Elo's scale: 400 points are odds of 10 to 1
	Interval stats.Interval // of the rating
}

// RankOptions are the settings of [BradleyTerry].
type RankOptions struct {
	// Level of the intervals. Default: 0.95.
	Level float64
	// Mean is the mean rating of all players, since only differences have a
	// meaning. Default: 1000.
	Mean float64
}

// A Ranking has the players of [BradleyTerry], the best first.
type Ranking struct {
	Players []Player
	at      map[string]int
	theta   []float64 // strengths in logits, mean 0, by index
	cov     [][]float64
	level   float64
}

const eloPerLogit = 400 / math.Ln10

// BradleyTerry fits strengths s to all games at once, by maximum likelihood:
//
//	P(A wins against B) = 1 / (1 + exp(s(B) − s(A)))
//
// A tie counts as half a win for both. The intervals come from the sandwich
// covariance, which is right for ties too. A player's interval is about its
// distance from the mean player; use [Ranking.Difference] for two players. The
// result doesn't depend on the order of games.
//
// The fit exists if there is no group of players that won each game against the
// rest; else it is an [ErrUndefined] that names a player of such a group.
//
// Source: Bradley and Terry 1952; Hunter 2004 for the condition.
func BradleyTerry(games []Game, o *RankOptions) (*Ranking, error) {
	opts := RankOptions{}
	if o != nil {
		opts = *o
	}
	opts.Level = cmp.Or(opts.Level, 0.95)
	opts.Mean = cmp.Or(opts.Mean, 1000)
	if !(opts.Level > 0 && opts.Level < 1) {
		return nil, fmt.Errorf("%w: RankOptions.Level is %v: want between 0 and 1", ErrOption, opts.Level)
	}
	names, at, err := players(games)
	if err != nil {
		return nil, err
	}
	if loner, ok := connected(games, names, at); !ok {
		return nil, fmt.Errorf("%w: no path of wins and ties connects %q with %q in both directions: add games between them", ErrUndefined, names[0], loner)
	}
	theta, inverse, err := fit(games, at)
	if err != nil {
		return nil, err
	}
	r := &Ranking{at: at, theta: theta, cov: sandwich(games, at, theta, inverse), level: opts.Level}
	z := dist.NormalQuantile((1 + opts.Level) / 2)
	for i, name := range names {
		v := opts.Mean + eloPerLogit*theta[i]
		half := z * eloPerLogit * math.Sqrt(r.cov[i][i])
		r.Players = append(r.Players, Player{Name: name, Rating: v, Interval: stats.Interval{Low: v - half, High: v + half}})
	}
	for _, g := range games {
		r.Players[at[g.A]].Games++
		r.Players[at[g.B]].Games++
	}
	slices.SortStableFunc(r.Players, func(a, b Player) int { return cmp.Compare(b.Rating, a.Rating) })
	return r, nil
}

// Difference returns the rating of a less that of b, and its interval. If the
// interval contains 0, the games don't show which of the two is better.
func (r *Ranking) Difference(a, b string) (float64, stats.Interval, error) {
	i, okA := r.at[a]
	k, okB := r.at[b]
	if !okA || !okB {
		return 0, stats.Interval{}, fmt.Errorf("%w: the players are %q and %q: want two of the ranking", ErrOption, a, b)
	}
	d := eloPerLogit * (r.theta[i] - r.theta[k])
	variance := r.cov[i][i] + r.cov[k][k] - 2*r.cov[i][k]
	half := dist.NormalQuantile((1+r.level)/2) * eloPerLogit * math.Sqrt(max(variance, 0))
	return d, stats.Interval{Low: d - half, High: d + half}, nil
}

func players(games []Game) (names []string, at map[string]int, err error) {
	at = map[string]int{}
	for i, g := range games {
		if !(g.Value >= 0 && g.Value <= 1) || g.A == g.B {
			return nil, nil, fmt.Errorf("%w: game %d is %+v: want two different players and a value from 0 to 1", ErrOption, i, g)
		}
		at[g.A], at[g.B] = 0, 0
	}
	if len(games) == 0 {
		return nil, nil, fmt.Errorf("%w: no games", ErrUndefined)
	}
	for name := range at {
		names = append(names, name)
	}
	slices.Sort(names) // so that the result doesn't depend on the order of games
	for i, name := range names {
		at[name] = i
	}
	return names, at, nil
}

// connected reports whether wins and ties lead from the first player to each other
// one and back, and else a player without such a path.
func connected(games []Game, names []string, at map[string]int) (string, bool) {
	for _, backward := range []bool{false, true} {
		next := make([][]int, len(names))
		for _, g := range games {
			a, b := at[g.A], at[g.B]
			if (g.Value > 0) != backward || g.Value > 0 && g.Value < 1 {
				next[a] = append(next[a], b)
			}
			if (g.Value < 1) != backward || g.Value > 0 && g.Value < 1 {
				next[b] = append(next[b], a)
			}
		}
		seen := make([]bool, len(names))
		seen[0] = true
		for queue := []int{0}; len(queue) > 0; queue = queue[1:] {
			for _, k := range next[queue[0]] {
				if !seen[k] {
					seen[k] = true
					queue = append(queue, k)
				}
			}
		}
		if i := slices.Index(seen, false); i >= 0 {
			return names[i], false
		}
	}
	return "", true
}

func expected(d float64) float64 { return 1 / (1 + math.Exp(-d)) }

func likelihood(games []Game, at map[string]int, theta []float64) float64 {
	sum := 0.0
	for _, g := range games {
		d := theta[at[g.A]] - theta[at[g.B]]
		// log P(A) = −log(1+exp(−d)) and log P(B) = −log(1+exp(d)), without overflow.
		softplus := math.Max(d, 0) + math.Log1p(math.Exp(-math.Abs(d)))
		sum += g.Value*d - softplus
	}
	return sum
}

// slopes returns the gradient of the likelihood and its information, the negative
// matrix of second derivatives.
func slopes(games []Game, at map[string]int, theta []float64) (gradient []float64, information [][]float64) {
	n := len(theta)
	gradient, information = make([]float64, n), square(n)
	for _, g := range games {
		a, b := at[g.A], at[g.B]
		p := expected(theta[a] - theta[b])
		gradient[a] += g.Value - p
		gradient[b] -= g.Value - p
		w := p * (1 - p)
		information[a][a] += w
		information[b][b] += w
		information[a][b] -= w
		information[b][a] -= w
	}
	// Only differences are determined; the added constant fixes the mean at 0.
	for i := range information {
		for k := range information[i] {
			information[i][k] += 1 / float64(n)
		}
	}
	return gradient, information
}

// fit runs Newton's method on the concave likelihood, each step halved until it
// improves. It returns the inverse information at the end.
func fit(games []Game, at map[string]int) (theta []float64, inverse [][]float64, err error) {
	n := len(at)
	theta = make([]float64, n)
	best := likelihood(games, at, theta)
	polished := false
	for range 200 {
		gradient, information := slopes(games, at, theta)
		if inverse, err = invert(information); err != nil {
			return nil, nil, err
		}
		if polished {
			return theta, inverse, nil
		}
		step := make([]float64, n)
		size := 0.0
		for i := range step {
			for k := range gradient {
				step[i] += inverse[i][k] * gradient[k]
			}
			size = math.Max(size, math.Abs(step[i]))
		}
		if size < 1e-6 {
			// The likelihood is flat to the last bit here. Newton's error is
			// squared by this step, the last one.
			for i := range theta {
				theta[i] += step[i]
			}
			polished = true
			continue
		}
		scale := 1.0
		for ; scale > 1e-12; scale /= 2 {
			next := slices.Clone(theta)
			for i := range next {
				next[i] += scale * step[i]
			}
			if l := likelihood(games, at, next); l >= best {
				theta, best = next, l
				break
			}
		}
		if scale <= 1e-12 {
			return theta, inverse, nil // no better point at the precision of float64
		}
	}
	return nil, nil, fmt.Errorf("%w: the fit did not converge in 200 steps", ErrUndefined)
}

// sandwich is I⁻¹ (Σ g gᵀ) I⁻¹ over the games' gradients g.
func sandwich(games []Game, at map[string]int, theta []float64, inverse [][]float64) [][]float64 {
	n := len(theta)
	cov := square(n)
	for _, g := range games {
		a, b := at[g.A], at[g.B]
		r := g.Value - expected(theta[a]-theta[b])
		for i := range n {
			gi := r * (inverse[i][a] - inverse[i][b])
			for k := range n {
				cov[i][k] += gi * r * (inverse[k][a] - inverse[k][b])
			}
		}
	}
	return cov
}

func square(n int) [][]float64 {
	out := make([][]float64, n)
	for i := range out {
		out[i] = make([]float64, n)
	}
	return out
}

// invert is Gauss-Jordan with pivots.
func invert(m [][]float64) ([][]float64, error) {
	n := len(m)
	out := square(n)
	for i := range out {
		out[i][i] = 1
	}
	for c := range n {
		p := c
		for r := c + 1; r < n; r++ {
			if math.Abs(m[r][c]) > math.Abs(m[p][c]) {
				p = r
			}
		}
		if math.Abs(m[p][c]) < 1e-13 {
			return nil, fmt.Errorf("%w: the strengths are too far apart for a finite fit", ErrUndefined)
		}
		m[c], m[p] = m[p], m[c]
		out[c], out[p] = out[p], out[c]
		pivot := m[c][c]
		for k := range n {
			m[c][k] /= pivot
			out[c][k] /= pivot
		}
		for r := range n {
			f := m[r][c]
			if r == c || f == 0 {
				continue
			}
			for k := range n {
				m[r][k] -= f * m[c][k]
				out[r][k] -= f * out[c][k]
			}
		}
	}
	return out, nil
}

// EloOptions are the settings of [Elo].
type EloOptions struct {
	// K is how many points a surprising game moves. Default: 16.
	K float64
	// Start is each player's first rating. Default: 1000.
	Start float64
	// Rounds is the number of bootstrap samples. Default: 1000.
	Rounds int
	// Level of the intervals. Default: 0.95.
	Level float64
	// Seed of the bootstrap. Default: 0; the same seed gives the same result.
	Seed uint64
}

// Elo rates players game by game, as in chess: after each game a rating moves by
// K · (value − expected value). The result of one pass depends on the order of
// games, which has no meaning for systems that don't learn. So this draws the games
// with replacement in random order, Rounds times, and returns the median rating with
// a percentile interval. Use [BradleyTerry] unless a rating must be updated by a
// game at a time; Elo's ratings lag after few games.
func Elo(games []Game, o *EloOptions) ([]Player, error) {
	opts := EloOptions{}
	if o != nil {
		opts = *o
	}
	opts.K = cmp.Or(opts.K, 16)
	opts.Start = cmp.Or(opts.Start, 1000)
	opts.Rounds = cmp.Or(opts.Rounds, 1000)
	opts.Level = cmp.Or(opts.Level, 0.95)
	if !(opts.K > 0) || math.IsInf(opts.K, 0) || opts.Rounds < 1 || !(opts.Level > 0 && opts.Level < 1) {
		return nil, fmt.Errorf("%w: EloOptions are %+v: want K above 0, Rounds of 1 or more, Level between 0 and 1", ErrOption, opts)
	}
	names, at, err := players(games)
	if err != nil {
		return nil, err
	}
	draws := make([][]float64, len(names))
	random := rand.New(rand.NewPCG(opts.Seed, 6))
	rating := make([]float64, len(names))
	for range opts.Rounds {
		for i := range rating {
			rating[i] = opts.Start
		}
		for range games {
			g := games[random.IntN(len(games))]
			a, b := at[g.A], at[g.B]
			move := opts.K * (g.Value - expected((rating[a]-rating[b])/eloPerLogit))
			rating[a] += move
			rating[b] -= move
		}
		for i, v := range rating {
			draws[i] = append(draws[i], v)
		}
	}
	out := make([]Player, len(names))
	for i, name := range names {
		slices.Sort(draws[i])
		at := func(q float64) float64 { return draws[i][int(math.Round(q*float64(opts.Rounds-1)))] }
		out[i] = Player{Name: name, Rating: at(0.5), Interval: stats.Interval{Low: at((1 - opts.Level) / 2), High: at((1 + opts.Level) / 2)}}
	}
	for _, g := range games {
		out[at[g.A]].Games++
		out[at[g.B]].Games++
	}
	slices.SortStableFunc(out, func(a, b Player) int { return cmp.Compare(b.Rating, a.Rating) })
	return out, nil
}
