package suite

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// A Progress says how much of a run is done.
type Progress struct {
	Done, Errors int // cases finished, those of an earlier start included, and how many of them failed
	Resumed      int // of Done: finished by an earlier start
	Elapsed      time.Duration
	Record       *Record
}

// ProgressBar returns a function for [Options.Progress] that draws a bar on a
// terminal and replaces it, at most every 100 milliseconds of the run's clock.
// total is the number of cases; 0 or less means that it isn't known. A nil writer
// draws nothing.
func ProgressBar(w io.Writer, total int) func(Progress) {
	if w == nil {
		w = io.Discard
	}
	const width = 24
	var last time.Duration
	return func(p Progress) {
		final := p.Done == total
		if !final && last > 0 && p.Elapsed-last < 100*time.Millisecond {
			return
		}
		last = max(p.Elapsed, 1)
		line := fmt.Sprintf("%d cases", p.Done)
		if total > 0 {
			full := min(width, width*p.Done/total)
			line = fmt.Sprintf("[%s%s] %d/%d", strings.Repeat("=", full), strings.Repeat(" ", width-full), p.Done, total)
		}
		if p.Errors > 0 {
			line += fmt.Sprintf(", %d errors", p.Errors)
		}
		if now := p.Done - p.Resumed; total > p.Done && now > 0 {
			left := p.Elapsed / time.Duration(now) * time.Duration(total-p.Done)
			line += ", " + left.Round(time.Second).String() + " left"
		}
		fmt.Fprintf(w, "\r%-60s", line) // spaces overwrite the rest of a longer line
		if final {
			fmt.Fprintln(w)
		}
	}
}
