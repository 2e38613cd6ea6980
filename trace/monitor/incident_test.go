package monitor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/trace/jsonl"
	"github.com/prodailabs/prodai/trace/monitor"
)

// traceFile writes spans with a canary in each text that a person may have typed, and
// reads them back.
func traceFile(t testing.TB) []*jsonl.Trace {
	var b bytes.Buffer
	for _, r := range spans(200) {
		s := r.Span
		if s.Attributes["gen_ai.operation.name"] == "chat" {
			n := s.TraceID[28:]
			s.Attributes["gen_ai.input.messages"] = fmt.Sprintf(`[{"role":"user","parts":[{"type":"text","content":"old"}]},{"role":"user","parts":[{"type":"text","content":"Question %c of canary-7731?"}]}]`, n[3])
			s.Attributes["gen_ai.output.messages"] = `[{"role":"assistant","parts":[{"type":"text","content":"Answer canary-7731"}]}]`
		}
		s.Attributes["user.id"] = "canary-7731"
		require.NoError(t, json.NewEncoder(&b).Encode(s))
	}
	var records []jsonl.Record
	for r, err := range jsonl.Records(&b) {
		require.NoError(t, err)
		records = append(records, r)
	}
	return jsonl.Traces(records)
}

func incident(t testing.TB, traces []*jsonl.Trace) *monitor.Incident {
	start := time.Date(2026, 11, 20, 9, 5, 0, 0, time.UTC)
	in, err := monitor.NewIncident(traces, monitor.IncidentOptions{
		Title: "Answers fail", From: start, To: start.Add(5 * time.Minute),
		Evidence: []monitor.Notice{{At: start.Add(90 * time.Second), Name: "error budget", State: "fired", Text: "14.4 times too fast\n## canary-7731"}},
		Timeline: []monitor.TimelineEntry{{At: start.Add(-time.Minute), Text: "prompt 8 was deployed"}},
		Mask:     func(s string) string { return strings.ReplaceAll(s, "canary-7731", "[SECRET]") },
	})
	require.NoError(t, err)
	return in
}

// TestPostMortem: the draft is the same at each run, has each section of the SRE book,
// and no secret.
func TestPostMortem(t *testing.T) {
	traces := traceFile(t)
	var first, second bytes.Buffer
	require.NoError(t, incident(t, traces).WritePostMortem(&first))
	for i, j := 0, len(traces)-1; i < j; i, j = i+1, j-1 {
		traces[i], traces[j] = traces[j], traces[i]
	}
	require.NoError(t, incident(t, traces).WritePostMortem(&second))
	require.Equal(t, first.String(), second.String())
	text := first.String()
	at := 0
	for _, section := range []string{"Summary", "Impact", "Root causes", "Trigger", "Detection", "Resolution", "Timeline", "Lessons learned", "Action items", "Supporting information"} {
		i := strings.Index(text[at:], "\n## "+section+"\n")
		require.GreaterOrEqual(t, i, 0, section)
		at += i
	}
	for _, line := range text2lines(text) {
		require.False(t, strings.HasPrefix(line, "## canary") || strings.HasPrefix(line, "## [SECRET"), "a notice wrote a heading")
	}
	require.NotContains(t, text, "canary-7731")
	require.NotContains(t, text, "<img")
	require.Contains(t, text, "4 of 100 traces (4.0 %)")
	require.Contains(t, text, "1m30s after the start")
	want, err := os.ReadFile("testdata/postmortem.md")
	require.NoError(t, err)
	require.Equal(t, string(want), text)
}

func text2lines(text string) []string { return strings.Split(text, "\n") }

func TestIncidentRefusesWhatIsNotKnown(t *testing.T) {
	now := time.Now()
	_, err := monitor.NewIncident(nil, monitor.IncidentOptions{From: now, To: now.Add(time.Hour)})
	require.ErrorIs(t, err, monitor.ErrNoData)
	_, err = monitor.NewIncident(nil, monitor.IncidentOptions{From: now})
	require.ErrorIs(t, err, monitor.ErrOption)
}

// TestReplay: masked, one line for each question, and with the failed trace kept.
func TestReplay(t *testing.T) {
	traces := traceFile(t)
	var out bytes.Buffer
	stats, err := monitor.Replay(&out, traces, monitor.ReplayOptions{Mask: func(s string) string { return strings.ReplaceAll(s, "canary-7731", "[SECRET]") }})
	require.NoError(t, err)
	require.Equal(t, monitor.ReplayStats{Written: 16, Duplicates: 184}, stats)
	require.NotContains(t, out.String(), "canary-7731")
	failed := 0
	for _, line := range text2lines(strings.TrimSpace(out.String())) {
		var r monitor.Replayed
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		require.Regexp(t, `^Question . of \[SECRET\]\?$`, r.Input)
		if r.Error != "" {
			failed++
		}
	}
	require.Equal(t, 8, failed)
	_, err = monitor.Replay(&out, traces, monitor.ReplayOptions{})
	require.ErrorIs(t, err, monitor.ErrOption, "without a mask")
}

func TestDiffTraces(t *testing.T) {
	traces := traceFile(t)
	slow := *traces[1]
	root := *slow.Roots[0]
	root.Children = append([]*jsonl.Node(nil), root.Children[:3]...)
	long := *root.Children[0]
	long.End = long.End.Add(time.Second)
	root.Children[0] = &long
	slow.Roots = []*jsonl.Node{&root}
	d, err := monitor.DiffTraces(traces[1], &slow)
	require.NoError(t, err)
	require.Equal(t, []monitor.Step{{Name: "execute_tool lookup", Times: 1}}, d.Removed)
	require.Equal(t, []monitor.Step{{Name: "retrieval wiki", Times: 1}}, d.Slower)
	require.Empty(t, d.Added)
	_, err = monitor.DiffTraces(nil, &slow)
	require.ErrorIs(t, err, monitor.ErrOption)
}

const playbook = `# Errors of the provider

- [ ] Does the provider answer? (check: provider)
- [ ] Which tenants? (check: tenants)
- [ ] Call the provider's support
`

func TestPlaybook(t *testing.T) {
	p, err := monitor.ReadPlaybook(strings.NewReader(playbook))
	require.NoError(t, err)
	require.Equal(t, []string{"provider", "tenants"}, p.Checks())
	var out bytes.Buffer
	_, err = p.Run(t.Context(), &out, nil)
	require.ErrorIs(t, err, monitor.ErrOption, "a check that is not there")
	findings, err := p.Run(t.Context(), &out, map[string]monitor.Check{
		"provider": func(context.Context) (string, error) { panic("no route") },
		"tenants":  func(context.Context) (string, error) { return "acme\n# all of them", nil },
	})
	require.NoError(t, err)
	require.Error(t, findings[0].Err)
	require.Contains(t, out.String(), "- [!] Does the provider answer?: failed: monitor: the check panicked: no route\n- [x] Which tenants?: acme # all of them\n- [ ] Call")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	findings, err = p.Run(ctx, &out, map[string]monitor.Check{"provider": func(context.Context) (string, error) { return "", nil }, "tenants": func(context.Context) (string, error) { return "", nil }})
	require.NoError(t, err)
	require.True(t, errors.Is(findings[1].Err, context.Canceled))
	_, err = monitor.ReadPlaybook(strings.NewReader(strings.Repeat("x\n", 1<<20)))
	require.ErrorIs(t, err, monitor.ErrValue)
}

func FuzzReadPlaybook(f *testing.F) {
	f.Add(playbook)
	f.Add("- [ ] a (check: b)\r\n* [ ] (check: c) (check: d)\n\xff")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := monitor.ReadPlaybook(strings.NewReader(text))
		if err != nil {
			return
		}
		checks := map[string]monitor.Check{}
		for _, name := range p.Checks() {
			checks[name] = func(context.Context) (string, error) { return "found\nit", nil }
		}
		var out bytes.Buffer
		findings, err := p.Run(t.Context(), &out, checks)
		require.NoError(t, err)
		require.Len(t, findings, len(p.Checks()))
		require.LessOrEqual(t, strings.Count(out.String(), "\n"), strings.Count(text, "\n")+1, "a finding added a line")
	})
}

// FuzzReplay: no content of a file panics, and none leaves without the mask.
func FuzzReplay(f *testing.F) {
	f.Add(`[{"role":"user","parts":[{"type":"text","content":"canary-7731"}]}]`)
	f.Add(`[{"role":"user","parts":[{"type":"text","content":7},{"type":"text"}]},null]`)
	f.Add(`{"role":"user"}`)
	f.Fuzz(func(t *testing.T, content string) {
		r := (&jsonl.Span{TraceID: content, Attributes: map[string]any{
			"gen_ai.operation.name": "chat", "gen_ai.input.messages": content, "gen_ai.output.messages": content, "prodai.tenant": content}}).Record()
		var out bytes.Buffer
		stats, err := monitor.Replay(&out, jsonl.Traces([]jsonl.Record{r}), monitor.ReplayOptions{Mask: func(string) string { return "masked" }})
		require.NoError(t, err)
		require.Equal(t, 1, stats.Written+stats.NoContent)
		if stats.Written == 1 {
			var line monitor.Replayed
			require.NoError(t, json.Unmarshal(out.Bytes(), &line))
			require.Equal(t, []string{"masked", "masked"}, []string{line.ID, line.Input})
		}
	})
}
