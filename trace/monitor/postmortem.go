package monitor

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// postMortemSections are the headings of a post-mortem, in order: those of the Google
// SRE book's example, with blast radius as a heading of its own.
var postMortemSections = []string{
	"Summary", "Impact", "Blast radius", "Root causes", "Trigger", "Detection", "Resolution",
	"Timeline", "Lessons learned", "Action items", "Supporting information",
}

// toDo marks what only people know.
const toDo = "_To be written: "

// WritePostMortem writes a draft in Markdown. What traces tell is filled in; what
// only people know is marked "To be written", and no cause is guessed. The draft is
// deterministic. It fails with [ErrOption] and with the error of w.
func (in *Incident) WritePostMortem(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Post-mortem: %s\n\nStatus: draft. Times are UTC. A post-mortem blames systems and not people.\n", inline(in.Title))
	for _, section := range postMortemSections {
		fmt.Fprintf(&b, "\n## %s\n\n", section)
		in.section(&b, section)
	}
	return write(w, b.String())
}

func (in *Incident) section(b *strings.Builder, name string) {
	switch name {
	case "Summary":
		fmt.Fprintf(b, "From %s to %s (%v), %d of %d traces (%s) were affected. In as long a time before, %d of %d were.\n\n%swhat users noticed, in two sentences._\n",
			stamp(in.From), stamp(in.To), in.To.Sub(in.From), in.Bad, in.All, percent(in.Bad, in.All), in.Before, in.BeforeAll, toDo)
	case "Impact":
		fmt.Fprintf(b, "- Affected traces: %d (%s)\n- Median time of a trace: %s, before %s\n- Cost of the affected traces: %s", in.Bad, percent(in.Bad, in.All), seconds(in.Latency), seconds(in.Usual), in.SpentUSD)
		if in.Unpriced > 0 {
			fmt.Fprintf(b, ", and %d calls without a price", in.Unpriced)
		}
		b.WriteString("\n")
	case "Blast radius":
		for _, g := range []struct {
			name   string
			shares []Share
		}{{"Tenant", in.Tenants}, {"Feature", in.Features}, {"Model", in.Models}, {"Prompt", in.Prompts}} {
			writeShares(b, g.name, g.shares)
		}
	case "Root causes":
		fmt.Fprintf(b, "%swhy it could happen. Ask \"why\" until the answer is about a system._\n\nFailed spans of affected traces, by kind:\n\n", toDo)
		for _, kind := range slices.SortedFunc(maps.Keys(in.Errors), func(x, y string) int {
			if in.Errors[x] != in.Errors[y] {
				return in.Errors[y] - in.Errors[x]
			}
			return strings.Compare(x, y)
		}) {
			fmt.Fprintf(b, "- %s: %d\n", inline(kind), in.Errors[kind])
		}
		if len(in.Errors) == 0 {
			b.WriteString("- none: nothing failed by status\n")
		}
	case "Trigger":
		fmt.Fprintf(b, "%sthe change or event that started it. See the last entries of the timeline before %s._\n", toDo, stamp(in.From))
	case "Detection":
		if in.Detected.IsZero() {
			b.WriteString("No alert noticed it.\n")
		} else {
			fmt.Fprintf(b, "The first alert came at %s, %v after the start.\n", stamp(in.Detected), in.Detected.Sub(in.From).Round(time.Second))
		}
	case "Resolution":
		fmt.Fprintf(b, "%swhat ended it, and how it was known that it had ended._\n", toDo)
	case "Timeline":
		for _, e := range in.Timeline {
			fmt.Fprintf(b, "- %s %s\n", stamp(e.At), inline(e.Text))
		}
	case "Lessons learned":
		fmt.Fprintf(b, "### What went well\n\n%sat least one thing._\n\n### What went wrong\n\n%sat least one thing._\n\n### Where we got lucky\n\n%sat least one thing._\n", toDo, toDo, toDo)
	case "Action items":
		b.WriteString("| Action | Type | Owner | Due |\n| --- | --- | --- | --- |\n")
		fmt.Fprintf(b, "| %sprevent it_ | prevent | | |\n", toDo)
		if in.Detected.IsZero() || in.Detected.Sub(in.From) > time.Hour {
			b.WriteString("| Add an alert that notices it within an hour | detect | | |\n")
		}
		b.WriteString("| Replay the affected traces into the regression dataset | prevent | | |\n")
	case "Supporting information":
		b.WriteString("Affected traces, the first ones:\n\n")
		for _, id := range in.Examples {
			fmt.Fprintf(b, "- %s\n", inline(id))
		}
	}
}

func writeShares(b *strings.Builder, name string, shares []Share) {
	if len(shares) == 0 {
		return
	}
	fmt.Fprintf(b, "| %s | Affected | All | Share |\n| --- | ---: | ---: | ---: |\n", name)
	const most = 10
	for _, s := range shares[:min(len(shares), most)] {
		fmt.Fprintf(b, "| %s | %d | %d | %s |\n", inline(s.Key), s.Bad, s.All, percent(s.Bad, s.All))
	}
	if len(shares) > most {
		fmt.Fprintf(b, "| %d more | | | |\n", len(shares)-most)
	}
	b.WriteString("\n")
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

func percent(n, all int) string {
	if all == 0 {
		return "no data"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(all))
}

func seconds(s float64) string {
	if math.IsNaN(s) {
		return "no data"
	}
	return fmt.Sprintf("%.2f s", s)
}

// inline makes text safe within a line of Markdown: a tenant's name must add no
// heading, link or column.
func inline(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "[", `\[`, "]", `\]`, "`", "'", "*", `\*`, "_", `\_`, `\`, `\\`).Replace(text)
}
