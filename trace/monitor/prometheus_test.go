package monitor_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/trace/monitor"
)

var ruleSets = map[string]struct {
	slo monitor.SLO
	o   *monitor.RulesOptions
}{
	"defaults": {monitor.SLO{Name: "answers", Objective: 0.99}, nil},
	"tenant":   {monitor.SLO{Name: "quality", Objective: 0.95}, &monitor.RulesOptions{Total: "judged_total", Bad: `judged_bad_total{kind!=""}`, By: "tenant", Runbook: `docs/"quoted": x.md`}},
	"steps":    {monitor.SLO{Name: "steps", Objective: 0.99}, &monitor.RulesOptions{Total: "gen_ai_client_operation_duration_seconds_count"}},
	"chats":    {monitor.SLO{Name: "chats", Objective: 0.99}, &monitor.RulesOptions{Total: `gen_ai_client_operation_duration_seconds_count{gen_ai_operation_name="chat"}`}},
	"shared":   {monitor.SLO{Name: "null", Objective: 0.999, Windows: []monitor.BurnWindow{{Long: time.Hour, Budget: 0.02, Severity: monitor.SeverityPage}}}, &monitor.RulesOptions{By: "tenant"}},
}

// TestPromtoolAcceptsRulesTestsAndPanels runs the real promtool.
func TestPromtoolAcceptsRulesTestsAndPanels(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("no promtool in PATH: it is in Debian's package prometheus")
	}
	for name, set := range ruleSets {
		t.Run(name, func(t *testing.T) {
			r, err := monitor.NewRules(set.slo, set.o)
			require.NoError(t, err)
			dir := t.TempDir()
			var rules, tests bytes.Buffer
			require.NoError(t, r.WriteRules(&rules))
			require.NoError(t, r.WriteTests(&tests, "rules.yml"))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "rules.yml"), rules.Bytes(), 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "tests.yml"), tests.Bytes(), 0o600))
			run := func(args ...string) (string, error) {
				cmd := exec.Command(promtool, args...)
				cmd.Dir = dir
				out, err := cmd.CombinedOutput()
				return string(out), err
			}
			out, err := run("check", "rules", "--lint-fatal", "rules.yml")
			require.NoError(t, err, "%s\n%s", out, rules.String())
			out, err = run("test", "rules", "tests.yml")
			require.NoError(t, err, "%s\n%s\n%s", out, rules.String(), tests.String())

			// A rule that is too lax must fail its tests.
			lax := strings.ReplaceAll(rules.String(), " > 0.", " > 9.")
			require.NotEqual(t, rules.String(), lax)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "rules.yml"), []byte(lax), 0o600))
			_, err = run("test", "rules", "tests.yml")
			require.Error(t, err, "tests that pass with any rule")

			// Each panel's query is a query.
			var b strings.Builder
			b.WriteString("groups:\n  - name: panels\n    rules:\n")
			for i, query := range slices.Sorted(maps.Values(r.Panels())) {
				q, _ := json.Marshal(query)
				b.WriteString("      - record: panel:" + string(rune('a'+i)) + "\n        expr: " + string(q) + "\n")
			}
			require.NoError(t, os.WriteFile(filepath.Join(dir, "panels.yml"), []byte(b.String()), 0o600))
			out, err = run("check", "rules", "panels.yml")
			require.NoError(t, err, out)
		})
	}
}

// TestRulesCountRequests: an attempt that a retry made good is no bad event, unless steps
// are asked for.
func TestRulesCountRequests(t *testing.T) {
	for total, want := range map[string]string{
		"": `sum (rate(gen_ai_client_operation_duration_seconds_count{gen_ai_operation_name=\"invoke_workflow\",error_type!=\"\"}[1h]))`,
		"gen_ai_client_operation_duration_seconds_count": `sum (rate(gen_ai_client_operation_duration_seconds_count{error_type!=\"\"}[1h]))`,
	} {
		r, err := monitor.NewRules(monitor.SLO{Name: "answers", Objective: 0.99}, &monitor.RulesOptions{Total: total})
		require.NoError(t, err)
		var b strings.Builder
		require.NoError(t, r.WriteRules(&b))
		require.Contains(t, b.String(), want)
		require.Equal(t, total == "", strings.Contains(b.String(), `absent(sum(gen_ai_client_operation_duration_seconds_count{gen_ai_operation_name=\"invoke_workflow\"}))`))
	}
}

// TestGrafanaDashboard: what the importer needs is there, and panels do not overlap.
func TestGrafanaDashboard(t *testing.T) {
	r, err := monitor.NewRules(monitor.SLO{Name: "answers", Objective: 0.99}, &monitor.RulesOptions{By: "tenant"})
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, r.WriteDashboard(&b))
	var d struct {
		Title, UID    string
		SchemaVersion int
		Templating    struct {
			List []struct{ Name, Type, Query string }
		}
		Panels []struct {
			ID      int
			Title   string
			Type    string
			GridPos struct{ H, W, X, Y int }
			Targets []struct{ RefID, Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(b.Bytes(), &d))
	require.Equal(t, 39, d.SchemaVersion)
	require.Equal(t, "datasource", d.Templating.List[0].Name)
	require.Len(t, d.Panels, len(r.Panels()))
	ids, places := map[int]bool{}, map[[2]int]bool{}
	for _, p := range d.Panels {
		ids[p.ID], places[[2]int{p.GridPos.X, p.GridPos.Y}] = true, true
		require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24)
		require.Equal(t, r.Panels()[p.Title], p.Targets[0].Expr)
	}
	require.Len(t, ids, len(d.Panels))
	require.Len(t, places, len(d.Panels))
}

func TestRulesRefuseWhatWouldBreakThem(t *testing.T) {
	slo := monitor.SLO{Name: "x", Objective: 0.99}
	for _, o := range []monitor.RulesOptions{{By: "a b"}, {Total: "x[5m]"}, {Total: "a", Bad: "b\"\n- alert: evil"}, {Total: "x"}, {Total: `x{a="b"c="d"}`, Bad: "y"}, {Total: "x", Bad: "y{a=\"\r\"}"}} {
		_, err := monitor.NewRules(slo, &o)
		require.ErrorIs(t, err, monitor.ErrOption, "%v", o)
	}
	_, err := monitor.NewRules(monitor.SLO{Name: "a: b", Objective: 0.99}, nil)
	require.ErrorIs(t, err, monitor.ErrOption)
	r, err := monitor.NewRules(slo, nil)
	require.NoError(t, err)
	require.ErrorIs(t, r.WriteRules(nil), monitor.ErrOption)
}

// FuzzRules: a name or selector that is accepted adds no line to the files.
func FuzzRules(f *testing.F) {
	f.Add("answers", `x_total`, `x_total{a="b",c!=""}`, "tenant")
	f.Add("a\n", `x{a="'"}`, "y", "b")
	f.Fuzz(func(t *testing.T, name, total, bad, by string) {
		lines := func(name, total, bad, by string) (int, int, error) {
			r, err := monitor.NewRules(monitor.SLO{Name: name, Objective: 0.99}, &monitor.RulesOptions{Total: total, Bad: bad, By: by})
			if err != nil {
				return 0, 0, err
			}
			var rules, tests bytes.Buffer
			require.NoError(t, r.WriteRules(&rules))
			err = r.WriteTests(&tests, "r.yml")
			return strings.Count(rules.String(), "\n"), strings.Count(tests.String(), "\n"), err
		}
		a, b, err := lines(name, total, bad, by)
		if err != nil {
			require.ErrorIs(t, err, monitor.ErrOption)
			return
		}
		wantTotal, wantBad := "t", "b"
		if strings.SplitN(total, "{", 2)[0] == strings.SplitN(bad, "{", 2)[0] {
			wantBad = `t{e!=""}`
		}
		c, d, err := lines("n", wantTotal, wantBad, "")
		require.NoError(t, err)
		require.Equal(t, []int{c, d}, []int{a, b})
	})
}
