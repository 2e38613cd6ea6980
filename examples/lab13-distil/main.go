// Lab13-distil distills the course's embedding model into a much smaller table, once with
// labels, once with the teacher's judgments, once with both: loss, quality and size. Then
// it stores the student in fewer bits. No network is used.
//
//	go run ./examples/lab13-distil
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/prodailabs/prodai/cache/engine/quant"
	"github.com/prodailabs/prodai/retrieve/embed"
)

func main() {
	l := lab{epochs: 12, dim: 64}
	f := flag.NewFlagSet("lab13-distil", flag.ContinueOnError)
	f.IntVar(&l.epochs, "epochs", l.epochs, "how often each pair is trained on")
	f.IntVar(&l.dim, "dim", l.dim, "numbers in a vector of the student")
	err := f.Parse(os.Args[1:])
	if err == nil {
		_, err = l.run(context.Background(), os.Stdout)
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab13-distil:", err)
		os.Exit(1)
	}
}

const (
	held   = 300 // pairs that are not trained on
	batch  = 64
	labels = 5 * batch
	rate   = 0.03
)

type lab struct {
	epochs, dim int
}

// A score is how often the right sentence is found among all held-out ones.
type score struct {
	first, five, mrr float64
	bytes            int
}

// texts are the pairs as the teacher and the student see them.
type texts struct {
	first, next     [][]float32 // the teacher's vectors
	bagsOf, bagsFor [][]int     // the student's words of the first and the next sentences
}

func (l lab) run(ctx context.Context, out io.Writer) (map[string]score, error) {
	if l.epochs < 1 || l.dim < 1 || l.dim > 1024 {
		return nil, fmt.Errorf("-epochs %d -dim %d: want at least 1, and at most 1024 numbers", l.epochs, l.dim)
	}
	teacher, err := embed.New()
	if err != nil {
		return nil, err
	}
	all, err := pairs()
	if err != nil {
		return nil, err
	}
	rows, list := vocabulary(all[held:])
	words, err := teacher.EmbedDocuments(ctx, list)
	if err != nil {
		return nil, err
	}
	test, err := prepare(ctx, teacher, rows, all[:held])
	if err != nil {
		return nil, err
	}
	train, err := prepare(ctx, teacher, rows, all[held:])
	if err != nil {
		return nil, err
	}
	const tokens = 30522
	scores := map[string]score{"teacher": find(test.first, test.next, tokens*(teacher.Dimensions()+4))}
	fmt.Fprintf(out, "Which of %d sentences comes next? To learn from: %d labeled pairs, %d sentences without labels.\n", held, labels, 2*(len(all)-held-labels))
	fmt.Fprintf(out, "The student: a table of %d words with %d numbers each.\n\n", len(rows), l.dim)
	fmt.Fprintf(out, "%-26s %7s %7s %7s %7s %9s\n", "", "loss", "first", "in 5", "MRR", "kB")
	show := func(name string, loss float64) {
		s, text := scores[name], ""
		if loss > 0 {
			text = fmt.Sprintf("%.3f", loss)
		}
		fmt.Fprintf(out, "%-26s %7s %7.3f %7.3f %7.3f %9d\n", name, text, s.first, s.five, s.mrr, s.bytes/1000)
	}
	show("teacher", 0)
	scores["student, not trained"] = newStudent(words, l.dim).score(test)
	show("student, not trained", 0)
	var last *student
	for _, run := range []struct {
		name             string
		labeled, teacher bool
	}{{"student, labels only", true, false}, {"student, teacher only", false, true}, {"student, both", true, true}} {
		s := newStudent(words, l.dim)
		loss, err := l.train(ctx, s, train, run.labeled, run.teacher)
		if err != nil {
			return nil, err
		}
		scores[run.name] = s.score(test)
		show(run.name, loss[len(loss)-1])
		last = s
		if run.labeled && run.teacher {
			fmt.Fprintf(out, "\nIts loss by epoch: %.2f\n\n", loss)
		}
	}
	if err := last.small(len(rows), test, scores, show); err != nil {
		return nil, err
	}
	fmt.Fprintln(out, notice)
	return scores, nil
}

const notice = `
How to read it: "first" is how often the sentence that really comes next is the nearest of
all, "in 5" how often it is among the five nearest, and MRR is the mean of 1/rank. None of
these pairs was trained on. The losses of the three students have different targets, so
compare a loss with its own epochs.

What to notice: a label says that one of 64 sentences is right. The teacher says how near
each of the 64 is, and it does so for any text. So a student without a single label passes
one that learned the few labels by heart: see its loss of nearly 0. Both together are best.
All stay behind the teacher. Eight bits cost nothing, and the table with them has a small
part of the teacher's size.
What to try: -dim 16 and -dim 128; -epochs 3; other numbers of labels in the source. From
how many on is the teacher no longer worth it?
What to read: go doc ./retrieve/embed, whose model was distilled; go doc ./cache/engine/quant;
go doc ./retrieve/embed/bert, which runs better teachers.`

func prepare(ctx context.Context, teacher *embed.Embedder, rows map[string]int, pairs []pair) (t texts, err error) {
	var first, next []string
	for _, p := range pairs {
		first, next = append(first, p.first), append(next, p.next)
	}
	t.bagsOf, t.bagsFor = bags(rows, first), bags(rows, next)
	if t.first, err = teacher.EmbedDocuments(ctx, first); err != nil {
		return t, err
	}
	t.next, err = teacher.EmbedDocuments(ctx, next)
	return t, err
}

// train returns the mean loss of each epoch. The first pairs have labels. The others are
// texts without labels: each sentence is compared with the partners of other ones.
func (l lab) train(ctx context.Context, s *student, t texts, labeled, teacher bool) (losses []float64, err error) {
	for range l.epochs {
		sum, n := 0.0, 0
		for from := 0; from+batch <= len(t.first); from += batch {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			o, to, shift := quant.DistillOptions{}, from+batch, 0
			switch {
			case from < labels && labeled:
				o.NoTeacher = true
			case teacher:
				o.Alpha, shift = 1, 7*batch
			default:
				continue
			}
			next := func(i int) int { return (i + shift) % len(t.first) }
			bags, vectors := make([][]int, batch), make([][]float32, batch)
			for i := range batch {
				bags[i], vectors[i] = t.bagsFor[next(from+i)], t.next[next(from+i)]
			}
			loss, err := s.step(t.bagsOf[from:to], bags, logits(t.first[from:to], vectors), rate, &o)
			if err != nil {
				return nil, err
			}
			sum, n = sum+loss, n+1
		}
		losses = append(losses, sum/float64(max(1, n)))
	}
	return losses, nil
}

// small stores the table in fewer bits, one scale for each row, and measures it.
func (s *student) small(rows int, test texts, scores map[string]score, show func(string, float64)) error {
	for _, bits := range []int{8, 4, 2} {
		m, err := quant.Quantize(s.table, rows, s.dim, &quant.Options{Bits: bits})
		if err != nil {
			return err
		}
		small := &student{dim: s.dim, table: m.Dequantize()}
		name := fmt.Sprintf("student, both, %d bits", bits)
		x := small.score(test)
		x.bytes = int(m.BitsPerWeight() * float64(len(s.table)) / 8)
		scores[name] = x
		show(name, 0)
	}
	return nil
}

// score measures a student on held-out pairs.
func (s *student) score(t texts) score {
	first, next := make([][]float32, len(t.bagsOf)), make([][]float32, len(t.bagsOf))
	for i := range first {
		first[i], _ = s.vector(t.bagsOf[i])
		next[i], _ = s.vector(t.bagsFor[i])
	}
	return find(first, next, 4*len(s.table))
}

// find ranks all next sentences for each first one.
func find(first, next [][]float32, bytes int) score {
	out := score{bytes: bytes}
	n := float64(len(first))
	for i, v := range first {
		rank, own := 1, dot(v, next[i])
		for j, w := range next {
			if j != i && dot(v, w) >= own {
				rank++
			}
		}
		if rank == 1 {
			out.first += 1 / n
		}
		if rank <= 5 {
			out.five += 1 / n
		}
		out.mrr += 1 / float64(rank) / n
	}
	return out
}
