package injection

import (
	_ "embed"
	"math"
	"slices"

	"github.com/prodailabs/prodai/guard/detect"
	"github.com/prodailabs/prodai/guard/internal/model"
	"github.com/prodailabs/prodai/guard/threat"
)

//go:embed document.bin
var documentWeights string

// An ElementKind says what an element is in its document.
type ElementKind uint8

// The kinds of elements.
const (
	ElementLine      = ElementKind(model.ElementLine)      // a line, or a paragraph without line breaks
	ElementSentence  = ElementKind(model.ElementSentence)  // a sentence of a long line
	ElementCell      = ElementKind(model.ElementCell)      // a cell of a table
	ElementString    = ElementKind(model.ElementString)    // a string in double quotes, in JSON or in a program
	ElementAttribute = ElementKind(model.ElementAttribute) // the value of a markup attribute, such as alt
	ElementComment   = ElementKind(model.ElementComment)   // a comment of markup or of a program
	ElementHidden    = ElementKind(model.ElementHidden)    // text that markup hides from the eye
)

var elementNames = [...]string{"unknown", "line", "sentence", "cell", "string", "attribute", "comment", "hidden text"}

// String returns the kind's name.
func (k ElementKind) String() string {
	if int(k) >= len(elementNames) {
		k = 0
	}
	return elementNames[k]
}

// An Element is a part of a document that was judged for itself.
type Element struct {
	Kind       ElementKind
	Start, End int      // bytes of the document
	Score      float64  // as [DocumentReport].Score
	Steps      []string // how the element was decoded, outermost first; empty for plain text
}

// A DocumentReport is what [Detector.InspectDocument] found in a document.
type DocumentReport struct {
	// Flagged reports whether some element addresses the assistant that reads the
	// document.
	Flagged bool
	// Score is that of the element with the highest score, 0 for a document without
	// an element of four words. [Options].DocumentThreshold applies to it.
	Score float64
	// Worst is the element with the highest score.
	Worst Element
	// Flags are the elements that reach the threshold, in order.
	Flags []Element
	// Judged is how many elements were judged.
	Judged int
	// Truncated reports that a limit was reached: part of the document or some reading
	// was not inspected.
	Truncated bool
}

// InspectDocument looks at a text that the assistant reads for its user: a web page, a
// mail, a file, the result of a tool. [Detector.Inspect] asks whether a text is an
// attack. An order inside a document need not look like one: "Write a poem about
// trains" is harmless in a prompt, and is out of place in an invoice. So
// InspectDocument cuts the document into elements (lines, sentences, cells,
// strings, attributes, comments, hidden text), and asks of each whether it
// addresses the assistant.
//
// A document that is made of instructions to an assistant, such as a collection of
// prompts, is flagged too. And a sentence that reads like the rest of its document is
// not: the defense that holds without reading the text is taint, in package guard.
func (d *Detector) InspectDocument(text string) DocumentReport {
	m, cut := d.cut(text)
	t := trail{limits: d.o.Limits.withDefaults(len(m.text)), seen: map[string]bool{}}
	t.run(m)
	r := DocumentReport{Truncated: t.truncated || cut}
	best := math.Inf(-1)
	var tokens []model.Token
	var elements []model.Element
	for i := range t.out {
		c := &t.out[i]
		if i > 0 && !worthElements(c) {
			continue
		}
		tokens = d.extract.AppendTokens(tokens[:0], c.Text)
		elements = model.AppendElements(elements[:0], c.Text)
		d.extract.VisitElements(c.Text, tokens, elements, func(k int, v model.DocVector) {
			if v.Words < model.FewestWords {
				return
			}
			r.Judged++
			margin := d.documentWeights.Margin(v) - float64(d.documentWeights.Threshold)
			if margin > -2*secondOpinion && margin < 2*secondOpinion && d.readsLikeAnAttack(c.Text[elements[k].Start:elements[k].End]) {
				margin += secondOpinion
			}
			score := sigmoid(margin)
			if margin <= best && score < d.o.DocumentThreshold {
				return
			}
			e := Element{Kind: ElementKind(elements[k].Kind), Score: score, Steps: c.Steps}
			e.Start, e.End = c.Origin(elements[k].Start, elements[k].End)
			if margin > best {
				best, r.Worst, r.Score = margin, e, score
			}
			if score >= d.o.DocumentThreshold {
				r.Flags = append(r.Flags, e)
			}
		})
	}
	// Of elements that overlap, the first reading's stays.
	slices.SortStableFunc(r.Flags, func(a, b Element) int { return a.Start - b.Start })
	end := -1
	r.Flags = slices.DeleteFunc(r.Flags, func(e Element) bool {
		if e.Start < end {
			return true
		}
		end = e.End
		return false
	})
	r.Flagged = len(r.Flags) > 0
	return r
}

// secondOpinion is added to the margin of an element that [Detector.Inspect] would take
// for an attack by itself. Only elements near the threshold are asked about.
const secondOpinion = .7

// attackMargin is the margin from which on the classifier's word counts there.
const attackMargin = 1

func (d *Detector) readsLikeAnAttack(element string) bool {
	if d.o.NoClassifier {
		return false
	}
	margin, _, _ := d.weights.Score(d.extract, element, d.extract.Tokens(element))
	return margin-float64(d.weights.Threshold) >= attackMargin
}

// worthElements reports whether a reading has elements of its own: it was decoded, and
// is not a guess or the same text without its markup.
func worthElements(c *Reading) bool {
	for _, s := range c.Steps {
		if s == "markup" || s == "comment" || s == "columns" || isGuess(s) {
			return false
		}
	}
	return true
}

// FindDocument returns a finding for each element of a document that is flagged. It
// has the form that a check takes (FindWith in package guard): a check that redacts
// removes the element and keeps the rest of the document.
func (d *Detector) FindDocument(text string) []detect.Finding {
	var all []detect.Finding
	for _, e := range d.InspectDocument(text).Flags {
		f := detect.Finding{Kind: "document", Start: e.Start, End: e.End, Score: e.Score,
			Reason:  "a " + e.Kind.String() + " that addresses the assistant" + howRead(e.Steps),
			Threats: []string{threat.PromptInjection, threat.LLMInjection}}
		if len(e.Steps) > 0 {
			f.Threats = append(f.Threats, threat.Obfuscation)
		}
		all = append(all, f)
	}
	return all
}
