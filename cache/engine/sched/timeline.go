package sched

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"time"
)

// SVGOptions are the settings of [Result.WriteSVG].
type SVGOptions struct {
	// Width is the width of the picture in pixels. Default: 960.
	Width int

	// Until ends the picture. Default: 0, the end of the last job that it shows.
	Until time.Duration
}

const (
	rowHeight = 12
	labels    = 90
	bottom    = 40
)

// WriteSVG draws the timeline: a row for each job, grey while it waits, blue while its
// prompt is computed, green while its answer grows, and a gap while it is preempted.
// Shape and text carry the meaning too: prefill is a high bar, decode a low one.
func (r *Result) WriteSVG(w io.Writer, o *SVGOptions) error {
	width, until := 960, time.Duration(0)
	if o != nil {
		if o.Width < 0 || o.Until < 0 {
			return fmt.Errorf("%w: SVGOptions are %+v: want 0 (the default) or more", ErrOption, *o)
		}
		if o.Width > 0 {
			width = o.Width
		}
		until = o.Until
	}
	jobs := r.shown(until)
	if until == 0 {
		for _, j := range jobs {
			until = max(until, j.End)
		}
	}
	until = max(until, 1)
	x := func(t time.Duration) float64 {
		return labels + float64(min(max(t, 0), until))/float64(until)*float64(max(width-labels-10, 1))
	}
	out := bufio.NewWriter(w)
	height := len(jobs)*rowHeight + bottom
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="100%%" style="min-width:40rem" role="img" font-family="system-ui,sans-serif" font-size="10">`, width, height)
	fmt.Fprintf(out, "<title>%d requests, %s</title>\n", len(jobs), until.Round(time.Millisecond))
	row := map[*Job]int{}
	for i, j := range jobs {
		row[j] = i
		y := i * rowHeight
		fmt.Fprintf(out, `<text x="4" y="%d" fill="currentColor">%s</text>`, y+9, html.EscapeString(short(j.ID)))
		if j.First >= 0 && j.Arrival < until {
			fmt.Fprintf(out, `<rect x="%.1f" y="%d" width="%.1f" height="2" fill="#9aa0a6"><title>waits</title></rect>`+"\n", x(j.Arrival), y+5, x(j.First)-x(j.Arrival))
		}
	}
	for _, s := range r.merged() {
		i, ok := row[s.Job]
		if !ok || s.From >= until {
			continue
		}
		y, h, color, name := i*rowHeight+1, 10, "#1a73e8", "prefill"
		if s.Kind == SpanDecode {
			y, h, color, name = i*rowHeight+4, 4, "#188038", "decode"
		}
		fmt.Fprintf(out, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"><title>%s %s to %s</title></rect>`+"\n",
			x(s.From), y, max(x(s.To)-x(s.From), 0.5), h, color, name, s.From.Round(time.Millisecond), s.To.Round(time.Millisecond))
	}
	base := len(jobs)*rowHeight + 14
	for k := range 5 {
		t := until * time.Duration(k) / 4
		fmt.Fprintf(out, `<text x="%.1f" y="%d" text-anchor="middle" fill="currentColor">%s</text>`, min(max(x(t), labels), float64(width-20)), base, t.Round(time.Millisecond))
	}
	fmt.Fprintf(out, `<text x="%d" y="%d" fill="currentColor">thin line: waits · high bar: prefill · low bar: decode</text></svg>`+"\n", labels, base+16)
	return out.Flush()
}

func short(id string) string {
	if r := []rune(id); len(r) > 12 {
		return string(r[:11]) + "…"
	}
	return id
}

// shown returns the jobs of the timeline that arrived before a time, if it is not 0.
func (r *Result) shown(until time.Duration) []*Job {
	var out []*Job
	for _, j := range r.Jobs {
		if j.Admitted >= 0 && j.order <= TimelineJobs && (until == 0 || j.Arrival < until) {
			out = append(out, j)
		}
	}
	return out
}

// merged joins spans of the same kind that follow one another without a pause.
func (r *Result) merged() []Span {
	var out []Span
	last := map[*Job]int{}
	for _, s := range r.Timeline {
		if i, ok := last[s.Job]; ok && out[i].Kind == s.Kind && out[i].To == s.From {
			out[i].To = s.To
			continue
		}
		last[s.Job] = len(out)
		out = append(out, s)
	}
	return out
}
