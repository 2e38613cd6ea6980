package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/prodailabs/prodai/internal/vec"
	"github.com/prodailabs/prodai/retrieve/embed"
)

// settings are the numbers of a training.
type settings struct {
	epochs   int
	batch    int     // pairs
	rate     float64 // of Adam
	scale    float64 // of cosines before the softmax: 1/temperature
	teacher  float64 // weight of the teacher's similarities against the labels
	sharpen  float64 // the teacher's scale
	regress  float64 // weight of 1 - cosine to the teacher's own vector
	mixed    bool    // batches have pairs of all sources
	dropout  float64 // of tokens
	decay    float64 // back to the rows at the start
	seed     uint64
	mix      float64 // share of the change that is kept at the end
	heldEach int     // of so many stretches, one is held out
}

func trainCommand(ctx context.Context, args []string, out io.Writer) error {
	var s settings
	f := flag.NewFlagSet("train", flag.ContinueOnError)
	in := f.String("pairs", "pairs.jsonl", "the pairs")
	taught := f.String("teacher", "", "the teacher's vectors; empty: labels only")
	teacherDim := f.Int("teacherdim", 384, "numbers in a vector of the teacher")
	start := f.String("start", "", "safetensors to start from; empty: the model that ships")
	repository := f.String("repository", ".", "the root of this repository")
	file := f.String("out", "model.safetensors", "the file to write")
	float := f.String("float", "", "also write the rows as float32 to this file")
	f.IntVar(&s.epochs, "epochs", 2, "how often each pair is trained on")
	f.IntVar(&s.batch, "batch", 512, "pairs of a step")
	f.Float64Var(&s.rate, "rate", 0.003, "Adam's step")
	f.Float64Var(&s.scale, "scale", 20, "factor of cosines before the softmax")
	f.Float64Var(&s.teacher, "alpha", 0.9, "weight of the teacher against the labels, 0 to 1")
	f.Float64Var(&s.sharpen, "sharpen", 20, "factor of the teacher's cosines before the softmax")
	f.Float64Var(&s.regress, "regress", 5, "weight of the distance to the teacher's vectors")
	f.BoolVar(&s.mixed, "mixed", true, "batches of all sources in place of one")
	f.Float64Var(&s.dropout, "dropout", 0.2, "share of a text's tokens left out")
	f.Float64Var(&s.decay, "decay", 0.001, "pull back to the rows at the start")
	f.Float64Var(&s.mix, "mix", 0.5, "share of the change that is kept at the end")
	f.Uint64Var(&s.seed, "seed", 1, "order of the pairs and dropout")
	f.IntVar(&s.heldEach, "held", 20, "of so many stretches, one is held out")
	if err := f.Parse(args); err != nil {
		return err
	}
	pairs, err := readPairs(*in)
	if err != nil {
		return err
	}
	t, err := startTable(*start, *repository)
	if err != nil {
		return err
	}
	var a, b [][]float32
	if *taught != "" {
		if a, b, err = readTeacher(*taught, *teacherDim); err != nil {
			return err
		}
	}
	all := examples(t, pairs, a, b)
	if s.mixed {
		for i := range all {
			all[i].source = ""
		}
	}
	if s.regress > 0 {
		aims(t, all)
	}
	if _, err := s.train(ctx, t, all, out); err != nil {
		return err
	}
	if *float != "" {
		if err := writeFile(*float, appendFloats(nil, t.rows)); err != nil {
			return err
		}
	}
	return writeFile(*file, t.file())
}

func startTable(path, repository string) (*table, error) {
	if path != "" {
		return loadTable(path, repository)
	}
	e, err := embed.New()
	if err != nil {
		return nil, err
	}
	return newTable(e), nil
}

// An example is a pair as the student and, where there is one, as the teacher sees it.
type example struct {
	source             string
	a, b               []int32
	teacherA, teacherB []float32
	aimA, aimB         []float32 // the teacher's vectors in the student's space, see aims
}

// examples reads the pairs' tokens. a and b are the teacher's vectors of the first pairs.
func examples(t *table, pairs []pair, a, b [][]float32) (out []example) {
	for i, p := range pairs {
		x := example{source: p.Source, a: t.e.Tokens(p.A), b: t.e.Tokens(p.B)}
		if i < len(a) {
			x.teacherA, x.teacherB = a[i], b[i]
		}
		out = append(out, x)
	}
	return out
}

// A kind is what all pairs of a batch have in common.
type kind struct {
	source string
	taught bool
}

func (e example) kind() kind { return kind{e.source, e.teacherA != nil} }

// shuffled orders the examples of each kind by chance.
func shuffled(all []example, rng *rand.Rand) []example {
	var kinds []kind
	by := map[kind][]example{}
	for _, e := range all {
		if by[e.kind()] == nil {
			kinds = append(kinds, e.kind())
		}
		by[e.kind()] = append(by[e.kind()], e)
	}
	out := make([]example, 0, len(all))
	for _, k := range kinds {
		for _, i := range rng.Perm(len(by[k])) {
			out = append(out, by[k][i])
		}
	}
	return out
}

// stretches cuts examples into neighbors of one kind.
func stretches(all []example) (out [][]example) {
	for from := 0; from < len(all); {
		to := from + 1
		for to < len(all) && to-from < stretch && all[to].kind() == all[from].kind() {
			to++
		}
		out = append(out, all[from:to])
		from = to
	}
	return out
}

// batches puts stretches of one kind together, in a random order. What is left over waits
// for the next epoch, unless its kind would have no batch at all.
func batches(parts [][]example, size int, rng *rand.Rand) (out [][]example) {
	var kinds []kind
	open, full := map[kind][]example{}, map[kind]bool{}
	for _, i := range rng.Perm(len(parts)) {
		k := parts[i][0].kind()
		if open[k] == nil && !full[k] {
			kinds = append(kinds, k)
		}
		if open[k] = append(open[k], parts[i]...); len(open[k]) >= size {
			out, full[k] = append(out, open[k]), true
			delete(open, k)
		}
	}
	for _, k := range kinds {
		if !full[k] {
			out = append(out, open[k])
		}
	}
	return out
}

// train changes the table. It returns the loss on held-out pairs, without the teacher:
// before, after each epoch, and after the mixture with the rows at the start.
func (s settings) train(ctx context.Context, t *table, all []example, out io.Writer) (losses []float64, err error) {
	rng := rand.New(rand.NewPCG(s.seed, 20))
	var parts, held [][]example
	count := map[kind]int{}
	for _, p := range stretches(shuffled(all, rng)) {
		k := p[0].kind()
		if count[k]++; s.heldEach > 0 && count[k]%s.heldEach == 0 {
			held = append(held, p)
		} else {
			parts = append(parts, p)
		}
	}
	test := batches(held, min(s.batch, 64), rand.New(rand.NewPCG(s.seed, 21)))
	x := newTrainer(s, t)
	report := func(epoch string, loss float64) {
		now := x.heldOut(test)
		losses = append(losses, now.loss)
		fmt.Fprintf(out, "%5s %8.4f %10.4f %10.3f\n", epoch, loss, now.loss, now.first)
	}
	fmt.Fprintf(out, "%d stretches, %d held out\nepoch     loss   held out first of 64\n", len(parts), len(held))
	report("start", 0)
	steps := s.epochs * len(batches(parts, s.batch, rand.New(rand.NewPCG(0, 0))))
	for epoch := range s.epochs {
		sum, list := 0.0, batches(parts, s.batch, rng)
		for _, b := range list {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			loss := x.gradient(b, func() bool { return rng.Float64() < s.dropout })
			if math.IsNaN(loss) || math.IsInf(loss, 0) {
				return nil, fmt.Errorf("the loss is %v after %d steps", loss, x.steps)
			}
			sum += loss
			x.step(s.rate * (1 - float64(x.steps)/float64(steps+1))) // falls to 0
		}
		report(strconv.Itoa(epoch+1), sum/float64(max(1, len(list))))
	}
	for k, old := range x.start {
		t.rows[k] = old + float32(s.mix)*(t.rows[k]-old)
	}
	report("mixed", 0)
	return losses, nil
}

// A trainer has the state of Adam, and what a step computes.
type trainer struct {
	settings
	t            *table
	start        []float32
	mean, square []float32
	grads        []float32
	touched      []int32
	isTouched    []bool
	steps        int
}

func newTrainer(s settings, t *table) *trainer {
	n := len(t.rows)
	return &trainer{settings: s, t: t, start: slices.Clone(t.rows), mean: make([]float32, n),
		square: make([]float32, n), grads: make([]float32, n), isTouched: make([]bool, tokens)}
}

// A side is one text of each pair of a batch.
type side struct {
	texts   [][]int32
	vectors []float32 // of length 1, one after the other
	lengths []float32
}

func (x *trainer) side(texts [][]int32, drop func() bool) side {
	d := x.t.dim
	out := side{vectors: make([]float32, len(texts)*d), lengths: make([]float32, len(texts))}
	for i, text := range texts {
		var kept []int32
		for _, id := range text {
			if drop == nil || !drop() {
				kept = append(kept, id)
			}
		}
		if len(kept) == 0 {
			kept = text
		}
		v := out.vectors[i*d:][:d]
		for _, id := range kept {
			axpy(v, 1/float32(len(kept)), x.t.row(id))
		}
		out.lengths[i] = normalize(v)
		out.texts = append(out.texts, kept)
	}
	return out
}

func sides(b []example) (left, right [][]int32) {
	for _, e := range b {
		left, right = append(left, e.a), append(right, e.b)
	}
	return left, right
}

// gradient adds the gradient of a batch's loss to grads. The loss is the cross-entropy of
// the student's softmax over a row, and over a column, of the similarities. The target is
// the right one, mixed with the teacher's softmax.
func (x *trainer) gradient(b []example, drop func() bool) float64 {
	left, right := sides(b)
	l, r := x.side(left, drop), x.side(right, drop)
	n, d := len(b), x.t.dim
	sims := make([]float32, n*n)
	for i := range n {
		vec.DotRows(l.vectors[i*d:][:d], r.vectors, sims[i*n:][:n])
	}
	loss := slopes(sims, x.targets(b), n, float32(x.scale))
	turned := make([]float32, n*n)
	for i := range n {
		for j := range n {
			turned[j*n+i] = sims[i*n+j]
		}
	}
	g := make([]float32, d)
	for i := range n {
		clear(g)
		vec.AddRows(g, sims[i*n:][:n], r.vectors)
		x.towards(g, b[i].aimA, n)
		x.back(l, i, g)
		clear(g)
		vec.AddRows(g, turned[i*n:][:n], l.vectors)
		x.towards(g, b[i].aimB, n)
		x.back(r, i, g)
	}
	return loss + x.regress*distance(b, l, r, d)
}

// distance is the mean of 1 - cosine between the texts' vectors and their aims.
func distance(b []example, l, r side, d int) (out float64) {
	for i, e := range b {
		if e.aimA != nil {
			out += float64(2 - vec.Dot(l.vectors[i*d:][:d], e.aimA) - vec.Dot(r.vectors[i*d:][:d], e.aimB))
		}
	}
	return out / float64(2*len(b))
}

// targets are, by row and then by column, how right each text is. Each row adds up to 1.
func (x *trainer) targets(b []example) (out [2][]float32) {
	n, alpha := len(b), float32(0)
	if b[0].teacherA != nil {
		alpha = float32(x.teacher)
	}
	for column := range out {
		out[column] = make([]float32, n*n)
		for i := range n {
			row := out[column][i*n:][:n]
			for j := range row {
				switch {
				case alpha == 0:
				case column == 0:
					row[j] = float32(x.sharpen) * vec.Dot(b[i].teacherA, b[j].teacherB)
				default:
					row[j] = float32(x.sharpen) * vec.Dot(b[j].teacherA, b[i].teacherB)
				}
			}
			softmax(row)
			for j := range row {
				row[j] *= alpha
			}
			row[i] += 1 - alpha
		}
	}
	return out
}

// slopes replaces similarities by the loss's derivatives by them, and returns the loss:
// the mean cross-entropy of rows and of columns.
func slopes(sims []float32, targets [2][]float32, n int, scale float32) float64 {
	rows, columns := make([]float32, n*n), make([]float32, n*n)
	for i := range n {
		for j := range n {
			rows[i*n+j], columns[j*n+i] = scale*sims[i*n+j], scale*sims[i*n+j]
		}
	}
	loss := 0.0
	for k, p := range [][]float32{rows, columns} {
		for i := range n {
			row, target := p[i*n:][:n], targets[k][i*n:][:n]
			softmax(row)
			for j, want := range target {
				if want > 0 {
					loss -= float64(want) * math.Log(float64(max(row[j], 1e-30)))
				}
				row[j] -= want
			}
		}
	}
	by := scale / float32(2*n)
	for i := range n {
		for j := range n {
			sims[i*n+j] = by * (rows[i*n+j] + columns[j*n+i])
		}
	}
	return loss / float64(2*n)
}

func softmax(x []float32) {
	largest, sum := slices.Max(x), 0.0
	for i := range x {
		x[i] = float32(math.Exp(float64(x[i] - largest)))
		sum += float64(x[i])
	}
	for i := range x {
		x[i] /= float32(sum)
	}
}

// back adds to the rows' gradients what the gradient g by the vector of text i is by them.
// What points along the vector has no effect, since it is scaled to length 1.
func (x *trainer) back(s side, i int, g []float32) {
	d := x.t.dim
	if s.lengths[i] == 0 {
		return
	}
	v := s.vectors[i*d:][:d]
	along := vec.Dot(g, v)
	for k := range g {
		g[k] = (g[k] - along*v[k]) / s.lengths[i]
	}
	for _, id := range s.texts[i] {
		if !x.isTouched[id] {
			x.isTouched[id] = true
			x.touched = append(x.touched, id)
		}
		axpy(x.grads[int(id)*d:][:d], 1/float32(len(s.texts[i])), g)
	}
}

// step moves the rows that the batch has against the gradient, and forgets the gradient.
// Other rows stay, with their means.
func (x *trainer) step(rate float64) {
	x.steps++
	adam := adam{float32(rate), float32(1 / (1 - math.Pow(0.9, float64(x.steps)))), float32(1 / (1 - math.Pow(0.999, float64(x.steps))))}
	d := x.t.dim
	for _, id := range x.touched {
		from, to := int(id)*d, (int(id)+1)*d
		for k := from; k < to; k++ {
			g := x.grads[k] + float32(x.decay)*(x.t.rows[k]-x.start[k])
			x.t.rows[k] -= adam.change(&x.mean[k], &x.square[k], g)
		}
		clear(x.grads[from:to])
		x.isTouched[id] = false
	}
	x.touched = x.touched[:0]
}

// An adam is one step of the optimizer of Kingma and Ba, algorithm 1.
type adam struct{ rate, fixMean, fixSquare float32 }

func (a adam) change(mean, square *float32, g float32) float32 {
	*mean = 0.9**mean + 0.1*g
	*square = 0.999**square + 0.001*g*g
	return a.rate * *mean * a.fixMean / (float32(math.Sqrt(float64(*square*a.fixSquare))) + 1e-8)
}

// A heldOut says how well held-out pairs find one another.
type heldOut struct {
	loss  float64 // without the teacher
	first float64 // share whose partner comes first
}

func (x *trainer) heldOut(list [][]example) (out heldOut) {
	d, pairs := x.t.dim, 0
	for _, b := range list {
		n := len(b)
		left, right := sides(b)
		l, r := x.side(left, nil), x.side(right, nil)
		sims := make([]float32, n*n)
		for i := range n {
			row := sims[i*n:][:n]
			vec.DotRows(l.vectors[i*d:][:d], r.vectors, row)
			if slices.Max(row) == row[i] {
				out.first++
			}
		}
		labels := [2][]float32{make([]float32, n*n), make([]float32, n*n)}
		for i := range n {
			labels[0][i*n+i], labels[1][i*n+i] = 1, 1
		}
		out.loss += float64(n) * slopes(sims, labels, n, float32(x.scale))
		pairs += n
	}
	out.loss, out.first = out.loss/float64(max(1, pairs)), out.first/float64(max(1, pairs))
	return out
}
