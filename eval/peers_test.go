package eval

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/race"
)

var peersDir = flag.String("peers", "", "write the corpus and this package's timings here, for testdata/peers")

// peerCorpus makes n pairs of English-like sentences, 21 words on average, of
// which the output is a disturbed copy of the reference.
func peerCorpus(n int) (hyps []string, refs [][]string) {
	rng := rand.New(rand.NewPCG(42, 42))
	const letters = "etaoinshrdlucmfwypvbgk"
	endings := []string{"", "", "", "", "s", "ed", "ing", "ly", "ation", "ness", "ies"}
	words := make([]string, 4000)
	for i := range words {
		var b strings.Builder
		for range 2 + rng.IntN(5) {
			b.WriteByte(letters[int(float64(len(letters))*rng.Float64()*rng.Float64())])
		}
		words[i] = b.String() + endings[rng.IntN(len(endings))]
	}
	word := func() string { return words[int(float64(len(words))*rng.Float64()*rng.Float64()*rng.Float64())] }
	for range n {
		var ref, hyp []string
		for i := range 8 + rng.IntN(27) {
			w := word()
			switch {
			case i == 0:
				w = strings.ToUpper(w[:1]) + w[1:]
			case rng.IntN(20) == 0:
				w = fmt.Sprintf("%d,%03d.%d", 1+rng.IntN(99), rng.IntN(1000), rng.IntN(10))
			case rng.IntN(12) == 0:
				w += ","
			}
			ref = append(ref, w)
			switch rng.IntN(12) {
			case 0:
			case 1:
				hyp = append(hyp, word())
			case 2:
				hyp = append(hyp, w, word())
			default:
				hyp = append(hyp, w)
			}
		}
		if len(hyp) > 3 && rng.IntN(3) == 0 {
			i := rng.IntN(len(hyp) - 2)
			hyp[i], hyp[i+2] = hyp[i+2], hyp[i]
		}
		hyps = append(hyps, strings.Join(hyp, " ")+".")
		refs = append(refs, []string{strings.Join(ref, " ") + "."})
	}
	return hyps, refs
}

// A peerJob is a piece of work that the peers do too, and the value that proves
// it was the same.
type peerJob struct {
	name string
	n    int
	run  func(t testing.TB, hyps []string, refs [][]string) float64
}

func metricJob(name string, n int, m Metric) peerJob {
	return peerJob{name, n, func(t testing.TB, hyps []string, refs [][]string) float64 {
		table, err := MeasureCorpus(t.Context(), m, hyps, refs, &MeasureOptions{Workers: 1})
		require.NoError(t, err)
		return m.Value(columnSums(table.Rows, table.Width))
	}}
}

func rougeJob(name string, stem bool) peerJob {
	return peerJob{name, 10_000, func(t testing.TB, hyps []string, refs [][]string) float64 {
		r, err := NewROUGE(&ROUGEOptions{Stem: stem})
		require.NoError(t, err)
		out, sum := make([]PRF, 3), 0.0
		for i := range hyps {
			require.NoError(t, r.ScoreTo(out, hyps[i], refs[i]))
			sum += out[0].F + out[1].F + out[2].F
		}
		return sum
	}}
}

func peerJobs(t testing.TB) []peerJob {
	bleu, err := NewBLEU(nil)
	require.NoError(t, err)
	intl, err := NewBLEU(&BLEUOptions{Tokenizer: &Tokenizer{"intl", splitIntl}})
	require.NoError(t, err)
	chrf, err := NewChrF(nil)
	require.NoError(t, err)
	chrfpp, err := NewChrF(&ChrFOptions{WordOrder: 2})
	require.NoError(t, err)
	return []peerJob{
		metricJob("bleu", 10_000, bleu),
		metricJob("bleu intl", 10_000, intl),
		metricJob("chrf", 10_000, chrf),
		metricJob("chrf++", 10_000, chrfpp),
		metricJob("ter", 1_000, must(NewTER(nil))),
		rougeJob("rouge", false),
		rougeJob("rouge stem", true),
		{"levenshtein", 10_000, func(_ testing.TB, hyps []string, refs [][]string) float64 {
			sum := 0
			for i := range hyps {
				sum += Levenshtein(hyps[i], refs[i][0])
			}
			return float64(sum)
		}},
		metricJob("wer", 10_000, must(NewWER(nil))),
	}
}

// TestPeers writes what testdata/peers/run.sh compares: the corpus, and for
// each job the best time of several on one core, and its value.
func TestPeers(t *testing.T) {
	if *peersDir == "" {
		t.Skip("testdata/peers/run.sh runs it with -peers DIR")
	}
	hyps, refs := peerCorpus(10_000)
	var h, r strings.Builder
	for i := range hyps {
		h.WriteString(hyps[i] + "\n")
		r.WriteString(refs[i][0] + "\n")
	}
	require.NoError(t, os.WriteFile(filepath.Join(*peersDir, "hyp.txt"), []byte(h.String()), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(*peersDir, "ref.txt"), []byte(r.String()), 0o644))
	type timing struct {
		Seconds float64 `json:"seconds"`
		Value   float64 `json:"value"`
		N       int     `json:"n"`
	}
	out := map[string]timing{}
	for _, job := range peerJobs(t) {
		best := timing{Seconds: 1e9, N: job.n}
		for range 7 {
			start := time.Now()
			best.Value = job.run(t, hyps[:job.n], refs[:job.n])
			best.Seconds = min(best.Seconds, time.Since(start).Seconds())
		}
		out[job.name] = best
		t.Logf("%-12s %9.0f a second, value %v", job.name, float64(job.n)/best.Seconds, best.Value)
	}
	data, err := json.MarshalIndent(out, "", " ")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(*peersDir, "prodai.json"), data, 0o644))
}

func BenchmarkJobs(b *testing.B) {
	hyps, refs := peerCorpus(1000)
	for _, job := range peerJobs(b) {
		b.Run(job.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				job.run(b, hyps, refs)
			}
			b.ReportMetric(float64(b.N*len(hyps))/b.Elapsed().Seconds(), "segments/s")
		})
	}
}

// TestAllocations: once the scratch is warm, scoring a segment allocates at
// most twice.
func TestAllocations(t *testing.T) {
	if race.Enabled {
		t.Skip("under the race detector pools forget")
	}
	hyps, refs := peerCorpus(64)
	c, o := &Case{}, &Output{}
	check := func(name string, m Metric) {
		dst := make([]float64, m.Width())
		pass := func() {
			for i := range hyps {
				c.References, o.Text = refs[i], hyps[i]
				if err := m.Stats(t.Context(), c, o, dst); err != nil {
					t.Fatal(err)
				}
			}
		}
		pass()
		perSegment := testing.AllocsPerRun(20, pass) / float64(len(hyps))
		t.Logf("%-30s %.2f allocations a segment", name, perSegment)
		require.LessOrEqual(t, perSegment, 2.0, name)
	}
	exact, err := NewExactMatch(nil)
	require.NoError(t, err)
	f1, err := NewTokenF1(nil)
	require.NoError(t, err)
	chrf, err := NewChrF(nil)
	require.NoError(t, err)
	bleu, err := NewBLEU(&BLEUOptions{EffectiveOrder: true})
	require.NoError(t, err)
	for _, m := range []Metric{exact, f1, chrf, bleu} {
		check(m.Signature().Name(), m)
	}
	lower, err := NewBLEU(&BLEUOptions{Lowercase: true})
	require.NoError(t, err)
	check("BLEU, lower case", lower)
	check("TER", must(NewTER(nil)))
	check("WER", must(NewWER(nil)))
	check("CER", must(NewWER(&WEROptions{Characters: true})))
	for _, stem := range []bool{false, true} {
		r, err := NewROUGE(&ROUGEOptions{Stem: stem})
		require.NoError(t, err)
		for _, m := range r.Metrics() {
			check(m.Signature().Name(), m)
		}
	}
}

// BenchmarkWorkers: two cores should do almost twice the work of one.
func BenchmarkWorkers(b *testing.B) {
	hyps, refs := peerCorpus(10_000)
	chrf, err := NewChrF(nil)
	require.NoError(b, err)
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprint(workers), func(b *testing.B) {
			for b.Loop() {
				if _, err := MeasureCorpus(b.Context(), chrf, hyps, refs, &MeasureOptions{Workers: workers}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*len(hyps))/b.Elapsed().Seconds(), "segments/s")
		})
	}
}
