package injection

import (
	_ "embed"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/embeddings"

	"github.com/prodailabs/prodai/guard/detect"
	"github.com/prodailabs/prodai/guard/internal/model"
	"github.com/prodailabs/prodai/guard/threat"
)

//go:embed model.bin
var weights string

// ErrOption is wrapped by every error about an invalid option.
var ErrOption = errors.New("injection: invalid option")

// Options configure a [Detector]. The zero value is the shipped detector.
type Options struct {
	// Threshold is the score from which on a text is flagged, above 0 and at
	// most 1. Higher flags less. Default: .5, which training put where the worst
	// source that it left out has 3 % false positives.
	Threshold float64

	// DocumentThreshold is the score from which on an element of a document is
	// flagged, above 0 and at most 1. Default: .5, which training put where the
	// kinds of documents that it left out have 3 % false positives in the mean.
	DocumentThreshold float64

	// Limits bound decoding. Default: those of the zero [Limits].
	Limits Limits

	// Weights are the classifier's, as internal/train writes them. Default: the
	// embedded ones.
	Weights string

	// DocumentWeights are those of the document mode, as internal/train writes them.
	// Default: the embedded ones.
	DocumentWeights string

	// Embedder adds what it knows of a text to the score that
	// [Detector.InspectContext] returns: a larger encoder may know a paraphrase that
	// the weights have not met. It needs EmbedderWeights. Default: nil, none.
	Embedder embeddings.Embedder

	// EmbedderWeights are what [Detector.FitEmbedder] made for the Embedder. They can't be
	// set without it. Default: nil.
	EmbedderWeights *EmbedderWeights

	// NoRules leaves the rules out, to measure the classifier. It can't be set
	// together with NoClassifier. Default: false.
	NoRules bool

	// NoClassifier leaves the classifier out, to measure the rules. It can't be set
	// together with NoRules. Default: false.
	NoClassifier bool

	// MaxBytes is how much of a text is inspected: its beginning and its end,
	// half each. Default: 1 MiB.
	MaxBytes int
}

// validate reports an option that is wrong.
func (o *Options) validate() error {
	if !(o.Threshold >= 0 && o.Threshold <= 1) { // NaN neither
		return fmt.Errorf("%w: Options.Threshold is %v: want 0 (the default, .5) to 1", ErrOption, o.Threshold)
	}
	if !(o.DocumentThreshold >= 0 && o.DocumentThreshold <= 1) {
		return fmt.Errorf("%w: Options.DocumentThreshold is %v: want 0 (the default, .5) to 1", ErrOption, o.DocumentThreshold)
	}
	if o.NoRules && o.NoClassifier {
		return fmt.Errorf("%w: Options.NoRules and Options.NoClassifier are both true: want one of them at most, or nothing is detected", ErrOption)
	}
	switch {
	case o.Embedder != nil && (o.EmbedderWeights == nil || len(o.EmbedderWeights.Vector) == 0):
		return fmt.Errorf("%w: Options.EmbedderWeights are not set, but Options.Embedder is: want what FitEmbedder made for it", ErrOption)
	case o.Embedder == nil && o.EmbedderWeights != nil:
		return fmt.Errorf("%w: Options.Embedder is nil, but Options.EmbedderWeights are set: want both or neither", ErrOption)
	case o.Embedder != nil && o.NoClassifier:
		return fmt.Errorf("%w: Options.Embedder and Options.NoClassifier are both set: want one of them at most", ErrOption)
	}
	for _, n := range []struct {
		name  string
		value int
	}{{"Limits.Depth", o.Limits.Depth}, {"Limits.Readings", o.Limits.Readings}, {"Limits.Bytes", o.Limits.Bytes}, {"MaxBytes", o.MaxBytes}} {
		if n.value < 0 {
			return fmt.Errorf("%w: Options.%s is %d: want 0 (the default) or more", ErrOption, n.name, n.value)
		}
	}
	return nil
}

// A Detector finds prompt injection. It is safe for concurrent use. Make one with
// [New].
type Detector struct {
	o               Options
	extract         *model.Extractor
	weights         *model.Weights
	documentWeights *model.DocWeights
	rules           []compiled
}

// New returns a detector. Make it once and keep it: New reads the weights. An invalid
// option, such as Weights of another version, is an error that wraps [ErrOption].
func New(o *Options) (*Detector, error) {
	d := &Detector{extract: model.New(Normalize)}
	if o != nil {
		d.o = *o
	}
	if err := d.o.validate(); err != nil {
		return nil, err
	}
	if d.o.Threshold == 0 {
		d.o.Threshold = .5
	}
	if d.o.DocumentThreshold == 0 {
		d.o.DocumentThreshold = .5
	}
	if d.o.MaxBytes == 0 {
		d.o.MaxBytes = 1 << 20
	}
	if d.o.Weights == "" {
		d.o.Weights = weights
	}
	var err error
	d.weights, err = model.Load(d.o.Weights)
	if err != nil {
		return nil, fmt.Errorf("%w: Options.Weights: %w", ErrOption, err)
	}
	if d.o.DocumentWeights == "" {
		d.o.DocumentWeights = documentWeights
	}
	d.documentWeights, err = model.LoadDoc(d.o.DocumentWeights)
	if err != nil {
		return nil, fmt.Errorf("%w: Options.DocumentWeights: %w", ErrOption, err)
	}
	d.rules = compile(d.extract)
	return d, nil
}

// A Report is what a detector found in a text.
type Report struct {
	// Flagged reports whether the text counts as an attack.
	Flagged bool
	// Score is the detector's: the classifier's, with what an embedder adds.
	// [Options].Threshold applies to it. It orders texts. It is not a probability
	// in traffic that has another share of attacks than the training data.
	Score float64
	// ClassifierScore is the classifier's score alone.
	ClassifierScore float64
	// Findings are the rules' hits and, if the text is flagged, the passage that
	// the classifier found worst (kind "classifier"), with offsets in the
	// original text.
	Findings []detect.Finding
	// Readings are the decoded readings that were looked at.
	Readings []Reading
	// WorstReading is the index in Readings of the reading with the highest score.
	WorstReading int
	// Truncated reports that a limit was reached: part of the text or some
	// reading was not inspected.
	Truncated bool
}

// ruleMargin is how much a rule's hit counts in a finding's score, and in the score of
// a detector without a classifier. With one, rules give reasons and spans, and have
// no vote: they also match harmless talk about attacks, and added as many false
// positives as attacks.
var ruleMargin = map[string]float64{"override": 1, "extract": .6, "unbind": .6, "persona": .8, "mode": .6, "marker": 2.5}

// Inspect looks at a text in all its readings. The score of the text is that of
// the worst reading.
func (d *Detector) Inspect(text string) Report { return d.inspect(text, 0) }

// inspect is Inspect with what an embedder adds to the margin.
func (d *Detector) inspect(text string, extra float64) Report {
	m, cut := d.cut(text)
	t := trail{limits: d.o.Limits.withDefaults(len(m.text)), seen: map[string]bool{}}
	t.run(m)
	r := Report{Readings: t.out, Truncated: t.truncated || cut}
	best, bestClassifier := math.Inf(-1), math.Inf(-1)
	var passage detect.Finding
	var tokens []model.Token
	for i := range t.out {
		c := &t.out[i]
		tokens = d.extract.AppendTokens(slices.Grow(tokens[:0], len(c.Text)/5+4), c.Text)
		margin, from, to := 0.0, 0, len(tokens)
		if !d.o.NoClassifier {
			margin, from, to = d.weights.Score(d.extract, c.Text, tokens)
			margin -= float64(d.weights.Threshold)
			if c.Encoded || !telling(tokens, slices.ContainsFunc(c.Steps, isGuess)) || slices.Contains(c.Steps, "joined") && !mended(c, tokens) {
				margin -= noEvidence
			} else if c.leet {
				margin -= oddSpelling
			}
			bestClassifier = max(bestClassifier, margin)
		}
		if !d.o.NoRules {
			if votes := d.applyRules(c, tokens, &r); d.o.NoClassifier {
				margin = votes
			}
		}
		if margin > best || i == 0 {
			best, r.WorstReading = margin, i
			if from < to {
				passage.Start, passage.End = c.Origin(tokens[from].Start, tokens[to-1].End)
			}
		}
	}
	best += extra
	r.Score, r.ClassifierScore = sigmoid(best), sigmoid(bestClassifier)
	r.Flagged = r.Score >= d.o.Threshold
	if d.o.NoClassifier {
		r.ClassifierScore, r.Score = 0, min(1, max(0, best))
		r.Flagged = len(r.Findings) > 0
	} else if r.Flagged {
		passage.Kind, passage.Score = "classifier", r.Score
		passage.Reason = "reads like an injection" + howRead(r.Readings[r.WorstReading].Steps)
		passage.Threats = []string{threat.PromptInjection, threat.LLMInjection}
		if len(r.Readings[r.WorstReading].Steps) > 0 {
			passage.Threats = append(passage.Threats, threat.Obfuscation)
		}
		r.Findings = append(r.Findings, passage)
	}
	slices.SortStableFunc(r.Findings, func(a, b detect.Finding) int { return a.Start - b.Start })
	return r
}

// Find returns the findings of a text that is flagged, none otherwise: the form
// that a pipeline of detectors takes.
func (d *Detector) Find(text string) []detect.Finding {
	r := d.Inspect(text)
	if !r.Flagged {
		return nil
	}
	return r.Findings
}

// noEvidence is subtracted from the margin of a reading that has too few words for the
// classifier, or that is an encoding of which another reading has the meaning.
const noEvidence = 2

// oddSpelling is subtracted from the margin of a text in which digits replace
// letters. Many attacks of the training data are written so, but harmless jokes
// are too. The reading with letters counts in full.
const oddSpelling = 1.5

// telling reports whether there are at least three words, and more or a concept
// among them. Where letters were guessed, only a concept counts.
func telling(tokens []model.Token, guessed bool) bool {
	if len(tokens) < 3 {
		return false
	}
	return len(tokens) > 5 && !guessed || slices.ContainsFunc(tokens, func(t model.Token) bool { return t.Concepts != 0 })
}

// mended reports whether joining lines made a word of a concept whole: without
// one, the lines are just short.
func mended(c *Reading, tokens []model.Token) bool {
	return slices.ContainsFunc(tokens, func(t model.Token) bool {
		from, to := c.Origin(t.Start, t.End)
		return t.Concepts != 0 && to-from > t.End-t.Start
	})
}

// applyRules adds the rules' findings in a reading to r and returns the sum of
// their margins, each kind once.
func (d *Detector) applyRules(c *Reading, tokens []model.Token, r *Report) float64 {
	hits := findMarkers(c.Text)
	for i := range d.rules {
		if h, ok := d.rules[i].match(tokens); ok {
			hits = append(hits, h)
		}
	}
	added, kinds := 0.0, ""
	for _, h := range hits {
		if strings.Contains(kinds, h.kind) {
			continue
		}
		kinds += h.kind + " "
		added += ruleMargin[h.kind]
		start, end := c.Origin(h.start, h.end)
		f := detect.Finding{Kind: h.kind, Start: start, End: end, Score: sigmoid(ruleMargin[h.kind]), Reason: h.reason + howRead(c.Steps), Threats: h.threats}
		if !slices.ContainsFunc(r.Findings, func(o detect.Finding) bool { return o.Kind == f.Kind && o.Start < f.End && f.Start < o.End }) {
			r.Findings = append(r.Findings, f)
		}
	}
	return min(added, 2.5)
}

func howRead(steps []string) string {
	if len(steps) == 0 {
		return ""
	}
	return ", read through " + strings.Join(steps, ", ")
}

func sigmoid(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// cut takes the beginning and the end of a text that is too long.
func (d *Detector) cut(text string) (mapped, bool) {
	if len(text) <= d.o.MaxBytes {
		return mapped{text: text}, false
	}
	whole := mapped{text: text}
	half := d.o.MaxBytes / 2
	b := newBuilder(&whole, d.o.MaxBytes+1)
	b.keep(0, half)
	b.add("\n", half, half+1)
	b.keep(len(text)-half, len(text))
	return b.mapped(), true
}
