package redteam

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/prodailabs/prodai/guard/threat"
	"github.com/prodailabs/prodai/internal/plot"
)

// shown is how many successful attacks the page lists.
const shown = 50

// WriteHTML writes the report as one page without scripts and external files.
func (r *Report) WriteHTML(w io.Writer, title string) error { return r.page(title).Render(w) }

// WriteHTMLFile writes the page to a file, and replaces an older one.
func (r *Report) WriteHTMLFile(name, title string) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	return r.WriteHTML(f, title)
}

func (r *Report) page(title string) *plot.Page {
	p := &plot.Page{Title: title}
	p.Sections = append(p.Sections,
		plot.Text(fmt.Sprintf("Attacks that succeed: %v of all tries. Attacks that succeed in at least one form: %v. Ordinary requests that are blocked or refused: %v.\n\n"+
			"Brackets are 95 %% intervals (Wilson). Tries that were not assessed are in no rate. Zero successes of few tries are not safety: look at the upper end.", r.Total(), r.Breached(), r.Blocking())),
		bars("Attack success rate by threat", r.ByThreat(), nameOf),
		table("By threat", "id", r.ByThreat(), nameOf),
		bars("Attack success rate by form", r.ByMutator(), formName),
		table("By form", "form", r.ByMutator(), formName),
		r.successes(), r.blocked())
	return p
}

func nameOf(id string) string {
	t, _ := threat.Lookup(id)
	return strings.TrimSpace(id + " " + t.Name)
}

func formName(name string) string {
	if name == "" {
		return "plain"
	}
	return name
}

func bars(title string, rates []Rate, name func(string) string) plot.Section {
	b := &plot.Bars{Title: title, Y: plot.Axis{Label: "attacks that succeed", Unit: "%", Max: plot.Fixed(100)}}
	s := plot.BarSeries{Name: "rate"}
	for _, r := range rates {
		if r.Assessed == 0 {
			continue
		}
		b.Groups = append(b.Groups, name(r.Name))
		s.Values = append(s.Values, 100*r.Value)
		s.Low = append(s.Low, 100*r.Low)
		s.High = append(s.High, 100*r.High)
	}
	if len(b.Groups) == 0 {
		return plot.Text("Nothing was assessed.")
	}
	b.Series = []plot.BarSeries{s}
	return b
}

func table(title, head string, rates []Rate, name func(string) string) *plot.Table {
	t := &plot.Table{Title: title, Head: []string{head, "succeeded", "assessed", "rate %", "low", "high", "unscored", "failed"}}
	for _, r := range rates {
		row := []string{name(r.Name), fmt.Sprint(r.Succeeded), fmt.Sprint(r.Assessed), "–", "–", "–", fmt.Sprint(r.Unscored), fmt.Sprint(r.Failed)}
		if r.Assessed > 0 {
			row[3], row[4], row[5] = fmt.Sprintf("%.1f", 100*r.Value), fmt.Sprintf("%.1f", 100*r.Low), fmt.Sprintf("%.1f", 100*r.High)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// successes lists attacks that succeeded.
func (r *Report) successes() *plot.Table {
	t := &plot.Table{Title: "Attacks that succeeded", Head: []string{"attack", "form", "sign", "the last prompt", "the answer"}}
	n := 0
	for i := range r.Results {
		x := &r.Results[i]
		if x.Kind != KindAttack || x.Outcome != OutcomeSucceeded {
			continue
		}
		if n++; n > shown {
			continue
		}
		row := []string{x.Attack, formName(x.Mutator), x.By, "", ""}
		if len(x.Talk) > 0 {
			last := x.Talk[len(x.Talk)-1]
			row[3] = excerpt(last.User)
			if x.Document != "" {
				row[3] = excerpt(last.User + " ⟦" + x.Document + "⟧")
			}
			row[4] = excerpt(last.Answer + " " + strings.Join(last.Calls, " "))
		}
		t.Rows = append(t.Rows, row)
	}
	if n > shown {
		t.Caption = fmt.Sprintf("The first %d of %d.", shown, n)
	}
	return t
}

// blocked lists ordinary requests that were not answered.
func (r *Report) blocked() *plot.Table {
	t := &plot.Table{Title: "Ordinary requests that were blocked or refused", Head: []string{"request", "by", "the text"}}
	for i := range r.Results {
		if x := &r.Results[i]; x.Kind == KindOrdinary && x.Outcome == OutcomeResisted && len(x.Talk) > 0 {
			t.Rows = append(t.Rows, []string{x.Attack, x.By, excerpt(x.Talk[0].User)})
		}
	}
	return t
}

// excerpt returns a short text on one line, with what can't be seen as escapes.
func excerpt(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	out, run := []rune{}, 0
	for _, c := range s {
		if run++; c == ' ' {
			run = 0
		} else if run > 28 { // a long word would push the table's other columns out of sight
			out, run = append(out, ' '), 0
		}
		switch {
		case len(out) > 160:
			return string(out) + "…"
		case c < ' ' || c == 0x200b || c >= 0x202a && c <= 0x202e || c >= 0xE0000 && c <= 0xE01EF || c >= 0xFE00 && c <= 0xFE0F || c == 0x2060 || c == 0xFEFF:
			out = append(out, []rune(fmt.Sprintf("⟨%x⟩", c))...)
		default:
			out = append(out, c)
		}
	}
	return string(out)
}
