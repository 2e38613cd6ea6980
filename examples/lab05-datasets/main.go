// Lab 5b: a dataset, its versions, and a suite that catches what a mean hides.
//
// Production records become cases, a model drafts edge cases, near-duplicates and
// leaks are found, and two versions of a bot are run on the result. The new bot is
// better on average and has an old bug again: the mean goes up, and the gate fails.
//
//	go run ./examples/lab05-datasets
//	go run ./examples/lab05-datasets -html report.html -journal run.jsonl
package main

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"iter"
	"log"
	"os"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/eval/dataset"
	"github.com/prodailabs/prodai/eval/dataset/synth"
	"github.com/prodailabs/prodai/eval/report"
	"github.com/prodailabs/prodai/eval/stats"
	"github.com/prodailabs/prodai/eval/suite"
)

//go:embed traces.jsonl
var traces string

func main() {
	html := flag.String("html", "", "also write the report of the second run to this `file`")
	journal := flag.String("journal", "", "keep the second run's results in this `file`; a run that is started again continues from it")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "Builds a dataset and runs two versions of a bot on it.\n\nusage: lab05-datasets [-html FILE] [-journal FILE]\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	log.SetFlags(0)
	if err := run(context.Background(), os.Stdout, *html, *journal); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer, html, journal string) error {
	data, err := build(ctx, w)
	if err != nil {
		return err
	}
	metrics, err := newMetrics()
	if err != nil {
		return err
	}
	parcels := suite.Suite{Name: "parcel-bot", Version: data.Version(), Cases: data.All(), Metrics: metrics}
	gates := []suite.Threshold{
		{Metric: "exact_match", Value: 0.6},
		{Metric: "exact_match", Slice: "kind=regression", Value: 1},
	}
	fmt.Fprint(w, "\n4. The bot in production\n\n")
	slices := func(c *eval.Case) []string { // a slice by user would be a slice for each case
		return []string{"kind=" + string(c.Kind), "lang=" + cmp.Or(c.Tags["lang"], "?")}
	}
	parcels.System = bot(1)
	before, err := suite.Run(ctx, parcels, &suite.Options{Thresholds: gates, Slices: slices})
	if err != nil {
		return err
	}
	show(w, before)

	fmt.Fprint(w, "\n5. The new bot: it knows more, and has lost a bug fix\n\n")
	parcels.System = bot(2)
	after, err := suite.Run(ctx, parcels, &suite.Options{
		Concurrency: 4, Journal: journal, Thresholds: gates, Slices: slices,
		Baseline: &suite.Baseline{Records: before.Records(), Test: significance},
	})
	if err != nil {
		return err
	}
	if err := report.Terminal(w, timeless(after)); err != nil {
		return err
	}
	fmt.Fprint(w, "\nWhat a person should look at:\n\n")
	if err := report.Failures(w, after, suite.Threshold{Metric: "exact_match", Value: 1}, 3); err != nil {
		return err
	}
	if html == "" {
		return nil
	}
	f, err := os.Create(html)
	if err != nil {
		return err
	}
	if err := report.HTML(f, after, &report.HTMLOptions{Baseline: before.Records()}); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nThe report is in %s.\n", html)
	return f.Close()
}

// build makes the dataset, showing each step.
func build(ctx context.Context, w io.Writer) (*dataset.Dataset, error) {
	fmt.Fprint(w, "1. From production records\n\n")
	prod, err := dataset.FromTraces("parcel-bot", records(traces), &dataset.TraceOptions{Redact: redact, Tag: "user", PerTag: 4})
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(w, "   %d records became %d cases: %d golden, %d regression (%d still need an answer)\n",
		strings.Count(traces, "\n"), len(prod.Cases), len(prod.OfKind(eval.KindGolden)), len(prod.OfKind(eval.KindRegression)), len(prod.Unlabeled()))

	fmt.Fprint(w, "\n2. A model drafts edge cases, and code removes the repetitions\n\n")
	drafted, err := synth.Generate(ctx, draftsman{}, &synth.Options{N: 4, Kind: eval.KindEdge, Task: "a parcel service's bot", Seeds: prod.Cases, MaxCalls: 2})
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(w, "   %d calls: %d cases kept, %d duplicates, %d malformed\n", drafted.Calls, len(drafted.Dataset.Cases), drafted.Duplicates, drafted.Malformed)

	data, err := dataset.New("parcel-bot", append(prod.Cases, drafted.Dataset.Cases...))
	if err != nil {
		return nil, err
	}
	pairs, err := data.NearDuplicates(0.5)
	if err != nil {
		return nil, err
	}
	for _, p := range pairs {
		fmt.Fprintf(w, "   nearly the same (%.2f): %q and %q\n", p.Similarity, p.A.Input, p.B.Input)
	}
	leaked, err := data.Contaminated(func(yield func(string) bool) {
		yield("FAQ. How long does a parcel to another country take? A parcel to another country takes five working days.")
	}, &dataset.ContaminationOptions{Words: 8, Share: 0.5})
	if err != nil {
		return nil, err
	}
	for _, c := range leaked {
		fmt.Fprintf(w, "   in the training data (%.0f%%): %q\n", 100*c.Share, c.Case.Input)
	}

	fmt.Fprint(w, "\n3. A person reads them, and the version changes\n\n")
	edited, err := dataset.New("parcel-bot", data.Cases)
	if err != nil {
		return nil, err
	}
	for i := range edited.Cases {
		c := &edited.Cases[i]
		if len(c.References) == 0 {
			c.References = []string{"Please tell me your parcel number."}
		}
	}
	fmt.Fprintf(w, "   %.19s -> %.19s\n", data.Version(), edited.Version())
	for line := range strings.Lines(dataset.Diff(data, edited).String()) {
		fmt.Fprint(w, "   "+line)
	}
	return edited, nil
}

func newMetrics() ([]eval.Metric, error) {
	exact, err := eval.NewExactMatch(nil)
	if err != nil {
		return nil, err
	}
	chrf, err := eval.NewChrF(nil)
	if err != nil {
		return nil, err
	}
	return []eval.Metric{exact, chrf}, nil
}

// significance is the test of eval/stats in the form that a baseline takes.
func significance(before, now []float64, width int, value func(sum []float64) float64) (float64, error) {
	r, err := stats.ApproximateRandomization(before, now, width, value, nil)
	if err != nil {
		return 0, err
	}
	return r.P, nil
}

func show(w io.Writer, r *suite.Report) {
	for _, g := range r.Gates {
		fmt.Fprintf(w, "   %-5v %s: %s\n", g.Passed, g.Name, g.Detail)
	}
}

// timeless removes the time, which differs from run to run.
func timeless(r *suite.Report) *suite.Report {
	r.Elapsed = 0
	return r
}

func records(text string) iter.Seq2[dataset.Record, error] {
	return func(yield func(dataset.Record, error) bool) {
		for line := range strings.Lines(text) {
			var r dataset.Record
			if err := json.Unmarshal([]byte(line), &r); !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func redact(s string) string {
	words := strings.Fields(s)
	for i, word := range words {
		if strings.Contains(word, "@") {
			words[i] = "[mail]"
		}
	}
	return strings.Join(words, " ")
}

// bot answers from a table; version 2 knows more, but has forgotten that a
// parcel number may contain spaces.
func bot(version int) suite.System {
	return func(_ context.Context, c *eval.Case) (*eval.Output, error) {
		q := strings.ToLower(c.Input)
		has := func(words ...string) bool {
			for _, w := range words {
				if !strings.Contains(q, w) {
					return false
				}
			}
			return true
		}
		answer := "Please tell me your parcel number."
		switch {
		case has("12 345 678"):
			answer = "Parcel 12345678 is in Oslo."
			if version == 2 {
				answer = "Parcel 12 is unknown."
			}
		case has("opening hours"), has("open", "sunday"):
			answer = "We are open from 8 to 18, Monday to Saturday."
		case has("how long", "country"):
			answer = "Five working days."
		case has("return"):
			answer = "You can return a parcel within 14 days."
		case version == 2 && has("broken"):
			answer = "I am sorry. Please send us a photo."
		case version == 2 && has("address"):
			answer = "You can change the address until the parcel is on its way."
		case version == 2 && has("weigh"):
			answer = "At most 30 kg."
		case version == 2 && has("cost"):
			answer = "From 4.90 euros."
		}
		return &eval.Output{Text: answer}, nil
	}
}

// draftsman takes the place of a model, so that the lab runs offline. Any
// llms.Model can be used.
type draftsman struct{}

func (draftsman) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: `Here are some:
{"input":"","reference":"Please tell me your parcel number."}
{"input":"?????","reference":"Please tell me your parcel number."}
{"input":"ΠΟΥ ΕΙΝΑΙ ΤΟ ΔΕΜΑ ΜΟΥ;","reference":"Please tell me your parcel number."}
{"input":"How long does a parcel to another country take?","reference":"Five working days."}
{"input":"where is my parcel where is my parcel where is my parcel","reference":"Please tell me your parcel number."}
{"input":"half of a`}}}, nil
}

func (m draftsman) Call(ctx context.Context, prompt string, o ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, m, prompt, o...)
}
