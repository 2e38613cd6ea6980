// Package guard_test measures the input checks beside gitleaks, and JSON repair
// beside kaptinlin/jsonrepair, on the same texts in one run:
//
//	cd internal/bench && go test -bench . ./guard
package guard_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	gitleaks "github.com/zricethezav/gitleaks/v8/detect"

	"github.com/prodailabs/prodai/guard/detect"
	"github.com/prodailabs/prodai/guard/injection"
	"github.com/prodailabs/prodai/guard/pii"
	"github.com/prodailabs/prodai/guard/secret"
)

// prompts are 64 different texts of 1,000 characters, as users write them.
func prompts() []string {
	sentences := []string{
		"Please summarize the report that Ana sent on Monday to the whole team.",
		"What changed in version 1.2.3, and who approved it on 2026-11-23?",
		"Write to ana.k@example.org that order 48213 will be late by 3 days.",
		"The server at 10.0.0.17 answers with status 503 since this morning.",
		"How do I make the build ignore generated files in the docs folder?",
		"Call me on +44 20 7946 0958 if the meeting has to be moved again.",
		"My function returns 0.5 for x = 12, but I expected a whole number.",
		"Translate the last paragraph into German and keep the names as they are.",
	}
	out := make([]string, 64)
	for i := range out {
		var b strings.Builder
		for k := 0; b.Len() < 1000; k++ {
			b.WriteString(sentences[(i*7+k*(i%5+1))%len(sentences)] + " ")
		}
		out[i] = b.String()[:1000]
	}
	return out
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// bench reports the median and the 99th percentile of a call per prompt.
func bench(b *testing.B, check func(string)) {
	texts := prompts()
	var took []time.Duration
	i := 0
	for b.Loop() {
		start := time.Now()
		check(texts[i%len(texts)])
		took = append(took, time.Since(start))
		i++
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1e3, "p99-µs")
}

func BenchmarkInjection(b *testing.B) {
	d := must[*injection.Detector](b)(injection.New(nil))
	bench(b, func(s string) { d.Inspect(s) })
}

func BenchmarkPII(b *testing.B) {
	d := must[*detect.Detector](b)(pii.New(nil))
	bench(b, func(s string) { d.Find(s) })
}

func BenchmarkSecret(b *testing.B) {
	d := must[*detect.Detector](b)(secret.New(nil))
	bench(b, func(s string) { d.Find(s) })
}

func BenchmarkAllInputChecks(b *testing.B) {
	in := must[*injection.Detector](b)(injection.New(nil))
	rules := slices.Concat(must[[]detect.Rule](b)(secret.Rules(nil)), must[[]detect.Rule](b)(pii.Rules(nil)))
	d := must[*detect.Detector](b)(detect.New(rules...))
	bench(b, func(s string) { in.Inspect(s); d.Find(s) })
}

func BenchmarkGitleaks(b *testing.B) {
	d := must[*gitleaks.Detector](b)(gitleaks.NewDetectorDefaultConfig())
	bench(b, func(s string) { d.DetectString(s) })
}
